"""A defect of ours in what follows from one operation: whoever asked hears of it, and nobody else has to do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import segue
from segue import Engine, Incident, signal, step, workflow
from segue.kernel import events as e
from segue.runtime import outside
from segue.runtime.conductor import Conductor
from segue.stores.base import Post, Posted

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
tokens: list[str] = []


@pytest.fixture(autouse=True)
def clean() -> None:
    tokens.clear()


@step(name="defects.outside")
async def outside_step() -> int:
    tokens.append(segue.complete_later())
    return 0


@workflow(name="defects.asks")
async def asks() -> int:
    return await outside_step()


@workflow(name="defects.waits")
async def waits() -> str:
    return await signal("go", str)


def nobody(message: str) -> Post:
    return Post("signal", b"", message, 0, run=10**9)


def conductor_of(engine: Engine) -> Conductor:
    assert engine._duty is not None
    return engine._duty.conductor


async def test_others_of_the_batch_are_answered(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    conductor = conductor_of(engine)
    answered: asyncio.Future[Posted] = asyncio.get_running_loop().create_future()

    def breaks(_: Any) -> None:
        raise ZeroDivisionError("what follows")

    conductor.writer.submit(nobody("one"), breaks)
    conductor.writer.submit(nobody("other"), answered.set_result)
    assert (await asyncio.wait_for(answered, 30)).outcome == "unknown"
    assert "Post is on disk, and what was to follow has failed" in caplog.text
    handle = await engine.start(waits)
    await handle.signal("go", "on")
    assert await handle.result(timeout=30) == "on"


async def test_whoever_waits_hears_of_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = await engine.start(waits)

    def breaks(row: int) -> None:
        raise ZeroDivisionError("what follows")

    with monkeypatch.context() as broken:
        broken.setattr(conductor_of(engine), "poke", breaks)
        with pytest.raises(ZeroDivisionError, match="what follows"):
            await asyncio.wait_for(handle.pause("a moment"), 30)
    await handle.resume()
    await handle.signal("go", "on")
    assert await handle.result(timeout=30) == "on"


async def test_the_run_stands_still_with_its_message(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    handle = await engine.start(asks)
    other = await engine.start(waits)
    await until(lambda: bool(tokens))

    def breaks(*_: Any) -> None:
        raise ZeroDivisionError("what a token says")

    with monkeypatch.context() as broken:
        broken.setattr(outside, "received", breaks)
        await engine.complete_step(tokens[0], 7)
        with pytest.raises(Incident, match=r"\(internal\): what a token says"):
            await handle.result(timeout=30)
    await other.signal("go", "on")
    assert await other.result(timeout=30) == "on"
    await handle.retry()
    assert await handle.result(timeout=30) == 7
    ends = [event for _, event in engine.events_of(handle.run) if isinstance(event, e.StepCompleted)]
    assert [event.worker for event in ends] == ["outside"]
