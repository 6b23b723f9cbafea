"""What people do with schedules: make one, see when it is due, hold it, start it, fill in its past, take it away."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import ui_program
from ui_kit import Screen, Served, show_schedule

from segue import Every, Schedule
from segue.stores.schedule_rows import SchedulePage


def test_make_change_pause_trigger_delete(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/schedules", "quarter-hour")
    page.get_by_role("button", name="New schedule").click()
    dialog = page.get_by_role("dialog", name="New schedule")
    dialog.get_by_label("Name").fill("stock-5")
    dialog.get_by_label("Cron line").fill("0 0 30 2 *")
    dialog.get_by_text("can never fire").wait_for()
    screen.errors.clear()  # the browser complains of the answer's status, as it should
    dialog.get_by_role("button", name="Interval").click()
    dialog.get_by_label(re.compile("^Every")).fill("2h")
    due = dialog.get_by_role("status", name="Due at").get_by_role("listitem")
    due.nth(4).wait_for()
    assert due.count() == 5
    dialog.get_by_label("Note").fill("by hand")
    dialog.get_by_label(re.compile("^Workflow")).select_option("sync_inventory")
    assert dialog.get_by_label("Note").input_value() == "by hand"
    dialog.get_by_label("Rows").fill("77")
    screen.shoot("schedule-form")
    assert screen.violations() == []
    dialog.get_by_role("button", name="Make it").click()
    page.get_by_role("link", name="stock-5").click()

    detail = page.get_by_role("complementary", name="Schedules stock-5")
    detail.get_by_text("every 2h").wait_for()
    detail.get_by_role("button", name="Change…").click()
    dialog = page.get_by_role("dialog", name="Change stock-5")
    assert dialog.get_by_label("Rows").input_value() == "77"
    dialog.get_by_label(re.compile("^Every")).fill("3h")
    dialog.get_by_role("button", name="Save", exact=True).click()
    detail.get_by_text("every 3h").wait_for()

    detail.get_by_role("button", name="Pause…").click()
    page.get_by_label("Reason").fill("stocktaking")
    page.get_by_role("button", name="Pause", exact=True).click()
    detail.get_by_text("Paused: stocktaking (paused by you)").wait_for()
    detail.get_by_role("button", name="Trigger now").click()
    detail.get_by_role("listitem").get_by_text("Completed").wait_for()
    detail.get_by_role("button", name="Resume").click()
    detail.get_by_role("button", name="Pause…").wait_for()

    async def shown(engine: Any) -> tuple[str, str | None, int, Any]:
        found = await engine.schedules.show("stock-5")
        (run,) = [each for each in await engine.list() if each.id.startswith("stock-5@")]
        return found.when, found.paused, found.started, await (await engine.handle(run.id)).result()

    assert served.do(shown) == ("every 3h", None, 1, {"rows": 77})
    detail.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete the schedule").click()
    page.get_by_role("link", name="stock-5").wait_for(state="detached")


def test_fill_in_the_past(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/schedules?name=quarter-hour", "Keeps the shop's figures fresh")
    page.get_by_role("button", name="Backfill…").click()
    dialog = page.get_by_role("dialog", name="Backfill quarter-hour")
    dialog.get_by_label("From").fill("2026-02-01T00:00")
    dialog.get_by_label("Before").fill("2026-02-01T05:00")
    dialog.get_by_label("At a time").fill("4")
    dialog.get_by_text("20 due times").wait_for()
    assert screen.violations() == []
    dialog.get_by_role("button", name="Fill in 20").click()
    page.get_by_role("img", name="20 completed").wait_for()

    async def filled(engine: Any) -> int:
        (found,) = (await engine.schedules.show("quarter-hour")).backfills
        return int(found.completed)

    assert served.do(filled) == 20


def test_one_that_somebody_else_takes_away_is_not_asked_for(screen: Screen, served: Served) -> None:
    page = screen.page
    show_schedule(screen, served, "short-lived")
    page.get_by_role("complementary", name="Schedules short-lived").wait_for()
    served.do(lambda engine: engine.schedules.delete("short-lived"))
    page.get_by_role("complementary", name="Schedules short-lived").wait_for(state="detached")
    page.get_by_role("link", name="quarter-hour").wait_for()
    page.wait_for_load_state("networkidle")


def test_the_week_asks_for_none_that_is_gone_and_follows_what_is_changed(screen: Screen, served: Served) -> None:
    page = screen.page
    rule = Schedule(Every("12h"), args=(900,))
    for name in ("of-the-week", "of-one-day"):
        served.do(lambda engine, name=name: engine.schedules.create(name, ui_program.sync_inventory, rule))
    screen.open("/schedules?view=week", "of-one-day")
    page.get_by_role("link", name=re.compile("2 times ?of-the-week")).first.wait_for()
    served.do(lambda engine: engine.schedules.delete("of-one-day"))
    page.get_by_role("link", name=re.compile("of-one-day")).first.wait_for(state="detached")
    served.do(lambda engine: engine.schedules.update("of-the-week", when=Every("2h")))
    page.get_by_role("link", name=re.compile("12 times ?of-the-week")).first.wait_for()
    served.do(lambda engine: engine.schedules.delete("of-the-week"))
    page.get_by_role("link", name=re.compile("of-the-week")).first.wait_for(state="detached")
    page.wait_for_load_state("networkidle")


def test_the_week(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/schedules?view=week", "nightly-stock")
    week = page.get_by_role("group", name="Due in the next seven days")
    # More than five hundred times in a week: those beyond are not counted, and not passed over in silence either.
    # Late in the day the five hundredth is on the last day of the week; otherwise a whole day is beyond it.
    week.get_by_role("link", name=re.compile(r"(goes on|\+ times) quarter-hour")).first.wait_for()
    assert week.get_by_role("link", name="nightly-stock").count() in (6, 7)
    assert week.get_by_text("month-end").count() == 0  # it is paused


def test_the_week_says_of_a_single_time_that_more_follow(screen: Screen) -> None:
    page = screen.page

    def cut(route: Any) -> None:
        answer = route.fetch()
        noon = datetime.now().astimezone().replace(hour=12, minute=0) + timedelta(days=6)
        route.fulfill(response=answer, json=[*(answer.json()[:1] * 499), int(noon.timestamp() * 1_000_000)])

    page.route(re.compile("/schedules/quarter-hour/due"), cut)
    screen.open("/schedules?view=week", "nightly-stock")
    page.get_by_role("link", name=re.compile(r"1\+ times quarter-hour")).wait_for()


def test_the_first_page_says_what_is_due_next(screen: Screen, served: Served) -> None:
    due = served.do(lambda engine: engine.schedules.page(SchedulePage(5, by_turn=True)))
    first = due[0][1].name  # between 01:45 and 02:00 in Berlin both are due at once
    screen.open("/overview", "Next due")
    panel = screen.page.locator("section", has=screen.page.get_by_role("heading", name="Next due"))
    names = panel.get_by_role("listitem").get_by_role("link").all_inner_texts()
    assert names[0] == first
    assert 1 < len(names) <= 5
    panel.get_by_role("link", name="quarter-hour").click()
    screen.page.wait_for_url("**/schedules?name=quarter-hour")
