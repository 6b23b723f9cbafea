"""The file of the write-ahead log, made longer ahead of what is written to it.

A commit that makes a file longer waits until the file system, too, has written down its length; one that overwrites
what is there waits for its data alone (measured on ext4: 233 against 135 µs). SQLite lets its log grow with each commit
until the first checkpoint, and overwrites it from then on. What lies behind the last frame does not count, be it zeros
or frames of before (SQLite's "Database File Format", section 4, "The Write-Ahead Log"). See docs/adr/0040.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

log = logging.getLogger("segue.store")

EVERY = 32
"""Commits from one look to the next: who commits less often has nothing to gain."""
FRAME = 24 + 4096
_HEADER = 32
SHORTEST = 1 << 20
_ROOM = 16
"""How many times as much as is wanted has to be free on the disk."""
_ZEROS = bytes(1 << 20)


class Wal:
    """What a writer does for its log.

    Args:
        path: of the database.
        longest: frames at which the log is moved into the database and begun anew.
        busy_timeout: ms, the connection's own.
    """

    def __init__(self, path: str, *, longest: int, busy_timeout: int) -> None:
        self._path = f"{path}-wal"
        self._longest = _HEADER + longest * FRAME
        self._busy_timeout = busy_timeout
        self._left = EVERY

    def committed(self, connection: apsw.Connection) -> None:
        """Counts a commit, and looks after some. To be called outside of a transaction; nothing is raised, since the
        log is as good as it was if it cannot be made longer."""
        self._left -= 1
        if self._left > 0:
            return
        self._left = EVERY
        try:
            self._look(connection)
        except (OSError, apsw.Error) as error:
            log.debug("the log %s cannot be made longer: %s", self._path, error)

    def _look(self, connection: apsw.Connection) -> None:
        # SQLite keeps its locks on the database and its index of the log, so that closing this takes none of them away.
        file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            size = os.fstat(file).st_size
            if size < self._longest and _is_used(file, size // 2):
                self._lengthen(connection, file)
        finally:
            os.close(file)

    def _lengthen(self, connection: apsw.Connection, file: int) -> None:
        with self._nobody_writes(connection):
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
    def _nobody_writes(self, connection: apsw.Connection) -> Iterator[None]:
        """Holds the lock of whoever adds frames; where another process has it, there is another time."""
        connection.set_busy_timeout(0)
        try:
            connection.execute("BEGIN IMMEDIATE")
        finally:
            connection.set_busy_timeout(self._busy_timeout)
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def _is_used(file: int, at: int) -> bool:
    """Whether the log has come as far as ``at``: a frame begins with the number of its page, which is not 0."""
    frame = max(at - _HEADER, 0) // FRAME
    return os.pread(file, 4, _HEADER + frame * FRAME) != bytes(4)
