"""The one connection of this process that writes, for one thread at a time; made anew when it is lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from segue.errors import FenceLost, StoreClosed
from segue.stores.base import Fence
from segue.stores.owning import Slots
from segue.stores.postgres.connection import Address, beginning, connect, is_gone, is_stale, meaning
from segue.stores.postgres.leaves import Leaves
from segue.stores.postgres.session import EVERYWHERE, Session
from segue.stores.sql.statements import Statement

_check_fence = Statement("check_fence")


class Writer:
    """The writing connection and its lock.

    Attributes:
        patience: seconds after which a silent server counts as gone.
        begin: the statement that begins a transaction.
        leaves: which partition of the journal a run is in.
        landed: the last batch of each fence that the database has acknowledged, or was found to have.
        cut_off: how often the connection was lost while a step's code had it, by the step's run and message.
    """

    def __init__(self, address: Address, patience: float) -> None:
        self.address = address
        self.patience = patience
        self.begin = beginning(address, patience)
        self.lock = threading.RLock()
        self.leaves = Leaves()
        self.landed: dict[Fence, int] = {}
        self.cut_off: Counter[tuple[int, str]] = Counter()
        self._session: Session | None = None
        self._home: tuple[Slots, ...] = EVERYWHERE
        self._closed = False

    @property
    def process(self) -> int:
        """The number of the server's process that works for this connection; 0 without one."""
        session = self._session
        return 0 if session is None or session.raw.closed else session.raw.info.backend_pid

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The connection, for the time of the block; an error that may have cost it has it made anew the next time.

        Raises:
            StoreUnavailable: there is no server to be had.
        """
        with self.lock:
            if self._closed:
                raise StoreClosed(self.address.shown)
            if self._session is not None and self._is_idle(self._session) and is_stale(self._session.raw):
                self.drop()
            if self._session is None:
                self._session = Session(connect(self.address, patience=self.patience), self.patience)
            self._session.home = self._home
            try:
                if self._is_idle(self._session):
                    self._session.plan_anew()
                yield self._session
            except psycopg.Error as error:
                if is_gone(error):
                    self.drop()
                raise

    @contextmanager
    def transaction(self, fence: Fence | None = None) -> Iterator[Session]:
        """A transaction; rolled back when anything is raised.

        Raises:
            FenceLost: ``fence`` is void.
            StoreUnavailable: nothing was written, or the acknowledgement was lost.
        """
        try:
            with self.session() as session:
                session.raw.execute(self.begin)
                try:
                    if fence is not None and not _check_fence.one(session, (fence.app, fence.epoch)):
                        raise lost(fence)
                    yield session
                    session.raw.execute("COMMIT")
                except BaseException:
                    self.roll_back()
                    raise
        except psycopg.Error as error:
            raise meaning(error, self.address) from error

    def _is_idle(self, session: Session) -> bool:
        return session.raw.closed or session.raw.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

    def roll_back(self) -> None:
        """Ends a transaction that is still open, if there is one.

        By the driver's own call: a ROLLBACK that is sent as a statement leaves it believing that what it prepared in
        the part of a batch that the server skipped is there.
        """
        session = self._session
        if session is None:
            return
        with suppress(psycopg.Error):
            session.raw.rollback()
            return
        self.drop()

    def acknowledged(self, fence: Fence, commit_id: int) -> None:
        """The batch is in: from now on the database has to know of it."""
        with self.lock:
            self.landed[fence] = max(commit_id, self.landed.get(fence, 0))

    def live_in(self, home: tuple[Slots, ...]) -> None:
        """Runs are started in these slots from the next transaction on; anywhere if there are none. Does not wait for
        the one that is under way: whoever says so has a lease to keep."""
        self._home = home or EVERYWHERE

    def drop(self) -> None:
        """Closes the connection; the next one who needs it makes another."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(psycopg.Error):
                session.raw.close()

    def close(self) -> None:
        with self.lock:
            self._closed = True
            self.drop()


def lost(fence: Fence) -> FenceLost:
    """The error of a worker that has been thrown out."""
    return FenceLost(
        f"this worker's lease on runs of app {fence.app!r} has run out and somebody has taken over, or the database "
        f"was set back to what it was before (epoch {fence.epoch} is past); nothing was written, and the successor "
        "goes on from what was committed"
    )
