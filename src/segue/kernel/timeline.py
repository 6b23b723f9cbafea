"""A run's journal as people see it: calls with their attempts, waits, messages, incidents, and how it ended.

Fed with events in order, one by one, so that a run can be followed; nothing here reads a clock or a database.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from segue.kernel import events as e
from segue.kernel.names import person_of
from segue.kernel.payload import Payload
from segue.kernel.steps import DECISION, name_of

Kind = Literal["step", "child", "task", "signal", "update", "decision"]
_UNDO = re.compile(r"/undo\d+(/|$)")
_NUMBER = re.compile(r"#(\d+)$")


Place = tuple[int, str]
"""Where a value stands: the number of its event, and the field there."""

OPEN_STATES = ("pending", "running", "waiting", "retrying", "compensating", "incident", "paused")


@dataclass(slots=True)
class Try:
    """One attempt of a step; ``retry_at`` is when the next one was due."""

    number: int
    started_at: int
    ended_at: int | None = None
    failure: e.Failure | None = None
    retry_at: int | None = None
    worker: str = ""


@dataclass(slots=True)
class Call:
    """Something that the workflow asked for, or that was said to it."""

    kind: Kind
    key: str
    name: str
    state: str
    began_at: int
    ended_at: int | None = None
    tries: list[Try] = field(default_factory=list)
    attempts: int = 0
    of: int | None = None
    """How many attempts its retry policy allows, where that is known."""
    retry_at: int | None = None
    failure: e.Failure | None = None
    input: Payload | None = None
    result: Payload | None = None
    progress: Any = None
    child_id: str = ""
    child_uid: str = ""
    assignee: str = ""
    due: int | None = None
    subject: Payload | None = None
    by: str = ""
    summary: str = ""
    beaten_at: int | None = None
    """When its last heartbeat came."""
    heartbeat: Payload | None = None
    """What that said."""
    queue: str = ""
    """In which it waits for a worker, or is with one."""
    holder: str = ""
    """The worker of that queue that has it."""
    model: str = ""
    """The model that a decision is of."""
    explanation: Payload | None = None
    """How a decision came about."""
    input_at: Place | None = None
    result_at: Place | None = None
    source: str = ""
    """The id of the run that made the result, where the step did not run for it here."""
    alone: bool = True
    """Whether no other call of the run has its name, so that the name says which call is meant."""

    @property
    def label(self) -> str:
        """What people read, and whoever repairs a run names it by: its name where that is enough, else its key."""
        if self.kind in ("signal", "update"):
            return self.name
        if self.key.startswith("="):
            return f"{self.name} {self.key}"
        return self.name if self.alone and name_of(self.key) == self.name else self.key

    @property
    def undo(self) -> bool:
        """Whether it undoes what another call did."""
        return _UNDO.search(self.key) is not None

    @property
    def open(self) -> bool:
        return self.state in OPEN_STATES


@dataclass(slots=True)
class Incident:
    """The run, or one call of it, stands still."""

    at: int
    cause: str
    message: str
    remedy: str
    key: str | None
    failure: e.Failure | None
    resolved_at: int | None = None


class Timeline:
    """What has happened to one run."""

    def __init__(self) -> None:
        self.seq = 0
        self.at = 0
        self.events = 0
        self.started: e.RunStarted | None = None
        self.calls: dict[str, Call] = {}
        self.incidents: list[Incident] = []
        self.attributes: dict[str, Any] = {}
        self.cancel: e.CancelRequested | None = None
        self.closing: e.Event | None = None
        self.closed_seq = 0
        self.erased: e.Erased | None = None
        self.paused: e.Paused | None = None
        self._retrying: dict[str, Call] = {}
        self._first: dict[str, Call] = {}

    @property
    def state(self) -> str:
        """The run's state, as far as its journal tells."""
        if self.closing is not None:
            return e.ENDS[type(self.closing)]
        if self.open_incidents:
            return "incident"
        if self.paused is not None:
            return "paused"
        states = {call.state for call in self.calls.values()}
        for word in ("compensating", "running", "retrying", "paused", "waiting"):
            if word in states:
                return word
        return "running"

    @property
    def open_incidents(self) -> list[Incident]:
        return [incident for incident in self.incidents if incident.resolved_at is None]

    @property
    def undone(self) -> int:
        """How many calls have undone something."""
        return sum(call.state == "compensated" for call in self.calls.values())

    def feed(self, seq: int, event: e.Event) -> Call | None:
        """Takes the next event; the call that it changed, if any."""
        self.seq, self.at = seq, event.at
        self.events += 1
        handle = _FEED.get(type(event))
        return None if handle is None else handle(self, event)

    def open_calls(self) -> list[Call]:
        return [call for call in self.calls.values() if call.open]

    # --- steps ------------------------------------------------------------------------------------------------

    def begin(self, kind: Kind, key: str, name: str, at: int) -> Call:
        """The call of this key; made when it is new."""
        call = self.calls.get(key)
        if call is None:
            call = self.calls[key] = Call(kind, key, name, "running", at)
            first = self._first.setdefault(name_of(key), call)
            if first is not call:
                first.alone = call.alone = False
        return call

    def label(self, key: str) -> str:
        """The same of a key whose call may not be in the journal yet."""
        call, name = self.calls.get(key), name_of(key)
        if call is not None:
            return call.label
        return key if key.startswith("=") or name in self._first else name

    def _step_started(self, event: e.StepStarted) -> Call:
        call = self.begin("step", event.key, event.name, event.at)
        call.tries.append(Try(event.attempt, event.at, worker=event.worker))
        call.attempts = event.attempt
        call.state = "compensating" if call.undo else "running"
        call.retry_at = None
        return call

    def _step_completed(self, event: e.StepCompleted | e.StepCached) -> Call:
        call = self._ended(event)
        call.state = "compensated" if call.undo else "completed"
        call.result, call.result_at = event.result, (self.seq, "result")
        call.failure = call.retry_at = None
        return call

    def _step_cached(self, event: e.StepCached) -> Call:
        call = self._step_completed(event)
        call.source = event.source
        return call

    def _step_scheduled(self, event: e.StepScheduled) -> Call:
        call = self._ended(event)
        call.state, call.ended_at = "waiting", None
        call.tries[-1].ended_at = None
        return call

    def _step_failed(self, event: e.StepFailed) -> Call:
        call = self._ended(event)
        call.heartbeat = event.heartbeat or call.heartbeat
        call.tries[-1].failure = call.failure = event.failure
        call.tries[-1].retry_at = call.retry_at = event.retry_at
        if event.retry_at is not None:
            call.state = "retrying"
            call.ended_at = None
            self._retrying[call.key] = call
        else:
            call.state = "cancelled" if event.failure.type.endswith("CancelledError") else "failed"
        return call

    def _ended(self, event: e.StepCompleted | e.StepCached | e.StepFailed | e.StepScheduled) -> Call:
        began = event.started_at or event.at
        call = self.begin("step", event.key, event.name, began)
        tries = call.tries
        if not tries or tries[-1].number != event.attempt or tries[-1].ended_at is not None:
            tries.append(Try(event.attempt, began, worker=event.worker))
        tries[-1].started_at, tries[-1].ended_at = began, event.at
        tries[-1].worker = tries[-1].worker or event.worker  # where it waited in a queue, nobody had it yet
        call.attempts = event.attempt
        call.ended_at = event.at
        if event.input is not None:
            call.input, call.input_at = event.input, (self.seq, "input")
        call.summary = event.summary or call.summary
        call.progress = None
        return call

    # --- children, tasks, messages ----------------------------------------------------------------------------

    def _child_started(self, event: e.ChildStarted) -> Call:
        call = self.begin("child", event.key, event.workflow, event.at)
        call.child_id, call.failure = event.id, event.failure
        if event.failure is None:
            call.child_uid = event.uid
        else:
            call.state, call.ended_at = "failed", event.at
        return call

    def _child_completed(self, event: e.ChildCompleted) -> Call:
        call = self.begin("child", event.key, event.key, event.at)
        call.state, call.ended_at = event.state, event.at
        call.result, call.failure = event.result, event.failure
        call.result_at = (self.seq, "result")
        return call

    def _task_opened(self, event: e.TaskOpened) -> Call:
        call = self.begin("task", event.key, event.name, event.at)
        call.state = "waiting"
        call.assignee, call.due, call.subject = event.assignee, event.due, event.subject
        call.input_at = (self.seq, "subject")
        return call

    def _task_completed(self, event: e.TaskCompleted) -> Call:
        call = self.begin("task", event.key, event.key, event.at)
        call.state, call.ended_at = "completed", event.at
        call.result, call.by = event.outcome, person_of(event.actor)
        call.result_at = (self.seq, "outcome")
        return call

    def _signal(self, event: e.SignalReceived) -> Call:
        call = self.begin("signal", f"signal:{self.seq}", event.name, event.at)
        call.state, call.ended_at, call.input = "received", event.at, event.payload
        call.input_at = (self.seq, "payload")
        return call

    def _message_sent(self, event: e.MessageSent) -> Call:
        what = "a request to stop" if event.kind == "cancel" else f"signal {event.name}"
        call = self.begin("signal", event.key, f"{what} to {event.id}", event.at)
        call.state, call.ended_at = "failed" if event.state else "completed", event.at
        return call

    def _decision(self, event: e.DecisionEvaluated) -> Call:
        call = self.begin("decision", event.key, event.name.removeprefix(DECISION), event.at)
        call.state = "completed" if event.failure is None else "failed"
        call.ended_at, call.input, call.result, call.failure = event.at, event.input, event.result, event.failure
        call.model, call.explanation = event.model, event.explanation
        call.input_at, call.result_at = (self.seq, "input"), (self.seq, "result")
        return call

    def _update(self, event: e.UpdateAccepted) -> Call:
        call = self.begin("update", f"update:{event.update}", event.name, event.at)
        call.input, call.input_at = event.payload, (self.seq, "payload")
        return call

    def _update_completed(self, event: e.UpdateCompleted) -> Call:
        call = self.begin("update", f"update:{event.update}", event.update, event.at)
        call.state = "completed" if event.failure is None else "failed"
        call.ended_at, call.result, call.failure = event.at, event.result, event.failure
        call.result_at = (self.seq, "result")
        return call

    # --- the run itself ---------------------------------------------------------------------------------------

    def _run_started(self, event: e.RunStarted) -> None:
        self.started = event

    def _timer_fired(self, event: e.TimerFired) -> Call | None:
        due = [call for call in self._retrying.values() if call.retry_at is None or call.retry_at <= event.at]
        for call in due:
            del self._retrying[call.key]
            if call.state == "retrying":
                call.state, call.retry_at = "compensating" if call.undo else "running", None
        return due[0] if due else None

    def _attributes_set(self, event: e.AttributesSet) -> None:
        self.attributes.update(event.attributes)
        self.attributes = {name: value for name, value in self.attributes.items() if value is not None}

    def _cancel_requested(self, event: e.CancelRequested) -> None:
        self.cancel = self.cancel or event

    def _incident_opened(self, event: e.IncidentOpened) -> Call | None:
        self.incidents.append(Incident(event.at, event.cause, event.message, event.remedy, event.key, event.failure))
        call = self.calls.get(event.key or "")
        if event.key and call is None:
            call = self.begin("step", event.key, _NUMBER.sub("", event.key.rsplit("/", 1)[-1]), event.at)
        if call is not None:
            call.state, call.ended_at = "incident", None
        return call

    def _incident_resolved(self, event: e.IncidentResolved) -> Call | None:
        for incident in self.open_incidents:
            if event.key is None or event.key == incident.key:
                incident.resolved_at = event.at
        call = self.calls.get(event.key or "")
        if call is not None and call.state == "incident":
            call.state = "running"
        return call

    def _pause(self, event: e.Paused) -> Call | None:
        if event.key is None:
            self.paused = event
            return None
        call = self.begin("step", event.key, event.name, event.at)
        call.state, call.by = "paused", person_of(event.actor)
        return call

    def _resume(self, event: e.Resumed) -> Call | None:
        if event.key is None:
            self.paused = None
            return None
        call = self.calls.get(event.key)
        if call is not None and call.state == "paused":
            call.state, call.by = "compensating" if call.undo else "running", ""
        return call

    def _modified(self, event: e.Modified) -> Call | None:
        call = self.calls.get(event.key or "")
        if event.action == "skip":
            for incident in self.open_incidents:
                if event.key == incident.key:
                    incident.resolved_at = event.at
            if call is not None:
                call.state, call.result, call.result_at = "completed", event.value, (self.seq, "value")
                call.failure = call.retry_at = None  # its tries keep what they failed with
                call.ended_at = call.ended_at or event.at
        return call

    def _erased(self, event: e.Erased) -> None:
        self.erased = event

    def _closed(self, event: e.Event) -> None:
        self.closing, self.closed_seq = event, self.seq
        for call in self.open_calls():
            call.state = "cancelled" if call.kind != "child" else call.state


