"""The one connection of this process that writes, for one thread at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from segue.errors import FenceLost, StoreUnavailable
from segue.stores.base import Fence
from segue.stores.sql.statements import Statement
from segue.stores.sqlite.connection import CHECKPOINT_PAGES, Durability, connect, meaning, number
from segue.stores.sqlite.migrations import migrate
from segue.stores.sqlite.session import Session
from segue.stores.sqlite.wal import Wal

_check_fence = Statement("check_fence")


class Writer:
    """The writing connection, its lock, and a look whether the file is still where it was.

    Attributes:
        path: the database file.
        connection: used only while ``lock`` is held.
    """

    def __init__(self, path: str, durability: Durability) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._raw = connect(path, durability=durability)
        self.connection = Session(self._raw)
        try:
            migrate(self._raw, path)
            self._file = os.stat(path).st_ino
            # Where a commit does not wait for the disk, there is nothing to be gained.
            full = durability == "full"
            self._wal = Wal(self._raw, longest=CHECKPOINT_PAGES) if full else None
        except BaseException:
            self._raw.close()
            raise
        self._version = self._data_version()

    def committed(self) -> None:
        """A batch is in; the lock is held. Sees to the file of the log."""
        if self._wal is not None:
            self._wal.committed()

    def check_file(self) -> None:
        """Refuses to write to a file that was deleted or moved: SQLite would go on, and all of it be gone in the end.

        Raises:
            StoreUnavailable: another file, or none, is at ``path``.
        """
        try:
            found = os.stat(self.path).st_ino
        except OSError:
            found = None
        if found != self._file:
            raise StoreUnavailable(
                f"the database {self.path} was deleted, moved or replaced while in use; "
                "put it back, or end this process and open it anew"
            )

    @contextmanager
    def transaction(self, fence: Fence | None = None) -> Iterator[Session]:
        """A transaction that holds the file's write lock from the start; rolled back when anything is raised.

        Raises:
            FenceLost: ``fence`` is void.
            StoreUnavailable: nothing was written, or the acknowledgement was lost.
        """
        with self.lock:
            self.check_file()
            try:
                self._raw.execute("BEGIN IMMEDIATE")
                if fence is not None:
                    self._check(fence)
                yield self.connection
                self._raw.execute("COMMIT")
            except BaseException as error:
                self.roll_back()
                if isinstance(error, apsw.Error):
                    raise meaning(error, self.path) from error
                raise

    def roll_back(self) -> None:
        """Ends a transaction that is still open, if there is one; whatever SQLite says to that changes nothing."""
        try:
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
        except apsw.Error:
            pass  # the error that led here is the one to tell

    def changed(self) -> bool:
        """Whether another connection has committed since the last call; True, too, while a commit is under way."""
        if not self.lock.acquire(blocking=False):
            return True
        try:
            version, self._version = self._version, self._data_version()
            return version != self._version
        except apsw.Error:
            return True
        finally:
            self.lock.release()

    def close(self) -> None:
        """Closes the connection; the last one on a file moves the WAL into it."""
        with self.lock:
            self.connection.close()

    def _check(self, fence: Fence) -> None:
        if not _check_fence.one(self.connection, (fence.app, fence.epoch)):
            raise lost(fence)

    def _data_version(self) -> int:
        return number(self._raw, "data_version")


def lost(fence: Fence) -> FenceLost:
    """The error of an owner whose successor has taken over."""
    return FenceLost(
        f"another process has taken over the runs of app {fence.app!r} (epoch {fence.epoch} is past); "
        "nothing was written, and the successor goes on from what was committed"
    )
