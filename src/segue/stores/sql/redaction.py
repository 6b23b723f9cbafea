"""Erasing personal data: the one writing that changes a journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segue.stores.sql.payloads import forget
from segue.stores.sql.statements import Connection, Statement, numbers

_closed = Statement("find_closed_runs")
_rewrite = Statement("rewrite_event")
_tell = Statement("append_last_event")
_OF_RUN = ("tasks", "task_notes", "attributes", "words", "published", "cached", "artifacts")
_clear = [Statement("clear_run"), *(Statement(f"clear_{table}_of_run") for table in _OF_RUN)]


def redact(
    connection: Connection, run: int, events: Sequence[tuple[int, bytes]], told: bytes, refs: Iterable[str]
) -> bool:
    """See ``Store.redact``."""
    if not _closed.one(connection, (numbers([run]),)):
        return False
    for seq, event in events:
        _rewrite.one(connection, (event, run, seq))
    for clear in _clear:
        clear.one(connection, (run,))
    forget(connection, run, refs)
    _tell.one(connection, (run, told))
    return True
