"""What steps printed, in a file of its own (``<name>.logs.db``), so that it never holds the journal's writer up.

Nothing here raises. The file can be deleted at any time, also while in use, and is begun anew; a damaged one is put
aside. It is written with ``synchronous=NORMAL``: after a power cut the last lines may be missing.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import apsw

from segue.errors import StoreCorrupt, StoreError
from segue.stores.log_rows import LogLine
from segue.stores.sql.statements import Row, Statement, flat, numbers, texts
from segue.stores.sqlite.connection import APPLICATION_ID, connect, meaning, number, pragma
from segue.stores.sqlite.session import Session
from segue.stores.sqlite.wal import empty_the_log

REMEMBERED = 100_000
"""How many runs that were erased last are known, so that no line of theirs is written late."""

_schema = Statement("create_log")
_append = Statement("append_log_lines")
_read = Statement("read_log_lines")
_delete = Statement("delete_log_lines")


def logs_path(path: str) -> str:
    """The file of step logs of a database."""
    return f"{os.path.splitext(path)[0]}.logs.db"


class SqliteLogs:
    """The step logs of one database; see ``StepLogs``."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection: Session | None = None
        self._file = 0
        self._trouble: str | None = None
        self._erased: dict[int, None] = {}  # the latest last

    @property
    def trouble(self) -> str | None:
        return self._trouble

    def append(self, lines: Sequence[LogLine]) -> bool:
        def append(connection: Session) -> list[Row]:
            # What was printed before its run was erased, and comes to be written only now, must not stay for ever.
            kept = [line for line in lines if line.run not in self._erased]
            return _append.many(
                connection, flat((x.run, x.key, x.attempt, x.at, x.level, x.stream, x.text) for x in kept)
            )

        self._try(append)
        return self._trouble is None

    def read(
        self, run: int, *, after: int = 0, limit: int = 1000, progress: bool = False, key: str | None = None,
        without: Iterable[str] = (),
    ) -> list[LogLine]:  # fmt: skip
        values = (run, after, progress, key, texts(without), limit)
        rows = self._try(lambda connection: _read.one(connection, values))
        return [LogLine(*row) for row in rows]

    def erase(self, runs: Iterable[int]) -> None:
        erased = list(runs)
        with self._lock:
            self._erased |= dict.fromkeys(erased)
            while len(self._erased) > REMEMBERED:
                del self._erased[next(iter(self._erased))]
        listed = numbers(erased)
        self._try(lambda connection: _erase(connection, listed))

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._drop_connection()

    def _try(self, work: Callable[[Session], list[Row]]) -> list[Row]:
        """Does the work, once more with a new file when the old one turns out to be damaged or gone."""
        with self._lock:
            try:
                try:
                    result = work(self._open())
                except (apsw.CorruptError, apsw.NotADBError, StoreCorrupt):
                    self._put_aside()
                    result = work(self._open())
                self._trouble = None
                return result
            except (apsw.Error, StoreError, OSError, ValueError, OverflowError) as error:
                told = meaning(error, self.path) if isinstance(error, apsw.Error) else error
                self._trouble = f"step logs are not kept just now: {told}"
                self._drop_connection()
                return []

    def _open(self) -> Session:
        if self._connection is not None and not self._is_in_place():
            self._drop_connection()
        if self._connection is None:
            self._connection = Session(connect(self.path, durability="relaxed"))
            # Before there is a table: whoever opens the file next has to know it for ours, or would put it aside.
            if number(self._connection.raw, "application_id") != APPLICATION_ID:
                pragma(self._connection.raw, "application_id", APPLICATION_ID)
            _schema.one(self._connection)
            self._file = os.stat(self.path).st_ino
        return self._connection

    def _is_in_place(self) -> bool:
        try:
            return os.stat(self.path).st_ino == self._file
        except OSError:
            return False

    def _put_aside(self) -> None:
        self._drop_connection()
        for suffix in ("", "-wal", "-shm"):
            file = Path(self.path + suffix)
            if file.exists():
                file.replace(f"{self.path}.damaged{suffix}")

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _erase(connection: Session, runs: str) -> list[Row]:
    """Deletes the lines for good: they may speak of a person."""
    _delete.one(connection, (runs,))
    connection.execute("PRAGMA incremental_vacuum")
    empty_the_log(connection.raw)
    return []
