"""Workflows that are started by a user's own transaction: from Python, from plain SQL, from a transactional step."""

from __future__ import annotations

import asyncio
import datetime
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from segue import Engine, File, Transaction, outbox, step, workflow
from segue.errors import InvalidArgument, NotInWorkflow, PayloadError, RunNotFound
from segue.kernel import events as e
from segue.runtime.settings import Settings
from segue.stores.base import Batch, StartRun
from segue.stores.faults import FaultyStore, LoseAcknowledgement
from segue.stores.outbox_rows import SettleOutbox
from segue.stores.sqlite.store import SqliteStore

pytestmark = pytest.mark.on_file

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]


class Order(msgspec.Struct):
    item: str
    amount: int = 1


@workflow
async def fulfil(order: Order) -> str:
    return f"{order.amount} {order.item}"


@workflow
async def clocked(day: datetime.date, hours: int = 8) -> int:
    return day.year + hours


@workflow
async def nothing() -> str:
    return "nothing"


@workflow
async def ordering() -> str:
    return await take_order("tea", 3)


@workflow
async def mistaken() -> None:
    outbox.start(None, nothing)  # type: ignore[arg-type]


@step.transaction
def take_order(db: Transaction, item: str, amount: int) -> str:
    db.execute("CREATE TABLE IF NOT EXISTS orders (item TEXT, amount INTEGER)")
    db.execute("INSERT INTO orders VALUES (?, ?)", (item, amount))
    return outbox.start(db, fulfil, Order(item, amount), id="from-a-step")


def file_of(url: str) -> str:
    return url.removeprefix("sqlite:///")


def opened(url: str) -> apsw.Connection:
    """A user's connection. By apsw, as the engine's: two SQLite libraries in one process undo each other's locks."""
    connection = apsw.Connection(file_of(url))
    connection.set_busy_timeout(5000)
    return connection


def waiting(url: str) -> list[tuple[Any, ...]]:
    with closing(opened(url)) as connection:
        return connection.execute("SELECT id, error FROM segue_outbox").fetchall()


async def result_of(engine: Engine, id: str, until: Until) -> Any:
    await until(lambda: engine.store.find("default", id) is not None)
    return await (await engine.handle(id)).result()


async def test_a_run_starts_when_the_users_transaction_commits(engine: Engine, url: str, until: Until) -> None:
    with closing(opened(url)) as connection, connection:
        connection.execute("CREATE TABLE orders (item TEXT)")
        connection.execute("INSERT INTO orders VALUES ('tea')")
        id = outbox.start(connection, fulfil, Order("tea", 2), tags={"kind": "order"})
        assert waiting(url) == []

    assert await result_of(engine, id, until) == "2 tea"
    run = await engine.handle(id)
    started = (await run.history())[0].event
    assert isinstance(started, e.RunStarted)
    assert (started.actor, started.uid, started.tags) == ("outbox", id, {"kind": "order"})
    await until(lambda: waiting(url) == [])


async def test_none_starts_when_it_rolls_back(engine: Engine, url: str, until: Until) -> None:
    with closing(opened(url)) as connection:
        connection.execute("BEGIN")
        lost = outbox.start(connection, fulfil, Order("tea"))
        connection.execute("ROLLBACK")
        kept = outbox.start(connection, fulfil, Order("tea"))

    assert await result_of(engine, kept, until) == "1 tea"
    with pytest.raises(RunNotFound):
        await engine.handle(lost)