_FEED: dict[type[e.Event], Callable[[Timeline, Any], Call | None]] = {
    e.RunStarted: Timeline._run_started,
    e.StepStarted: Timeline._step_started,
    e.StepCompleted: Timeline._step_completed,
    e.StepCached: Timeline._step_cached,
    e.StepFailed: Timeline._step_failed,
    e.TimerFired: Timeline._timer_fired,
    e.SignalReceived: Timeline._signal,
    e.UpdateAccepted: Timeline._update,
    e.UpdateCompleted: Timeline._update_completed,
    e.ChildStarted: Timeline._child_started,
    e.ChildCompleted: Timeline._child_completed,
    e.TaskOpened: Timeline._task_opened,
    e.TaskCompleted: Timeline._task_completed,
    e.AttributesSet: Timeline._attributes_set,
    e.MessageSent: Timeline._message_sent,
    e.CancelRequested: Timeline._cancel_requested,
    e.IncidentOpened: Timeline._incident_opened,
    e.IncidentResolved: Timeline._incident_resolved,
    e.RunCompleted: Timeline._closed,
    e.RunFailed: Timeline._closed,
    e.RunCancelled: Timeline._closed,
    e.RunTerminated: Timeline._closed,
    e.RunContinued: Timeline._closed,
    e.StepScheduled: Timeline._step_scheduled,
    e.Paused: Timeline._pause,
    e.Resumed: Timeline._resume,
    e.Erased: Timeline._erased,
    e.Modified: Timeline._modified,
    e.DecisionEvaluated: Timeline._decision,
}
