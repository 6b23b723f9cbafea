"""Runs the code of transactional steps inside a batch's transaction, each in a savepoint of its own.

The rest of the batch waits meanwhile, so the code has a budget of time, which the server keeps. PostgreSQL has nothing
that would ask about each statement; what a step must not touch is kept from it by the text of its statements: that
prevents mistakes, not malice.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from segue.errors import OutOfReach, StepTimeout
from segue.kernel.transactions import Parameters, Rows
from segue.stores.postgres.connection import OWN_PLANNING, PLANNING_AGAIN
from segue.stores.sql import posts
from segue.stores.sql.lent import Lent as LentByAny
from segue.stores.sql.lent import keep
from segue.stores.sql.statements import Statement
from segue.stores.transacting import Transact, Transacted

if TYPE_CHECKING:
    from segue.stores.postgres.session import Session

T = TypeVar("T")

_lock_state = Statement("lock_state")
_held_state = Statement("held_state")

_TEXTS = r"\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/"
"""Texts and comments: nothing in them is part of a statement."""
_NAMES = r"\"(?:[^\"]|\"\")*\""
_BODIES = r"\$(?P<tag>\w*)\$.*?\$(?P=tag)\$"
"""Of functions and the like: statements of their own."""
_BARE = re.compile(f"(?P<kept>{_NAMES}|{_BODIES})|{_TEXTS}", re.DOTALL)
_BODY = re.compile(_BODIES, re.DOTALL)
_ALONE = (
    (
        re.compile(r"(begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b", re.IGNORECASE),
        "begin, commit or roll back: it commits by returning and rolls back by raising",
    ),
    (
        re.compile(r"(set|reset|discard)\b(?!\s+constraints\b.*\bdeferred\s*$)|.*\bset_config\s*\(", re.I | re.S),
        "change settings: they would hold for other steps as well; name the schema in each statement, say",
    ),
    (
        re.compile(r"create\s+(or\s+replace\s+)?((global|local)\s+)?temp(orary)?\b", re.IGNORECASE),
        "make temporary tables, views or sequences: they would outlive the step on segue's connection",
    ),
    (
        re.compile(r"copy\b.*\b(stdin|stdout)\b", re.IGNORECASE | re.DOTALL),
        "COPY to or from the connection: executemany() writes rows, and a SELECT reads them",
    ),
)
"""How statements begin that a step may not carry out, and why not."""
_NOT_THE_STEPS = (errors.DeadlockDetected, errors.SerializationFailure, errors.DiskFull, errors.IoError)
"""Errors for which the whole batch comes again, whatever the statement was."""
_OURS = re.compile(r"(?:\"|\b)segue\"?\s*\.\s*\"?(?!outbox\b)\w", re.IGNORECASE)
_VALUE = re.compile(f"{_TEXTS}|{_NAMES}|{_BODIES}|::|\\?(?P<number>\\d*)|:(?P<name>[A-Za-z_]\\w*)", re.DOTALL)
"""A value's place; what else has such a sign is stepped over."""
_OUTBOX = re.compile(r"\"?\bsegue\"?\s*\.\s*\"?outbox\b", re.IGNORECASE)
_CHECK = b"SAVEPOINT checked; SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK TO SAVEPOINT checked; RELEASE SAVEPOINT checked"
"""Raises what a deferred constraint would raise at the end of the transaction, which is everybody's; from then on it is
deferred again."""


class CutOff(Exception):
    """The connection was lost while a step's code had it: nothing of the batch was written.

    Attributes:
        error: what the driver said of it.
        late: what the step has done to it, if its time was over by then.
    """

    def __init__(self, operation: Transact, error: psycopg.Error, late: StepTimeout | None) -> None:
        super().__init__(str(error))
        self.operation = operation
        self.error = error
        self.late = late


def carry_out(session: Session, transact: Transact) -> Transacted:
    """Runs the code and posts its outcome, or takes back what it wrote.

    Raises:
        CutOff: the connection was lost meanwhile.
        psycopg.Error: the connection or the server cannot be used, or the batch has met another one.
    """
    found = posts.refusal(session, transact.run, transact.message)
    if found is not None:
        return Transacted(found, transact.run)
    session.execute("SAVEPOINT step")
    lent = Lent(session, transact.budget)
    try:
        with lent:
            written = transact.call(lent)
            lent.check_constraints()
            lent.check_time()
    except BaseException as error:
        try:
            lent.raise_trouble()
            session.execute("ROLLBACK TO SAVEPOINT step")
            session.execute("RELEASE SAVEPOINT step")
        except psycopg.Error as trouble:
            if lent.lives():
                raise
            raise CutOff(transact, trouble, lent.timeout() if lent.is_late() else None) from error
        return Transacted("failed", transact.run, error)
    lent.raise_trouble()
    keep(session, transact, written)
    session.execute("RELEASE SAVEPOINT step")
    return Transacted("committed", transact.run, None, lent.outbox)