PLAIN = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.executescript(sys.argv[2])
"""
ROWS = """
INSERT INTO segue_outbox (workflow, id) VALUES ('nothing', 'a');
INSERT INTO segue_outbox (workflow, id, input) VALUES ('clocked', 'b', '["2026-11-26", 4]');
INSERT INTO segue_outbox (workflow, id, input) VALUES ('fulfil', 'c', '[{"item": "x"}]');
"""


async def test_plain_sql_of_another_process_is_enough(engine: Engine, url: str, until: Until) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PLAIN, file_of(url), ROWS)
    assert await process.wait() == 0

    assert [await result_of(engine, id, until) for id in "abc"] == ["nothing", 2030, "1 x"]


async def test_a_row_that_came_twice_is_one_run(engine: Engine, url: str, until: Until) -> None:
    for _ in range(2):
        with closing(opened(url)) as connection, connection:
            outbox.start(connection, fulfil, Order("tea"), id="once")
    await until(lambda: waiting(url) == [])
    assert await (await engine.start(fulfil, Order("tea"), id="once")).result() == "1 tea"
    assert len(await engine.list()) == 1


async def test_what_can_be_no_run_says_why_and_is_tried_again_on_request(
    engine: Engine, url: str, until: Until
) -> None:
    await (await engine.start(fulfil, Order("tea"), id="taken")).result()
    rows = {"ill": '["no order"]', "taken": '[{"item": "coffee"}]', "many": "[1, 2, 3]"}
    with closing(opened(url)) as connection, connection:
        for id, input in rows.items():
            connection.execute("INSERT INTO segue_outbox (workflow, id, input) VALUES ('fulfil', ?, ?)", (id, input))
        connection.execute("INSERT INTO segue_outbox (workflow, id, namespace) VALUES ('nothing', 'nowhere', '*')")

    await until(lambda: all(error for _, error in waiting(url)))
    errors = dict(waiting(url))
    assert set(errors) == {*rows, "nowhere"}
    assert "'*' is no name of a namespace" in errors["nowhere"]
    assert "Expected `object`" in errors["ill"]
    assert "other input" in errors["taken"]
    assert "takes 1 arguments, but 3 came" in errors["many"]

    with closing(opened(url)) as connection, connection:
        connection.execute("""UPDATE segue_outbox SET input = '[{"item": "x"}]', error = NULL WHERE id = 'ill'""")
    assert await result_of(engine, "ill", until) == "1 x"


async def test_what_is_nested_too_deeply_says_so_too(engine: Engine, url: str, until: Until) -> None:
    with closing(opened(url)) as connection, connection:
        deep = "[" * 990 + "]" * 990  # to SQLite, JSON may be nested 1,000 times
        connection.execute("INSERT INTO segue_outbox (workflow, id, input) VALUES ('fulfil', 'deep', ?)", (deep,))
        connection.execute("INSERT INTO segue_outbox (workflow, id) VALUES ('nothing', 'behind')")
    assert await result_of(engine, "behind", until) == "nothing"
    await until(lambda: len(waiting(url)) == 1 and waiting(url)[0][1] is not None)
    refusal = waiting(url)[0][1]  # an interpreter that goes deeper sees that it is of another type
    assert "recursion depth" in refusal or "Expected `object`" in refusal


async def test_what_is_served_elsewhere_waits(engine: Engine, url: str, until: Until) -> None:
    with closing(opened(url)) as connection, connection:
        outbox.start(connection, "another.workflow", 1, id="waits")
        outbox.start(connection, nothing, id="another-apps", app="another")
        outbox.start(connection, nothing, id="seen")

    assert await result_of(engine, "seen", until) == "nothing"
    await until(lambda: len(waiting(url)) == 2)
    assert waiting(url) == [("waits", None), ("another-apps", None)]


async def test_a_transactional_step_starts_one_with_what_it_writes(engine: Engine, until: Until) -> None:
    assert await (await engine.start(ordering)).result() == "from-a-step"
    assert await result_of(engine, "from-a-step", until) == "3 tea"


@pytest.mark.parametrize("kind", [StartRun, SettleOutbox])
async def test_a_lost_acknowledgement_starts_no_second_run(
    tmp_path: Path, settings: Settings, kind: type, until: Until
) -> None:
    struck: list[int] = []

    def plan(number: int, batch: Batch) -> Any:
        if any(isinstance(operation, kind) for operation in batch.operations) and not struck:
            struck.append(number)
            return LoseAcknowledgement()
        return None

    url = f"sqlite:///{tmp_path}/test.db"
    store = FaultyStore(SqliteStore.open(file_of(url)), plan)
    async with Engine(url, store=store, settings=settings) as engine:
        with closing(opened(url)) as connection, connection:
            outbox.start(connection, fulfil, Order("tea"), id="once")
        assert await result_of(engine, "once", until) == "1 tea"
        await until(lambda: waiting(url) == [])
        assert len(await engine.list()) == 1
    assert struck


async def test_more_than_are_taken_at_once(engine: Engine, url: str, until: Until) -> None:
    with closing(opened(url)) as connection, connection:
        for n in range(450):
            outbox.start(connection, nothing, id=f"n-{n}")
    await until(lambda: waiting(url) == [])
    await result_of(engine, "n-449", until)


# --- refused before anything is written -------------------------------------------------------------------------


def test_arguments_that_do_not_fit_are_refused_where_they_are_given() -> None:
    class Nowhere:
        def execute(self, sql: str, parameters: Any) -> None:
            raise AssertionError("nothing is written")

    with pytest.raises(InvalidArgument, match="called wrongly"):
        outbox.start(Nowhere(), fulfil)  # type: ignore[call-overload]
    with pytest.raises(InvalidArgument, match="declared"):
        outbox.start(Nowhere(), fulfil, "tea")  # type: ignore[arg-type]
    with pytest.raises(
        PayloadError, match=r"^\$\[0\]: .* or pass where it is kept: a row of the outbox holds what JSON"
    ):
        outbox.start(Nowhere(), "anything", File.from_bytes(b"a", "a.txt"))
    with pytest.raises(InvalidArgument, match="no workflow"):
        outbox.start(Nowhere(), len)  # type: ignore[call-overload]
    with pytest.raises(InvalidArgument, match="NUL"):
        outbox.start(Nowhere(), nothing, id="a\0b")


async def test_the_database_refuses_what_is_no_list(engine: Engine, url: str) -> None:
    with closing(opened(url)) as connection, connection:
        for input in ("no json", '{"order": 1}'):
            with pytest.raises(apsw.ConstraintError):
                connection.execute("INSERT INTO segue_outbox (workflow, input) VALUES ('nothing', ?)", (input,))


async def test_a_workflow_calls_the_other_one_instead(engine: Engine) -> None:
    with pytest.raises(Exception, match=NotInWorkflow.__name__):
        await (await engine.start(mistaken)).result()
