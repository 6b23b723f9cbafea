"""Runs the code of transactional steps inside a batch's transaction, each in a savepoint of its own.

The rest of the batch waits meanwhile, so the code has a budget of time, which the server keeps. PostgreSQL has nothing
that would ask about each statement; what a step must not touch is kept from it by the text of its statements: that
prevents mistakes, not malice.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors

from segue.errors import CallerError, OutOfReach, StepTimeout
from segue.kernel.transactions import Parameters, Rows
from segue.stores.base import Post
from segue.stores.postgres.connection import is_gone
from segue.stores.sql import posts, values
from segue.stores.transacting import Transact, Transacted, Written

if TYPE_CHECKING:
    from segue.stores.postgres.session import Session

_ENDS = re.compile(
    r"\s*(begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b", re.IGNORECASE
)
_OURS = re.compile(r"(?:\"|\b)segue\"?\s*\.\s*\"?(?!outbox\b)\w", re.IGNORECASE)
_VALUE = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|::|\?(?P<number>\d*)|:(?P<name>[A-Za-z_]\w*)")
"""A value's place; texts, quoted names and casts are stepped over."""
_OUTBOX = re.compile(r"\"?\bsegue\"?\s*\.\s*\"?outbox\b", re.IGNORECASE)


def carry_out(session: Session, transact: Transact) -> Transacted:
    """Runs the code and posts its outcome, or takes back what it wrote.

    Raises:
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
            lent.check_time()
    except BaseException as error:
        lent.raise_trouble()
        session.execute("ROLLBACK TO SAVEPOINT step")
        session.execute("RELEASE SAVEPOINT step")
        return Transacted("failed", transact.run, error)
    lent.raise_trouble()
    _keep(session, transact, written)
    session.execute("RELEASE SAVEPOINT step")
    return Transacted("committed", transact.run, None, lent.outbox)


def _keep(session: Session, transact: Transact, written: Written) -> None:
    post = Post(transact.kind, written.body, transact.message, transact.at, run=transact.run, blobs=written.blobs)
    posts.deliver(session, [post])
    values.set_state(session, written.state)
    values.attach(session, [(transact.run, written.artifacts)])


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


class Lent:
    """The connection as the step's code has it; fulfils ``Transaction``. Of no use once the step has ended.

    Values stand in its statements as ``?`` and ``?1``, or by name as ``:name``, as they do in the other dialect.
    """

    dialect = "postgresql"

    def __init__(self, session: Session, budget: int) -> None:
        self._session = session
        self._raw = session.raw
        self._budget = budget
        self._thread = threading.get_ident()
        self._ends = 0.0
        self._over = True
        self._trouble: Exception | None = None
        self.outbox = False

    def __enter__(self) -> Lent:
        self._ends = time.monotonic() + self._budget / 1_000_000
        self._over = False
        return self

    def __exit__(self, *exc: object) -> None:
        self._over = True

    # --- for the step -----------------------------------------------------------------------------------------

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        self._look(sql)
        try:
            rows, count = self._run(sql, parameters)
        except errors.QueryCanceled as error:
            raise self.timeout() from error
        except psycopg.Error as error:
            if is_gone(error) or isinstance(error, (errors.DeadlockDetected, errors.SerializationFailure)):
                self._trouble = self._trouble or error
            raise
        self.outbox = self.outbox or bool(_OUTBOX.search(sql))
        return Rows(rows, max(count, 0), 0)

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> int:
        return sum(self.execute(sql, each).rowcount for each in parameters)

    def _run(self, sql: str, parameters: Parameters) -> tuple[list[Any], int]:
        left = max(1, round((self._ends - time.monotonic()) * 1000))
        self._raw.execute(f"SET LOCAL statement_timeout = {left}")
        text, values = _in_order(sql, parameters)
        self._raw.execute("SAVEPOINT statement")  # the step may handle what goes wrong, and go on
        try:
            cursor = self._raw.execute(text.encode(), values)
            found = (cursor.fetchall() if cursor.description else []), cursor.rowcount
            self._raw.execute("RELEASE SAVEPOINT statement")
        except psycopg.Error as error:
            if not is_gone(error) or isinstance(error, errors.QueryCanceled):
                self._raw.execute("ROLLBACK TO SAVEPOINT statement")
                self._raw.execute("RELEASE SAVEPOINT statement")
            raise
        finally:
            if not self._raw.closed and not self._raw.broken:
                self._raw.execute("SET LOCAL statement_timeout = 0")
        return found

    def _look(self, sql: str) -> None:
        """Nothing more is done for a step that is over, late, elsewhere, or reaches for what is not its own."""
        if self._over:
            raise CallerError("the step has ended, and its connection with it; call execute() before it returns")
        if threading.get_ident() != self._thread:
            raise CallerError("a transactional step's connection belongs to the thread that the step runs in")
        self.check_time()
        if self._trouble is not None:
            raise self._trouble
        if _ENDS.match(sql):
            raise OutOfReach(
                "a transactional step may not begin, commit or roll back: it commits by returning and rolls "
                "back by raising"
            )
        if _OURS.search(sql):
            raise OutOfReach("a transactional step may not touch the tables of schema segue, but for segue.outbox")

    # --- for whoever lends it ---------------------------------------------------------------------------------

    def check_time(self) -> None:
        """Raises ``StepTimeout`` if the step's time is over."""
        if time.monotonic() > self._ends:
            raise self.timeout()

    def raise_trouble(self) -> None:
        """Raises what the connection or the server reported meanwhile, whatever the step has made of it."""
        if self._trouble is not None:
            raise self._trouble

    def timeout(self) -> StepTimeout:
        return StepTimeout(
            f"the transaction took longer than its timeout of {self._budget / 1_000_000:g} s, in which this worker "
            "cannot commit; do what takes long in a step before it, or give it more time"
        )
