"""Threads beside the loop: no step can take them, and they end with the loop."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from segue import Engine, Settings, step, workflow
from segue.runtime.beside import Beside

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
MOST = 32
"""Threads that asyncio makes at the most, however many processors there are."""
go_on = threading.Event()


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    go_on.clear()
    yield
    go_on.set()


@step(timeout="50ms", grace="10ms")
async def asks() -> None:
    """As one that asks another system by a library that knows of no ``await``, and gets no answer."""
    await asyncio.to_thread(go_on.wait, 60)


@workflow
async def asks_all() -> int:
    await asyncio.gather(*[asks() for _ in range(MOST)], return_exceptions=True)
    return 1


@step.transaction
def note(db: object) -> str:
    return "noted"


@workflow
async def notes() -> str:
    return await note()


def alive(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


async def test_what_steps_leave_in_the_threads_of_asyncio_holds_nobody_up(url: str, until: Until) -> None:
    engine = Engine(url, settings=Settings(lease=3))
    try:
        async with asyncio.timeout(30), engine:
            assert await (await engine.start(notes)).result() == "noted"  # the writer has a thread
            handle = await engine.start(asks_all)
            assert await handle.result() == 1
            assert engine._duty is not None
            tending, now = engine._duty.tending, time.monotonic()
            await until(lambda: engine.store.lease is None or tending.heard_at > now)
            assert await engine.artifacts(handle.run) == []
        assert not go_on.is_set()
    finally:
        go_on.set()  # asyncio waits for its threads when a loop ends


async def test_calls_at_once_are_as_many_as_were_said(until: Until) -> None:
    these = Beside(2, "segue-these")
    begun: list[int] = []

    def call(n: int) -> int:
        begun.append(n)
        go_on.wait(60)
        return n

    calls = [asyncio.ensure_future(these(call, n)) for n in range(5)]
    await until(lambda: len(begun) == 2)
    go_on.set()
    assert await asyncio.gather(*calls) == [0, 1, 2, 3, 4]
    with pytest.raises(ZeroDivisionError):
        await these(lambda: 1 // 0)


def test_the_threads_end_with_the_loop() -> None:
    these = Beside(2, "segue-these")

    async def twice() -> list[int]:
        return await asyncio.gather(these(lambda: 1), these(lambda: 2))

    for _ in range(3):
        assert asyncio.run(twice()) == [1, 2]
    gc.collect()
    ends = time.monotonic() + 30
    while alive("segue-these"):
        assert time.monotonic() < ends
        time.sleep(0.001)
