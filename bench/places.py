"""Measures what it costs to keep large values outside the database.

    python bench/places.py [runs] [rounds] [--url URL | --latency MS]

Each run has one step, whose result has 1 MB, and each starts when the one before has ended: how long its caller waits
is measured. By turns: values in the database, and values that move out of it meanwhile, to a folder on the same disk,
to a URL, or to a place of this process that takes so long to answer each request. Then how long it takes until the last
one is out, how long a run takes to come back into memory with its value and to end, and how large the database is. In
the end as many values as there were runs have piled up in another database: how many a second move out of it, and how
many a second are erased with their runs, there and where they are.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

import fsspec

from segue import Engine, Settings, signal, step, workflow

LARGE = 1_000_000
ROUNDS = 3


class Distant(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """An object store whose answers are on their way for a while."""

    protocol = "distant"
    objects: ClassVar[dict[str, bytes]] = {}
    latency = 0.0

    def pipe_file(self, path: str, value: bytes, **_: Any) -> None:
        time.sleep(self.latency)
        self.objects[path] = value

    def cat_file(self, path: str, **_: Any) -> bytes:
        time.sleep(self.latency)
        return self.objects[path]

    def rm_file(self, path: str) -> None:
        time.sleep(self.latency)
        del self.objects[path]


@step
async def make(n: int) -> str:
    return f"{n:08}" * (LARGE // 8)


@workflow
async def makes(n: int) -> int:
    return len(await make(n))


@workflow
async def waits(n: int) -> int:
    made = await make(n)
    await signal("go")
    return len(made)


async def measure(url: str, runs: int, place: str) -> dict[str, float]:
    waited, back = [], []
    async with Engine(url, settings=Settings(large_values=place)) as engine:
        began = time.perf_counter()
        for n in range(runs):
            asked = time.perf_counter()
            assert await (await engine.start(makes, n)).result() == LARGE // 8 * 8
            waited.append(time.perf_counter() - asked)
        took = time.perf_counter() - began
        handles = [await engine.start(waits, runs + n, id=f"w{n}") for n in range(20)]
        while place and engine.store.places.large(LARGE // 2, 1):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        out = time.perf_counter() - began
    async with Engine(url, settings=Settings(large_values=place)) as engine:
        while not engine.quiescent:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        for handle in handles:
            asked = time.perf_counter()
            there = await engine.handle(handle.id)
            await there.signal("go")
            assert await there.result() == LARGE // 8 * 8
            back.append(time.perf_counter() - asked)
        while engine.store.shrink():
            pass
        size = engine.store.stats().bytes
    return {
        "runs/s": runs / took,
        "ms until the result, median": 1_000 * statistics.median(waited),
        "of a hundred, the slowest": 1_000 * sorted(waited)[max(0, round(0.99 * runs) - 1)],
        "s until the last one was out": out if place else 0.0,
        "ms to come back with its value, median": 1_000 * statistics.median(back),
        "MB of the database": size / 1e6,
    }


async def pile_up(url: str, runs: int, place: str) -> dict[str, float]:
    async with Engine(url) as engine:
        handles = [await engine.start(makes, n) for n in range(runs)]
        for handle in handles:
            await handle.result()
    began = time.perf_counter()
    async with Engine(url, settings=Settings(large_values=place)) as engine:
        while engine.store.places.large(LARGE // 2, 1):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        moved = time.perf_counter()
        await engine.erase(*[handle.run for handle in handles])
        while engine.store.places.leftovers(2**60, 1):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        removed = time.perf_counter()
    return {"values/s moved, once piled up": runs / (moved - began), "values/s erased": runs / (removed - moved)}


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else ""


def main() -> None:
    url, latency = option("--url"), option("--latency")
    if latency:
        fsspec.register_implementation("distant", Distant)
        Distant.latency, url = float(latency) / 1_000, "distant://bucket"
    numbers = [int(each) for each in sys.argv[1:] if each not in ("--url", "--latency", url, latency)]
    runs, rounds = [*numbers, *(200, ROUNDS)[len(numbers) :]][:2]
    found: dict[str, list[dict[str, float]]] = {"in the database": [], "outside": []}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds):
            for where, results in found.items():
                place = Path(folder, f"{where}-{turn}".replace(" ", "-"))
                place.mkdir()
                out = "" if where == "in the database" else url or place.as_uri()
                results.append(asyncio.run(measure(f"sqlite:///{place}.db", runs, out)))
                if out:
                    results[-1] |= asyncio.run(pile_up(f"sqlite:///{place}-pile.db", runs, out))
    print(f"{runs} runs with a result of {LARGE:,} bytes each, {rounds} rounds by turns, ", end="")
    print(f"load average {os.getloadavg()[0]:.1f}")
    for what in found["outside"][0]:
        print(f"  {what:<40}", end="")
        for where, results in found.items():
            print(f"  {where}: {' '.join(f'{each.get(what, 0):8.1f}' for each in results)}", end="")
        print()


if __name__ == "__main__":
    main()
