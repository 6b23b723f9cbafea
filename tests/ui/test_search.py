"""The box above the list of runs: words that are searched for while somebody types, in addresses and in saved views."""

from __future__ import annotations

import re
from typing import Any

import pytest
import ui_program
from ui_kit import Screen, Served

from segue.stores.sql import search


def rows(screen: Screen) -> list[str]:
    """Ids of the runs that are shown."""
    found: list[str] = screen.page.evaluate("[...document.querySelectorAll('.rows .rid a')].map((each) => each.title)")
    return found


def shown(screen: Screen, count: int) -> None:
    """Waits until so many runs are shown."""
    found = screen.page.locator(".rows .rrow")
    found.nth(count - 1).wait_for()
    found.nth(count).wait_for(state="detached")


def start(served: Served, prefix: str, count: int, **tags: str) -> None:
    async def many(engine: Any) -> None:
        for number in range(count):
            await engine.start(ui_program.sync_inventory, number, True, id=f"{prefix}-{number:02}", tags=tags)

    served.do(many)


def test_runs_are_found_by_words_while_somebody_types(screen: Screen, served: Served) -> None:
    start(served, "found", 2, site="Zanzibar west", line="db-7")
    start(served, "kept", 1, site="Zanzibar east")
    page = screen.page
    screen.open("/runs", "order-48213")
    page.keyboard.press("/")
    box = page.get_by_label("Search runs")
    assert box.evaluate("(each) => each === document.activeElement")
    page.keyboard.type("zanz")
    page.wait_for_url(re.compile(r"text=zanz"))
    shown(screen, 3)
    box.fill("db-7 zanzibar we")
    shown(screen, 2)
    assert rows(screen) == ["found-01", "found-00"]
    assert screen.violations() == []
    page.reload()
    shown(screen, 2)
    assert box.input_value() == "db-7 zanzibar we"

    page.get_by_role("button", name="Save view").click()
    page.get_by_role("dialog").get_by_label("Name").fill("West")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    box.fill("unheard-of")
    screen.see("No runs match")
    page.get_by_role("button", name="Remove Search runs unheard-of").click()
    page.locator(".rows .rrow").nth(5).wait_for()
    assert box.input_value() == ""
    page.get_by_role("link", name="West").click()
    shown(screen, 2)
    assert box.input_value() == "db-7 zanzibar we"
    box.fill("--")
    page.locator(".rows .rrow").nth(5).wait_for()
    assert "text=" not in page.url


def test_a_link_to_the_beginning_of_an_id_still_works(screen: Screen, served: Served) -> None:
    start(served, "linked", 1)
    screen.open("/runs?id=linked", "linked-00")
    screen.page.get_by_role("button", name="Remove id begins with linked").click()
    screen.see("order-48213")


def test_a_search_that_has_looked_at_much_offers_to_look_further(
    screen: Screen, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(served, "rare", 1, one="x", other="y")
    start(served, "one", 5, one="x")
    start(served, "other", 5, other="y")
    for name, value in {"ORDERED": 2, "UNORDERED": 1, "LOOKS": 1, "ROUND": 1, "AT_ONCE": 1}.items():
        monkeypatch.setattr(search, name, value)
    page = screen.page
    screen.open("/runs?text=one%20other%20", "Look through older runs")
    assert rows(screen) == []
    assert screen.violations() == []
    found, further = page.get_by_title("rare-00"), page.get_by_role("button", name="Look through older runs")
    while not found.is_visible():
        further.or_(found).first.wait_for()
        if further.is_visible():
            further.click()
    assert rows(screen) == ["rare-00"]
