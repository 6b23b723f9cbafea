"""What both dialects have in common that lend the writer's connection to the code of a transactional step."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from segue.errors import CallerError, StepTimeout
from segue.kernel.transactions import Parameters, Rows
from segue.stores.base import Post
from segue.stores.sql import posts, values
from segue.stores.sql.statements import Connection
from segue.stores.transacting import Transact, Transacted, Written


class Undone(Exception):
    """The database has rolled back the whole transaction because of one step: the rest is to be carried out without
    it."""

    def __init__(self, operation: Transact, answer: Transacted) -> None:
        super().__init__(operation.message)
        self.operation = operation
        self.answer = answer


def keep(connection: Connection, transact: Transact, written: Written) -> None:
    """Posts the outcome of a step whose code has run, with what comes with it."""
    post = Post(transact.kind, written.body, transact.message, transact.at, run=transact.run, blobs=written.blobs)
    posts.deliver(connection, [post])
    values.set_state(connection, written.state)
    values.attach(connection, [(transact.run, written.artifacts)])


class Lent:
    """The connection as the step's code has it; fulfils ``Lending``. Of no use once the step has ended.

    Attributes:
        lock: held while something is done for the step.
        outbox: the step has put a workflow into the outbox.
    """

    waits = "nobody else can commit"
    """What a step that takes its time keeps from happening, as the end of a sentence."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._thread = threading.get_ident()
        self._ends = 0.0
        self._over = True
        self._taken = False
        self._trouble: Exception | None = None
        self.lock = threading.Lock()
        self.outbox = False

    def __enter__(self) -> Lent:
        self._ends = time.monotonic() + self._budget / 1_000_000
        self._over = False
        return self

    def __exit__(self, *exc: object) -> None:
        self._over = True

    # --- for whoever carries the code out ---------------------------------------------------------------------

    @property
    def left(self) -> float:
        return self._ends - time.monotonic()

    def adopt(self) -> None:
        self._thread = threading.get_ident()

    def take_back(self) -> StepTimeout:
        self._taken = True
        with self.lock:
            return self.timeout()

    # --- for the step -----------------------------------------------------------------------------------------

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        raise NotImplementedError

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> int:
        return sum(self.execute(sql, each).rowcount for each in parameters)

    def read_state(self, namespace: str, scope: str, key: str) -> bytes | None:
        raise NotImplementedError

    def look(self) -> None:
        """Nothing more is done for a step that is over, late or elsewhere, or whose connection is in trouble."""
        if self._taken:
            raise self.timeout()
        if self._over:
            raise CallerError("the step has ended, and its connection with it; call execute() before it returns")
        if threading.get_ident() != self._thread:
            raise CallerError("a transactional step's connection belongs to the thread that the step runs in")
        self.check_time()
        self.raise_trouble()

    # --- for whoever lends it ---------------------------------------------------------------------------------

    def check_time(self) -> None:
        """Raises ``StepTimeout`` if the step's time is over."""
        if self.is_late():
            raise self.timeout()

    def raise_trouble(self) -> None:
        """Raises what the disk, the server or the connection reported, whatever the step has made of it."""
        if self._trouble is not None:
            raise self._trouble

    def timeout(self) -> StepTimeout:
        return StepTimeout(
            f"the transaction took longer than its timeout of {self._budget / 1_000_000:g} s, in which {self.waits}; "
            "do what takes long in a step before it, or give it more time"
        )

    def is_late(self) -> bool:
        return self._taken or time.monotonic() > self._ends
