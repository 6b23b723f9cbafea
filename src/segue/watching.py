"""Follows a run and its children while they go on: their journals, and what their owner does at this moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from segue.engine import Engine
from segue.kernel import events as e
from segue.kernel.payload import Payload
from segue.kernel.timeline import Call, Timeline
from segue.runtime.activity import Activity
from segue.stores.base import CLOSED, RunFilter, RunRow, Task

MOST_CHILDREN = 50
"""Open children that are followed one by one; more are only counted."""


class Change(NamedTuple):
    """An event that came in since the last look, and the call that it changed."""

    watch: Watch
    event: e.Event
    call: Call | None


class Wait(NamedTuple):
    """Something that a run waits for which is no call of its own: ``timer``, ``signal``, or ``message``: any signal or
    update that it has a handler for."""

    kind: str
    name: str = ""
    until: int | None = None
    summary: str = ""


class Beat(NamedTuple):
    """What an attempt that goes on has said last, beside the journal; details as a payload. Of one in a queue: which,
    and the worker that has it at this moment, if one does."""

    key: str
    name: str
    attempt: int
    at: int
    details: Payload | None
    queue: str = ""
    worker: str = ""


class Look(Protocol):
    """What there is to see of a run at one look, wherever it was looked at: in a database, or over HTTP.

    Attributes:
        row: with its texts opened.
        now: when it was looked at (µs).
        activity: what its owner does for it just now, as far as that is known here.
    """

    @property
    def row(self) -> RunRow: ...
    @property
    def now(self) -> int: ...
    @property
    def activity(self) -> Activity: ...

    def events(self, after: int) -> Iterable[tuple[int, e.Event]]:
        """The journal behind the event ``after``."""

    def beats(self) -> Sequence[Beat]:
        """What attempts that go on have said last."""

    def tasks(self) -> Sequence[Task]:
        """All that the run has asked people, answered or not."""

    def children(self) -> dict[str, int]:
        """The runs that it has started, by what its journal calls them."""

    def published(self) -> dict[str, Payload]:
        """What the workflow has published."""


class Watch:
    """One run, as it was at the last look. ``take`` takes in one look more."""

    def __init__(self, run: int, *, level: int = 0) -> None:
        self.run = run
        self.level = level
        self.timeline = Timeline()
        self.activity = Activity()
        self.children: dict[str, Watch] = {}
        self.look: Look

    @property
    def row(self) -> RunRow:
        return self.look.row

    @property
    def now(self) -> int:
        """When it was looked at last (µs)."""
        return self.look.now

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

    def take(self, look: Look) -> list[Change]:
        """What has happened since the last look, children left out."""
        self.look = look
        changes = [Change(self, event, self.timeline.feed(seq, event)) for seq, event in look.events(self.timeline.seq)]
        if self.timeline.closing is None:
            self._take_activity(look.activity)
            self._take_beats(look.beats())
            self._take_tasks(look)
        self._take_children(look)
        return changes

    def _take_activity(self, activity: Activity) -> None:
        self.activity = activity
        add_attempts(self.timeline, activity)

    def _take_beats(self, beats: Sequence[Beat]) -> None:
        """Heartbeats stand beside the journal."""
        for beat in beats:
            call = self.timeline.begin("step", beat.key, beat.name, beat.at)
            call.attempts, call.heartbeat = max(call.attempts, beat.attempt), beat.details
            call.queue, call.holder = beat.queue, beat.worker
            call.beaten_at = beat.at if beat.worker or not beat.queue else None

    def _take_tasks(self, look: Look) -> None:
        """Withdrawn and reassigned tasks leave no event of their own."""
        waiting = [call for call in self.timeline.calls.values() if call.kind == "task" and call.state == "waiting"]
        if not waiting:
            return
        tasks = {task.key: task for task in look.tasks()}
        for call in waiting:
            task = tasks.get(call.key)
            if task is not None:
                call.assignee = task.assignee
                if task.state == "withdrawn":
                    call.state, call.ended_at = "cancelled", task.closed_at

    def _take_children(self, look: Look) -> None:
        wanted = [
            call
            for call in self.timeline.calls.values()
            if call.kind == "child" and call.child_uid and call.key not in self.children
        ]
        if not wanted or len(self.children) >= MOST_CHILDREN:
            return
        runs = look.children()
        for call in wanted[: MOST_CHILDREN - len(self.children)]:
            run = runs.get(call.child_uid)
            if run is not None:
                self.children[call.key] = self._child(run)

    def _child(self, run: int) -> Watch:
        return Watch(run, level=self.level + 1)

    def take_states(self) -> None:
        """How its children are, once they have been looked at: what becomes of a detached one leaves no event here."""
        for key, child in self.children.items():
            call = self.timeline.calls[key]
            if call.open and child.state != "continued":
                call.state, call.ended_at = child.state, child.row.closed_at

    def waits(self) -> list[Wait]:
        """What an open run waits for, apart from its calls."""
        if self.timeline.closing is not None or self.row.state in ("incident", "paused"):
            return []
        signals = self.activity.signals if self.activity.known else self.row.awaits
        found = [Wait("signal", name) for name in signals]
        timer = self.activity.timer if self.activity.known else self._next_wake()
        known = {call.retry_at for call in self.timeline.calls.values() if call.state == "retrying"}
        known |= {call.due for call in self.timeline.calls.values() if call.kind == "task" and call.open}
        if timer is not None and timer not in known:
            found.append(Wait("timer", until=timer, summary=self._timer_summary()))
        if not found and self.row.state == "waiting" and not self.timeline.open_calls():
            found.append(Wait("message"))
        return found

    def _timer_summary(self) -> str:
        if self.activity.known:
            return self.activity.timer_summary or ""
        return self.row.timer or ""

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


class LiveWatch(Watch):
    """One run in an engine's database. ``refresh`` looks again. ``apart``: without fetching large values."""

    def __init__(self, engine: Engine, run: int, *, level: int = 0, apart: bool = False) -> None:
        super().__init__(run, level=level)
        self.engine = engine
        self._apart = apart

    def refresh(self) -> list[Change]:
        """What has happened since the last look, children included."""
        changes = self.take(EngineLook(self.engine, self.run, apart=self._apart))
        for child in self.children.values():
            if child.timeline.closing is None and isinstance(child, LiveWatch):
                changes += child.refresh()
        self.take_states()
        return changes

    def _child(self, run: int) -> Watch:
        return LiveWatch(self.engine, run, level=self.level + 1, apart=self._apart)


