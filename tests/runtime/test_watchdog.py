"""What blocks the event loop is named, with its line, while it blocks; in the log of the run that is to blame, too."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from segue import Engine, Settings, step, workflow

Until = Callable[[Callable[[], bool]], Awaitable[None]]
QUICK = Settings(stall=0.05)
told = threading.Event()
"""Set when the report is there: whoever blocks goes on then, and not after some length of time."""


class Reports(logging.Handler):
    """What is reported of the code in this file, whatever else stands still on a busy machine."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.went_on = 0

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        self.went_on += line.startswith("the event loop goes on after ")
        if "told.wait" in line:
            self.lines.append(line)
            told.set()


@pytest.fixture
def reports() -> Iterator[Reports]:
    handler = Reports()
    told.clear()
    logging.getLogger("segue.watchdog").addHandler(handler)
    yield handler
    logging.getLogger("segue.watchdog").removeHandler(handler)


def block() -> bool:
    return told.wait(60)


@workflow
async def blocks(how: str) -> bool:
    if how == "itself":
        return told.wait(60)
    return block()


@step
async def waits() -> bool:
    return told.wait(60)


@workflow
async def calls_what_blocks() -> bool:
    return await waits()


@step
def sleeps_in_a_thread() -> bool:
    return told.wait(60)


@workflow
async def blocks_nothing() -> bool:
    waiting = asyncio.create_task(sleeps_in_a_thread())
    await asyncio.sleep(0.2)
    told.set()
    return await waiting


def line_of(function: Callable[..., Any], text: str) -> str:
    lines, first = inspect.getsourcelines(function)
    number = next(number for number, line in enumerate(lines) if text in line)
    return f"{__file__}:{first + number}, in {function.__name__}: `{lines[number].strip()}`"


@pytest.mark.parametrize(
    ("how", "place"), [("itself", (blocks.function, "told.wait")), ("below", (block, "told.wait"))]
)
async def test_a_workflow_that_blocks_is_named_with_its_line(
    url: str, reports: Reports, how: str, place: tuple[Callable[..., Any], str]
) -> None:
    async with Engine(url, settings=QUICK) as engine:
        handle = await engine.start(blocks, how, id="order-1")
        assert await handle.result(timeout=30), "it went on because it was reported"
        assert reports.lines[0] == (
            f"workflow blocks of run 'order-1' has blocked the event loop for 0.05 s at {line_of(*place)}; put work "
            "that takes long into a step, where a plain `def` runs in a thread, and wait with asyncio.sleep()"
        )
        kept = engine.logs(handle.run)
        assert [(line.level, line.text) for line in kept] == [("WARNING", reports.lines[0])]


async def test_a_step_that_blocks_is_named_with_its_line(url: str, reports: Reports) -> None:
    async with Engine(url, settings=QUICK) as engine:
        handle = await engine.start(calls_what_blocks, id="order-2")
        assert await handle.result(timeout=30)
        assert reports.lines[0].startswith(
            f"step waits of run 'order-2' has blocked the event loop for 0.05 s at {line_of(waits.function, 'told')};"
        )
        kept = engine.logs(handle.run)
        assert [(line.key, line.attempt, line.text) for line in kept] == [("/waits", 1, reports.lines[0])]


async def test_a_program_that_blocks_its_own_engine_is_named_too(url: str, reports: Reports) -> None:
    async with Engine(url, settings=QUICK):
        await asyncio.sleep(0)
        assert block()
        assert reports.lines[0].startswith(
            f"something beside the engine has blocked the event loop for 0.05 s at {line_of(block, 'told')};"
        )


async def test_it_says_when_the_loop_goes_on_and_then_watches_again(url: str, reports: Reports, until: Until) -> None:
    async with Engine(url, settings=QUICK) as engine:
        for n in (0, 1):
            told.clear()
            before = reports.went_on
            await (await engine.start(blocks, "itself", id=f"order-{n}")).result(timeout=30)
            await until(lambda before=before: reports.went_on > before)
            assert f"run 'order-{n}'" in reports.lines[n]


async def test_what_does_not_block_is_not_reported(url: str, reports: Reports) -> None:
    async with Engine(url, settings=Settings(stall=0.5)) as engine:
        assert await (await engine.start(blocks_nothing)).result(timeout=30)
    assert reports.lines == []
