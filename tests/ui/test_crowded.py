"""Long names, long errors, many attributes: nothing runs into anything else, and nothing is pushed off the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from ui_kit import SIZES, Screen, Served
from ui_program import shown

from segue import Engine, approval, set_attributes, step, workflow

LONG = "_and_a_name_that_goes_on".join(["begins", "", "", "", "", "ends"])
ERROR = f"{LONG * 3} " + "the service did not answer what it was asked; " * 80
RUN = f"run-{LONG}"
TASK = "Approve the order"


@step
async def breaks() -> None:
    raise ValueError(ERROR)


@workflow(name=LONG)
async def crowded() -> None:
    set_attributes(**{f"attribute_{number:02}": f"value {number}" for number in range(60)})
    await breaks()


@workflow
async def asks() -> bool:
    return (await approval(f"group {LONG}", name=TASK, timeout="3h")).approved


@asynccontextmanager
async def serving(url: str, *, filled: bool) -> AsyncIterator[tuple[Engine, str]]:
    async with Engine(url, workflows=[crowded, asks]) as engine, shown(engine) as address:
        failed = await engine.start(crowded, id=RUN)
        await engine.closing_event(failed.run)
        asking = await engine.start(asks, id="asking")
        while not await engine.tasks():
            await engine.changed(asking.run)
        yield engine, address


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("crowded"), filled=False, serving=serving)
    yield server
    server.close()


@pytest.fixture(params=SIZES)
def sized(chromium: Any, served: Served, request: pytest.FixtureRequest) -> Iterator[Screen]:
    screen = Screen(chromium, served.url, request.param)
    yield screen
    screen.close()
    assert screen.errors == []


def box(found: Any) -> dict[str, float]:
    """Where the first of what is found, and seen, stands on the screen."""
    around = found.locator("visible=true").first.bounding_box()
    assert around is not None
    return {**around, "right": around["x"] + around["width"], "bottom": around["y"] + around["height"]}


def inside(screen: Screen, inner: str, outer: str) -> bool:
    """Whether one element lies within the breadth of another."""
    found, around = box(screen.page.locator(inner)), box(screen.page.locator(outer))
    return around["x"] <= found["x"] and found["right"] <= around["right"]


def test_a_run_of_many_attributes_is_still_to_be_seen(sized: Screen, served: Served) -> None:
    async def number(engine: Any) -> int:
        return int((await engine.handle(RUN)).run)

    page = sized.page
    sized.open(f"/runs/{served.do(number)}", "ValueError")
    tabs = page.get_by_role("link", name="Timeline")
    assert box(tabs)["bottom"] < 600
    assert page.get_by_text("attribute_05").locator("visible=true").count() > 0
    assert page.get_by_text("attribute_06").locator("visible=true").count() == 0
    more = page.get_by_role("button", name="54 more")
    more.click()
    page.get_by_text("value 59").locator("visible=true").first.wait_for()
    page.get_by_role("button", name="fewer").click()
    more.wait_for()
    assert sized.violations() == []

    # The address line keeps to its place, with what copies the id, and leaves the rest of the bar alone.
    crumbs, copies = box(page.locator(".crumbs")), box(page.get_by_role("button", name="Copy the id"))
    assert copies["right"] <= crumbs["right"] <= box(page.locator(".live"))["x"]


def test_a_long_id_leaves_room_for_its_workflow(sized: Screen) -> None:
    sized.open("/runs", "ValueError" if sized.page.viewport_size["width"] > 760 else "Failed")
    row = f'[role=row]:has(a[title="{RUN}"])'
    assert box(sized.page.locator(f'{row} [title="{LONG}"]'))["width"] > 40
    assert inside(sized, f'{row} [title="{LONG}"]', f"{row} .rid")


def test_a_long_group_leaves_room_for_its_task(sized: Screen) -> None:
    sized.open("/tasks", TASK)
    assert inside(sized, ".inbox .tag", ".inbox .task")
    sized.open("/overview", TASK)
    due = ".mini li:has-text('group begins')"
    assert inside(sized, f"{due} .tiny", due)
    assert box(sized.page.locator(due).get_by_role("link"))["width"] > 60


def test_a_peeked_run_keeps_to_its_panel(sized: Screen, served: Served) -> None:
    async def number(engine: Any) -> int:
        return int((await engine.handle(RUN)).run)

    sized.open(f"/runs?peek={served.do(number)}", "Steps")
    assert inside(sized, ".peek .facts > span", ".peek .facts")


def test_a_person_reads_no_markup(sized: Screen) -> None:
    sized.open("/tasks", TASK)
    sized.page.get_by_text(TASK).locator("visible=true").first.click()
    sized.see("The answer to an approval that asks nothing more than yes or no.")
