"""Lists of people's tasks and of schedules that are longer than a page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from ui_kit import Screen, Served
from ui_program import shown

from segue import Engine, Every, Schedule, approval, workflow

TASKS = 230
SCHEDULES = 240


@workflow(name="poll")
async def poll(people: int) -> int:
    """Asks everybody; who is asked later has more time."""
    votes = [approval("all", name=f"Vote {n:03}", timeout=f"{n + 1}h") for n in range(people)]
    return len(await asyncio.gather(*votes))


@asynccontextmanager
async def serving(url: str, *, filled: bool) -> AsyncIterator[tuple[Engine, str]]:
    async with Engine(url, workflows=[poll]) as engine:
        await engine.start(poll, TASKS, id="poll")
        while len(await engine.tasks()) < TASKS:
            pass
        for n in range(SCHEDULES):
            await engine.schedules.create(
                f"every-{n + 1:03}", poll, Schedule(Every(f"{n + 1}h"), args=(1,)), paused="not yet"
            )
        async with shown(engine) as address:
            yield engine, address


@pytest.fixture(scope="module")
def long(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("long"), serving=serving)
    yield server
    server.close()


@pytest.mark.parametrize(("size", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_the_inbox_goes_on_as_one_scrolls(chromium: Any, long: Served, size: str, scheme: str) -> None:
    screen = Screen(chromium, long.url, size, scheme)
    page = screen.page
    screen.open("/tasks", "Vote 000")
    inbox = page.get_by_role("list", name="Inbox")
    page.get_by_role("link", name=f"Open {TASKS}").wait_for()
    assert inbox.get_by_role("link").count() == 100
    assert inbox.get_by_role("button", name="More").count() == 1
    screen.shoot(f"long-tasks-{size}-{scheme}")
    assert screen.violations() == []
    while inbox.get_by_text("That is all.").count() == 0:
        inbox.get_by_role("listitem").last.scroll_into_view_if_needed()
    names = [text.split("\n")[0] for text in inbox.get_by_role("link").all_inner_texts()]
    assert names == [f"Vote {n:03}" for n in range(TASKS)], "each once, what is due first at the top"
    screen.close()
    assert screen.errors == []


def test_a_link_leads_to_a_task_that_is_on_no_page_yet(chromium: Any, long: Served) -> None:
    screen = Screen(chromium, long.url)
    last = long.do(lambda engine: engine.tasks())[-1].task
    screen.open(f"/tasks?task={last}", "Vote 000")
    screen.page.get_by_role("heading", name=f"Vote {TASKS - 1}").wait_for()
    screen.page.get_by_role("button", name="Complete and go on").wait_for()
    screen.close()
    assert screen.errors == []


@pytest.mark.parametrize(("size", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_the_list_of_schedules_goes_on_as_one_scrolls(chromium: Any, long: Served, size: str, scheme: str) -> None:
    screen = Screen(chromium, long.url, size, scheme)
    page = screen.page
    screen.open("/schedules", "every-001")
    if size == "wide":
        screen.see("100+ schedules")
    rows = page.get_by_role("rowgroup", name="Schedules")
    seen: dict[str, None] = {}
    while f"every-{SCHEDULES:03}" not in seen:
        seen |= dict.fromkeys(rows.get_by_role("link").all_inner_texts())
        rows.get_by_role("link").last.scroll_into_view_if_needed()  # no further than what has been drawn
    assert list(seen) == [f"every-{n + 1:03}" for n in range(SCHEDULES)]
    page.get_by_role("textbox", name="Find a schedule").fill("23")
    page.locator('[role="grid"][aria-rowcount="14"]').wait_for()  # 023, 123, 223, 230 to 239, and the head
    screen.shoot(f"long-schedules-{size}-{scheme}")
    assert screen.violations() == []
    page.get_by_role("textbox", name="Find a schedule").fill("no such")
    screen.see("No schedule has this name")
    screen.close()
    assert screen.errors == []


def test_a_link_leads_to_a_schedule_that_is_on_no_page_yet(chromium: Any, long: Served) -> None:
    screen = Screen(chromium, long.url)
    screen.open(f"/schedules?name=every-{SCHEDULES:03}", "every-001")
    screen.page.get_by_role("complementary", name=f"Schedules every-{SCHEDULES:03}").wait_for()
    screen.close()
    assert screen.errors == []
