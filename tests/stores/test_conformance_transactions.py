"""Code of steps inside a transaction of the store's. As ``stores.transacting`` promises it.

The statements are SQL that every dialect understands.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from store_kit import Owner, StoreFactory, closed, events, signal, start

from segue.errors import CallerError, FenceLost, InvalidArgument, OutOfReach, StepTimeout
from segue.kernel.transactions import Transaction
from segue.stores.base import Append, Appended, Batch, Blob, GoOn, Posted, Rejected, Started, StateWrite, Store
from segue.stores.sql import commit
from segue.stores.sqlite import SqliteStore
from segue.stores.transacting import Lending, Transact, Transacted, Written

MINUTE = 60_000_000
_LOOKS = itertools.count()


def transact(run: int, message: str, work: Callable[[Transaction], Any], *, budget: int = MINUTE) -> Transact:
    """Work whose result is its message's body."""

    def call(transaction: Transaction) -> Written:
        found = work(transaction)
        return found if isinstance(found, Written) else Written(str(found).encode())

    return Transact(run, message, 300, call, budget)


def add(amount: int) -> Callable[[Transaction], int]:
    def work(transaction: Transaction) -> int:
        transaction.execute("UPDATE account SET balance = balance + ?", (amount,))
        return _balance(transaction)

    return work


def _balance(transaction: Transaction) -> int:
    row = transaction.execute("SELECT balance FROM account").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def run(owner: Owner) -> int:
    """A run, and a table of the user's with one account."""
    run = owner.start("a")

    def create(transaction: Transaction) -> str:
        transaction.execute("CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL)")
        transaction.executemany("INSERT INTO account VALUES (?, ?)", [("ann", 0)])
        return "made"

    assert owner.commit(transact(run, "make", create)) == [Transacted("committed", run)]
    return run


def balance(owner: Owner) -> int:
    """What is on disk, as another step sees it."""
    found: list[int] = []
    owner.commit(transact(owner.start(f"look-{next(_LOOKS)}"), "look", _into(found)))
    return found[0]


def _into(found: list[int]) -> Callable[[Transaction], str]:
    def look(transaction: Transaction) -> str:
        found.append(_balance(transaction))
        return "seen"

    return look


def test_what_the_code_writes_and_its_outcome_are_committed_together(owner: Owner, run: int) -> None:
    (answer,) = owner.commit(transact(run, "m", add(5)))

    assert answer == Transacted("committed", run)
    assert balance(owner) == 5
    waiting = owner.store.inbox([run])[-1]
    assert (waiting.kind, waiting.message, waiting.at, waiting.body) == ("outcome", "m", 300, b"5")


def test_the_code_reads_keyed_state_as_it_is_in_its_transaction(owner: Owner, run: int) -> None:
    def count(lent: Lending) -> Written:
        seen = int(lent.read_state("default", "numbers", "invoices") or 0)
        return Written(b"counted", (), (StateWrite("numbers", "invoices", str(seen + 1).encode(), "default"),))

    def count_in_vain(lent: Lending) -> Written:
        count(lent)
        raise ValueError("no")

    owner.commit(*(Transact(run, f"count {n}", 300, count if n % 3 else count_in_vain, MINUTE) for n in range(6)))
    owner.commit(Transact(run, "count 6", 300, count, MINUTE))
    assert owner.store.state("default", "numbers", "invoices") == b"5"


def test_the_code_runs_once_for_a_message_also_after_it_was_consumed(owner: Owner, run: int) -> None:
    assert owner.commit(transact(run, "m", add(5)), transact(run, "m", add(5))) == [
        Transacted("committed", run),
        Transacted("duplicate", run),
    ]
    rows = tuple(row.row for row in owner.store.inbox([run]))
    owner.commit(Append(run, 2, (b"e",), consumed=rows))

    assert owner.commit(transact(run, "m", add(5))) == [Transacted("duplicate", run)]
    assert balance(owner) == 5


