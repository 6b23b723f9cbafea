"""Which outcomes behind a failure do not follow from it: a run that goes on from before the failure is answered with
them, instead of running their calls again.

The journal has one order, and a new run's begins with a part of the old one from its start. What ran beside the step
that failed and ended later is behind the cut. It is not lost for that: the mark of the fork says where such outcomes
stand.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterator, Sequence

from segue.kernel import events as e
from segue.kernel.steps import name_of

Path = tuple[str, ...]


def path_of(key: str) -> str:
    """Of the task that makes a call; nothing for an explicit key, which any task may have."""
    return "" if key.startswith("=") else key.rpartition("/")[0]


def parent_of(key: str) -> str | None:
    """The path of the task that began a call's own; None where the workflow itself makes the call."""
    path = path_of(key)
    return path.rpartition("." if "." in path else "/")[0] if path else None


def key_of(event: e.Event) -> str | None:
    """The call that an event is of; incidents and pauses say something about one, and are none of its own."""
    if isinstance(event, (e.IncidentOpened, e.IncidentResolved, e.Paused, e.Resumed)):
        return None
    return getattr(event, "key", None)


def failed_for_good(event: e.Event) -> bool:
    """Whether it says so of a call; one that was cancelled has failed, too."""
    match event:
        case e.StepFailed(retry_at=retry_at):
            return retry_at is None
        case e.IncidentOpened(key=key):
            return key is not None
        case e.ChildCompleted(state=state):
            return state != "completed"
        case e.ChildStarted(failure=failure):
            return failure is not None
        case _:
            return False


def was_cancelled(event: e.Event) -> bool:
    """Whether it says of a step that nobody waited for it any more."""
    return isinstance(event, e.StepFailed) and event.failure.type.endswith("CancelledError")


def spared(run: int, journal: Sequence[e.Event], seq: int, failed: Container[str]) -> tuple[e.Spared, ...]:
    """Calls that need not be carried out again: of steps, of children, and of tasks that people have answered.

    Args:
        run: the row whose journal it is, up to its end.
        seq: number of the last event that is kept as it is.
        failed: calls that are to run again because they have failed.

    Of what was begun before the first of them failed, all that completed: nothing of it can be an answer to that. Of
    what was begun later, the other calls of the same name in tasks of their own, as those of a map: such a task has
    nothing but the call. Of what people were asked, what they had answered by then: they may have seen the failure.
    Not what was undone since, and not what came, in its line of tasks, behind a failure that is not kept or an undo:
    that was an answer to it. Where the run is itself a fork, what it was spared is spared still.
    """
    ends = [event for event in journal if failed_for_good(event) and _called(event) in failed]
    if not ends:
        return ()
    first = min(event.at for event in ends)
    alike = {(name_of(key), parent_of(key)) for event in ends if (key := _called(event)) is not None}
    calls: dict[str, set[str]] = defaultdict(set)
    for event in journal:
        if (key := key_of(event)) is not None:
            calls[path_of(key)].add(key)
    answered = _answered_failures(journal[seq:], failed)
    found = [each for each in still_spared(journal) if each.key not in failed]
    for each, began, by_person in _completed(run, journal, seq, _spared_before(journal)):
        path = path_of(each.key)
        single = bool(path) and not by_person and len(calls[path]) == 1
        alone = single and (name_of(each.key), parent_of(each.key)) in alike
        line = _parts(path)
        answer = any(at <= began or undo for at, undo, other in answered if _one_line(line, other))
        if each.key not in failed and (began < first or alone) and not answer:
            found.append(each)
    return tuple(found)


def still_spared(journal: Sequence[e.Event]) -> tuple[e.Spared, ...]:
    """What was spared when the run was made as a fork, and has not been asked for yet."""
    asked = {key_of(event) for event in journal if not was_cancelled(event)}
    return tuple(each for each in _spared_before(journal).values() if each.key not in asked)


def undone_since(journal: Sequence[e.Event], seq: int) -> list[str]:
    """Calls behind the cut that undid something which is kept, as far as the tasks tell: what is undone was done by the
    task that undoes it, or by one that it had begun."""
    kept = [
        event.key for event in journal[:seq] if isinstance(event, (e.StepCompleted, e.StepCached, e.ChildCompleted))
    ]
    lines = [None if key.startswith("=") else _parts(path_of(key)) for key in kept if "/undo" not in key]
    found: dict[str, None] = {}
    for event in journal[seq:]:
        task, undo, _ = (_called(event) or "").partition("/undo")
        line = _parts(task)
        if undo and any(other is None or other[: len(line)] == line for other in lines):
            found[_called(event) or ""] = None
    return list(found)


def _spared_before(journal: Sequence[e.Event]) -> dict[str, e.Spared]:
    marks = [event for event in journal if isinstance(event, e.Modified) and event.action == "forked"]
    return {each.key: each for each in marks[-1].spared} if marks else {}


def _completed(
    run: int, journal: Sequence[e.Event], seq: int, before: dict[str, e.Spared]
) -> Iterator[tuple[e.Spared, int, bool]]:
    """What has completed behind the cut, when it was begun, and whether by a person: then, when it was answered. What
    was spared before was begun before."""
    asked: dict[str, tuple[int, int]] = {}
    for number, event in enumerate(journal, 1):
        match event:
            case e.ChildStarted(key=key, at=at) | e.TaskOpened(key=key, at=at):
                asked[key] = number, at
            case _ if number <= seq or "/undo" in (_called(event) or ""):
                pass
            case e.StepCached(key=key) if key in before:
                yield before[key], 0, False
            case e.StepCompleted(key=key) | e.StepCached(key=key):
                yield e.Spared(key, run, number), event.started_at, False
            case e.ChildCompleted(key=key, state="completed") if key in asked:
                begun, at = asked[key]
                yield e.Spared(key, run, number, begun), at, False
            case e.TaskCompleted(key=key, at=at) if key in asked:
                yield e.Spared(key, run, number, asked[key][0]), at, True
            case _:
                pass


def _answered_failures(events: Sequence[e.Event], failed: Container[str]) -> list[tuple[int, bool, Path]]:
    """What the code may have answered to: when that was, whether it was an undo, and in which task."""
    found = []
    for event in events:
        key = _called(event)
        if key is None or key in failed:
            continue
        task, undo, _ = key.partition("/undo")
        if undo or failed_for_good(event):
            found.append((event.at, bool(undo), _parts(task if undo else path_of(key))))
    return found


def _called(event: e.Event) -> str | None:
    return getattr(event, "key", None)


def _parts(path: str) -> Path:
    return tuple(re.split(r"[/.]", path)[1:])


def _one_line(one: Path, other: Path) -> bool:
    """Whether one of the tasks has begun the other, or they are one."""
    common = min(len(one), len(other))
    return one[:common] == other[:common]
