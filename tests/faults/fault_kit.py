"""What the tests of faults share: waiting for a condition, effects that leave a trace, stores that fail on demand."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

import segue
from segue.errors import StoreUnavailable
from segue.kernel.attempt import current_attempt
from segue.stores.base import Answer, Batch
from segue.stores.faults import Fault, FaultyStore, Refuse
from segue.stores.sqlite.store import SqliteStore

PATIENCE = 30.0


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Waits for a condition, looking every few milliseconds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.002)


def act(what: str = "") -> None:
    """A side effect: a line in the file that stands for the world."""
    attempt = current_attempt("act()")
    line = f"{segue.idempotency_key()} {attempt.run_id} {attempt.key} {attempt.attempt} {what}\n"
    file = os.open(os.environ["SEGUE_TEST_WORLD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)


class Outage:
    """A plan of faults that can be switched on and off: while it is on, every commit fails.

    Attributes:
        fault: what happens to commits now; None while all is well.
        refused: how many commits have met it.
    """

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.refused = 0

    def __call__(self, number: int, batch: Batch) -> Fault | None:
        self.refused += self.fault is not None
        return self.fault

    def begin(self, fault: Fault | None = None) -> None:
        self.fault = fault or Refuse()
        self.refused = 0

    def end(self) -> None:
        self.fault = None


class Down(FaultyStore):
    """A store that is down as a whole while its outage lasts: it reads nothing and writes nothing."""

    def __init__(self, store: SqliteStore, outage: Outage) -> None:
        super().__init__(store, outage)
        self._outage = outage

    def _living(self) -> SqliteStore:  # type: ignore[override]
        living = super()._living()
        if self._outage.fault is not None:
            raise StoreUnavailable("the test says that the database is down")
        return living  # type: ignore[return-value]

    def commit(self, batch: Batch) -> list[Answer]:
        self._outage.refused += self._outage.fault is not None
        return super().commit(batch)

    def landed(self, batch: Batch) -> bool:
        self._outage.refused += self._outage.fault is not None
        return super().landed(batch)
