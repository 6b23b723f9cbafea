"""Partitions come and go under a fleet that commits and is killed: nothing is lost, and the disk is given back."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import partition_program
import psycopg
import pytest
from fleet_kit import Fleet, until
from partition_program import RUNS

from segue import Engine

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.timeout(1200)]

AT_ONCE = 25
WITHOUT_RUN = "SELECT DISTINCT run FROM segue.journal WHERE run NOT IN (SELECT run FROM segue.runs)"
WITHOUT_JOURNAL = "SELECT run FROM segue.runs WHERE run NOT IN (SELECT run FROM segue.journal WHERE seq = 1)"
ON_DISK = "SELECT sum(bytes)::bigint FROM segue.partitions"


async def passes_all(engine: Engine, first: int, last: int) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(n: int) -> None:
        async with slots:
            handle = await engine.start(partition_program.passes, n, id=f"run-{n}")
            assert await handle.result(timeout=120) == n + 2

    await asyncio.gather(*[one(n) for n in range(first, last)])


def small(fleet: Fleet) -> None:
    """Partitions of a new database are as small as those that the workers make."""
    with psycopg.connect(fleet.url, autocommit=True) as connection:
        for table in ("journal", "log_lines"):
            connection.execute(f"DROP TABLE segue.{table}_0".encode())
            connection.execute("SELECT segue.make_partition(%s, 0, %s)", (table, RUNS))


async def test_partitions_come_and_go_while_workers_commit_and_are_killed(fleet: Fleet, long: bool) -> None:
    program = Path(partition_program.__file__)
    count = 4_000 if long else 400
    async with Engine(fleet.url, own=False) as engine:
        small(fleet)
        first, *_ = [await fleet.worker(program=program) for _ in range(3)]
        await passes_all(engine, 0, count // 2)
        under_way = asyncio.create_task(passes_all(engine, count // 2, count))
        await first.kill()
        await fleet.worker(program=program)
        await under_way
        (most,), (last,) = fleet.query(ON_DISK)[0], fleet.query("SELECT max(run) FROM segue.runs")[0]
        numbers = itertools.count(count)

        async def all_of_them_are_gone() -> bool:
            """Looks while others come, as they always do."""
            n = next(numbers)
            await passes_all(engine, n, n + 1)
            return fleet.query(f"SELECT min(low) > {last} FROM segue.partitions") == [(True,)]

        await until(all_of_them_are_gone)
        assert fleet.query(WITHOUT_RUN) == fleet.query(WITHOUT_JOURNAL) == []
        assert fleet.query(ON_DISK)[0][0] < most
    made = fleet.query("SELECT count(*), min(low), max(high) FROM segue.partitions WHERE parent = 'journal'")[0]
    print("partitions, first run, last run:", made, "bytes at most:", most)
    assert made[0] < made[2] // RUNS, "more were made than there are"
