"""Transactional steps in the engine: their writes and their outcome are one commit, whatever happens to it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

import segue
from segue import Engine, Retry, RunFailed, StepFailed, Transaction, saga, signal, state, step, workflow
from segue.errors import InvalidArgument, NotInWorkflow
from segue.kernel import events as e
from segue.runtime.settings import Settings
from segue.stores.base import Batch
from segue.stores.faults import CrashAfter, FaultyStore, LoseAcknowledgement, Refuse, crash
from segue.stores.sql import commit
from segue.stores.sqlite.store import SqliteStore
from segue.stores.transacting import Transact

pytestmark = pytest.mark.on_file

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
calls: list[str] = []


@pytest.fixture(autouse=True)
def no_calls() -> Iterator[None]:
    calls.clear()
    yield
    calls.clear()
    while turns.acquire(blocking=False):
        pass


@pytest.fixture
async def bank(engine: Engine) -> Engine:
    """An engine whose database has the user's table."""
    await (await engine.start(open_bank)).result()
    return engine


@step.transaction
def create(db: Transaction) -> None:
    db.execute("CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL)")
    db.execute("INSERT OR IGNORE INTO account VALUES ('ann', 100), ('bob', 0)")


@step.transaction
def transfer(db: Transaction, source: str, target: str, amount: int = 1) -> int:
    calls.append(f"{source} {target}")
    db.execute("UPDATE account SET balance = balance - ? WHERE name = ?", (amount, source))
    db.execute("UPDATE account SET balance = balance + ? WHERE name = ?", (amount, target))
    row = db.execute("SELECT balance FROM account WHERE name = ?", (source,)).fetchone()
    if row is None or row[0] < 0:
        raise ValueError(f"{source} has too little")
    return int(row[0])


@step.transaction(retry=Retry(attempts=3, initial="1ms", jitter=0))
def third_time(db: Transaction) -> int:
    calls.append("tried")
    db.execute("UPDATE account SET balance = balance + 1")
    if len(calls) < 3:
        raise ConnectionError("not yet")
    return len(calls)


turns = threading.Semaphore(0)


@step.transaction(timeout="1m")
def take_turn(db: Transaction, n: int) -> int:
    calls.append(str(n))
    turns.acquire()
    db.execute("UPDATE account SET balance = balance + 1 WHERE name = 'ann'")
    return n


@workflow
async def take_turns(n: int) -> int:
    return await take_turn(n)


@step.transaction(timeout="20ms")
def endless(db: Transaction) -> None:
    db.execute("UPDATE account SET balance = 7")
    db.execute("WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n")


@step.transaction
def keep_note(db: Transaction, text: str, found: bool) -> int:
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS note USING fts5 (text)")
    db.execute("INSERT INTO note VALUES (?)", (text,))
    if not found:
        raise ValueError("nobody is to find it")
    return len(db.execute("SELECT text FROM note WHERE note MATCH 'tea'").fetchall())


@step.transaction
def rolls_back(db: Transaction, goes_on: bool) -> None:
    db.execute("UPDATE account SET balance = 7")
    with contextlib.suppress(apsw.ConstraintError):
        db.execute("INSERT OR ROLLBACK INTO account VALUES ('ann', 3)")
    if goes_on:
        db.execute("UPDATE account SET balance = 8")


@step.transaction
def surroundings(db: Transaction) -> list[Any]:
    state.set_sync("bank", "seen", state.get_sync("bank", "seen", 0) + 1)
    print("in a transaction")
    return [segue.idempotency_key(), segue.attempt_number(), threading.current_thread() is threading.main_thread()]


@step.transaction
def number(db: Transaction, invoices: str) -> int:
    last = int(state.get_sync("numbers", invoices, 0))
    state.set_sync("numbers", invoices, last + 1)
    return last + 1


@step.transaction
def large(db: Transaction, n: int) -> str:
    return "x" * n


@workflow
async def open_bank() -> None:
    await create()


@workflow
async def pay(source: str, target: str, amount: int) -> int:
    return await transfer(source, target, amount=amount)


@workflow
async def pay_often(times: int) -> list[int]:
    return await asyncio.gather(*[transfer("ann", "bob") for _ in range(times)])


@workflow
async def try_often() -> int:
    return await third_time()


@workflow
async def take_for_ever() -> str:
    try:
        await endless()
    except StepFailed as error:
        return str(error.failure.type).rpartition(".")[2]
    return "?"


@workflow
async def note(text: str, found: bool) -> int:
    return await keep_note(text, found)


@workflow
async def takes_all_back(goes_on: bool) -> None:
    await rolls_back(goes_on)


@workflow
async def look_around() -> list[Any]:
    return [*await surroundings(), await state.get("bank", "seen")]


@workflow
async def much(n: int) -> int:
    return len(await large(n))


@workflow
async def number_often(times: int) -> list[int]:
    return await asyncio.gather(*[number("2026") for _ in range(times)])


@workflow
async def undone() -> None:
    async with saga() as s:
        await s.step(transfer, "ann", "bob", 5, undo=give_back)
        raise RuntimeError("changed our mind")


