"""Inputs that are too large to be sent along with what is shown: in the form all the same, or left as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ui_kit import Screen, Served, form, started
from ui_program import only

from segue import Engine, Every, Schedule, workflow

LARGE = "lorem " * 50_000


@workflow
async def prints(text: str = "", copies: int = 1) -> str:
    return f"{len(text)} {copies}"


@workflow
async def sums(numbers: list[int]) -> int:
    return sum(numbers)


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("inputs"), filled=False, serving=only(prints, sums))
    yield server
    server.close()


def started_with_much(served: Served, id: str) -> int:
    async def start(engine: Engine) -> int:
        handle = await engine.start(prints, LARGE, 3, id=id)
        await handle.result()
        return handle.run

    return int(served.do(start))


def test_another_run_is_started_with_a_large_input(screen: Screen, served: Served) -> None:
    run = started_with_much(served, "much")
    screen.page.add_init_script("localStorage.setItem('segue.input.prints', JSON.stringify({ text: 'old' }))")
    screen.open(f"/runs/{run}", "Start another")
    screen.page.get_by_role("button", name="Start another").click()
    dialog = screen.page.get_by_role("dialog")
    text = dialog.get_by_label("Text")
    screen.wait_for_value(text, LARGE)
    assert started(screen, served, dialog, "much-again") == f"{len(LARGE)} 3"


def test_a_run_that_was_started_is_shown_where_the_browser_has_no_room_to_keep_its_input(
    screen: Screen, served: Served
) -> None:
    dialog = form(screen, "prints")
    screen.page.evaluate(
        "for (let size = 1 << 22; size > 0; size >>= 1)"
        " try { for (let i = 0; ; i++) localStorage.setItem(`${size} ${i}`, 'x'.repeat(size)) } catch {}"
    )
    dialog.get_by_label("Text").fill("lorem ipsum")
    assert started(screen, served, dialog, "no-room") == "11 1"


def test_a_schedule_keeps_arguments_that_are_too_large_to_be_shown(screen: Screen, served: Served) -> None:
    page = screen.page
    served.do(lambda engine: engine.schedules.create("nightly", prints, Schedule(Every("2h"), args=(LARGE, 3))))
    screen.open("/schedules?name=nightly", "every 2h")
    page.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("are too large to be changed here").wait_for()
    assert dialog.get_by_role("button", name="as JSON").count() == 0, "no form for them"
    dialog.get_by_role("textbox", name="Note").fill("checked")
    dialog.get_by_role("button", name="Save").click()
    dialog.wait_for(state="detached")
    (kept,) = served.do(lambda engine: engine.schedules.list())
    assert kept.note == "checked"
    handle = served.do(lambda engine: engine.schedules.trigger("nightly"))
    assert served.do(lambda engine: handle.result()) == f"{len(LARGE)} 3"


def test_a_long_list_is_a_text_of_json_that_says_where_it_is_wrong(screen: Screen, served: Served) -> None:
    async def start(engine: Engine) -> int:
        handle = await engine.start(sums, list(range(300)), id="long")
        await handle.result()
        return handle.run

    screen.open(f"/runs/{served.do(start)}", "Start another")
    screen.page.get_by_role("button", name="Start another").click()
    dialog = screen.page.get_by_role("dialog")
    numbers = dialog.get_by_role("textbox", name="Numbers")
    assert json.loads(numbers.input_value()) == list(range(300))
    numbers.fill('[1, "two"]')
    dialog.get_by_role("button", name="Start", exact=True).click()
    dialog.get_by_text("/1: Not a number").wait_for()
    numbers.fill("[1, 2]")
    assert started(screen, served, dialog, "short") == 3
