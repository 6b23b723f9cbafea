"""Deleting runs that are past their time, and giving the space back."""

from __future__ import annotations

from collections.abc import Callable

import apsw

from segue.stores.base import CLOSED
from segue.stores.sqlite.connection import number
from segue.stores.sqlite.payloads import drop
from segue.stores.sqlite.statements import numbers, statement, texts
from segue.stores.sqlite.writer import Writer

_find = statement("find_expired_runs")
_refs = statement("payloads_of_runs")
_deletions = [
    statement(f"delete_{table}_of_runs")
    for table in ("journal", "inbox", "messages", "tasks", "attributes", "published", "payload_refs", "runs")
]


def retain(
    writer: Writer,
    before_deletion: Callable[[list[int]], None],
    closed_before: int,
    limit: int,
    states: tuple[str, ...] = CLOSED,
    workflow: str | None = None,
) -> int:
    """Deletes up to ``limit`` closed runs with all that is theirs, in one transaction.

    ``before_deletion`` is told the runs first, outside of it: what other files hold of them goes before them, so that a
    crash in between leaves a run without its logs and never logs without their run. Then they are looked for again.
    """
    wanted = (closed_before, texts(states), workflow, limit)
    with writer.transaction() as connection:
        found = [run for (run,) in _find.one(connection, wanted)]
    if not found:
        return 0
    before_deletion(found)
    with writer.transaction() as connection:
        runs = sorted({run for (run,) in _find.one(connection, wanted)}.intersection(found))
        listed = numbers(runs)
        refs = [ref for (ref,) in _refs.one(connection, (listed,))]
        for deletion in _deletions:
            deletion.one(connection, (listed,))
        drop(connection, refs)
    return len(runs)


def shrink(writer: Writer, pages: int) -> bool:
    """Gives up to ``pages`` free pages back to the file system; True while there are more."""
    with writer.transaction() as connection:
        connection.execute(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()
        free = number(connection, "freelist_count")
    if free == 0:
        with writer.lock:  # the file itself shrinks when the WAL is moved into it
            writer.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    return bool(free)