class EngineLook:
    """A look into an engine's database, which is asked only for what is needed; ``apart`` without large values."""

    def __init__(self, engine: Engine, run: int, *, apart: bool = False) -> None:
        row = engine.store.run(run)
        assert row is not None, "a run that is watched is not deleted"
        opened, timer = engine.journal.open_text(row.summary), row.timer and engine.journal.open_text(row.timer)
        self.row = msgspec.structs.replace(row, summary=opened, timer=timer)
        self._engine = engine
        self._run = run
        self._apart = apart

    @property
    def now(self) -> int:
        return self._engine.clock.now()

    @property
    def activity(self) -> Activity:
        return self._engine.activity(self._run)

    def events(self, after: int) -> Iterable[tuple[int, e.Event]]:
        return self._engine.events_of(self._run, after=after, apart=self._apart)

    def beats(self) -> list[Beat]:
        payload, now = self._engine.journal.payload, self.now
        return [
            Beat(
                kept.key, kept.name, kept.attempt, kept.at, None if kept.details is None else payload(kept.details),
                kept.queue, kept.worker if kept.lease > now else "",
            )
            for kept in self._engine.store.attempts(self._run)
        ]  # fmt: skip

    def tasks(self) -> list[Task]:
        open_value = self._engine.journal.open_value
        tasks = self._engine.store.tasks(self.row.namespace, state=None, run=self._run)
        return [
            task if task.subject is None else msgspec.structs.replace(task, subject=open_value(task.subject))
            for task in tasks
        ]

    def children(self) -> dict[str, int]:
        rows = self._engine.store.list(RunFilter(namespace=None, parent=self._run, limit=10_000))
        return {row.uid: row.run for row in rows}

    def published(self) -> dict[str, Payload]:
        journal, store = self._engine.journal, self._engine.store
        return {name: journal.payload(data) for name, data in store.published(self._run).items()}
