"""Transactional steps that outlast what the server gives them: their own doing, and nobody else's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg
import pytest
from fleet_kit import until

from segue import Engine, RunFailed, Settings, Transaction, step, workflow

pytestmark = pytest.mark.xdist_group("fleet")

LEASE = 1.0
calls: list[str] = []
go_on = threading.Event()


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    calls.clear()
    go_on.clear()
    yield
    go_on.set()


@pytest.fixture
def url(postgres_database: Callable[[], str]) -> str:
    url = postgres_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE done (what text NOT NULL)")
    return url


def note(db: Transaction, what: str) -> str:
    """Once it is noted, the transaction is idle."""
    db.execute("INSERT INTO done VALUES (?)", (what,))
    calls.append(what)
    return what


@step.transaction
def quick(db: Transaction, what: str) -> str:
    return note(db, what)


@step.transaction
def hangs(db: Transaction) -> str:
    """As one that asks another system, which does not answer."""
    note(db, "hangs")
    go_on.wait(60)
    return "hung"


@step.transaction(timeout="300ms")
def loses_its_connection_and_hangs(db: Transaction) -> str:
    note(db, "hangs")
    with suppress(psycopg.Error):
        db.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    go_on.wait(60)
    return "hung"


@step.transaction(timeout="1h")
def hangs_for_long(db: Transaction) -> str:
    hangs.function(db)
    db.execute("SELECT 1")
    return "after that"


@step.transaction(timeout="1h")
def computes_for_long(db: Transaction) -> str:
    note(db, "computes")
    db.execute("SELECT pg_sleep(60)")
    return "computed"


@step.transaction
def ends_its_connection(db: Transaction) -> str:
    note(db, "ends it")
    db.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    return "ended"


@step.transaction(timeout="1h")
def meets_a_loss(db: Transaction) -> str:
    note(db, "meets it")
    if len(calls) == 1:
        go_on.wait(60)
    db.execute("SELECT 1")
    return "met"


STEPS = {
    each.name: each
    for each in (
        hangs,
        loses_its_connection_and_hangs,
        hangs_for_long,
        computes_for_long,
        ends_its_connection,
        meets_a_loss,
    )
}


@workflow
async def runs(name: str) -> str:
    return await STEPS[name]()


@workflow
async def beside(what: str) -> str:
    return await quick(what)


def rows(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return sorted(what for (what,) in connection.execute("SELECT what FROM done"))


def epochs(url: str) -> dict[int, bool]:
    """Who owns slots, and whether the lease has run out."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT epoch, expires < clock_timestamp() FROM segue.owners").fetchall()
    return dict(found)


async def test_one_that_takes_longer_than_a_lease_has_had_its_time(url: str) -> None:
    async with Engine(url, settings=Settings(lease=LEASE)) as engine:
        with pytest.raises(RunFailed, match=r"StepTimeout.*longer than the lease of 1 s.*SEGUE_LEASE"):
            await (await engine.start(runs, "computes_for_long")).result(timeout=60)
        assert await (await engine.start(beside, "next")).result(timeout=60) == "next"
    assert calls == ["computes", "next"]
    assert rows(url) == ["next"]


@pytest.mark.parametrize("name", ["hangs", "loses_its_connection_and_hangs", "hangs_for_long"])
async def test_one_that_hangs_is_left_behind_and_fails_by_itself(url: str, name: str) -> None:
    async with Engine(url, settings=Settings(lease=LEASE)) as engine:
        handle = await engine.start(runs, name)
        await until(lambda: calls == ["hangs"])
        waiting = [asyncio.ensure_future(engine.start(beside, f"beside {n}")) for n in range(3)]
        with pytest.raises(RunFailed, match=r"StepTimeout.*the transaction took longer"):
            await handle.result(timeout=60)
        for beside_it in waiting:
            await (await beside_it).result(timeout=60)
    assert sorted(calls) == ["beside 0", "beside 1", "beside 2", "hangs"]
    assert rows(url) == ["beside 0", "beside 1", "beside 2"]


async def test_a_worker_keeps_its_lease_while_a_step_hangs(url: str) -> None:
    """Also one that would have to let go of slots, because another has joined."""
    settings = Settings(lease=LEASE)
    async with Engine(url, settings=settings) as engine:
        handle = await engine.start(runs, "hangs_for_long")
        await until(lambda: calls == ["hangs"])
        (own,) = epochs(url)
        async with Engine(url, settings=settings):
            await until(lambda: len(epochs(url)) == 2)
            await asyncio.sleep(3 * LEASE)  # nothing tells that a lease was not lost but its time
            assert own in epochs(url)
            go_on.set()
            with pytest.raises(RunFailed, match="StepTimeout"):
                await handle.result(timeout=60)
            assert own in epochs(url)
    assert calls == ["hangs"]


async def test_one_under_which_the_connection_ends_each_time_fails(url: str) -> None:
    async with Engine(url, settings=Settings(lease=30.0)) as engine:
        handles = [await engine.start(runs, "ends_its_connection"), await engine.start(beside, "beside")]
        with pytest.raises(RunFailed, match=r"TransactionLost.*3 times in a row.*terminating connection"):
            await handles[0].result(timeout=60)
        assert await handles[1].result(timeout=60) == "beside"
    assert calls.count("ends it") == 3
    assert rows(url) == ["beside"]


async def test_one_that_meets_a_loss_of_the_connection_runs_again(url: str) -> None:
    async with Engine(url, settings=Settings(lease=30.0)) as engine:
        handle = await engine.start(runs, "meets_a_loss")
        await until(lambda: calls == ["meets it"])
        with psycopg.connect(url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND state LIKE 'idle in%'"
            )
        go_on.set()
        assert await handle.result(timeout=60) == "met"
    assert calls == ["meets it", "meets it"]
    assert rows(url) == ["meets it"]