def _in_order(sql: str, parameters: Parameters) -> tuple[str, list[Any]]:
    """The statement with values as PostgreSQL has them, ``$1``, and the values in that order."""
    named = isinstance(parameters, Mapping)
    names = list(parameters) if named else []
    count = itertools.count(1)

    def place(found: re.Match[str]) -> str:
        if found["number"] is not None:
            return f"${found['number'] or next(count)}"
        if named and found["name"] in names:
            return f"${names.index(found['name']) + 1}"
        return found[0]

    values = [parameters[name] for name in names] if isinstance(parameters, Mapping) else list(parameters)
    return _VALUE.sub(place, sql), values


class Lent(LentByAny):
    """The connection as the step's code has it; fulfils ``Lending``.

    Values stand in its statements as ``?`` and ``?1``, or by name as ``:name``, as they do in the other dialect.
    """

    dialect = "postgresql"
    waits = "this worker cannot commit"

    def __init__(self, session: Session, budget: int) -> None:
        self._lease = session.patience
        self._is_cut_short = budget / 1_000_000 > session.patience
        super().__init__(round(session.patience * 1_000_000) if self._is_cut_short else budget)
        self._session = session
        self._raw = session.raw

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        self._check(sql)
        text, values = _in_order(sql, parameters)

        def statement() -> tuple[list[Any], int]:
            cursor = self._raw.execute(text.encode(), values)
            return (cursor.fetchall() if cursor.description else []), cursor.rowcount

        with self.lock:
            self.look()
            rows, count = self._carry_out(lambda: self._in_time(statement))
        self.outbox = self.outbox or bool(_OUTBOX.search(sql))
        return Rows(rows, max(count, 0), 0)

    def read_state(self, namespace: str, scope: str, key: str) -> bytes | None:
        of = namespace, scope, key
        with self.lock:
            self.look()
            self._carry_out(lambda: self._in_time(lambda: _lock_state.one(self._session, of)))
            rows = self._carry_out(lambda: self._in_time(lambda: _held_state.one(self._session, of)))
        return rows[0][0] if rows else None

    def timeout(self) -> StepTimeout:
        if not self._is_cut_short:
            return super().timeout()
        return StepTimeout(
            f"the transaction took longer than the lease of {self._lease:g} s: a worker is not heard of while it is "
            "under way, so that on PostgreSQL none has more time than that, whatever its timeout is; do what takes "
            "long in a step before it, or give the workers a longer lease (Settings(lease=…), SEGUE_LEASE)"
        )

    def check_constraints(self) -> None:
        """Raises where the step leaves something that a deferred constraint does not allow."""
        self._carry_out(lambda: self._raw.execute(_CHECK, prepare=False))

    def _carry_out(self, statement: Callable[[], T]) -> T:
        try:
            return statement()
        except errors.QueryCanceled as error:
            raise self.timeout() from error
        except psycopg.Error as error:
            if not self.lives() or isinstance(error, _NOT_THE_STEPS):
                self._trouble = self._trouble or error
            raise

    def _in_time(self, statement: Callable[[], T]) -> T:
        left = max(1, round((self._ends - time.monotonic()) * 1000))
        self._raw.execute(f"SET LOCAL statement_timeout = {left}; {OWN_PLANNING}", prepare=False)
        self._raw.execute("SAVEPOINT statement")  # the step may handle what goes wrong, and go on
        try:
            found = statement()
            self._raw.execute("RELEASE SAVEPOINT statement")
        except Exception:
            if self.lives():
                self._raw.execute("ROLLBACK TO SAVEPOINT statement")
                self._raw.execute("RELEASE SAVEPOINT statement")
            raise
        finally:
            if self.lives():
                self._raw.execute(f"SET LOCAL statement_timeout = 0; {PLANNING_AGAIN}", prepare=False)
        return found

    def lives(self) -> bool:
        """Whether the transaction can go on from a savepoint. An error's class does not tell: to psycopg, a lock not
        waited for and an entry too long for its index are of one kind with a lost connection."""
        return self._raw.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def _check(self, sql: str) -> None:
        """Raises where a statement reaches for what is not the step's own."""
        self.look()
        bare = _BARE.sub(lambda found: found["kept"] or " ", sql)
        for statement in _BODY.sub(" ", bare).split(";"):
            for begins, what in _ALONE:
                if begins.match(statement.strip()):
                    raise OutOfReach(f"a transactional step may not {what}")
        if _OURS.search(bare):
            raise OutOfReach("a transactional step may not touch the tables of schema segue, but for segue.outbox")
