"""Copies of a database while work goes on, and putting one back."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import apsw
import msgspec

from segue.errors import InvalidArgument, StoreCorrupt, StoreError, StoreUnavailable
from segue.stores.sql.statements import Statement
from segue.stores.sqlite.connection import APPLICATION_ID, connect, meaning, number, pragma
from segue.stores.sqlite.migrations import migrate
from segue.stores.sqlite.ownership import FileLock
from segue.stores.sqlite.session import Session

_epochs = Statement("epochs")
_void_epochs = Statement("void_epochs")


def backup(source: apsw.Connection, target: str) -> None:
    """Copies the last committed state to a new file, in one read transaction: writers go on meanwhile.

    Raises:
        InvalidArgument: the target is there already.
        StoreUnavailable: the target cannot be written; nothing of it is left.
    """
    if os.path.exists(target):
        raise InvalidArgument(f"{target} is there already; a backup goes to a new file", path="target")
    partial = f"{target}.partial"
    try:
        with _files(target):
            _copy(source, partial)
            os.replace(partial, target)
            _sync_folder(target)
    finally:
        _remove(partial)


def restore(source: str, path: str) -> None:
    """Puts a backup in the place of the database at ``path``, and voids every fence that was ever given out for either.

    What was at ``path`` stays beside it as ``<path>.replaced``. Step logs are not touched.

    Raises:
        StoreCorrupt: the backup is damaged, or no database of ours; nothing was changed.
        SchemaTooNew: the backup was made by a newer release; nothing was changed.
        StoreUnavailable: somebody is at work on the database, or a file cannot be written; nothing was changed.
    """
    path = os.path.abspath(path)
    partial = f"{path}.restoring"
    with ExitStack() as held, _files(path):
        held.callback(_remove, partial)
        _lock_out_owners(path, held)
        with closing(_open_backup(source)) as connection:
            _copy(connection, partial)
        with closing(connect(partial)) as connection:
            migrate(connection, partial)
            _void_epochs.one(Session(connection), (msgspec.json.encode(_last_epochs(path)).decode(),))
        _set_aside(path)
        os.replace(partial, path)
        _sync_folder(path)


def _copy(source: apsw.Connection, target: str) -> None:
    _remove(target)
    with closing(apsw.Connection(target)) as connection:
        with connection.backup("main", source, "main") as copying:
            copying.step(-1)
        pragma(connection, "journal_mode", "DELETE")  # one file that can be carried about


def _open_backup(source: str) -> apsw.Connection:
    if not os.path.isfile(source):
        raise StoreUnavailable(f"there is no backup {source}")
    connection = apsw.Connection(source, flags=apsw.SQLITE_OPEN_READONLY)
    try:
        mark = number(connection, "application_id")
        ((health,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
        if mark != APPLICATION_ID or health != "ok":
            raise StoreCorrupt(f"{source} is damaged or no segue database ({health}); choose another backup")
    except apsw.Error as error:
        connection.close()
        raise StoreCorrupt(f"{source} is no segue database, or is damaged ({error}); choose another backup") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _lock_out_owners(path: str, held: ExitStack) -> None:
    for file in glob.glob(f"{glob.escape(path)}.*.lock"):
        lock = FileLock(file)
        if not lock.acquire("restore\n"):
            raise StoreUnavailable(f"an engine is at work on {path} (it holds {file}); stop it first")
        held.callback(lock.release)


def _last_epochs(path: str) -> dict[str, int]:
    """The epochs of the database that is replaced; nothing where it is damaged or not there."""
    if not os.path.exists(path):
        return {}
    try:
        with closing(connect(path)) as connection:
            return dict(_epochs.one(Session(connection)))
    except (StoreError, apsw.Error):
        return {}


def _set_aside(path: str) -> None:
    """Gives the old file a second name, with its WAL moved into it: a WAL must never lie beside another database."""
    if not os.path.exists(path):
        return
    try:
        with closing(apsw.Connection(path)) as connection:
            pragma(connection, "journal_mode", "DELETE")  # refused while anybody else has it open
    except apsw.BusyError as error:
        raise StoreUnavailable(f"another process has {path} open; stop it first") from error
    except apsw.Error:
        pass  # it is damaged, which may be why it is replaced
    for suffix in ("-wal", "-shm"):
        if os.path.exists(path + suffix):
            os.replace(path + suffix, f"{path}.replaced{suffix}")
    _remove(f"{path}.replaced")
    os.link(path, f"{path}.replaced")


@contextmanager
def _files(path: str) -> Iterator[None]:
    """Errors of files and of SQLite as ours."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"{error.filename or path} cannot be written: {error.strerror}") from error
    except apsw.Error as error:
        raise meaning(error, path) from error


def _sync_folder(path: str) -> None:
    """Makes a new name in a folder last."""
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(path: str) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(path + suffix).unlink(missing_ok=True)
