"""A saga whose steps run side by side: nothing is undone while it is still being done."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from segue import RunFailed, saga, step, testing, workflow

seen: list[object] = []
begun = threading.Event()
may_end = threading.Event()


@step
async def fails() -> None:
    """Once the others have begun: what still waits for a thread would not begin any more."""
    assert await asyncio.to_thread(begun.wait, 10)
    raise ValueError("no")


@step
async def waits_on_the_loop() -> str:
    seen.append("loop: begun")
    try:
        await asyncio.Event().wait()
    finally:
        may_end.set()
        seen.append("loop: ended")
    return "never"


@step
def works_in_a_thread() -> str:
    begun.set()
    assert may_end.wait(10)
    seen.append("thread: ended")
    return "its result"


@step
async def undo_on_the_loop(result: str | None) -> None:
    seen.append(("loop: undone", result))


@step
async def undo_in_a_thread(result: str | None) -> None:
    seen.append(("thread: undone", result))


@workflow
async def one_of_three_fails() -> None:
    async with saga() as s:
        await asyncio.gather(
            s.step(waits_on_the_loop, undo=undo_on_the_loop),
            s.step(works_in_a_thread, undo=undo_in_a_thread),
            fails(),
        )


async def test_siblings_end_before_they_are_undone(tmp_path: Path) -> None:
    seen.clear()
    begun.clear()
    may_end.clear()
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(one_of_three_fails)
        with pytest.raises(RunFailed, match="fails"):
            await world.result(handle)
    assert sorted(seen[:3], key=str) == ["loop: begun", "loop: ended", "thread: ended"]
    assert seen[3:] == [("thread: undone", "its result"), ("loop: undone", None)]
