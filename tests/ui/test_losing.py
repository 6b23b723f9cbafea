"""The server is lost while somebody looks: the frame stays, what failed says so, and it goes on from there."""

from __future__ import annotations

from typing import Any

from ui_kit import Screen, Served


def test_a_page_whose_code_cannot_be_fetched_says_so_inside_the_frame(screen: Screen) -> None:
    page = screen.page
    screen.open("/overview", "Needs a person")
    page.route("**/assets/*", lambda route: route.abort())
    navigation = page.get_by_role("link", name="Schedules")
    navigation.click()
    alert = page.get_by_role("alert")
    alert.get_by_text("This could not be shown").wait_for()
    assert navigation.is_visible()
    assert screen.violations() == []
    page.unroute("**/assets/*")
    alert.get_by_role("button", name="Retry").click()
    screen.see("quarter-hour")
    screen.errors.clear()  # the browser complains of what was kept from it


def test_part_of_a_page_that_cannot_be_fetched_leaves_the_frame(screen: Screen, served: Served) -> None:
    async def number(engine: Any) -> int:
        return int((await engine.handle("report-1")).run)

    page = screen.page
    screen.open(f"/runs/{served.do(number)}", "Timeline")
    page.route("**/assets/*", lambda route: route.abort())
    page.get_by_role("link", name="Artifacts").click()
    page.get_by_role("alert").get_by_text("This could not be shown").wait_for()
    assert page.get_by_role("link", name="Overview").is_visible()
    page.unroute("**/assets/*")
    page.get_by_role("alert").get_by_role("button", name="Retry").click()
    screen.see("Sales by item")
    screen.errors.clear()
