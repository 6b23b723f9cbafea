"""New runs, and what happens when the id of one is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from segue.stores.base import CLOSED, Blob, Started, StartRun
from segue.stores.sql import appends, words
from segue.stores.sql.payloads import keep
from segue.stores.sql.statements import Connection, Statement, flat, numbers

_find_closed = Statement("find_closed_runs")
_find_taken = Statement("find_taken_ids")
_start_runs = Statement("start_runs")
_append_events = Statement("append_events")
_supersede = Statement("supersede_run")
_terminate = Statement("terminate_run")

_encode = msgspec.json.Encoder().encode


class _Holder(NamedTuple):
    """The run that holds an id."""

    run: int
    uid: str
    state: str
    workflow: str
    input_hash: str


_found = msgspec.json.Decoder(list[tuple[int, int, _Holder]])


def start(connection: Connection, starts: Sequence[StartRun]) -> list[Started]:
    """Starts the runs whose ids are free or become free; the answers are in their order."""
    holders, known, last = _look_up(connection, starts)
    runs = connection.numbers("runs", last, len(starts))
    ended = _ended_parents(connection, starts)
    answers: list[Started] = []
    new: list[tuple[int, StartRun]] = []
    for wanted in starts:
        key = wanted.namespace, wanted.id
        holder = holders.get(key)
        answer = _decide(known.get((*key, wanted.uid)) or holder, wanted)
        if answer is None and wanted.parent in ended:
            answer = Started("refused", 0, reason="the run that was to be its parent has ended")
        if answer is None:
            if holder is not None:
                if any(number == holder.run for number, _ in new):  # started a moment ago in this very batch
                    _insert(connection, new)
                    new = []
                known[*key, holder.uid] = _displace(connection, holder, wanted)
            run = next(runs)
            new.append((run, wanted))
            answer = Started("started", run, replaced=holder.run if holder else None)
            holders[key] = _Holder(run, wanted.uid, "running", wanted.workflow, wanted.input_hash)
        answers.append(answer)
    _insert(connection, new)
    return answers


def _ended_parents(connection: Connection, starts: Sequence[StartRun]) -> set[int]:
    """Parents that are closed: one that ended while its child's start was under way could not tell the child."""
    parents = {wanted.parent for wanted in starts if wanted.parent is not None}
    return {run for (run,) in _find_closed.one(connection, (numbers(list(parents)),))} if parents else set()


def _look_up(
    connection: Connection, starts: Sequence[StartRun]
) -> tuple[dict[tuple[str, str], _Holder], dict[tuple[str, str, str], _Holder], int]:
    """The runs that hold the ids, the runs by id that have the very uid of a start, and the last run number."""
    holders: dict[tuple[str, str], _Holder] = {}
    known: dict[tuple[str, str, str], _Holder] = {}
    rows = _find_taken.many(connection, flat((i, s.namespace, s.id, s.uid) for i, s in enumerate(starts)))
    for index, current, holder in (taken for found, _ in rows for taken in _found.decode(found)):
        key = starts[index].namespace, starts[index].id
        if current:
            holders[key] = holder
        if holder.uid == starts[index].uid:
            known[*key, holder.uid] = holder
    return holders, known, rows[-1][1]


def _decide(holder: _Holder | None, wanted: StartRun) -> Started | None:
    """The answer where no run is started, None where one is."""
    if holder is None:
        return None
    if holder.uid == wanted.uid:
        return Started("existing", holder.run, holder.state)
    match wanted.on_conflict:
        case "use-existing":
            reason = _difference(holder, wanted)
            return _refused(holder, reason) if reason else Started("existing", holder.run, holder.state)
        case "use-open" if holder.state not in CLOSED:
            if holder.workflow != wanted.workflow:
                return _refused(holder, f"it is a run of {holder.workflow}")
            return Started("existing", holder.run, holder.state)
        case "fail":
            return _refused(holder, f"its id is taken by a run that is {holder.state}")
        case "replace" if holder.state not in CLOSED:
            return _refused(holder, f"only a closed run gives its id up, and this one is {holder.state}")
        case "terminate-if-running" if holder.state not in CLOSED and wanted.terminated_event is None:
            return _refused(holder, f"it is {holder.state}, and no terminating event was given for it")
    return None


def _refused(holder: _Holder, reason: str) -> Started:
    return Started("refused", holder.run, holder.state, reason)


def _difference(holder: _Holder, wanted: StartRun) -> str:
    if holder.workflow != wanted.workflow:
        return f"it is a run of {holder.workflow}"
    if holder.input_hash != wanted.input_hash:
        return "it was started with other input"
    return ""


def _displace(connection: Connection, holder: _Holder, wanted: StartRun) -> _Holder:
    """Takes the id from its holder, which is terminated if it is open; the holder as it is then."""
    if holder.state not in CLOSED:
        _terminate.one(connection, (holder.run, wanted.terminated_event))
        appends.close(connection, holder.run, "terminated", wanted.at)
        holder = holder._replace(state="terminated")
    _supersede.one(connection, (holder.run,))
    return holder


def _insert(connection: Connection, new: Sequence[tuple[int, StartRun]]) -> None:
    rows: list[Any] = []
    events: list[Any] = []
    blobs: list[tuple[int, Blob]] = []
    for run, s in new:
        tags = _encode(s.tags).decode() if s.tags else "{}"
        rows += (run, s.namespace, s.id, s.uid, s.app, s.workflow, s.version, s.wake, s.at, s.parent, s.input_hash)
        rows += (tags, s.state, s.summary)
        events += (run, 1, s.event)
        if s.blobs:
            blobs += [(run, blob) for blob in s.blobs]
    _start_runs.many(connection, rows)
    _append_events.many(connection, events)
    keep(connection, blobs)
    described = [(run, s) for run, s in new if s.tags or s.summary]
    if described:
        words.keep_of_new(connection, described)
    rest = [msgspec.structs.replace(s.rest, run=run) for run, s in new if s.rest is not None]
    if rest:
        appends.apply(connection, rest)
