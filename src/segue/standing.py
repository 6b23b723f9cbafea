"""Where a run stands, for a line in a list: what it waits for, what went wrong, or how it ended.

From the database alone: the run's code need not be here. Whoever shows it chooses the words.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from segue.engine import Engine
from segue.kernel import events as e
from segue.kernel.failures import summary
from segue.kernel.plain import plain_value
from segue.kernel.timeline import Timeline
from segue.stores.base import CLOSED, RunRow, Task

TAIL = 20
"""Events that are looked at: enough to see what happened last, few enough for a page of runs."""


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a run stands.

    Attributes:
        state: the word for it; ``retrying`` where the row itself only says ``waiting``.
        kind: what the rest is about; ``message``: any signal or update that it has a handler for.
        name: of the step, task, child workflow that it is about; what a timer is about.
        who: whom a task is put to; the id of a child run; who has paused a step.
        text: an error, or a person's reason.
        until: when the wait is over or due (µs), if a time ends it.
        attempt: the number of the next attempt.
        more: how many more tasks there are.
        signals: names of the signals that go on with it, alone or before a timer does.
        value: the result.
    """

    state: str
    kind: Literal[
        "nothing", "error", "task", "retry", "timer", "child", "signal", "message", "step", "result", "reason",
        "outside", "paused",
    ] = "nothing"  # fmt: skip
    name: str = ""
    who: str = ""
    text: str = ""
    until: int | None = None
    attempt: int = 0
    more: int = 0
    signals: list[str] = []
    value: Any = None


def standing(engine: Engine, row: RunRow, open_tasks: list[Task], now: int) -> Standing:
    """Where the run of this row stands; ``open_tasks`` are those of all runs in the list, read once."""
    if row.state in ("incident", "failed"):
        return Standing(state=row.state, kind="error", text=row.error or "")
    if row.state in CLOSED:
        return _ended(engine, row)
    if row.state == "paused" and row.error:
        return Standing(state=row.state, kind="reason", text=row.error)
    tasks = [task for task in open_tasks if task.run == row.run]
    if tasks:
        first = tasks[0]
        return Standing(
            state=row.state, kind="task", name=first.name, who=first.assignee, until=first.due, more=len(tasks) - 1
        )
    return _open(engine, row, _last(engine, row, TAIL), now)


def _open(engine: Engine, row: RunRow, events: list[e.Event], now: int) -> Standing:
    timeline = Timeline()
    for seq, event in enumerate(reversed(events)):
        timeline.feed(seq, event)
    calls = timeline.open_calls()
    for call in calls:
        if call.state == "retrying" and call.retry_at is not None and call.failure is not None:
            return Standing(
                state="retrying", kind="retry", name=call.name, attempt=call.attempts + 1, until=call.retry_at,
                text=summary(call.failure),
            )  # fmt: skip
    for call in calls:
        if call.state == "paused" and row.state == "paused":
            return Standing(state=row.state, kind="paused", name=call.name, who=call.by)
        if call.kind == "step" and call.state == "waiting":
            return Standing(state=row.state, kind="outside", name=call.name, until=row.wake)
    if row.state == "waiting" and row.wake is not None and row.wake > now:
        about = engine.journal.open_text(row.timer) if row.timer else ""
        return Standing(state=row.state, kind="timer", name=about, until=row.wake, signals=list(row.awaits))
    for call in calls:
        if call.kind == "child" and call.child_id:
            return Standing(state=row.state, kind="child", name=call.name, who=call.child_id)
    if row.state == "waiting":
        # By no name: a condition, or an event of asyncio's, which a handler of signals or updates makes come true.
        return Standing(state=row.state, kind="signal" if row.awaits else "message", signals=list(row.awaits))
    last = next((event.name for event in events if isinstance(event, (e.StepCompleted, e.StepFailed))), "")
    return Standing(state=row.state, kind="step", name=last) if last else Standing(state=row.state)


def _ended(engine: Engine, row: RunRow) -> Standing:
    # It is the last one, unless something was said of the run since, such as that its data was erased.
    return (
        _end_among(row, _last(engine, row, 1)) or _end_among(row, _last(engine, row, TAIL)) or Standing(state=row.state)
    )


def _end_among(row: RunRow, events: list[e.Event]) -> Standing | None:
    for event in events:
        match event:
            case e.RunCompleted():
                return Standing(state=row.state, kind="result", value=plain_value(event.result))
            case e.RunContinued():
                return Standing(state=row.state, kind="result", value=plain_value(event.input))
            case e.RunCancelled() | e.RunTerminated():
                return Standing(state=row.state, kind="reason", text=event.reason)
    return None


def _last(engine: Engine, row: RunRow, limit: int) -> list[e.Event]:
    return [event for _, event in last_events(engine, row.run, limit)]


def last_events(engine: Engine, run: int, limit: int) -> list[tuple[int, e.Event]]:
    """The last events of a run, (seq, event), newest first."""
    return list(engine.journal.read(reversed(engine.store.tail(run, limit)), apart=True))[::-1]