def test_an_error_takes_back_what_the_code_wrote_and_leaves_the_batch_alone(owner: Owner, run: int) -> None:
    other = owner.start("b")

    def fail(transaction: Transaction) -> None:
        add(100)(transaction)
        raise ValueError("no")

    answers = owner.commit(
        transact(run, "m1", add(1)), transact(run, "m2", fail), signal("s", other), transact(other, "m3", add(10)),
        Append(other, 2, (b"e",)), start("c"),
    )  # fmt: skip

    assert [type(answer) for answer in answers] == [Transacted, Transacted, Posted, Transacted, Appended, Started]
    failed = answers[1]
    assert isinstance(failed, Transacted)
    assert (failed.outcome, repr(failed.error)) == ("failed", "ValueError('no')")
    assert balance(owner) == 11
    assert [row.message for row in owner.store.inbox([run])] == ["make", "m1"]
    assert [row.message for row in owner.store.inbox([other])] == ["s", "m3"]
    assert owner.commit(transact(run, "m2", add(0))) == [Transacted("committed", run)]


def test_an_error_of_a_statement_may_be_handled(owner: Owner, run: int) -> None:
    def work(transaction: Transaction) -> str:
        with pytest.raises(Exception, match=r"(?i)unique"):
            transaction.execute("INSERT INTO account VALUES ('ann', 1)")
        transaction.execute("UPDATE account SET balance = 3")
        return "done"

    assert owner.commit(transact(run, "m", work)) == [Transacted("committed", run)]
    assert balance(owner) == 3


def test_a_run_that_has_ended_gets_no_outcome(owner: Owner, run: int) -> None:
    other = owner.start("b")

    answers = owner.commit(
        transact(other, "m", add(1)), Append(other, 2, (b"e",), status=closed()), transact(4711, "m", add(1))
    )

    assert answers == [Transacted("closed", other), Appended("appended"), Transacted("closed", 4711)]
    assert balance(owner) == 0


def test_keyed_state_and_large_values_come_with_the_outcome(owner: Owner, run: int) -> None:
    written = Written(b"body", (Blob("ref", b"large"),), (StateWrite("s", "k", b"1"),))

    owner.commit(transact(run, "m", lambda transaction: written))

    assert owner.store.state("default", "s", "k") == b"1"
    assert owner.store.blobs(["ref"]) == {"ref": b"large"}
    assert owner.store.refs(run) == ["ref"]


OUT_OF_REACH = {
    "its journal": "SELECT * FROM journal",
    "in capitals": "SELECT * FROM JOURNAL",
    "qualified": "SELECT count(*) FROM main.runs",
    "another's inbox": "INSERT INTO inbox (run, kind, message, at, body) VALUES (1, 'signal', 'x', 1, x'00')",
    "a fence": "UPDATE owners SET epoch = 99",
    "a deletion": "DELETE FROM runs",
    "a table": "DROP TABLE runs",
    "a new column": "ALTER TABLE runs ADD COLUMN mine TEXT",
    "an index": "CREATE INDEX mine ON runs (id)",
    "a trigger": "CREATE TRIGGER mine AFTER INSERT ON runs BEGIN DELETE FROM account; END",
    "a reserved name": "CREATE TABLE segue_mine (a INTEGER)",
    "quoted": 'SELECT * FROM "journal"',
    "the end": "COMMIT",
    "the other end": "ROLLBACK",
    "a savepoint": "SAVEPOINT mine",
    "the end behind something else": "UPDATE account SET balance = 7; COMMIT",
    "the end behind a remark": "-- that was it;\nCOMMIT",
    "the end behind another remark": "/* that was it */ ROLLBACK",
    "a table that would stay": "CREATE TEMP TABLE mine (a INTEGER)",
}


def ours(store: Store, statement: str) -> str:
    """The statement with segue's tables where the dialect has them."""
    if isinstance(store, SqliteStore):
        return statement
    moved = re.sub(r"(?i)(?:main\.)?(\"?\b(?:journal|runs|inbox|owners)\b\"?)", r"segue.\1", statement)
    return moved.replace("TABLE segue_mine", "TABLE segue.mine")


