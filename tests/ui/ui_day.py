"""A day of work as a screen shows it at its end: what the pictures in the documents are taken of.

A clock goes a thousand times as fast as the machine's, and jumps from one start to the next: so a day takes seconds,
and steps take as long as steps do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from ui_program import WORKFLOWS, Order, daily_etl, fill, fulfil, onboard, quote, shown, sync_inventory

from segue import Engine
from segue.errors import RunFailed
from segue.runtime.clock import Alarm

MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE
RUNS = 144


class Hastened:
    """The engine's clock: behind the machine's, and faster, until it has caught up."""

    def __init__(self, behind: int, speed: int = 1000) -> None:
        self._since = time.time_ns() // 1000
        self._base = self._since - behind
        self._speed = speed

    def now(self) -> int:
        return self._base + (time.time_ns() // 1000 - self._since) * self._speed

    def call_at(self, at: int, callback: Callable[[], None]) -> Alarm:
        wait = max(0, at - self.now()) / self._speed
        return asyncio.get_running_loop().call_later(min(wait, DAY) / 1_000_000, callback)

    def jump(self, to: int) -> None:
        """Not back: if it is later already, it stays."""
        self._base = max(to, self.now())
        self._since = time.time_ns() // 1000

    def settle(self) -> None:
        """From now on it is the machine's."""
        real = time.time_ns() // 1000
        assert self.now() <= real, "the day was too long for its clock"
        self._base, self._since, self._speed = real, real, 1


async def live_through(engine: Engine, clock: Hastened) -> None:
    """Starts a day's runs, each at its time, and in the end one of every kind."""
    begin = clock.now()
    for number in range(RUNS):
        clock.jump(begin + number * (DAY - 60 * MINUTE) // RUNS)
        match number % 6:
            case 0 | 3:
                country = "AU" if number % 30 == 21 else "DE"
                order = Order(f"order-{48_000 + number}", "Nordlicht GmbH", country)
                handle = await engine.start(fulfil, order, id=order.id)
            case 1:
                handle = await engine.start(sync_inventory, 900 + number, id=f"stock-{number}")
            case 2:
                handle = await engine.start(quote, "FR", 100.0 * number, id=f"quote-{1000 + number}")
            case 4:
                handle = await engine.start(daily_etl, 5 + number % 20, id=f"etl-{number}")
            case _:
                handle = await engine.start(onboard, f"c{number}", 1, id=f"onboard-{number}")
                await handle.signal("documents_received", "passport.pdf")
        with suppress(RunFailed):
            await handle.result()
    clock.jump(begin + DAY - 55 * MINUTE)
    await fill(engine)
    for id in ("order-48213", "order-48330", "etl-2026-11-22"):
        await settled(engine, id)
    clock.settle()


async def settled(engine: Engine, id: str) -> None:
    """Waits until a run has ended, or stands still."""
    handle = await engine.handle(id)
    try:
        await handle.result()
    except Exception:
        return


@asynccontextmanager
async def serving(url: str, port: int = 0, *, filled: bool = True) -> AsyncIterator[tuple[Engine, str]]:
    """An engine at the end of such a day, and the address of the server over it."""
    clock = Hastened(DAY)
    async with Engine(url, workflows=WORKFLOWS, clock=clock) as engine:  # type: ignore[arg-type]
        await live_through(engine, clock)
        async with shown(engine, port=port) as address:
            yield engine, address
