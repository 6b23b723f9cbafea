"""Runs that come at a steady rate and are deleted after their end: nothing is lost, and nothing grows. Runs that have
piled up while nobody worked: they are worked off, and the workers keep their leases meanwhile.

``--long`` takes ``SUSTAINED_SECONDS`` (300) and ``SUSTAINED_RATE`` (runs a second, 400) from the environment, and
prints what it measured with ``-s``.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest
import sustained_program
from fleet_kit import Fleet, until

from segue import Engine
from segue.stores.base import RunFilter

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.timeout(7200)]
LEASE = 10.0
MEGABYTE = 1 << 20
WARM = 130
"""Seconds that are not compared: caches fill, and nothing is deleted before the second round of retention."""


class Sample(NamedTuple):
    """What was to be seen at a moment. ``memory``: of the workers together, ``database``: its size, both in bytes."""

    second: int
    started: int
    kept: int
    memory: int
    database: int


class Load:
    """Starts runs at a rate, through one client, and looks how some of them end."""

    def __init__(self, fleet: Fleet, engine: Engine) -> None:
        self._fleet, self._engine = fleet, engine
        self.started = 0
        self.samples: list[Sample] = []

    async def play(self, seconds: int, rate: int) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        under_way: set[asyncio.Task[None]] = set()
        for second in range(seconds):
            while (wanted := round((loop.time() - began) * rate)) < (second + 1) * rate:
                while self.started < wanted and len(under_way) < rate:
                    under_way.add(task := asyncio.create_task(self._start(self.started)))
                    task.add_done_callback(under_way.discard)
                    self.started += 1
                await asyncio.sleep(0.01)
            if not second % max(1, seconds // 60):
                self.samples.append(await asyncio.to_thread(self._look, second))
        await asyncio.gather(*under_way)

    async def _start(self, n: int) -> None:
        handle = await self._engine.start(sustained_program.passes, n, id=f"run-{n}")
        if not n % 50:
            assert await handle.result(timeout=120) == n + 2

    def _look(self, second: int) -> Sample:
        ((kept, size),) = self._fleet.query(
            "SELECT (SELECT count(*) FROM segue.runs), pg_database_size(current_database())"
        )
        memory = sum(resident(worker.process.pid) for worker in self._fleet.workers)
        return Sample(second, self.started, kept, memory, size)


def resident(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def test_a_steady_load_loses_nothing_and_nothing_grows(fleet: Fleet, long: bool) -> None:
    seconds = int(os.environ.get("SUSTAINED_SECONDS", "300")) if long else 8
    rate = int(os.environ.get("SUSTAINED_RATE", "400")) if long else 40
    keep = "20s" if long else "1s"
    program = Path(sustained_program.__file__)
    for _ in range(2):
        await fleet.worker(lease=LEASE, program=program, SUSTAINED_KEEP=keep)
    async with Engine(fleet.url, own=False) as engine:
        load = Load(fleet, engine)
        await load.play(seconds, rate)
        await until(lambda: engine.store.list(RunFilter(states=("running", "waiting", "incident"), limit=1)) == [], 300)
    for sample in load.samples:
        print(*sample[:3], sample.memory // MEGABYTE, sample.database // MEGABYTE, sep="\t")
    if long:
        assert max(sample.kept for sample in load.samples) < load.started, "those that have ended are deleted"
        later = [sample for sample in load.samples if sample.second >= WARM]
        half = len(later) // 2
        for what in ("memory", "database"):
            early, late = (median(getattr(sample, what) for sample in part) for part in (later[:half], later[half:]))
            assert late < early * 1.2, f"{what} has grown from {early} to {late}"


async def test_a_backlog_is_worked_off_within_one_lease_each(fleet: Fleet, long: bool) -> None:
    count = int(os.environ.get("BACKLOG_RUNS", "50000")) if long else 2500
    async with Engine(fleet.url, own=False) as client:
        for first in range(0, count, 500):
            await asyncio.gather(
                *[client.start(sustained_program.passes, n, id=f"run-{n}") for n in range(first, first + 500)]
            )
        workers = [
            await fleet.worker(lease=LEASE, program=Path(sustained_program.__file__), SUSTAINED_KEEP="1h")
            for _ in range(2)
        ]
        began = owners(fleet)
        most = 0
        while client.store.list(RunFilter(states=("running", "waiting"), limit=1)):
            most = max(most, *(resident(worker.process.pid) for worker in workers))
            await asyncio.sleep(0.2)
        assert owners(fleet) == began, "a lease has run out on the way"
        assert fleet.query("SELECT count(*) FROM segue.runs WHERE state = 'completed'") == [(count,)]
        assert most < 150 * MEGABYTE
        assert await (await client.handle(f"run-{count - 1}")).result() == count + 1


def owners(fleet: Fleet) -> list[int]:
    return sorted(epoch for (epoch,) in fleet.query("SELECT epoch FROM segue.owners"))
