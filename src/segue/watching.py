"""Follows a run and its children while they go on: their journals, and what their owner does at this moment."""

from __future__ import annotations

from typing import NamedTuple

from segue.engine import Engine
from segue.kernel import events as e
from segue.kernel.timeline import Call, Timeline
from segue.runtime.activity import Activity
from segue.stores.base import CLOSED, RunFilter, RunRow

MOST_CHILDREN = 50
"""Open children that are followed one by one; more are only counted."""


class Change(NamedTuple):
    """An event that came in since the last look, and the call that it changed."""

    watch: Watch
    event: e.Event
    call: Call | None


class Wait(NamedTuple):
    """Something that a run waits for which is no call of its own: ``timer`` or ``signal``."""

    kind: str
    name: str = ""
    until: int | None = None
    summary: str = ""


class Watch:
    """One run. ``refresh`` looks again."""

    def __init__(self, engine: Engine, run: int, *, level: int = 0) -> None:
        self.engine = engine
        self.run = run
        self.level = level
        self.timeline = Timeline()
        self.activity = Activity()
        self.children: dict[str, Watch] = {}
        self.row: RunRow

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def state(self) -> str:
        """The word for the run as a whole."""
        if self.row.state in CLOSED or self.row.state in ("incident", "paused"):
            return self.row.state
        word = self.timeline.state
        if word in ("compensating", "retrying"):
            return word
        return "running" if self.activity.attempts else self.row.state

    def refresh(self) -> list[Change]:
        """What has happened since the last look, children included."""
        row = self.engine.store.run(self.run)
        assert row is not None, "a run that is watched is not deleted"
        self.row = row
        changes = []
        for seq, event in self.engine.events_of(self.run, after=self.timeline.seq):
            changes.append(Change(self, event, self.timeline.feed(seq, event)))
        if self.timeline.closing is None:
            self._look_at_activity()
            self._look_at_attempts()
            self._look_at_tasks()
        self._look_at_children()
        for child in self.children.values():
            if child.timeline.closing is None:
                changes += child.refresh()
        return changes

    def _look_at_activity(self) -> None:
        self.activity = self.engine.activity(self.run)
        add_attempts(self.timeline, self.activity)

    def _look_at_attempts(self) -> None:
        """Heartbeats stand beside the journal."""
        for kept in self.engine.store.attempts(self.run):
            call = self.timeline.begin("step", kept.key, kept.name, kept.at)
            call.attempts, call.beaten_at = max(call.attempts, kept.attempt), kept.at
            call.heartbeat = None if kept.details is None else self.engine.journal.payload(kept.details)

    def _look_at_tasks(self) -> None:
        """Withdrawn and reassigned tasks leave no event of their own."""
        waiting = [call for call in self.timeline.calls.values() if call.kind == "task" and call.state == "waiting"]
        if not waiting:
            return
        tasks = {task.key: task for task in self.engine.store.tasks(self.row.namespace, state=None, run=self.run)}
        for call in waiting:
            task = tasks.get(call.key)
            if task is not None:
                call.assignee = task.assignee
                if task.state == "withdrawn":
                    call.state, call.ended_at = "cancelled", task.closed_at

    def _look_at_children(self) -> None:
        wanted = [
            call
            for call in self.timeline.calls.values()
            if call.kind == "child" and call.child_uid and call.key not in self.children and call.failure is None
        ]
        if not wanted or len(self.children) >= MOST_CHILDREN:
            return
        rows = self.engine.store.list(RunFilter(namespace=None, parent=self.run, limit=10_000))
        by_uid = {row.uid: row for row in rows}
        for call in wanted[: MOST_CHILDREN - len(self.children)]:
            row = by_uid.get(call.child_uid)
            if row is not None:
                self.children[call.key] = Watch(self.engine, row.run, level=self.level + 1)

    def waits(self) -> list[Wait]:
        """What an open run waits for, apart from its calls."""
        if self.timeline.closing is not None or self.row.state in ("incident", "paused"):
            return []
        found = [Wait("signal", name) for name in self.activity.signals]
        timer = self.activity.timer if self.activity.known else self._next_wake()
        known = {call.retry_at for call in self.timeline.calls.values() if call.state == "retrying"}
        known |= {call.due for call in self.timeline.calls.values() if call.kind == "task" and call.open}
        if timer is not None and timer not in known:
            found.append(Wait("timer", until=timer, summary=self._timer_summary()))
        if not found and not self.activity.known and self.row.state == "waiting" and not self.timeline.open_calls():
            found.append(Wait("signal"))
        return found

    def _timer_summary(self) -> str:
        if self.activity.known:
            return self.activity.timer_summary or ""
        return self.engine.journal.open_text(self.row.timer or "")

    def _next_wake(self) -> int | None:
        return self.row.wake if self.row.wake is not None and self.row.wake > 1_000_000 else None


def add_attempts(timeline: Timeline, activity: Activity) -> None:
    """Attempts that are under way, which the journal does not know of yet."""
    for now in activity.attempts:
        call = timeline.begin("step", now.key, now.name, now.started_at)
        if call.attempts < now.attempt or call.state == "incident":
            call.state = "compensating" if call.undo else "running"
            call.retry_at = None
        call.attempts, call.of, call.progress = now.attempt, now.of, now.progress
        call.ended_at = None
        call.summary = now.summary or call.summary
