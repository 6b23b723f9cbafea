"""The machine's clock jumps: forwards (it slept, or was set), backwards (it was set). Early wakes are harmless, late
ones are not, and no journal ever goes back in time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fault_kit import act

from segue import Engine, now, signal, step, workflow
from segue.runtime.clock import SystemClock
from segue.runtime.settings import Settings

HOUR = 3_600_000_000


class Jumping(SystemClock):
    """The machine's clock, as somebody sets it."""

    shift = 0

    def now(self) -> int:
        return super().now() + self.shift


@step
async def marks(n: int) -> int:
    act()
    return n


@workflow
async def sleeps(seconds: float) -> str:
    await asyncio.sleep(seconds)
    await marks(1)
    return now().isoformat()


@workflow
async def goes_on() -> int:
    async for n in signal("number", int):
        await marks(n)
        if n == 0:
            return n
    raise AssertionError


@pytest.fixture
def clock() -> Jumping:
    return Jumping()


@pytest.mark.parametrize("cache", [1000, 0], ids=["kept", "evicted"])
async def test_a_clock_that_jumps_forward_wakes_who_is_due(url: str, clock: Jumping, cache: int) -> None:
    async with Engine(url, clock=clock, settings=Settings(cache=cache)) as engine:
        handle = await engine.start(sleeps, 7200)
        clock.shift = 3 * HOUR
        await handle.result(timeout=10)


@pytest.mark.parametrize("cache", [1000, 0], ids=["kept", "evicted"])
async def test_a_clock_that_jumps_back_turns_no_journal_back_and_wakes_nobody_early(
    url: str, clock: Jumping, cache: int
) -> None:
    async with Engine(url, clock=clock, settings=Settings(cache=cache, slow_poll=0.05)) as engine:
        busy = await engine.start(goes_on)
        asleep = await engine.start(sleeps, 1800)
        for n, shift in enumerate((0, -2 * HOUR, -HOUR, -3 * HOUR), 1):
            clock.shift = shift
            await busy.signal("number", n)
        with pytest.raises(TimeoutError):
            await asleep.result(timeout=0.2)
        await busy.signal("number", 0)
        assert await busy.result(timeout=10) == 0
        clock.shift = HOUR
        await asleep.result(timeout=10)
        for handle in (busy, asleep):
            times = [recorded.event.at for recorded in await handle.history()]
            assert times == sorted(times)


async def test_a_run_that_was_written_in_the_future_goes_on(tmp_path: Path, url: str, clock: Jumping) -> None:
    """Its machine's clock was ahead, and its successor's is not."""
    clock.shift = HOUR
    async with Engine(url, clock=clock) as engine:
        handle = await engine.start(goes_on, id="a")
        await handle.signal("number", 1)
    async with Engine(url) as engine:
        handle = await engine.handle("a")
        await handle.signal("number", 2)
        await handle.signal("number", 0)
        assert await handle.result(timeout=10) == 0
        times = [recorded.event.at for recorded in await handle.history()]
        assert times == sorted(times)
