"""A loop on virtual time: it leaps, says when nothing is left, waits for threads, and tells of one that hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from segue.testing import virtual_loop
from segue.testing.clock import DAWN
from segue.testing.side_thread import SideThread
from segue.testing.virtual_loop import Held, LoopClock, VirtualLoop

DAY = 86_400.0
Make = Callable[..., VirtualLoop]


class Idle(Exception):
    """Nothing is left to do."""


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[VirtualLoop] = []

    def idle() -> None:
        raise Idle

    threads = SideThread()

    def loop(horizon: float = 1000 * DAY, on_rest: Callable[[], bool] = lambda: False) -> VirtualLoop:
        made.append(VirtualLoop(threads, begins=0.0, horizon=horizon, on_rest=on_rest, on_idle=idle))
        return made[-1]

    yield loop
    threads.shutdown()
    for each in made:
        each.close()


def test_time_passes_when_nothing_else_can_happen(make: Make) -> None:
    loop = make()
    order: list[tuple[float, str]] = []

    async def sleeper(name: str, days: float) -> None:
        await asyncio.sleep(days * DAY)
        order.append((loop.time() / DAY, name))

    async def main() -> None:
        await asyncio.gather(sleeper("late", 365), sleeper("soon", 1), sleeper("then", 30))
        async with asyncio.timeout(DAY):
            await sleeper("quick", 0.5)

    loop.run_until_complete(main())
    assert order == [(1.0, "soon"), (30.0, "then"), (365.0, "late"), (365.5, "quick")]


def test_the_clock_of_the_engine_is_the_loops(make: Make) -> None:
    loop = make()
    clock = LoopClock(loop, DAWN)
    began = clock.now()

    async def main() -> list[int]:
        rung: list[int] = []
        for at in (began + 5_000_001, began + 1, began - 7):
            clock.call_at(at, lambda: rung.append(clock.now() - began))
        await asyncio.sleep(6)
        return rung

    assert loop.run_until_complete(main()) == [0, 1, 5_000_001]


def test_it_says_when_nothing_is_left(make: Make) -> None:
    loop = make(horizon=DAY)

    async def for_ever() -> None:
        loop.call_later(2 * DAY, lambda: None)  # a chore, beyond the horizon
        await loop.create_future()

    waiting = loop.create_task(for_ever())
    with pytest.raises(Idle):
        loop.run_until_complete(waiting)
    assert loop.time() == 0.0
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(waiting)


def test_a_moment_of_rest_comes_before_time_goes_on(make: Make) -> None:
    rests: list[float] = []

    def rest() -> bool:
        rests.append(loop.time())
        if len(rests) == 1:
            loop.call_soon(lambda: None)
            return True
        return False

    loop = make(on_rest=rest)
    loop.run_until_complete(asyncio.sleep(DAY))
    assert rests == [0.0, 0.0]
    assert loop.time() == DAY


def test_a_thread_is_waited_for_on_the_spot(make: Make) -> None:
    loop = make()
    done: list[str] = []

    def plain(name: str) -> int:
        done.append(name)
        return threading.get_ident()

    async def main() -> Any:
        loop.call_soon(done.append, "the loop goes on")
        ident = await asyncio.to_thread(plain, "thread")
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        with pytest.raises(TimeoutError, match="the function's own"):
            await asyncio.to_thread(_times_out)
        return ident

    assert loop.run_until_complete(main()) != threading.get_ident()
    assert done[0] == "thread"


def _times_out() -> None:
    raise TimeoutError("the function's own")


def test_a_function_that_does_not_return_is_told(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_loop, "PATIENCE", 0.01)
    loop, gate = make(), threading.Event()
    try:
        with pytest.raises(Held, match=r"wait has not returned .* mock one that waits to be cancelled"):
            loop.run_until_complete(asyncio.to_thread(gate.wait))
    finally:
        gate.set()


def test_what_goes_round_without_end_is_told(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_loop, "MOST_TURNS", 50)
    loop = make()

    async def polls() -> None:
        while True:  # noqa: ASYNC110 -- what is to be told
            await asyncio.sleep(0)

    task = loop.create_task(polls(), name="step poll")
    with pytest.raises(Held, match=r"step poll has gone on for 50 turns .* polls with asyncio\.sleep\(0\)"):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)


def test_turns_are_counted_from_the_last_time_that_went_by(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_loop, "MOST_TURNS", 50)

    async def works() -> int:
        for n in range(300):
            await asyncio.sleep(1 if n % 10 == 0 else 0)
        return n

    assert make().run_until_complete(works()) == 299
