"""Where a run stands, in a few words: what it waits for, what went wrong, or how it ended."""

from __future__ import annotations

from segue.cli.payloads import brief
from segue.cli.words import ago, length
from segue.engine import Engine
from segue.kernel import events as e
from segue.kernel.failures import summary
from segue.kernel.timeline import Timeline
from segue.stores.base import CLOSED, RunRow, Task

TAIL = 20
"""Events that are looked at: enough to see what happened last, few enough for a page of runs."""


def standing(engine: Engine, row: RunRow, open_tasks: list[Task], now: int) -> tuple[str, str]:
    """The word for its state, and what there is to say. From the database alone: the run's code need not be here."""
    if row.state == "incident" or row.state == "failed":
        return row.state, row.error or ""
    if row.state in CLOSED:
        return row.state, _ended(engine, row)
    tasks = [task for task in open_tasks if task.run == row.run]
    if tasks:
        others = f" and {len(tasks) - 1} more" if len(tasks) > 1 else ""
        return row.state, f"{tasks[0].name} by {tasks[0].assignee}{others}"
    return _open(row, _tail(engine, row), now)


def _open(row: RunRow, events: list[e.Event], now: int) -> tuple[str, str]:
    timeline = Timeline()
    for seq, event in enumerate(reversed(events)):
        timeline.feed(seq, event)
    calls = timeline.open_calls()
    for call in calls:
        if call.state == "retrying" and call.retry_at is not None and call.failure is not None:
            due = f"in {length(call.retry_at - now)}" if call.retry_at > now else "due"
            return "retrying", f"{call.name}, attempt {call.attempts + 1} {due}: {summary(call.failure)}"
    if row.state == "waiting" and row.wake is not None and row.wake > now:
        return row.state, f"timer {ago(row.wake, now)}, or a signal"
    for call in calls:
        if call.kind == "child" and call.child_id:
            return row.state, f"child run {call.name} {call.child_id}"
    if row.state == "waiting":
        return row.state, "signal"
    last = next((event.name for event in events if isinstance(event, (e.StepCompleted, e.StepFailed))), "")
    return row.state, f"after {last}" if last else ""


def _ended(engine: Engine, row: RunRow) -> str:
    for event in _tail(engine, row):
        match event:
            case e.RunCompleted():
                return brief(event.result)
            case e.RunCancelled() | e.RunTerminated():
                return event.reason
    return ""


def _tail(engine: Engine, row: RunRow) -> list[e.Event]:
    """The last events, newest first."""
    tail = engine.store.tail(row.run, TAIL)
    return [event for _, event in reversed(list(engine.journal.read(reversed(tail))))]
