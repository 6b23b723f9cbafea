"""Shows what a process holds over time while waiting runs with large state are started under the setting ``memory``.

    python bench/memory.py
    python bench/memory.py --seconds 600 --memory 300M --size 128K --rate 50

Each run keeps the result of a step and waits for a signal. In between, the oldest ones are told to go on: they come
back by replay, and have to have what they kept. A line every ten seconds; what was above the budget is told at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time

from segue import Engine, Handle, Settings, signal, step, workflow
from segue.runtime.memory import MIB, budget, resident_memory

EVERY = 10.0
"""Seconds between two lines."""
GOES_ON = 10
"""Of so many runs that are started, the oldest one is told to go on."""

ALL = 1_000_000
"""Runs that may be in memory by their number, if nothing else is said: ``cache`` is not what is measured."""


@step
async def state(size: int) -> bytes:
    return os.urandom(size)


@workflow
async def keeps(size: int) -> int:
    """Has large state while it waits."""
    kept = await state(size)
    await signal("go", str)
    return len(kept)


class Measured:
    """What was seen of one engine's process."""

    def __init__(self, engine: Engine, allowed: int) -> None:
        self._engine = engine
        self._began = time.perf_counter()
        self.allowed = allowed
        self.started = self.ended = 0
        self.seen: list[int] = []

    @property
    def since(self) -> float:
        return time.perf_counter() - self._began

    def look(self) -> None:
        self.seen.append(resident_memory() or 0)

    def line(self) -> None:
        duty = self._engine.duty
        assert duty is not None
        print(
            f"{self.since:5.0f} s  {self.started:7,} started  {self.ended:6,} gone on  "
            f"{len(duty.conductor.residents):6,} in memory  {duty.memory.shed:7,} have left it  "
            f"RSS {self.seen[-1] / MIB:5.0f} MiB, most so far {max(self.seen) / MIB:5.0f}",
            flush=True,
        )


async def loaded(measured: Measured, engine: Engine, size: int, rate: float, seconds: float) -> None:
    """Starts ``rate`` runs a second, or as many as there can be."""
    waiting: list[Handle[int]] = []
    told = EVERY
    while measured.since < seconds:
        waiting.append(await engine.start(keeps, size))
        measured.started += 1
        if measured.started % GOES_ON == 0:
            oldest = waiting.pop(0)
            await oldest.signal("go", "on")
            assert await oldest.result(timeout=60) == size
            measured.ended += 1
        measured.look()
        if measured.since >= told:
            measured.line()
            told += EVERY
        await asyncio.sleep(max(0.0, measured.started / rate - measured.since))
    measured.line()


async def measure(folder: str, memory: str, cache: int, size: int, rate: float, seconds: float) -> None:
    settings = Settings(memory=memory, cache=cache)
    allowed = budget(memory)
    assert allowed is not None, "a size, such as 200M"
    async with Engine(f"sqlite:///{folder}/memory.db", settings=settings) as engine:
        before = resident_memory() or 0
        measured = Measured(engine, allowed)
        await loaded(measured, engine, size, rate, seconds)
        later = measured.seen[len(measured.seen) // 2 :]
        above = sum(seen > allowed for seen in measured.seen) / len(measured.seen)
        kept = (measured.started - measured.ended) * size / MIB
        print(
            f"allowed {allowed / MIB:.0f} MiB, {before / MIB:.0f} before the first run; {kept:,.0f} MiB of state are "
            f"kept by runs that wait; most {max(measured.seen) / MIB:.0f} MiB, in the second half "
            f"{min(later) / MIB:.0f} to {max(later) / MIB:.0f}; {above:.0%} of looks above what is allowed"
        )


def bytes_of(text: str) -> int:
    return int(text.removesuffix("K")) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--memory", default="200M", help="the setting")
    parser.add_argument("--cache", type=int, default=ALL, help="the setting")
    parser.add_argument("--size", type=bytes_of, default=bytes_of("64K"), help="of what a run keeps, in kilobytes: 64K")
    parser.add_argument("--rate", type=float, default=50.0, help="runs started in a second")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(folder, given.memory, given.cache, given.size, given.rate, given.seconds))


if __name__ == "__main__":
    main()
