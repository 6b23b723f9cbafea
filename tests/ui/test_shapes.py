"""Runs and forms of shapes that the program of the other tests does not have: each is shown as what it is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from ui_kit import Screen, Served
from ui_program import shown

from segue import Engine, approval, step, workflow

pytestmark = pytest.mark.xdist_group("screens")

LARGE = 12_345_678_901_234_567_890
"""More than any number of a browser tells apart from its neighbours."""


@step
async def echo(value: Any) -> Any:
    return value


@workflow
async def echoes(value: int) -> dict[str, int]:
    return {"seen": await echo(value)}


@workflow
async def echoes_rows(value: list[dict[str, int] | None]) -> list[dict[str, int] | None]:
    return value


LINES: list[dict[str, Any]] = [{"tea": "Assam"}, {"tea": "Ceylon", "discount": "12 %"}]
FORMS: dict[str, Any] = {"facts": bool}


@workflow
async def asks(form: str) -> Any:
    lines = [*LINES, *({"tea": f"Tea {number}"} for number in range(2, 250))]
    return await approval("anybody", form=FORMS[form], subject={"lines": lines} if form == "facts" else None)


@asynccontextmanager
async def serving(url: str, *, filled: bool) -> AsyncIterator[tuple[Engine, str]]:
    async with Engine(url, workflows=[echoes, echoes_rows, asks]) as engine, shown(engine) as address:
        yield engine, address


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("shapes"), filled=False, serving=serving)
    yield server
    server.close()


def ended(served: Served, workflow: Any, *input: Any, id: str) -> int:
    """The number of a run that has come to its end."""

    async def run(engine: Engine) -> int:
        handle = await engine.start(workflow, *input, id=id)
        await engine.closing_event(handle.run)
        return int(handle.run)

    return int(served.do(run))


def asked(served: Served, form: str) -> int:
    """The number of a task with such a form."""

    async def ask(engine: Engine) -> int:
        run = (await engine.start(asks, form, id=f"asks-{form}")).run
        while not (found := [task for task in await engine.tasks() if task.run == run]):
            await engine.changed(run)
        return int(found[0].task)

    return int(served.do(ask))


def test_a_large_number_keeps_its_digits(screen: Screen, served: Served) -> None:
    """To the screen, and from there into the next run."""
    page = screen.page
    screen.open(f"/runs/{ended(served, echoes, LARGE, id='large')}?step=%2Fecho", "Output")
    assert page.get_by_role("complementary").get_by_text(str(LARGE)).count() == 2
    page.get_by_role("button", name="Start another…").click()
    field = page.get_by_role("dialog").get_by_role("textbox", name="Value")
    assert field.input_value() == str(LARGE)
    page.get_by_role("textbox", name=re.compile("^Run id")).fill("larger")
    page.get_by_role("button", name="as JSON").click()
    page.get_by_role("button", name="as form").click()
    field.press("End")
    field.press_sequentially("1")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"/runs/\d+$"))
    found = served.do(lambda engine: engine.handle("larger"))
    assert served.do(lambda engine: found.result()) == {"seen": LARGE * 10 + 1}


def test_facts_are_shown_whole(screen: Screen, served: Served) -> None:
    """A row may have what the first one lacks."""
    page = screen.page
    screen.open(f"/tasks?task={asked(served, 'facts')}", "Complete and go on")
    table = page.get_by_role("table", name="Lines")
    assert table.get_by_role("columnheader").all_inner_texts() == ["Tea", "Discount"]
    assert table.get_by_role("cell", name="12 %").is_visible()
    assert table.get_by_role("row").count() == 201
    page.get_by_role("button", name="more").click()
    table.get_by_role("cell", name="Tea 249").wait_for()


def test_a_list_that_ends_otherwise_than_it_begins_is_no_table(screen: Screen, served: Served) -> None:
    page = screen.page
    rows = [*({"tea": number} for number in range(150)), None]
    screen.open(f"/runs/{ended(served, echoes_rows, rows, id='rows')}", "Completed")
    result = page.get_by_role("complementary").get_by_role("group", name="JSON").last
    result.get_by_role("button", name="51 more").click()
    result.get_by_text("null", exact=True).wait_for()
