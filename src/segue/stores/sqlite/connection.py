"""Opening the database file, and what SQLite's errors mean to us."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import apsw

from segue.errors import StoreCorrupt, StoreError, StoreUnavailable

Durability = Literal["full", "relaxed"]

APPLICATION_ID = 0x5E60E
"""In the header of every file of ours: a database of something else is never touched."""

BUSY_TIMEOUT = 10_000
"""Milliseconds a writer waits for another process's commit."""

CHECKPOINT_PAGES = 4_000
"""Length of the WAL (16 MB) at which a commit moves it into the file."""

_SYNCHRONOUS = {"full": "FULL", "relaxed": "NORMAL"}

_UNAVAILABLE: dict[type[Exception], str] = {
    apsw.FullError: "the disk is full; free some space, work goes on by itself",
    apsw.BusyError: "another process holds the file's write lock; end whatever has it open for so long",
    apsw.LockedError: "another connection of this process holds the table",
    apsw.ReadOnlyError: "the file or its folder is read-only for this user; give the right to write to both",
    apsw.CantOpenError: "the file cannot be opened; see that its folder exists and may be written to",
    apsw.IOError: "the disk reported an error; see the system's log, and `PRAGMA integrity_check` once it is mended",
    apsw.ProtocolError: "too many processes want the file's locks at once; the same call may go through later",
    apsw.InterruptError: "the statement was interrupted",
    apsw.NoMemError: "SQLite found no memory",
    apsw.ConnectionClosedError: "the store is closed",
}
_FULL = _UNAVAILABLE[apsw.FullError]
_ROOM = 64 * 1024
"""Bytes: with less than that left, SQLite cannot make the files that it works with."""

_CORRUPT: tuple[type[Exception], ...] = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)

SURROUNDINGS: tuple[type[Exception], ...] = (*_UNAVAILABLE, *_CORRUPT, apsw.SQLError)
"""Errors that say nothing about the rows that were written; any other one is about a row."""


def meaning(error: Exception, path: str) -> StoreError:
    """The error of our tree for an error of SQLite's."""
    if isinstance(error, _CORRUPT):
        return StoreCorrupt(
            f"{path} is not a segue database, or is damaged ({error}); restore a backup with `segue db restore`"
        )
    for kind, advice in _UNAVAILABLE.items():
        if isinstance(error, kind):
            if kind is apsw.IOError and _is_full(path):
                advice = _FULL
            return StoreUnavailable(f"{path}: {advice} ({type(error).__name__}: {error})")
    return StoreError(f"{path}: SQLite refused a statement of segue's ({type(error).__name__}: {error}); report this")


def _is_full(path: str) -> bool:
    """Whether a full disk is behind an error that SQLite only knows as one of the disk's."""
    try:
        found = os.statvfs(os.path.dirname(path) or ".")
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < _ROOM


def connect(path: str, *, durability: Durability = "full") -> apsw.Connection:
    """A connection that may write, with the folder made if need be.

    Raises:
        StoreUnavailable: the file or its folder cannot be made, opened or written to.
        StoreCorrupt: the file is damaged, or a database of something else.
    """
    _make_folder(path)
    try:
        connection = apsw.Connection(path, statementcachesize=256)
        try:
            _set_up(connection, path, durability)
        except BaseException:
            connection.close()
            raise
        return connection
    except apsw.Error as error:
        raise meaning(error, path) from error


def connect_reader(path: str) -> apsw.Connection:
    """A connection for reading beside the writer; it may open but never change the file."""
    try:
        connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=64)
        connection.set_busy_timeout(BUSY_TIMEOUT)
        pragma(connection, "query_only", "ON")
        pragma(connection, "cache_size", "-4096")
        return connection
    except apsw.Error as error:
        raise meaning(error, path) from error


def pragma(connection: apsw.Connection, name: str, value: str | int) -> object:
    """Sets a pragma; returns what SQLite says to it, if anything."""
    rows = connection.execute(f"PRAGMA {name} = {value}").fetchall()
    return rows[0][0] if rows else None


def number(connection: apsw.Connection, name: str) -> int:
    """What a pragma says, which is a number."""
    ((value,),) = connection.execute(f"PRAGMA {name}").fetchall()
    assert isinstance(value, int)
    return value


def _make_folder(path: str) -> None:
    folder = Path(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"the folder {folder} for the database cannot be made ({error.strerror})") from error
    if os.path.isdir(path):
        raise StoreUnavailable(f"{path} is a folder; name a file in it, such as {os.path.join(path, 'segue.db')}")


def _set_up(connection: apsw.Connection, path: str, durability: Durability) -> None:
    connection.set_busy_timeout(BUSY_TIMEOUT)
    if connection.readonly("main"):
        raise StoreUnavailable(f"{path} is read-only for this user; give the right to write to it and its folder")
    _claim(connection, path)
    _into_wal(connection, path)
    pragma(connection, "synchronous", _SYNCHRONOUS[durability])
    pragma(connection, "wal_autocheckpoint", CHECKPOINT_PAGES)
    pragma(connection, "journal_size_limit", 4 * CHECKPOINT_PAGES * 4096)
    pragma(connection, "cache_size", "-16384")
    pragma(connection, "temp_store", "MEMORY")
    pragma(connection, "secure_delete", "FAST")  # what is deleted is overwritten where its page is written anyway


def _claim(connection: apsw.Connection, path: str) -> None:
    """Refuses a database of something else; marks a new file as ours, and able to give space back."""
    both = "SELECT application_id, EXISTS (SELECT 1 FROM sqlite_schema) FROM pragma_application_id"
    ((mark, filled),) = connection.execute(both).fetchall()  # at one moment: another process may be making the file
    if mark == APPLICATION_ID:
        return
    if mark or filled:
        raise StoreCorrupt(f"{path} is a database of another program; choose another file")
    pragma(connection, "auto_vacuum", "INCREMENTAL")  # only takes while the file is empty


def _into_wal(connection: apsw.Connection, path: str) -> None:
    """WAL mode; SQLite does not wait for the lock that this needs, so waiting in BEGIN takes its place."""
    for _ in range(100):
        try:
            mode = pragma(connection, "journal_mode", "WAL")
            break
        except apsw.BusyError:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    else:
        mode = "busy"
    if mode != "wal":
        raise StoreUnavailable(
            f"{path} cannot be put into WAL mode (it says {mode!r}); it has to lie on a local disk, "
            "and no other program may hold it"
        )
