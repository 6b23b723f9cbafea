"""Erasing personal data so that no file of the database holds it any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segue.stores.sql import redaction
from segue.stores.sqlite.wal import empty_the_log
from segue.stores.sqlite.writer import Writer


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
