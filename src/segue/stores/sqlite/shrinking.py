"""Giving free space back to the file system."""

from __future__ import annotations

from contextlib import suppress

import apsw

from segue.stores.sqlite.connection import number
from segue.stores.sqlite.writer import Writer


def shrink(writer: Writer, pages: int) -> bool:
    """Gives up to ``pages`` free pages back to the file system; True while there are more."""
    with writer.transaction() as connection:
        connection.raw.execute(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()
        free = number(connection.raw, "freelist_count")
    if free == 0:
        # The file itself shrinks when the WAL is moved into it; another process may be doing that right now.
        with writer.lock, suppress(apsw.BusyError):
            writer.connection.raw.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    return bool(free)