@step.transaction
def give_back(db: Transaction, source: str, target: str, amount: int, left: int | None) -> None:
    transfer.function(db, target, source, amount)


@workflow
async def hesitates() -> str:
    """Calls a transaction off in the same turn in which it asked for it."""
    paying = asyncio.create_task(transfer("ann", "bob"))
    await asyncio.sleep(0)
    paying.cancel()
    await asyncio.wait([paying])
    await signal("end")
    return "cancelled" if paying.cancelled() else "paid"


def balances(url: str) -> dict[str, int]:
    """What is on disk."""
    # By apsw, as the engine's: two SQLite libraries in one process undo each other's locks.
    with closing(apsw.Connection(url.removeprefix("sqlite:///"))) as connection:
        return dict(connection.execute("SELECT name, balance FROM account").fetchall())


async def test_a_transaction_is_recorded_like_any_step(bank: Engine, url: str) -> None:
    handle = await bank.start(pay, "ann", "bob", 30)

    assert await handle.result() == 70
    assert balances(url) == {"ann": 70, "bob": 30}
    kinds = [type(recorded.event) for recorded in await handle.history()]
    assert kinds == [e.RunStarted, e.StepCompleted, e.RunCompleted]
    done = (await handle.history())[1].event
    assert isinstance(done, e.StepCompleted)
    assert (done.key, done.name, done.attempt) == ("/transfer", "transfer", 1)
    assert done.input is not None
    assert b'"amount":30' in bytes(done.input.data)
    assert 0 < done.started_at <= done.at


async def test_a_transaction_that_raises_leaves_nothing(bank: Engine, url: str) -> None:
    with pytest.raises(RunFailed, match="ann has too little"):
        await (await bank.start(pay, "ann", "bob", 101)).result()
    assert balances(url) == {"ann": 100, "bob": 0}


async def test_a_transaction_is_tried_again_by_its_policy(bank: Engine, url: str) -> None:
    handle = await bank.start(try_often)
    assert await handle.result() == 3
    assert balances(url) == {"ann": 101, "bob": 1}
    kinds = [type(recorded.event) for recorded in await handle.history()]
    assert kinds.count(e.StepFailed) == 2
    assert kinds.count(e.StepCompleted) == 1


async def test_a_transaction_that_takes_too_long_is_interrupted(bank: Engine, url: str) -> None:
    assert await (await bank.start(take_for_ever)).result() == "StepTimeout"
    assert balances(url) == {"ann": 100, "bob": 0}


async def test_a_transaction_may_have_a_table_for_full_text_search(bank: Engine) -> None:
    """SQLite asks itself for a pragma on behalf of such a table."""
    assert await (await bank.start(note, "a cup of tea", True)).result() == 1
    with pytest.raises(RunFailed, match="nobody is to find it"):
        await (await bank.start(note, "tea in secret", False)).result()
    assert await (await bank.start(note, "more tea", True)).result() == 2


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_statement_that_rolls_everything_back_is_told_as_what_it_is(
    bank: Engine, url: str, goes_on: bool
) -> None:
    paying = [await bank.start(pay, "ann", "bob", 1) for _ in range(3)]
    with pytest.raises(RunFailed, match="may not roll back"):
        await (await bank.start(takes_all_back, goes_on)).result()
    for handle in paying:
        await handle.result()
    assert balances(url) == {"ann": 97, "bob": 3}


async def test_a_transaction_has_what_every_step_has(bank: Engine) -> None:
    handle = await bank.start(look_around)
    key, number, on_the_loop, seen = await handle.result()
    assert (len(key), number, on_the_loop, seen) == (32, 1, False, 1)
    assert [line.text for line in bank.logs(handle.run)] == ["in a transaction"]


async def test_transactions_that_share_a_commit_see_the_keyed_state_of_each_other(bank: Engine) -> None:
    handles = await asyncio.gather(*[bank.start(number_often, 5) for _ in range(10)])
    numbers = [number for handle in handles for number in await handle.result()]
    assert sorted(numbers) == list(range(1, 51))


async def test_a_large_outcome_is_kept_apart(bank: Engine) -> None:
    handle = await bank.start(much, 300_000)
    assert await handle.result() == 300_000
    assert len(bank.store.refs(handle.run)) == 1


async def test_a_saga_undoes_a_transaction_by_another(bank: Engine, url: str) -> None:
    with pytest.raises(RunFailed, match="changed our mind"):
        await (await bank.start(undone)).result()
    assert calls == ["ann bob", "bob ann"]
    assert balances(url) == {"ann": 100, "bob": 0}


async def test_many_runs_share_commits_with_everything_else(bank: Engine, url: str) -> None:
    """Group commit: transfers that fail and transfers that do not, in the same transactions as journals."""
    runs = [bank.start(pay, "ann", "bob", 1000 if n % 3 == 0 else 1) for n in range(60)]
    handles = await asyncio.gather(*runs, bank.start(pay_often, 20))
    ended = await asyncio.gather(*[handle.result() for handle in handles], return_exceptions=True)

    assert sum(isinstance(end, RunFailed) for end in ended) == 20
    assert balances(url) == {"ann": 40, "bob": 60}
    assert len(calls) == 80


