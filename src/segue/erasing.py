"""Erases a person's data from runs that have ended, with their chains and children, and journals that it was done.

What stays is that the run was, when, which steps it took and how it ended. Backups that were made before keep what they
hold, and so does keyed state, which belongs to no run.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import msgspec

from segue.errors import RunNotFound, RunStillOpen
from segue.kernel import events as e
from segue.kernel.erasure import erase_event
from segue.stores.base import CLOSED, RunFilter, RunRow, Store

PAGE = 1_000
JUST_NOW = 500_000
"""µs within which log lines of a run that has ended are written."""


def erase(store: Store, runs: Iterable[int], *, at: int, actor: str | None, reason: str) -> list[RunRow]:
    """Erases the runs, all others of their chains, and the children of all of them; returns them all.

    Raises:
        RunNotFound: there is no such run; nothing was changed.
        RunStillOpen: one of them has not ended, or what goes on from it; nothing was changed.
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
    if any(at - (row.closed_at or at) < JUST_NOW for row in found.values()):
        time.sleep(JUST_NOW / 1_000_000)  # its owner may hold a last log line that is not written yet
    # Children first, and those that were asked for last: whoever finds them erased finds nothing left of the family.
    for row in reversed(found.values()):
        _erase_one(store, row, at, actor, reason)
    return list(found.values())


def _add_family(store: Store, row: RunRow, found: dict[int, RunRow]) -> None:
    waiting = [row]
    chains: set[int] = set()
    while waiting:
        member = waiting.pop()
        if member.run in found:
            continue
        found[member.run] = member
        waiting += _all(store, RunFilter(namespace=None, parent=member.run, limit=PAGE))
        if member.chain is not None and member.chain not in chains:
            chains.add(member.chain)
            waiting += _all(store, RunFilter(namespace=None, chain=member.chain, limit=PAGE))


def _all(store: Store, where: RunFilter) -> Iterator[RunRow]:
    while page := store.list(where):
        yield from page
        where = msgspec.structs.replace(where, after=page[-1].run)


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
