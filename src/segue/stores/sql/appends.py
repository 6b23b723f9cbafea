"""More of the journals of runs, and all that becomes true together with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segue.stores.base import CLOSED, Append
from segue.stores.sql import attempts, cache, chains, tasks, values, words
from segue.stores.sql.payloads import keep
from segue.stores.sql.statements import Connection, Statement, flat, numbers, texts

_find_refused = Statement("find_refused_appends")
_append_events = Statement("append_events")
_update_runs = Statement("update_runs")
_consume = Statement("consume_messages")
_clear_inboxes = Statement("clear_inboxes")
_set_summaries = Statement("set_summaries")
_note_messages = Statement("note_messages")


def refused(connection: Connection, appends: Sequence[Append]) -> dict[int, bool]:
    """Runs whose appends cannot go in: True where the journal is lost, False where a message has to be seen first.
    Those that are about to close are locked (``closes``)."""
    heads: list[Any] = []
    consumed: list[int] = []
    for append in appends:
        heads += (append.run, append.seq - 1, append.check_inbox)
        consumed += append.consumed
    return {run: bool(lost) for run, lost in _find_refused.many(connection, heads, numbers(consumed))}


def apply(connection: Connection, appends: Sequence[Append]) -> dict[int, int]:
    """Carries out appends that were not refused; their posts are for the caller to deliver. Answers the runs that went
    on, each with the one that follows it."""
    events: list[Any] = []
    statuses: list[Any] = []
    consumed: list[int] = []
    closing: list[tuple[int, int]] = []
    rest: list[Append] = []
    going_on: list[Append] = []
    described: list[int] = []
    for append in appends:
        run, seq = append.run, append.seq
        for event in append.events:
            events += (run, seq, event)
            seq += 1
        if append.status is not None:
            status = append.status
            statuses += status_row(run, status.state, status.wake, status.at, status.error, status.timer, status.awaits)
            if status.state in CLOSED:
                closing.append((run, status.at))
            if status.error is not None:
                described.append(run)
        consumed += append.consumed
        if append.plain:
            continue
        if append.goes_on is not None:
            going_on.append(append)
        if brings_more(append):
            rest.append(append)
            if append.attributes or append.summary is not None:
                described.append(run)
    _append_events.many(connection, events)
    if rest:
        _apply_rest(connection, rest)
    _update_runs.many(connection, statuses)
    _consume.many(connection, consumed)
    next_runs = {append.run: chains.go_on(connection, append) for append in going_on}
    if closing:
        _settle(connection, closing)
    described += next_runs.values()
    if described:
        words.keep(connection, described)
    return next_runs


def closes(append: Append) -> bool:
    """Whether its run is to be locked: whoever is about to send a message either has by then, or finds it closed."""
    return append.check_inbox or (append.status is not None and append.status.state in CLOSED)


def status_row(
    run: int,
    state: str,
    wake: int | None,
    at: int,
    error: str | None,
    timer: str | None = None,
    awaits: Sequence[str] = (),
) -> tuple[Any, ...]:
    """Row of ``update_runs``."""
    return (run, state, wake, at, at if state in CLOSED else None, error, timer, texts(awaits) if awaits else None)


def close(connection: Connection, run: int, state: str, at: int) -> None:
    """Ends a run by somebody else's hand; the event that tells of it is the caller's."""
    _update_runs.many(connection, list(status_row(run, state, None, at, None)))
    _settle(connection, [(run, at)])


def _settle(connection: Connection, closed: list[tuple[int, int]]) -> None:
    """Withdraws the open tasks of runs that closed (run, time), and removes the messages nobody will read."""
    tasks.withdraw_all(connection, closed)
    _clear_inboxes.many(connection, [run for run, _ in closed])
    attempts.clear(connection, [run for run, _ in closed])


def brings_more(append: Append) -> bool:
    """Whether it brings anything but events, a status, consumed messages, posts and starts."""
    return not append.plain and bool(
        append.tasks
        or append.attributes
        or append.published
        or append.state
        or append.blobs
        or append.cached
        or append.artifacts
        or append.closed_tasks
        or append.reassigned
        or append.attempts
        or append.settled
        or append.summary is not None
        or append.remembered
        or append.goes_on is not None
    )


def _apply_rest(connection: Connection, appends: Sequence[Append]) -> None:
    tasks.apply(connection, appends)
    values.apply(connection, appends)
    attempts.apply(connection, appends)
    _set_summaries.many(connection, flat((a.run, a.summary) for a in appends if a.summary is not None))
    _note_messages.many(connection, flat((a.run, message) for a in appends for message in a.remembered))
    cache.keep(connection, [entry for append in appends for entry in append.cached])
    keep(connection, [(append.run, blob) for append in appends for blob in append.blobs])