@pytest.mark.parametrize("kind", OUT_OF_REACH)
def test_what_belongs_to_segue_is_out_of_reach(owner: Owner, run: int, kind: str) -> None:
    statement = ours(owner.store, OUT_OF_REACH[kind])

    def work(transaction: Transaction) -> None:
        add(1)(transaction)
        with pytest.raises(OutOfReach, match="may not"):
            transaction.execute(statement)
        transaction.execute(statement)

    (answer,) = owner.commit(transact(run, "m", work))

    assert isinstance(answer, Transacted)
    assert answer.outcome == "failed"
    assert isinstance(answer.error, OutOfReach)
    assert balance(owner) == 0
    assert events(owner.store, run) == [events(owner.store, run)[0]]
    assert owner.commit(Append(run, 2, (b"e",))) == [Appended("appended")]


def test_texts_and_remarks_are_not_looked_at(owner: Owner, run: int) -> None:
    said = "segue.runs; COMMIT -- ?"

    def work(transaction: Transaction) -> str:
        transaction.execute(f"INSERT INTO account VALUES ('{said}', ?) -- ? of segue.runs; COMMIT", (3,))
        row = transaction.execute("SELECT name FROM account WHERE /* :name, ? */ balance = :b", {"b": 3}).fetchone()
        return str(row and row[0])

    assert owner.commit(transact(run, "m", work)) == [Transacted("committed", run)]
    assert owner.store.inbox([run])[-1].body == said.encode()


def test_a_view_does_not_lead_around_that(owner: Owner, run: int) -> None:
    def work(transaction: Transaction) -> None:
        transaction.execute(ours(owner.store, "CREATE VIEW spy AS SELECT event FROM journal"))
        transaction.execute("SELECT * FROM spy")

    (answer,) = owner.commit(transact(run, "m", work))

    assert isinstance(answer, Transacted)
    assert isinstance(answer.error, OutOfReach)


ENDLESS = "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n)"
LONG = {
    "reading": f"{ENDLESS} SELECT count(*) FROM n",
    "writing": f"INSERT INTO account {ENDLESS} SELECT 'x' || n, n FROM n",
}


@pytest.mark.parametrize("kind", LONG)
def test_a_statement_that_takes_too_long_is_interrupted_and_the_rest_goes_in(owner: Owner, run: int, kind: str) -> None:
    other = owner.start("b")

    def work(transaction: Transaction) -> None:
        add(100)(transaction)
        transaction.execute(LONG[kind])

    answers = owner.commit(
        transact(other, "m1", add(1)), transact(run, "m2", work, budget=20_000), Append(other, 2, (b"e",)),
        transact(other, "m3", add(10)),
    )  # fmt: skip

    assert answers[0] == Transacted("committed", other)
    assert isinstance(answers[1], Transacted)
    assert isinstance(answers[1].error, StepTimeout)
    assert answers[2:] == [Appended("appended"), Transacted("committed", other)]
    assert balance(owner) == 11


def test_code_that_would_begin_late_is_left_for_another_batch(
    owner: Owner, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "TRANSACTING", -1)
    other = owner.start("b")
    work = [transact(run, f"m{n}", add(1)) for n in range(3)]
    later = Transacted("later", run)

    done = Transacted("committed", run)
    assert owner.commit(*work, Append(other, 2, (b"e",))) == [done, later, later, Appended("appended")]
    assert owner.commit(*work[1:], start("c"))[:2] == [done, later]
    assert owner.commit(work[2]) == [done]
    assert balance(owner) == 3


def test_an_interrupt_cannot_be_ignored(owner: Owner, run: int) -> None:
    def work(transaction: Transaction) -> str:
        with pytest.raises(StepTimeout):
            transaction.execute(LONG["writing"])
        with pytest.raises(StepTimeout):
            transaction.execute("UPDATE account SET balance = 7")
        return "done all the same"

    (answer,) = owner.commit(transact(run, "m", work, budget=20_000))

    assert isinstance(answer, Transacted)
    assert answer.outcome == "failed"
    assert balance(owner) == 0


