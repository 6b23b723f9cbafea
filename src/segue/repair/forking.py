"""Makes the beginning of a new run of a part of another's journal: where it is cut, what is kept, what runs again.

The new run has a uid of its own, and so other idempotency keys and other children; its chance and its clock are those
of the run that it comes from, so that the part which is kept replays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from segue.errors import NotRepairable
from segue.kernel import events as e
from segue.kernel.payload import Payload
from segue.kernel.steps import called, name_of
from segue.repair.sparing import (
    failed_for_good,
    key_of,
    parent_of,
    path_of,
    spared,
    still_spared,
    undone_since,
    was_cancelled,
)
from segue.stores.base import CLOSED, RunRow, TaskRow

Journal = Sequence[e.Event]
"""The events of one run, from the first one."""

START, FAILED = "start", "failed"
"""Words for places in a journal, where a step could be named too."""
MOST = 10
"""Calls of one step that are told by their keys."""


class Cut(msgspec.Struct, frozen=True):
    """Where a journal is cut, and what that means for its calls (by key).

    Attributes:
        seq: number of the last event that is kept.
        kept: calls whose outcomes stay.
        again: calls with outcomes, or attempts, that are left behind: they run again if the code comes to them.
        undone: calls of a compensation that ran behind the cut: what they undid is not done again by itself.
        spared: those of ``kept`` whose outcomes stand behind the cut.
    """

    seq: int
    kept: tuple[str, ...]
    again: tuple[str, ...]
    undone: tuple[str, ...]
    spared: tuple[e.Spared, ...] = ()


def cut_at(row: RunRow, journal: Journal, *, step: str | None = None, seq: int | None = None) -> Cut:
    """Where to cut: behind event ``seq``, or before the first event of a step: its key or name, ``failed`` for the one
    whose failure ended the run, ``start``.

    Raises:
        NotRepairable: the run is under way, or it has no such place; from ``failed``: what is kept was undone since.
    """
    if row.state not in CLOSED and row.state not in ("incident", "paused"):
        raise NotRepairable(
            row.id, f"is {row.state}: only one that has ended or stands still can be forked: pause or terminate it"
        )  # fmt: skip
    last = next((n for n, event in enumerate(journal) if isinstance(event, e.CLOSING)), len(journal))
    if any(isinstance(event, e.Erased) for event in journal):
        raise NotRepairable(row.id, "had its data erased: there is nothing left to go on from")
    beside: tuple[e.Spared, ...] = ()
    if step == START:
        seq = 1
    elif step == FAILED:
        failed = _failed_keys(row, journal)
        seq = _place(journal, failed)
        beside = spared(row.run, journal[:last], seq, failed)
        undone = undone_since(journal[:last], seq)
        if undone:
            raise NotRepairable(
                row.id,
                f"has undone what it did ({', '.join(undone[:MOST])}), which would not be done again; say where to go "
                "on from: a step before that, or 'start' for all of it",
            )
    elif step is not None:
        seq = _place(journal, {find_key(row, _keys(journal), step)})
    elif seq is None:
        seq, beside = last, still_spared(journal[:last])
    if not 1 <= seq <= last:
        raise NotRepairable(row.id, f"has events 1 to {last} that it can be forked behind, and none of number {seq}")
    return _cut(journal, seq, beside)


def _place(journal: Journal, keys: set[str]) -> int:
    """The number of the event before the first one of these calls."""
    return next(n for n, event in enumerate(journal) if key_of(event) in keys)


def _failed_keys(row: RunRow, journal: Journal) -> set[str]:
    """The call whose failure ended the run, or else the last one that failed for good, with those that failed beside
    it."""
    failed = _failures(journal)
    if not failed:
        raise NotRepairable(row.id, "has no step that failed for good; name a step of its journal, or 'start'")
    reasons = _reasons(journal)
    key = next((key for key in reversed(failed) if failed[key] in reasons), next(reversed(failed)))
    return {key, *_failed_beside(key, failed, journal)}


def _failures(journal: Journal) -> dict[str, e.Failure | None]:
    """The calls that have failed for good, in the order in which they did; one that was cancelled has not."""
    failed: dict[str, e.Failure | None] = {}
    for event in journal:
        match event:
            case e.StepFailed(retry_at=None) if "/undo" not in event.key:
                if not was_cancelled(event):
                    failed[event.key] = event.failure
            case e.IncidentOpened(key=str(key)):
                failed[key] = failed.pop(key, None)
            case e.ChildCompleted() if event.state != "completed":
                failed[event.key] = event.failure
            case e.ChildStarted() if event.failure is not None:
                failed[event.key] = event.failure
            case e.StepCompleted() | e.StepCached() | e.ChildCompleted():
                failed.pop(event.key, None)
            case _:
                pass
    return failed


def _reasons(journal: Journal) -> list[e.Failure]:
    """What the run has failed with, and what led to that."""
    found: list[e.Failure] = []
    failure = next((event.failure for event in reversed(journal) if isinstance(event, e.RunFailed)), None)
    while failure is not None:
        found.append(failure)
        failure = failure.cause
    return found


def _failed_beside(key: str, failed: Iterable[str], journal: Journal) -> set[str]:
    """The calls in tasks beside that of ``key``, as those of a map, that have failed as well.

    Not those which the workflow has lived with: since then the step was called with the same arguments again, or its
    task or the one that began it has gone on to another call.
    """
    parent = parent_of(key)
    if parent is None:
        return set()
    begun: dict[str, int] = {}
    ended: dict[str, int] = {}
    hashes: dict[str, tuple[str, str]] = {}
    latest: dict[str, int] = {}
    for place, event in enumerate(journal):
        if (call := key_of(event)) is not None:
            begun.setdefault(call, place)
            ended[call] = latest[path_of(call)] = place
            if hash := getattr(event, "hash", ""):
                hashes[call] = name_of(call), hash
    last = {hashes[call]: begun[call] for call in begun if call in hashes}
    since = max((at for call, at in ended.items() if path_of(call) == parent and at < begun[key]), default=0)
    return {
        call for call in failed
        if call in begun and parent_of(call) == parent and latest[path_of(call)] == ended[call]
        and since < ended[call] >= last.get(hashes.get(call, ("", "")), 0)
    }  # fmt: skip


def find_key(row: RunRow, keys: Iterable[str], step: str) -> str:
    """The key that is meant by a key, or by the name of a step or a decision (``decision:NAME`` too).

    Raises:
        NotRepairable: there is none, or there are several; the text lists them.
    """
    known = list(keys)
    if step in known:
        return step
    found = [key for key in known if name_of(key) == step] or [key for key in known if called(key) == step]
    if len(found) == 1:
        return found[0]
    if found:
        rest = f" and {len(found) - MOST:,} more" if len(found) > MOST else ""
        some = f"{', '.join(found[:MOST])}{rest}"
        raise NotRepairable(row.id, f"has called {step!r} more than once: name one by its key: {some}")
    raise NotRepairable(
        row.id, f"has no call {step!r} to which this can be done; it has: {', '.join(folded(known)) or 'none'}"
    )


def folded(keys: Iterable[str]) -> list[str]:
    """Calls as they are told: by their keys, or, of a step that has many of them, by how many there are."""
    told = list(keys)
    many = {name: n for name, n in Counter(map(name_of, told)).items() if n > MOST}
    return list(dict.fromkeys(f"{name} ×{many[name]:,}" if (name := name_of(key)) in many else key for key in told))


def _keys(journal: Journal) -> list[str]:
    return list(dict.fromkeys(key for event in journal if (key := key_of(event)) is not None))


def _cut(journal: Journal, seq: int, beside: tuple[e.Spared, ...]) -> Cut:
    kept = _keys([event for event in journal[:seq] if isinstance(event, _OUTCOMES) or failed_for_good(event)])
    behind = _keys(journal[seq:])
    undone = tuple(key for key in behind if "/undo" in key)
    saved = {each.key: None for each in beside}
    left = {*undone, *saved}
    again = tuple(key for key in behind if key not in left)
    behind_too = set(behind)
    return Cut(seq, (*(key for key in kept if key not in behind_too), *saved), again, undone, beside)


_OUTCOMES = (
    e.StepCompleted, e.StepCached, e.ChildStarted, e.ChildCompleted, e.TaskCompleted, e.MessageSent,
    e.DecisionEvaluated,
)  # fmt: skip


# --- the new run ------------------------------------------------------------------------------------------------------


class Fork(msgspec.Struct, frozen=True):
    """The journal of a new run, and its open human tasks and attributes."""

    events: tuple[e.Event, ...]
    tasks: tuple[TaskRow, ...]
    attributes: dict[str, Any]


def fork(
    row: RunRow,
    journal: Journal,
    cut: Cut,
    *,
    id: str,
    uid: str,
    at: int,
    actor: str | None,
    input: tuple[Payload, str] | None,
    ended: Callable[[e.ChildStarted], e.ChildCompleted | None],
    readable: Callable[[Payload], bytes],
) -> Fork:
    """Makes it.

    Args:
        input: other arguments of the workflow, and their hash.
        ended: how a child ended that had not answered at the cut; None if it is still open.

    Raises:
        NotRepairable: a child that the part which is kept waits for is still open.
    """
    started = journal[0]
    assert isinstance(started, e.RunStarted)
    changes: dict[str, Any] = {"id": id, "uid": uid, "seed": started.seed or started.uid, "parent": None}
    if cut.seq == 1:
        changes |= {"at": at, "begin": None}  # nothing that is kept has seen another time
    else:
        changes["timeout"] = None  # its time would be over before it begins
    if input is not None:
        # What was recorded belongs to other arguments: it is held against the calls as if the code had changed.
        changes |= {"input": input[0], "input_hash": input[1], "version": f"{started.version} with other input"}
    kept = _without_open_incidents(journal[1 : cut.seq])
    answers = [*_answers(row, kept, ended), *_answered_tasks(row, journal, cut)]
    mark = e.Modified(at, actor, None, "forked", source=started.uid, source_id=row.id, seq=cut.seq, spared=cut.spared)
    late = [msgspec.structs.replace(answer, at=at) for answer in answers]
    attributes: dict[str, Any] = {}
    for event in kept:
        if isinstance(event, e.AttributesSet):
            attributes |= event.attributes
    return Fork(
        (msgspec.structs.replace(started, **changes), *kept, mark, *late),
        _open_tasks([*kept, *answers], readable),
        attributes,
    )


def _without_open_incidents(events: Journal) -> list[e.Event]:
    """The run as a whole stands still no more, nor is it paused: that is what it is forked for."""
    standing: set[int] = set()
    for begins, ends in ((e.IncidentOpened, e.IncidentResolved), (e.Paused, e.Resumed)):
        opened: int | None = None
        for place, event in enumerate(events):
            if isinstance(event, (begins, ends)) and event.key is None:
                opened = place if isinstance(event, begins) else None
        if opened is not None:
            standing.add(opened)
    return [event for place, event in enumerate(events) if place not in standing]


def _answers(
    row: RunRow, kept: Journal, ended: Callable[[e.ChildStarted], e.ChildCompleted | None]
) -> list[e.ChildCompleted]:
    answered = {event.key for event in kept if isinstance(event, e.ChildCompleted)}
    started = [x for x in kept if isinstance(x, e.ChildStarted) and x.failure is None and x.key not in answered]
    found: list[e.ChildCompleted] = []
    still_open: list[str] = []
    for child in started:
        answer = ended(child)
        if answer is not None:
            found.append(answer)
        elif child.close_policy != "abandon":
            still_open.append(child.id)
    if still_open:
        raise NotRepairable(
            row.id,
            f"waits, where it is to be forked, for child runs that answer only to it: {', '.join(still_open)}; let "
            "them end or terminate them, or fork from before them",
        )  # fmt: skip
    return found


def _answered_tasks(row: RunRow, journal: Journal, cut: Cut) -> list[e.TaskCompleted]:
    """Answers behind the cut that are spared, to tasks that were open there."""
    theirs = [journal[each.seq - 1] for each in cut.spared if each.run == row.run and 0 < each.begun <= cut.seq]
    return [event for event in theirs if isinstance(event, e.TaskCompleted)]


def _open_tasks(kept: Journal, readable: Callable[[Payload], bytes]) -> tuple[TaskRow, ...]:
    answered = {event.key for event in kept if isinstance(event, e.TaskCompleted)}
    return tuple(
        TaskRow(
            event.key, event.name, event.assignee, event.at, event.due,
            None if event.form is None else msgspec.json.encode(event.form),
            None if event.subject is None else readable(event.subject),
        )
        for event in kept
        if isinstance(event, e.TaskOpened) and event.key not in answered
    )  # fmt: skip
