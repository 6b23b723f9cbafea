"""Deleting runs that are past their time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from segue.stores.base import CLOSED, Ended
from segue.stores.sql.payloads import drop
from segue.stores.sql.statements import Readers, Statement, Writer, numbers, texts

AT_ONCE = 2_000
"""Events deleted in one transaction: a few milliseconds in which nobody else writes."""
BREATH = 0.002
"""Seconds between two such transactions: a lock that is taken back at once is never had by those who wait for it."""
LATEST = 2**63 - 1

_find = Statement("find_expired_runs")
_refs = Statement("payloads_of_runs")
_delete_events = Statement("delete_journal_of_runs")
_OF_RUNS = (
    "inbox", "messages", "task_notes", "tasks", "attributes", "words", "published", "payload_refs", "cached",
    "artifacts", "runs",
)  # fmt: skip
_deletions = [Statement(f"delete_{table}_of_runs") for table in _OF_RUNS]


def oldest(readers: Readers, which: Ended, within: tuple[Any, ...] = ()) -> int | None:
    """When the one of these runs closed that is to be deleted next."""
    found = _expired(readers, LATEST, which, 1, within)
    return found[0][1] if found else None


def retain(
    writer: Writer,
    readers: Readers,
    before_deletion: Callable[[list[int]], None],
    closed_before: int,
    limit: int,
    which: Ended,
    within: tuple[Any, ...] = (),
) -> int:
    """Deletes up to ``limit`` closed runs with all that is theirs. ``within``: where there are several owners, in whose
    slots.

    ``before_deletion`` is told the runs first, outside of any transaction: what other files hold of them goes before
    them, so that a crash in between leaves a run without its logs and never logs without their run. Events go before
    the run that they are of, in several transactions if they are many, for the same reason.
    """
    runs = sorted(run for run, _ in _expired(readers, closed_before, which, limit, within))
    if not runs:
        return 0
    before_deletion(runs)
    listed = numbers(runs)
    while not _delete(writer, runs, listed):
        time.sleep(BREATH)
    return len(runs)


def _expired(
    readers: Readers, closed_before: int, which: Ended, limit: int, within: tuple[Any, ...]
) -> list[tuple[int, int]]:
    states = texts(state for state in which.states if state in CLOSED)
    wanted = (
        closed_before,
        states,
        which.workflow,
        texts(which.but_not),
        which.app,
        limit,
        which.namespace,
        texts(which.not_in),
        *within,
    )
    with readers.reading() as connection:
        return [(run, closed_at) for run, closed_at in _find.one(connection, wanted)]


def _delete(writer: Writer, runs: list[int], listed: str) -> bool:
    """Deletes events, and, with the last of them, everything else; False while there is more."""
    with writer.transaction() as connection:
        connection.lock(runs)  # of two that delete the same ones, each counts what it has deleted itself
        _delete_events.one(connection, (listed, AT_ONCE))
        if connection.changes() == AT_ONCE:
            return False
        refs = [ref for (ref,) in _refs.one(connection, (listed,))]
        for deletion in _deletions:
            deletion.one(connection, (listed,))
        drop(connection, refs)
    return True
