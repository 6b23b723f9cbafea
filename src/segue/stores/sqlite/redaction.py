"""Erasing personal data so that no file of the database holds it any more."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import apsw

from segue.stores.sql import redaction
from segue.stores.sqlite.connection import BUSY_TIMEOUT
from segue.stores.sqlite.writer import Writer

_AGAIN = 0.01
"""Seconds until the log is tried again that another process is moving."""


def redact(writer: Writer, run: int, events: Sequence[tuple[int, bytes]], told: bytes, refs: Iterable[str]) -> bool:
    """See ``Store.redact``. What is freed is overwritten, free pages leave the file, and the WAL is emptied."""
    with writer.lock:
        raw = writer.connection.raw
        raw.execute("PRAGMA secure_delete = ON").fetchall()
        try:
            with writer.transaction() as connection:
                if not redaction.redact(connection, run, events, told, refs):
                    return False
                # Pages that were freed long ago may still hold what was deleted from them.
                raw.execute("PRAGMA incremental_vacuum").fetchall()
            empty_the_log(raw)
        finally:
            raw.execute("PRAGMA secure_delete = FAST").fetchall()
    return True


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
