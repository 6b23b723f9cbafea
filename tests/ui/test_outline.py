"""What a workflow's code may do, drawn on its page, and the way from a node to its line."""

from __future__ import annotations

from typing import Any

import pytest
from ui_kit import Screen, Served


def drawn(screen: Screen) -> Any:
    return screen.page.get_by_role("group", name="Graph of the code")


def test_a_node_leads_to_its_line(screen: Screen) -> None:
    screen.open("/workflows?name=fulfil", "What its code may do")
    graph = drawn(screen)
    graph.get_by_role("button", name="charge", exact=True).click()
    pointed = screen.page.locator(".source [aria-current]")
    assert "charge" in pointed.inner_text()
    assert graph.get_by_role("button", name="refund", exact=True).count() == 1
    asked = graph.locator(".node", has_text="asks manager")
    assert asked.count() >= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_it_fits_and_is_clean_by_axe(chromium: Any, served: Served, size: str, scheme: str) -> None:
    screen = Screen(chromium, served.url, size, scheme)
    screen.open("/workflows?name=fulfil", "What its code may do")
    graph = drawn(screen)
    graph.locator(".node").first.wait_for()
    graph.scroll_into_view_if_needed()
    screen.shoot(f"outline-{size}-{scheme}")
    assert screen.violations() == []
    screen.close()
    assert screen.errors == []
