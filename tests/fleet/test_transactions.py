"""Transactional steps and the outbox on PostgreSQL: users' writes and what becomes of them are one commit."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest
import sqlalchemy
from fleet_kit import until
from sqlalchemy.orm import Session

from segue import Engine, RunFailed, Transaction, outbox, state, step, workflow
from segue.errors import OutOfReach, RunNotFound
from segue.stores.faults import FaultyStore, LoseAcknowledgement
from segue.stores.postgres.store import PostgresStore


@step.transaction
def transfer(db: Transaction, source: str, target: str, amount: int) -> int:
    db.execute("UPDATE account SET balance = balance - ? WHERE name = ?", (amount, source))
    db.execute("UPDATE account SET balance = balance + :amount WHERE name = :name", {"amount": amount, "name": target})
    left = db.execute("SELECT balance FROM account WHERE name = ?", (source,)).fetchone()
    assert left is not None
    if left[0] < 0:
        raise ValueError("not enough")
    return int(left[0])


@step.transaction
def reaches(db: Transaction) -> None:
    db.execute("DELETE FROM segue.journal")


@step.transaction
def opens(db: Transaction, name: str, bank: str) -> None:
    db.execute("INSERT INTO branch VALUES (?, ?)", (name, bank))  # checked when all is done
    if bank != "nowhere":
        db.execute("INSERT INTO bank VALUES (?)", (bank,))


@step.transaction
def moves(db: Transaction) -> None:
    db.execute("SET LOCAL search_path TO elsewhere")


@step.transaction
def tries(db: Transaction, what: str) -> str:
    """Something that goes wrong, which it handles by what it does next."""
    statements: dict[str, tuple[str, list[Any]]] = {
        "LockNotAvailable": ("SELECT 1 FROM account WHERE name = 'ann' FOR UPDATE NOWAIT", []),
        "ProgramLimitExceeded": ("INSERT INTO account VALUES (?, 1)", [random.randbytes(20_000).hex()]),
        "ProtocolViolation": ("SELECT ?::integer + ?::integer", [1]),
        "OperationalError": (f"SELECT 1 WHERE 1 IN ({', '.join('?' * 70_000)})", [1] * 70_000),
        "OutOfReach": ("COPY account FROM STDIN", []),
    }
    try:
        db.execute(*statements[what])
    except Exception as error:
        db.execute("UPDATE account SET balance = balance + 1 WHERE name = 'bob'")
        return type(error).__name__
    return "nothing"


@step.transaction
def orders(db: Transaction, item: str) -> str:
    db.execute("INSERT INTO account VALUES (?, 0)", (item,))
    return outbox.start(db, delivers, item, id=f"delivery-{item}")


@step.transaction(timeout="20s")
def count_both(db: Transaction, first: str, second: str) -> None:
    for key in (first, second):
        state.set_sync("counts", key, int(state.get_sync("counts", key, 0)) + 1)


@workflow
async def counts(first: str, second: str) -> None:
    await asyncio.gather(*[count_both(first, second) for _ in range(5)])


@workflow
async def counted() -> list[int]:
    return [await state.get("counts", "a"), await state.get("counts", "b")]


@workflow
async def pays(amount: int) -> int:
    return await transfer("ann", "bob", amount)


@workflow
async def reaching() -> None:
    await reaches()


@workflow
async def moving() -> None:
    await moves()


@workflow
async def trying(what: str) -> str:
    return await tries(what)


@workflow
async def opening(name: str, bank: str) -> None:
    await opens(name, bank)


@workflow
async def ordering(item: str) -> str:
    return await orders(item)


@workflow
async def delivers(item: str) -> str:
    return f"{item} is on its way"


@pytest.fixture
def url(postgres_database: Callable[[], str]) -> str:
    url = postgres_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE account (name text PRIMARY KEY, balance integer NOT NULL)")
        connection.execute("INSERT INTO account VALUES ('ann', 100), ('bob', 0)")
    return url


@pytest.fixture
async def engine(url: str) -> AsyncIterator[Engine]:
    async with Engine(url) as engine:
        yield engine


def balances(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute("SELECT name, balance FROM account").fetchall())


async def test_what_a_step_writes_and_its_outcome_are_one_commit(engine: Engine, url: str) -> None:
    handles = [await engine.start(pays, 10) for _ in range(10)]
    assert sorted([await h.result() for h in handles]) == list(range(0, 100, 10))
    assert balances(url) == {"ann": 0, "bob": 100}


async def test_workers_that_count_in_keyed_state_at_once_lose_nothing(engine: Engine, url: str) -> None:
    """From keys on that have no value yet, and in either order, so that workers wait for each other in a circle."""
    async with Engine(url) as other:
        await until(lambda: shares(url) == 2)
        orders = [("a", "b"), ("b", "a")] * 10
        handles = [await (engine if n % 3 else other).start(counts, *order) for n, order in enumerate(orders)]
        for handle in handles:
            await handle.result()
        assert await (await other.start(counted)).result() == [100, 100]


async def test_what_a_step_that_raises_wrote_is_taken_back(engine: Engine, url: str) -> None:
    with pytest.raises(RunFailed, match="not enough"):
        await (await engine.start(pays, 101)).result()
    assert balances(url) == {"ann": 100, "bob": 0}


async def test_a_lost_acknowledgement_pays_once(url: str) -> None:
    store = FaultyStore(PostgresStore.open(url), dict.fromkeys(range(1, 8), LoseAcknowledgement()))
    async with Engine(url, store=store) as engine:
        assert await (await engine.start(pays, 30, id="a")).result() == 70
    assert balances(url) == {"ann": 70, "bob": 30}


async def test_segues_own_tables_are_out_of_reach(engine: Engine) -> None:
    with pytest.raises(RunFailed, match="may not touch") as caught:
        await (await engine.start(reaching)).result()
    assert OutOfReach.__name__ in str(caught.value.failure if hasattr(caught.value, "failure") else caught.value)


async def test_settings_are_not_a_steps_to_change(engine: Engine) -> None:
    with pytest.raises(RunFailed, match="may not change settings"):
        await (await engine.start(moving)).result()


@pytest.mark.parametrize(
    "what", ["LockNotAvailable", "ProgramLimitExceeded", "ProtocolViolation", "OperationalError", "OutOfReach"]
)
async def test_a_step_handles_what_goes_wrong_with_a_statement_and_goes_on(engine: Engine, url: str, what: str) -> None:
    with psycopg.connect(url) as somebody:
        somebody.execute("SELECT 1 FROM account WHERE name = 'ann' FOR UPDATE")
        assert await (await engine.start(trying, what)).result(timeout=30) == what
    assert balances(url) == {"ann": 100, "bob": 1}


async def test_a_deferred_constraint_fails_the_step_that_breaks_it_and_nobody_else(engine: Engine, url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE bank (name text PRIMARY KEY)")
        connection.execute(
            "CREATE TABLE branch (name text, bank text REFERENCES bank (name) DEFERRABLE INITIALLY DEFERRED)"
        )
    banks = ["nowhere" if n % 4 == 1 else f"bank {n}" for n in range(12)]
    handles = await asyncio.gather(*[engine.start(opening, f"branch {n}", bank) for n, bank in enumerate(banks)])
    ended = await asyncio.gather(*[handle.result() for handle in handles], return_exceptions=True)

    assert [isinstance(end, RunFailed) for end in ended] == [bank == "nowhere" for bank in banks]
    assert "ForeignKeyViolation" in str(ended[1])
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM branch").fetchall() == [(9,)]
    assert engine.owner


async def test_a_step_starts_a_run_with_what_it_writes(engine: Engine, url: str) -> None:
    assert await (await engine.start(ordering, "tea")).result() == "delivery-tea"
    assert await result_of(engine, "delivery-tea") == "tea is on its way"
    assert "tea" in balances(url)


async def test_a_transaction_of_psycopgs_starts_one_if_it_commits(engine: Engine, url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO account VALUES ('kept', 1)")
        outbox.start(connection, delivers, "kept", id="kept", tags={"kind": "order"})
    with psycopg.connect(url) as connection:
        outbox.start(connection, delivers, "lost", id="lost")
        connection.rollback()
    assert await result_of(engine, "kept") == "kept is on its way"
    with pytest.raises(RunNotFound):
        await engine.handle("lost")
    await until(lambda: waiting(url) == 0)


async def test_a_session_of_sqlalchemys_starts_one(engine: Engine, url: str) -> None:
    database = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with Session(database) as session, session.begin():
        session.execute(sqlalchemy.text("INSERT INTO account VALUES ('orm', 1)"))
        outbox.start(session, delivers, "orm", id="from-a-session")
    with database.begin() as connection:
        outbox.start(connection, delivers, "core", id="from-a-connection")
    database.dispose()
    assert await result_of(engine, "from-a-session") == "orm is on its way"
    assert await result_of(engine, "from-a-connection") == "core is on its way"


async def test_plain_sql_is_enough(engine: Engine, url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO segue.outbox (workflow, id, input) VALUES ('delivers', 'plain', '[\"it\"]')")
    assert await result_of(engine, "plain") == "it is on its way"


async def result_of(engine: Engine, id: str) -> str:
    await until(lambda: engine.store.find("default", id) is not None)
    return str(await (await engine.handle(id)).result())


def shares(url: str) -> int:
    """How many workers have slots."""
    with psycopg.connect(url) as connection:
        return int(connection.execute("SELECT count(DISTINCT epoch) FROM segue.slots").fetchall()[0][0])


def waiting(url: str) -> int:
    with psycopg.connect(url) as connection:
        return int(connection.execute("SELECT count(*) FROM segue.outbox").fetchall()[0][0])
