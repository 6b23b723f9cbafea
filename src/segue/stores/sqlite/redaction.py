"""Erasing personal data: the one writing that changes a journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

import apsw

from segue.stores.sqlite.payloads import forget
from segue.stores.sqlite.statements import numbers, statement
from segue.stores.sqlite.writer import Writer

_closed = statement("find_closed_runs")
_rewrite = statement("rewrite_event")
_tell = statement("append_last_event")
_clear = [
    statement(f"clear_{name}")
    for name in ("run", "tasks_of_run", "attributes_of_run", "published_of_run", "cached_of_run", "artifacts_of_run")
]


def redact(writer: Writer, run: int, events: Sequence[tuple[int, bytes]], told: bytes, refs: Iterable[str]) -> bool:
    """See ``Store.redact``. What is freed is overwritten, free pages leave the file, and the WAL is emptied."""
    with writer.lock:
        writer.connection.execute("PRAGMA secure_delete = ON").fetchall()
        try:
            with writer.transaction() as connection:
                if not _closed.one(connection, (numbers([run]),)):
                    return False
                for seq, event in events:
                    _rewrite.one(connection, (event, run, seq))
                for clear in _clear:
                    clear.one(connection, (run,))
                forget(connection, run, refs)
                _tell.one(connection, (run, told))
                # Pages that were freed long ago may still hold what was deleted from them.
                connection.execute("PRAGMA incremental_vacuum").fetchall()
            with suppress(apsw.BusyError):  # somebody is reading; the pages are overwritten by the next checkpoint
                writer.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            writer.connection.execute("PRAGMA secure_delete = FAST").fetchall()
    return True
