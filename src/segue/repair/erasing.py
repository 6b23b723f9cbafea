"""Erases a person's data from runs that have ended, with all runs of their ids, and journals that it was done.

What stays is that the run was, when, which steps it took and how it ended. Backups that were made before keep what they
hold, and so does keyed state, which belongs to no run.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from segue.errors import RunNotFound, RunStillOpen
from segue.kernel import events as e
from segue.kernel.erasure import erase_event
from segue.stores.base import CLOSED, RunFilter, RunRow, Store
from segue.stores.listing import every, of_id

JUST_NOW = 500_000
"""µs within which log lines of a run that has ended are written."""


def reach(store: Store, runs: Iterable[int]) -> list[RunRow]:
    """What an erasure of the runs takes: them, all others that have ever had their ids, and the children of them all.

    Of a chain each run has the id, and so have the runs that gave it up to a retry, to one that ran again, or to one
    that took their place.

    Raises:
        RunNotFound: there is no such run.
        RunStillOpen: one of them has not ended.
    """
    found: dict[int, RunRow] = {}
    for run in runs:
        row = store.run(run)
        if row is None:
            raise RunNotFound(str(run))
        _add_family(store, row, found)
    still_open = [row for row in found.values() if row.state not in CLOSED]
    if still_open:
        raise RunStillOpen([row.id for row in still_open])
    return list(found.values())


def erase(store: Store, runs: Iterable[int], *, at: int, actor: str | None, reason: str) -> list[RunRow]:
    """Erases the runs with all that ``reach`` says, and returns them all.

    Raises:
        RunNotFound, RunStillOpen: as ``reach`` does; nothing was changed.
    """
    found = reach(store, runs)
    if any(at - (row.closed_at or at) < JUST_NOW for row in found):
        time.sleep(JUST_NOW / 1_000_000)  # its owner may hold a last log line that is not written yet
    # Children first, and those that were asked for last: whoever finds them erased finds nothing left of the family.
    for row in reversed(found):
        _erase_one(store, row, at, actor, reason)
    return found


def _add_family(store: Store, row: RunRow, found: dict[int, RunRow]) -> None:
    waiting = [row]
    ids: set[tuple[str, str]] = set()
    while waiting:
        member = waiting.pop()
        if member.run in found:
            continue
        found[member.run] = member
        waiting += every(store, RunFilter(namespace=None, parent=member.run))
        if (member.namespace, member.id) not in ids:
            ids.add((member.namespace, member.id))
            waiting += of_id(store, member.namespace, member.id)


def _erase_one(store: Store, row: RunRow, at: int, actor: str | None, reason: str) -> None:
    events: list[tuple[int, bytes]] = []
    last = row.closed_at or at
    for seq, data in store.journal(row.run):
        event = e.decode(data)
        last = event.at
        if not isinstance(event, e.Erased):
            events.append((seq, e.encode(erase_event(event))))
    told = e.encode(e.Erased(max(at, last), actor, None, reason))
    if not store.redact(row.run, events, told, store.refs(row.run)):
        raise RunStillOpen([row.id])
