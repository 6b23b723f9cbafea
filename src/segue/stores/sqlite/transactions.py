"""Runs the code of transactional steps inside the writer's transaction, each in a savepoint of its own.

Everybody else's commit waits meanwhile, so the code has a budget of time: a statement that takes too long is
interrupted, and after that each further one refuses. What SQLite then rolls back may be the whole transaction (it does
so when it interrupts a statement that writes); the batch is carried out again without the step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import apsw

from segue.errors import CallerError, OutOfReach, StepTimeout
from segue.kernel.transactions import Parameters, Rows
from segue.stores.base import Post
from segue.stores.sql import posts, values
from segue.stores.sqlite.connection import SURROUNDINGS
from segue.stores.sqlite.guard import Guard
from segue.stores.transacting import Transact, Transacted, Written

if TYPE_CHECKING:
    from segue.stores.sqlite.session import Session

STEPS = 1_000
"""SQLite instructions between two looks at the clock: some tens of microseconds."""

_NOT_THE_STEPS = tuple(kind for kind in SURROUNDINGS if kind not in (apsw.SQLError, apsw.InterruptError))
"""Errors that are of the disk or the file, whatever the statement was."""


class Undone(Exception):
    """SQLite has rolled back the whole transaction because of one step: the rest is to be carried out without it."""

    def __init__(self, operation: Transact, answer: Transacted) -> None:
        super().__init__(operation.message)
        self.operation = operation
        self.answer = answer


def carry_out(session: Session, transact: Transact) -> Transacted:
    """Runs the code and posts its outcome, or takes back what it wrote.

    Raises:
        Undone: the transaction is gone, and it is this step's doing.
        apsw.Error: the disk or the file cannot be used.
    """
    connection = session.raw
    found = posts.refusal(session, transact.run, transact.message)
    if found is not None:
        return Transacted(found, transact.run)
    connection.execute("SAVEPOINT step")
    lent = Lent(connection, transact.budget)
    try:
        with lent:
            written = transact.call(lent)
            lent.check_time()
    except BaseException as error:
        lent.raise_trouble()
        failed = Transacted("failed", transact.run, error)
        if not connection.in_transaction:
            raise Undone(transact, failed) from error
        connection.execute("ROLLBACK TO step")
        connection.execute("RELEASE step")
        return failed
    lent.raise_trouble()
    if not connection.in_transaction:
        raise Undone(transact, Transacted("failed", transact.run, lent.timeout()))
    _keep(session, transact, written)
    connection.execute("RELEASE step")
    return Transacted("committed", transact.run, None, lent.outbox)


def _keep(session: Session, transact: Transact, written: Written) -> None:
    post = Post(transact.kind, written.body, transact.message, transact.at, run=transact.run, blobs=written.blobs)
    posts.deliver(session, [post])
    values.set_state(session, written.state)
    values.attach(session, [(transact.run, written.artifacts)])


class Lent:
    """The connection as the step's code has it; fulfils ``Transaction``. Of no use once the step has ended."""

    def __init__(self, connection: apsw.Connection, budget: int) -> None:
        self._connection = connection
        self._guard = Guard.of(connection)
        self._budget = budget
        self._thread = threading.get_ident()
        self._ends = 0.0
        self._over = True
        self._trouble: Exception | None = None
        self.outbox = False

    def __enter__(self) -> Lent:
        self._guard.awake, self._guard.refused, self._guard.outbox = True, "", False
        self._ends = time.monotonic() + self._budget / 1_000_000
        self._connection.set_progress_handler(self._is_late, STEPS)
        self._over = False
        return self

    def __exit__(self, *exc: object) -> None:
        self._over = True
        self._connection.set_progress_handler(None)
        self._guard.awake = False
        self.outbox = self._guard.outbox

    # --- for the step -----------------------------------------------------------------------------------------

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        self._look()
        connection = self._connection
        before = connection.total_changes()
        try:
            rows = connection.execute(sql, parameters, can_cache=False).fetchall()
        except _NOT_THE_STEPS as error:
            self._trouble = self._trouble or error
            raise
        except apsw.AuthError as error:
            raise self._out_of_reach() from error
        except apsw.InterruptError as error:
            raise self.timeout() from error
        return Rows(rows, connection.total_changes() - before, connection.last_insert_rowid())

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> int:
        return sum(self.execute(sql, each).rowcount for each in parameters)

    def _look(self) -> None:
        """Nothing more is done for a step that is over, late, elsewhere, or has lost its transaction."""
        if self._over:
            raise CallerError("the step has ended, and its connection with it; call execute() before it returns")
        if threading.get_ident() != self._thread:
            raise CallerError("a transactional step's connection belongs to the thread that the step runs in")
        self.check_time()
        if self._trouble is not None:
            raise self._trouble
        if not self._connection.in_transaction:
            raise self.timeout()

    # --- for whoever lends it ---------------------------------------------------------------------------------

    def check_time(self) -> None:
        """Raises ``StepTimeout`` if the step's time is over."""
        if self._is_late():
            raise self.timeout()

    def raise_trouble(self) -> None:
        """Raises what the disk or the file reported meanwhile, whatever the step has made of it."""
        if self._trouble is not None:
            raise self._trouble

    def timeout(self) -> StepTimeout:
        return StepTimeout(
            f"the transaction took longer than its timeout of {self._budget / 1_000_000:g} s, in which nobody else can "
            "commit; do what takes long in a step before it, or give it more time"
        )

    def _is_late(self) -> bool:
        return time.monotonic() > self._ends

    def _out_of_reach(self) -> OutOfReach:
        return OutOfReach(f"a transactional step may not {self._guard.refused}")
