"""The file of the write-ahead log, made longer ahead of what is written to it.

A commit that makes a file longer waits until the file system, too, has written down its length; one that overwrites
what is there waits for its data alone (measured on ext4: 233 against 135 µs). SQLite lets its log grow with each commit
until the first checkpoint, and overwrites it from then on. What lies behind the last frame does not count, be it zeros
or frames of before (SQLite's "Database File Format", section 4, "The Write-Ahead Log"). See docs/adr/0040.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from segue.stores.sqlite.connection import BUSY_TIMEOUT

log = logging.getLogger("segue.store")

EVERY = 32
"""Commits from one look to the next: who commits less often has nothing to gain."""
REFUSED = 100 * EVERY
"""Commits until the next look where there was no room: a quota is not used up again and again, if only for a moment."""
FRAME = 24 + 4096
_HEADER = 32
SHORTEST = 1 << 20
_ROOM = 16
"""How many times as much as is wanted has to be free on the disk."""
_ZEROS = bytes(1 << 20)
_AGAIN = 0.01
"""Seconds until the log is tried again that another process is moving."""


class Wal:
    """What a writer does for its log.

    Args:
        connection: the writer's own, which has read or written: its log is there.
        longest: frames at which the log is moved into the database and begun anew.
    """

    def __init__(self, connection: apsw.Connection, *, longest: int) -> None:
        self._connection = connection
        self._path = connection.filename_wal  # it lies beside the file itself, by whatever name that was opened
        self._file = os.stat(self._path).st_ino
        self._longest = _HEADER + longest * FRAME
        self._left = EVERY

    def committed(self) -> None:
        """Counts a commit, and looks after some. To be called outside of a transaction; nothing is raised, since the
        log is as good as it was if it cannot be made longer."""
        self._left -= 1
        if self._left > 0:
            return
        self._left = EVERY
        try:
            self._look()
        except apsw.BusyError:
            pass  # another process writes
        except (OSError, apsw.Error) as error:
            self._left = REFUSED
            log.debug("the log %s cannot be made longer: %s", self._path, error)

    def _look(self) -> None:
        # SQLite keeps its locks on the database and its index of the log, so that closing this takes none of them away.
        file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            found = os.fstat(file)
            # Where the database was moved away meanwhile, another one may be here, whose lock is not held.
            if found.st_ino == self._file and found.st_size < self._longest and _is_used(file, found.st_size // 2):
                self._lengthen(file)
        finally:
            os.close(file)

    def _lengthen(self, file: int) -> None:
        with self._nobody_writes():
            before = size = os.fstat(file).st_size
            length = min(max(2 * size, SHORTEST), self._longest)
            disk = os.fstatvfs(file)
            if disk.f_bavail * disk.f_frsize < _ROOM * length:
                return
            try:
                while size < length:
                    size += os.pwrite(file, _ZEROS[: length - size], size)
            except OSError:
                os.ftruncate(file, before)
                raise

    @contextmanager
    def _nobody_writes(self) -> Iterator[None]:
        """Holds the lock of whoever adds frames; where another process has it, there is another time."""
        try:
            self._connection.set_busy_timeout(0)
            self._connection.execute("BEGIN IMMEDIATE")
            yield
        finally:  # wherever that was interrupted: what is written in a transaction left open would be lost
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._connection.set_busy_timeout(BUSY_TIMEOUT)


def empty_the_log(connection: apsw.Connection) -> None:
    """Moves the log into the file and cuts it to nothing; where somebody reads for too long, the next ones do."""
    until = time.monotonic() + BUSY_TIMEOUT / 1000
    while True:
        try:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            return
        except apsw.BusyError:
            if time.monotonic() > until:
                return
            time.sleep(_AGAIN)  # SQLite waits for those who read and write, but for nobody who moves the log as well


def _is_used(file: int, at: int) -> bool:
    """Whether the log has come as far as ``at``: a frame begins with the number of its page, which is not 0."""
    frame = max(at - _HEADER, 0) // FRAME
    return os.pread(file, 4, _HEADER + frame * FRAME) != bytes(4)
