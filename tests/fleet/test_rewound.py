"""The database goes back in time under workers that live on: a restore, or a failover that has lost commits."""

from __future__ import annotations

import asyncio

import fleet_program
import psycopg
import pytest
from fleet_kit import until

from postgres_kit import Rewound
from segue import Engine, Settings, signal, step, workflow
from segue.stores.base import Batch, RunFilter
from segue.stores.faults import FaultyStore, Refuse
from segue.stores.postgres.store import PostgresStore

pytestmark = pytest.mark.xdist_group("fleet")
UNHURRIED = Settings(lease=3600.0)
"""A worker is not heard of while the database is set back: what it has written must tell it."""


@pytest.fixture
def rewound(rewound: Rewound, monkeypatch: pytest.MonkeyPatch) -> Rewound:
    with psycopg.connect(rewound.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE done (key text, what text, process integer, at timestamptz DEFAULT now())")
    monkeypatch.setattr("fleet_program.DATABASE", rewound.url)
    return rewound


async def test_a_run_whose_end_was_lost_ends_once_more(rewound: Rewound) -> None:
    async with Engine(rewound.url, settings=UNHURRIED) as engine:
        handle = await engine.start(fleet_program.meets, 1, id="meets")
        await until(lambda: [row.state for row in engine.store.list(RunFilter())] == ["waiting"])
        rewound.keep()
        await handle.signal("go", "on")
        assert await handle.result(timeout=30) == "1 on"
        rewound.go_back()
        await until(lambda: engine.store.list(RunFilter())[0].state == "waiting")
        await (await engine.handle("meets")).signal("go", "again")
        assert await (await engine.handle("meets")).result(timeout=30) == "1 again"


async def test_a_run_that_was_under_way_goes_on_from_what_is_left_of_it(rewound: Rewound) -> None:
    async with Engine(rewound.url, settings=UNHURRIED) as engine:
        handle = await engine.start(fleet_program.naps, 1, 1.0, id="naps")
        await until(lambda: len(list(engine.store.journal(handle.run))) >= 2)
        rewound.keep()
        assert await handle.result(timeout=30) == "1 awake"
        rewound.go_back()
        assert await (await engine.handle("naps")).result(timeout=30) == "1 awake"


@workflow
async def heeds(n: int) -> str:
    word = await signal("go", str)
    return await fleet_program.act(f"{n} {word}")


async def test_a_run_in_memory_is_not_taken_for_another_one_that_was_given_its_number(rewound: Rewound) -> None:
    async with Engine(rewound.url, settings=UNHURRIED) as engine, Engine(rewound.url, own=False) as client:
        rewound.keep()
        lost = await engine.start(heeds, 1, id="lost")
        await until(lambda: [row.state for row in engine.store.list(RunFilter())] == ["waiting"])
        rewound.go_back()
        await until(lambda: not engine.store.list(RunFilter()))
        other = await client.start(heeds, 2, id="other")
        assert other.run == lost.run, "the count goes back too, and both journals are as long"
        await other.signal("go", "on")
        assert await other.result(timeout=30) == "2 on"


@step
async def held(n: int) -> str:
    return f"{n} held"


@workflow
async def holds(n: int) -> str:
    return await held(n)


async def test_a_run_of_which_nothing_was_written_yet_is_not_taken_for_another_one(rewound: Rewound) -> None:
    """The server is away from the first commit for the run on, and its successor has never heard of the run."""
    away, tried, loop = [True], asyncio.Event(), asyncio.get_running_loop()

    def plan(number: int, batch: Batch) -> Refuse | None:
        if batch.fence is None or not away[0]:
            return None
        loop.call_soon_threadsafe(tried.set)
        return Refuse()

    store = FaultyStore(PostgresStore.open(rewound.url, lease=3600.0), plan)
    async with (
        Engine(rewound.url, store=store, settings=UNHURRIED) as engine,
        Engine(rewound.url, own=False) as client,
    ):
        rewound.keep()
        with psycopg.connect(rewound.kept, autocommit=True) as successor:
            # Keeping it has had the worker go on with its lease, by which it would know.
            successor.execute("UPDATE segue.owners SET renewals = renewals + 100")
        lost = await client.start(holds, 1, id="lost")
        await tried.wait()
        rewound.go_back()
        await until(lambda: not engine.store.list(RunFilter()))
        other = await client.start(holds, 2, id="other")
        assert other.run == lost.run
        away[0] = False
        assert await other.result(timeout=30) == "2 held"