async def test_other_commits_go_in_between_transactions_that_take_long(
    bank: Engine, url: str, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "TRANSACTING", -1)
    handles = await asyncio.gather(*(bank.start(take_turns, n) for n in range(5)))
    try:
        await until(lambda: len(calls) == 1)
        starting = asyncio.ensure_future(bank.start(pay, "ann", "bob", 30))
        for _ in range(2):
            turns.release()
        async with asyncio.timeout(10):
            other = await starting
    finally:
        for _ in handles:
            turns.release()
    assert [await handle.result() for handle in handles] == list(range(5))
    await other.result()
    assert sorted(calls) == ["0", "1", "2", "3", "4", "ann bob"], "each has run once"
    assert balances(url) == {"ann": 75, "bob": 30}


async def test_a_transaction_that_was_called_off_took_effect_or_did_not(bank: Engine, url: str, until: Until) -> None:
    handle = await bank.start(hesitates)
    await until(lambda: bank.attempts_under_way == 0)
    await handle.signal("end")
    await handle.result()

    recorded = [x.event for x in await handle.history() if isinstance(x.event, (e.StepCompleted, e.StepFailed))]
    paid = [event for event in recorded if isinstance(event, e.StepCompleted)]
    assert balances(url)["bob"] == len(paid) == len(calls)


# --- faults -----------------------------------------------------------------------------------------------------


def faulty(path: Path, fault: Any, *, times: int = 1) -> FaultyStore:
    """A store that has ``fault`` at each commit of a step's code, the first so many times."""
    struck: list[int] = []

    def plan(number: int, batch: Batch) -> Any:
        if any(isinstance(operation, Transact) for operation in batch.operations) and len(struck) < times:
            struck.append(number)
            return fault
        return None

    return FaultyStore(SqliteStore.open(path), plan)


@pytest.mark.parametrize(("fault", "executions"), [(LoseAcknowledgement(), 1), (Refuse(), 1)], ids=["lost", "refused"])
async def test_a_fault_at_its_commit_changes_nothing(
    tmp_path: Path, settings: Settings, fault: Any, executions: int
) -> None:
    path = tmp_path / "test.db"
    async with Engine(f"sqlite:///{path}") as engine:
        await (await engine.start(open_bank)).result()
    async with Engine(f"sqlite:///{path}", store=faulty(path, fault), settings=settings) as engine:
        handle = await engine.start(pay, "ann", "bob", 10)
        assert await handle.result() == 90
        assert len([x for x in await handle.history() if isinstance(x.event, e.StepCompleted)]) == 1
    assert balances(f"sqlite:///{path}") == {"ann": 90, "bob": 10}
    assert len(calls) == executions


@pytest.mark.filterwarnings("ignore:Exception in thread segue-writer")
async def test_a_process_that_dies_after_its_commit_has_paid_once(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "test.db"
    url = f"sqlite:///{path}"
    async with Engine(url) as engine:
        await (await engine.start(open_bank)).result()
    died = asyncio.Event()

    def die() -> None:
        died_on.call_soon_threadsafe(died.set)
        crash()

    died_on = asyncio.get_running_loop()
    dying = Engine(url, store=faulty(path, CrashAfter(die)), settings=settings)
    await dying.open()
    handle = await dying.start(pay, "ann", "bob", 10, id="once")
    await died.wait()
    assert [row.kind for row in dying.store._store.inbox([handle.run])] == ["outcome"]  # type: ignore[attr-defined]
    await _bury(dying)

    async with Engine(url, settings=settings) as successor:
        again = await successor.handle("once")
        assert await again.result() == 90
        history = [recorded.event for recorded in await again.history()]
    assert [type(event) for event in history] == [e.RunStarted, e.StepCompleted, e.RunCompleted]
    assert calls == ["ann bob"]
    assert balances(url) == {"ann": 90, "bob": 10}


async def _bury(engine: Engine) -> None:
    """What is left of an engine whose store has died: nothing of it may go on."""
    duty = engine._duty
    assert duty is not None
    duty.abandon(ConnectionError("dead"))
    engine._duty = None
    engine.store.close(clean=False)


# --- how it is written ------------------------------------------------------------------------------------------


def test_only_a_plain_function_that_takes_a_connection_is_one() -> None:
    async def waits(db: Transaction) -> None: ...

    def lacks() -> None: ...

    with pytest.raises(InvalidArgument, match="plain `def`"):
        step.transaction(waits)
    with pytest.raises(InvalidArgument, match="which it lacks"):
        step.transaction(lacks)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"step\.transaction"):
        step(executor="transaction")(transfer.function)


async def test_outside_a_workflow_it_says_where_its_connection_comes_from() -> None:
    with pytest.raises(NotInWorkflow, match=r"transfer\.function"):
        await transfer("ann", "bob")


def test_its_function_runs_on_any_connection() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        create.function(connection)
        assert transfer.function(connection, "ann", "bob", 1) == 99
