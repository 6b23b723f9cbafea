"""Runs the code of transactional steps inside the writer's transaction, each in a savepoint of its own.

Everybody else's commit waits meanwhile, so the code has a budget of time: a statement that takes too long is
interrupted, and after that each further one refuses. What SQLite then rolls back may be the whole transaction (it does
so when it interrupts a statement that writes); the batch is carried out again without the step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import apsw

from segue.errors import OutOfReach
from segue.kernel.transactions import Parameters, Rows
from segue.stores.sql import posts
from segue.stores.sql.lent import Lent as LentByAny
from segue.stores.sql.lent import Undone, keep
from segue.stores.sql.statements import Row, Statement
from segue.stores.sqlite.binding import bound
from segue.stores.sqlite.connection import SURROUNDINGS
from segue.stores.sqlite.guard import Guard
from segue.stores.transacting import Transact, Transacted

if TYPE_CHECKING:
    from segue.stores.sqlite.session import Session

_state = Statement("state_value")

STEPS = 1_000
"""SQLite instructions between two looks at the clock: some tens of microseconds."""

_NOT_THE_STEPS = tuple(kind for kind in SURROUNDINGS if kind not in (apsw.SQLError, apsw.InterruptError))
"""Errors that are of the disk or the file, whatever the statement was."""


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
    lent = Lent(session, transact.budget)
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
        raise Undone(transact, Transacted("failed", transact.run, lent.gone()))
    keep(session, transact, written)
    connection.execute("RELEASE step")
    return Transacted("committed", transact.run, None, lent.outbox)


class Lent(LentByAny):
    """The connection as the step's code has it; fulfils ``Lending``."""

    def __init__(self, session: Session, budget: int) -> None:
        super().__init__(budget)
        self._session = session
        self._connection = session.raw
        self._guard = Guard.of(session.raw)

    def __enter__(self) -> Lent:
        self._guard.awake, self._guard.refused, self._guard.outbox = True, "", False
        super().__enter__()
        self._connection.set_progress_handler(self.is_late, STEPS)
        return self

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        self._connection.set_progress_handler(None)
        self._guard.awake = False
        self.outbox = self._guard.outbox

    # --- for the step -----------------------------------------------------------------------------------------

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        self._look()
        connection, values = self._connection, bound(parameters)
        with self.lock:
            self._look()
            before = connection.total_changes()
            rows = self._carry_out(lambda: connection.execute(sql, values, can_cache=False).fetchall())
            return Rows(rows, connection.total_changes() - before, connection.last_insert_rowid())

    def read_state(self, namespace: str, scope: str, key: str) -> bytes | None:
        with self.lock:
            self._look()
            self._guard.awake = False  # the statement is segue's own
            try:
                rows = self._carry_out(lambda: _state.one(self._session, (namespace, scope, key)))
            finally:
                self._guard.awake = True
        return rows[0][0] if rows else None

    def _look(self) -> None:
        self.look()
        if not self._connection.in_transaction:
            raise self.gone()

    def _carry_out(self, statement: Callable[[], list[Row]]) -> list[Row]:
        try:
            return statement()
        except _NOT_THE_STEPS as error:
            self._trouble = self._trouble or error
            raise
        except apsw.AuthError as error:
            raise self._out_of_reach() from error
        except apsw.InterruptError as error:
            raise self.timeout() from error

    def gone(self) -> Exception:
        """Why the transaction is over before the step is."""
        if self.is_late():
            return self.timeout()
        return OutOfReach(
            "a transactional step may not roll back, and a statement of it did, by ON CONFLICT ROLLBACK, OR ROLLBACK "
            "or RAISE(ROLLBACK); what is written with ABORT in that place takes back the statement alone"
        )

    def _out_of_reach(self) -> OutOfReach:
        return OutOfReach(f"a transactional step may not {self._guard.refused}")
