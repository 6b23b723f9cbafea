"""A session ends while a page is open: that is said, what was typed stays, and the page goes on after a login."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ui_program
from test_login import BASE, Guarded, visit
from test_notices import wait_in_front
from ui_kit import Screen

ENDED = "You are logged out."


@pytest.fixture
def guarded(chromium: Any, tmp_path: Path) -> Iterator[Guarded]:
    server = Guarded(tmp_path)
    yield server
    server.close()


@pytest.fixture
def screen(chromium: Any, guarded: Guarded) -> Iterator[Screen]:
    """Of somebody who has logged in; the browser complains of what is refused after their session."""
    opened = visit(chromium, guarded, "ann")
    yield opened
    opened.close()
    assert [error for error in opened.errors if "the server responded with a status of" not in error] == []


def go(screen: Screen, page: str, text: str) -> None:
    screen.open(f"{BASE}/{page}", text)


def about_to_cancel(screen: Screen, guarded: Guarded) -> tuple[int, Any]:
    """A new run, and the dialog that asks why it is to be cancelled, with a reason in it."""
    run = guarded.do(lambda engine: engine.start(ui_program.onboard, "acme", id="acme")).run
    go(screen, f"runs/{run}", "Timeline")
    screen.page.get_by_role("button", name="Cancel…").click()
    dialog = screen.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Reason").fill("they have withdrawn")
    return run, dialog


@pytest.mark.parametrize("way", ["cookie", "password", "account"])
def test_the_end_of_a_session_is_said_by_itself(screen: Screen, guarded: Guarded, way: str) -> None:
    page = screen.page
    go(screen, "schedules", "New schedule")
    if way == "cookie":
        page.context.clear_cookies()
        page.get_by_role("link", name="Workers").click()
        page.get_by_role("alert").get_by_text("This is shown once you have logged in.").wait_for()
    elif way == "password":
        guarded.accounts.set_password("ann", "battery staple")
    else:
        guarded.accounts.remove_user("ann")
    notice = page.get_by_role("alert").filter(has_text=ENDED).filter(has_text="stays")
    wait_in_front(page, notice)
    wanted = "workers" if way == "cookie" else "schedules"
    assert notice.get_by_role("link", name="Log in").get_attribute("href") == f"login?to={wanted}"
    assert screen.violations() == []


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_what_was_typed_outlives_the_session(chromium: Any, guarded: Guarded, size: str) -> None:
    screen = visit(chromium, guarded, "ann", (size, "light"))
    page = screen.page
    run, dialog = about_to_cancel(screen, guarded)
    guarded.accounts.set_password("ann", "battery staple")
    notice = dialog.get_by_role("alert").filter(has_text=ENDED)
    wait_in_front(page, notice)
    screen.shoot(f"session-over-{size}")
    dialog.get_by_role("button", name="Cancel the run").click()
    dialog.get_by_role("status").get_by_text("This was not done").wait_for()

    with page.expect_popup() as opened:
        notice.get_by_role("link", name="Log in").click()
    login = opened.value
    login.get_by_label("Name").fill("ann")
    login.get_by_label("Password").fill("battery staple")
    login.get_by_role("button", name="Log in").click()
    login.wait_for_url(f"**{BASE}/runs/{run}")
    login.close()

    notice.wait_for(state="detached")
    assert dialog.get_by_role("textbox", name="Reason").input_value() == "they have withdrawn"
    dialog.get_by_role("button", name="Cancel the run").click()
    screen.see("Cancelled")  # it hears of changes again
    screen.close()


def test_a_stream_that_a_proxy_has_refused_is_asked_for_again(screen: Screen) -> None:
    """A browser connects anew by itself only where it was answered by a stream."""
    page = screen.page
    page.route("**/api/v1/live*", lambda route: route.fulfill(status=502, body="no server behind it"))
    go(screen, "workers", "Reconnecting")
    page.unroute("**/api/v1/live*")
    page.locator(".live:not(.lost)").wait_for()
    assert page.get_by_text(ENDED).count() == 0


def test_a_role_that_is_taken_away_takes_with_it_what_it_showed(screen: Screen, guarded: Guarded) -> None:
    page = screen.page
    go(screen, "runs", "Nothing has run yet")
    page.get_by_role("button", name="Start run").first.wait_for()
    guarded.accounts.set_roles("ann", {"eu": "viewer"})
    page.get_by_role("link", name="Schedules").click()
    page.get_by_text("You have no role in a namespace default").wait_for()
    page.get_by_role("link", name="eu", exact=True).wait_for()


def test_a_role_that_has_become_less_offers_less(screen: Screen, guarded: Guarded) -> None:
    """What was typed stays until its dialog is closed."""
    page = screen.page
    _, dialog = about_to_cancel(screen, guarded)
    guarded.accounts.set_roles("ann", {"default": "viewer"})
    dialog.get_by_role("button", name="Cancel the run").click()
    dialog.get_by_role("status").get_by_text("roles from operator on have it").wait_for()
    assert dialog.get_by_role("textbox", name="Reason").input_value() == "they have withdrawn"
    dialog.get_by_role("button", name="Back").click()
    page.get_by_role("link", name="Runs", exact=True).first.click()
    page.get_by_role("button", name="Start run").wait_for(state="detached")
    page.keyboard.press("?")
    page.get_by_role("dialog").get_by_text("copy the id").wait_for()
    assert page.get_by_role("dialog").get_by_text("retry, after asking").count() == 0
