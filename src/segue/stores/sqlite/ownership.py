"""Who owns the runs of an app: a lock of the system says who is alive, an epoch in the database who may write.

The lock is ``flock`` on a file beside the database. The operating system frees it when its process dies, however it
dies, so a successor takes over at once. It belongs to the open file, not to the process, so two engines in one process
exclude each other too; POSIX locks would not, and are dropped when anybody in the process closes the file. A process
that was forked off without exec holds it as well: start workers with ``spawn``.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import quote

from segue.errors import StoreError, StoreUnavailable
from segue.kernel.ramp import Ramp
from segue.stores.base import Fence
from segue.stores.sql.serving import serving_text
from segue.stores.sql.statements import Statement
from segue.stores.sqlite.writer import Writer

_predecessor = Statement("owner_of_app")
_bump = Statement("bump_epoch")
_resign = Statement("resign")
_advertise = Statement("advertise")


class FileLock:
    """An exclusive lock that ends with the process."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: int | None = None

    def acquire(self, note: str) -> bool:
        """Takes the lock without waiting; the file then holds ``note``, for people who look.

        Raises:
            StoreUnavailable: the file cannot be made.
        """
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise StoreUnavailable(f"the lock file {self.path} cannot be made: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        with suppress(OSError):  # a full disk has no room for the note, and keeps nobody from owning
            os.truncate(file, 0)
            os.write(file, note.encode())
        return True

    def release(self) -> None:
        """Gives the lock back. The file stays: who deleted it could delete somebody else's lock."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Ownership:
    """What this store owns."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._held: dict[tuple[str, int], FileLock] = {}

    def own(self, app: str, worker: str, serves: Mapping[str, str] | None) -> Fence | None:
        lock = FileLock(lock_path(self._writer.path, app))
        if not lock.acquire(f"{worker} (process {os.getpid()})\n"):
            return None
        try:
            with self._writer.transaction() as connection:
                before = _predecessor.one(connection, (app,))
                ((epoch,),) = _bump.one(connection, (app, worker, serving_text(serves or {}), time.time_ns() // 1000))
        except BaseException:
            lock.release()
            raise
        self._held[app, epoch] = lock
        return Fence(app, epoch, clean=not before or before[0][0] == "")

    def advertise(self, fence: Fence, serves: Mapping[str, str], ramps: Mapping[str, Ramp]) -> None:
        with self._writer.transaction() as connection:
            _advertise.one(connection, (serving_text(serves, ramps), fence.app, fence.epoch))

    def alive(self, app: str) -> bool:
        """Whether anybody holds the app's lock."""
        if any(held == app for held, _ in self._held):
            return True
        try:
            file = os.open(lock_path(self._writer.path, app), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # Shared, and let go of at once: a candidate that comes in between tries again a moment later.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def release(self, fence: Fence, *, clean: bool) -> None:
        """Not ``clean``: the lock only, as the death of the process does."""
        lock = self._held.pop((fence.app, fence.epoch), None)
        if lock is None:
            return
        try:
            if clean:
                with self._writer.transaction() as connection:
                    _resign.one(connection, (fence.app, fence.epoch))
        except StoreError:
            pass  # the successor takes it for a crash and is the more careful
        finally:
            lock.release()

    def release_all(self, *, clean: bool) -> None:
        for app, epoch in list(self._held):
            self.release(Fence(app, epoch), clean=clean)


def lock_path(path: str, app: str) -> str:
    """The lock file of an app of a database."""
    return f"{path}.{quote(app, safe='')}.lock"