def test_the_connection_is_of_no_use_once_the_code_has_ended(owner: Owner, run: int) -> None:
    kept: list[Transaction] = []
    owner.commit(transact(run, "m", kept.append))

    with pytest.raises(CallerError, match="has ended"):
        kept[0].execute("UPDATE account SET balance = 5")
    assert balance(owner) == 0


def test_rows_read_like_a_cursor(owner: Owner, run: int) -> None:
    def work(transaction: Transaction) -> str:
        assert transaction.executemany("INSERT INTO account VALUES (?, ?)", [("bob", 1), ("carl", 2)]) == 2
        rows = transaction.execute("SELECT name FROM account ORDER BY name")
        assert rows.fetchone() == ("ann",)
        assert rows.fetchall() == [("bob",), ("carl",)]
        assert rows.fetchone() is None
        assert [name for (name,) in transaction.execute("SELECT name FROM account WHERE balance > ?", (1,))] == ["carl"]
        assert transaction.execute("UPDATE account SET balance = 0").rowcount == 3
        return "done"

    assert owner.commit(transact(run, "m", work)) == [Transacted("committed", run)]


def test_numbers_of_numpy_are_stored_as_numbers(owner: Owner, run: int) -> None:
    numpy = pytest.importorskip("numpy")
    found: list[Any] = []

    def work(transaction: Transaction) -> str:
        transaction.execute("CREATE TABLE sizes (whole BIGINT, part DOUBLE PRECISION)")
        transaction.execute("INSERT INTO sizes VALUES (?, ?)", (numpy.int64(7), numpy.float32(0.5)))
        transaction.execute("INSERT INTO sizes VALUES (:whole, :part)", {"whole": numpy.uint8(8), "part": 1.5})
        found.extend(transaction.execute("SELECT whole, part FROM sizes WHERE whole = ?", (numpy.int32(7),)))
        found.extend(transaction.execute("SELECT sum(whole) FROM sizes").fetchall())
        return "done"

    assert owner.commit(transact(run, "m", work)) == [Transacted("committed", run)]
    assert found == [(7, 0.5), (15,)]


def test_an_outcome_that_cannot_be_stored_is_left_out_with_what_was_written(owner: Owner, run: int) -> None:
    def work(transaction: Transaction) -> Written:
        add(1)(transaction)
        return Written(3.5)  # type: ignore[arg-type]

    rejected, appended = owner.commit(transact(run, "m", work), Append(run, 2, (b"e",)))

    assert isinstance(rejected, Rejected)
    assert appended == Appended("appended")
    assert balance(owner) == 0


def test_nothing_is_run_without_a_valid_fence(owner: Owner, run: int, store_factory: StoreFactory) -> None:
    ran: list[Transaction] = []
    with pytest.raises(InvalidArgument, match="Transact"):
        owner.store.commit(Batch(1, (transact(run, "m", ran.append),)))
    owner.store.release(owner.fence)
    successor = store_factory().own("default", "successor")

    with pytest.raises(FenceLost):
        owner.commit(transact(run, "m", ran.append))
    assert successor is not None
    assert ran == []


def test_what_the_code_may_not_do_segue_still_may(owner: Owner, run: int) -> None:
    """The guard sleeps outside of steps, also for a text that a step was refused."""
    owner.commit(transact(run, "m", lambda transaction: transaction.execute("DELETE FROM journal")))
    store: Store = owner.store

    assert owner.commit(Append(run, 2, (b"e",), status=closed(at=10))) == [Appended("appended")]
    owner.start("newest")
    assert store.retain(11, 10) == 1


def test_a_run_that_has_gone_on_has_nothing_done_for_it(owner: Owner, run: int) -> None:
    seq = len(events(owner.store, run))
    goes_on = GoOn("second", 500, b"first")
    owner.commit(Append(run, seq + 1, (b"continued",), closed("continued"), goes_on=goes_on))

    (answer,) = owner.commit(transact(run, "late", add(5)))

    assert isinstance(answer, Transacted)
    assert answer.outcome == "closed"
    assert owner.store.inbox([run, run + 1]) == []
