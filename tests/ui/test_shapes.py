"""Runs and forms of shapes that the program of the other tests does not have: each is shown as what it is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from ui_kit import Screen, Served
from ui_program import shown

from segue import Engine, step, workflow

pytestmark = pytest.mark.xdist_group("screens")

LARGE = 12_345_678_901_234_567_890
"""More than any number of a browser tells apart from its neighbours."""


@step
async def echo(value: Any) -> Any:
    return value


@workflow
async def echoes(value: int) -> dict[str, int]:
    return {"seen": await echo(value)}


@asynccontextmanager
async def serving(url: str, *, filled: bool) -> AsyncIterator[tuple[Engine, str]]:
    async with Engine(url, workflows=[echoes]) as engine, shown(engine) as address:
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
