"""A runtime without a database, a worker or a clock: carries out a run's commands in memory and keeps its journal.

Whoever drives it decides what happens next, one method per event. Each method answers the commands that the event led
to, records included, so that a test reads as a table: this event, those commands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from segue.authoring.python.definitions import Step, Workflow
from segue.authoring.python.execution import CodeExecution
from segue.authoring.python.messages import MessagePolicy
from segue.errors import SegueError
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.adoption import CODE, Past
from segue.kernel.encoding import Encodings
from segue.kernel.failures import describe
from segue.kernel.payload import Payload
from segue.kernel.replay import Replay
from segue.kernel.steps import StepSpec

Begin = Callable[..., "World"]
"""The fixture ``begin``: starts a run of a workflow with arguments."""
ENCODINGS = Encodings()
UID = "0123456789abcdef" * 2
BEGIN = 1_700_000_000_000_000
SECOND = 1_000_000

_RECORD: dict[type[c.Command], Callable[[int, Any], e.Event]] = {
    c.OpenTask: lambda at, x: e.TaskOpened(at, None, None, x.key, x.name, x.assignee, x.form, x.due, x.subject, x.hash),
    c.SetAttributes: lambda at, x: e.AttributesSet(at, None, None, x.attributes),
    c.RecordMarker: lambda at, x: e.Marker(at, None, None, x.kind, x.name, x.value),
    c.CompleteUpdate: lambda at, x: e.UpdateCompleted(at, None, None, x.update, x.result, x.failure),
    c.Complete: lambda at, x: e.RunCompleted(at, None, None, x.result),
    c.Fail: lambda at, x: e.RunFailed(at, None, None, x.failure),
    c.Cancelled: lambda at, x: e.RunCancelled(at, None, None, x.reason),
    c.ContinueAsNew: lambda at, x: e.RunContinued(at, None, None, "next", x.input),
}


class World:
    """One run and all that surrounds it.

    Attributes:
        journal: the events so far, records included.
        answers: for each event that is no record, the commands that it led to.
        steps, children, tasks, messages, decisions: what the run waits for, by key.
        begun: keys of the children that have started.
        incidents: keys of the steps that stand still. held: of those that are paused.
        scheduled: keys of the steps whose outcome comes from outside.
        end: the command that closed the run.
        halted: why it stands still.
        evict: drop the run and replay it after every event.
    """

    def __init__(self, workflow: Workflow[..., Any], *args: Any, uid: str = UID, evict: bool = False) -> None:
        self.workflow = workflow
        self.uid = uid
        self.evict = evict
        self.now = BEGIN
        self.journal: list[e.Event] = []
        self.answers: list[list[c.Command]] = []
        self.steps: dict[str, c.RunStep] = {}
        self.children: dict[str, c.StartChild] = {}
        self.tasks: dict[str, c.OpenTask] = {}
        self.messages: dict[str, c.SendMessage] = {}
        self.decisions: dict[str, e.DecisionEvaluated] = {}
        self.end: c.Command | None = None
        self.halted: SegueError | None = None
        self.execution = self.new_execution()
        self._args = args
        self._opened: dict[str, Any] = {}
        self.begun: set[str] = set()
        self.incidents: set[str] = set()
        self.held: set[str] = set()
        self.scheduled: set[str] = set()

    def new_execution(self, workflow: Workflow[..., Any] | None = None) -> CodeExecution:
        return CodeExecution((workflow or self.workflow).bind(ENCODINGS), encodings=ENCODINGS)

    def __enter__(self) -> World:
        return self

    def __exit__(self, *error: object) -> None:
        self.execution.close()

    # --- what happens -----------------------------------------------------------------------------------------

    def start(self) -> list[c.Command]:
        bound = self.workflow.bind(ENCODINGS)
        payload, hash = bound.call_site.encode(self._args, {})
        return self.apply(
            e.RunStarted(
                self.now, None, None, self.workflow.name, "run", self.uid, payload,
                version=self.workflow.version, input_hash=hash,
            )
        )  # fmt: skip

    def complete(self, key: str, result: Any = None) -> list[c.Command]:
        """The attempt of a step that is under way succeeds."""
        step = self.steps[key]
        payload = ENCODINGS.encode(result)
        return self.apply(
            e.StepCompleted(self.now, None, None, key, step.spec.name, step.attempt, step.hash, payload, step.input)
        )

    def fail(self, key: str, error: Exception | None = None, *, retry_in: float | None = None) -> list[c.Command]:
        """The attempt of a step that is under way fails."""
        step = self.steps[key]
        failure = describe(error or ValueError("broken"))
        retry_at = None if retry_in is None else self.now + round(retry_in * SECOND)
        return self.apply(
            e.StepFailed(self.now, None, None, key, step.spec.name, step.attempt, step.hash, failure, retry_at)
        )

    def lose(self, key: str) -> list[c.Command]:
        """The process that ran a step is gone, and another one begins the next attempt."""
        step = self.steps[key]
        return self.apply(e.StepStarted(self.now, None, None, key, step.spec.name, step.attempt + 1))

    def exhaust(self, key: str) -> list[c.Command]:
        """The last attempt of a step with ``on_exhausted="incident"`` fails: an incident, unless it was cancelled."""
        commands = self.fail(key)
        told = [command for command in commands if isinstance(command, c.StandStill)]
        if not told or self.end is not None:  # a timer that was due as well has led to the end of the run
            return commands
        assert [command.key for command in told] == [key]
        self.incidents.add(key)
        return [command for command in commands if command not in told] + self.apply(
            e.IncidentOpened(self.now, None, None, "step-exhausted", "broken", "mend it", key)
        )

    def resolve(self, key: str | None) -> list[c.Command]:
        self.incidents.discard(key or "")
        return self.apply(e.IncidentResolved(self.now, None, None, key=key))

    def child_started(self, key: str, failure: e.Failure | None = None) -> list[c.Command]:
        child = self.children[key]
        self.begun.add(key)
        return self.apply(
            e.ChildStarted(self.now, None, None, key, child.workflow, child.id, child.uid, child.hash, failure)
        )

    def child_ended(self, key: str, state: str = "completed", result: Any = None) -> list[c.Command]:
        payload = ENCODINGS.encode(result) if state == "completed" else None
        return self.apply(e.ChildCompleted(self.now, None, None, key, state, payload))

    def answer(self, key: str, outcome: Any) -> list[c.Command]:
        """A person completes a task."""
        return self.apply(e.TaskCompleted(self.now, None, None, key, ENCODINGS.encode(outcome)))

    def delivered(self, key: str, state: str = "") -> list[c.Command]:
        """A message to another run is there, or finds that run in ``state``."""
        sent = self.messages[key]
        return self.apply(e.MessageSent(self.now, None, None, key, sent.kind, sent.id, sent.name, sent.hash, state))

    def decided(self, key: str) -> list[c.Command]:
        """A decision that the run has made is recorded."""
        return self.apply(msgspec.structs.replace(self.decisions[key], at=self.now))

    def signal(self, name: str, value: Any = None) -> list[c.Command]:
        return self.apply(e.SignalReceived(self.now, None, None, name, ENCODINGS.encode(value)))

    def update(self, name: str, *args: Any, id: str = "u1") -> list[c.Command]:
        self.execution.validate_update(name, ENCODINGS.encode_arguments(args))
        return self.accept_update(name, *args, id=id)

    def accept_update(self, name: str, *args: Any, id: str = "u1") -> list[c.Command]:
        """An update that was accepted by whoever could not ask the validator."""
        return self.apply(e.UpdateAccepted(self.now, None, None, name, id, ENCODINGS.encode_arguments(args)))

    def cancel(self, reason: str = "") -> list[c.Command]:
        return self.apply(e.CancelRequested(self.now, None, None, reason))

    def schedule(self, key: str) -> list[c.Command]:
        """The code of a step has ended, and its outcome will come from outside."""
        step = self.steps[key]
        return self.apply(
            e.StepScheduled(self.now, None, None, key, step.spec.name, step.attempt, step.hash, step.input)
        )

    def pause(self, key: str | None = None) -> list[c.Command]:
        """A person pauses the run, or the step whose attempt was to begin."""
        if key is not None:
            self.held.add(key)
        name = "" if key is None else self.steps[key].spec.name
        return self.apply(e.Paused(self.now, None, None, "wait", key, name))

    def resume(self, key: str | None = None) -> list[c.Command]:
        self.held.discard(key or "")
        return self.apply(e.Resumed(self.now, None, None, key))

    def wait(self, seconds: float) -> None:
        """Time goes on and nothing else happens; what falls due is noticed at the next event."""
        self.now += round(seconds * SECOND)

    def advance(self, seconds: float) -> list[c.Command]:
        """Time goes on, and each timer fires when it is due."""
        until = self.now + round(seconds * SECOND)
        commands: list[c.Command] = []
        while (deadline := self.execution.deadline) is not None and deadline.at <= until:
            self.now = max(self.now, deadline.at)
            commands += self.apply(e.TimerFired(self.now, None, None, deadline.timer))
        self.now = until
        return commands

    def fire(self, late: float = 0) -> list[c.Command]:
        """The next timer fires, ``late`` by so many seconds, and with it whatever is due by then."""
        deadline = self.execution.deadline
        assert deadline is not None
        self.now = max(self.now, deadline.at) + round(late * SECOND)
        return self.apply(e.TimerFired(self.now, None, None, deadline.timer))

    def query(self, name: str, *args: Any) -> Any:
        return self.execution.query(name, list(args))

    # --- how it is carried out --------------------------------------------------------------------------------

    def apply(self, event: e.Event) -> list[c.Command]:
        self.journal.append(event)
        self.now = max(self.now, event.at)
        try:
            self.execution.apply(event)
        except SegueError as error:
            self.halted = error
            raise
        commands = list(self.execution.commands)
        self.execution.commands.clear()
        self.answers.append(commands)
        for command in commands:
            if type(command) in _RECORD:
                self.journal.append(_RECORD[type(command)](event.at, command))
        if self.execution.closed:
            self.end = commands[-1]
        if self.evict and not self.execution.closed:
            self.restart()
        self.look_around()
        return commands

    def look_around(self) -> None:
        """What is under way follows from the execution alone, as it does for a new owner."""
        asked = [] if self.execution.closed else self.execution.outstanding()
        self.steps = {x.key: x for x in asked if isinstance(x, c.RunStep)}
        self.messages = {x.key: x for x in asked if isinstance(x, c.SendMessage)}
        self.decisions = {x.event.key: x.event for x in asked if isinstance(x, c.RecordDecision)}
        self.steps |= {x.step.key: x.step for x in asked if isinstance(x, c.AwaitStep)}
        self.scheduled = {x.step.key for x in asked if isinstance(x, c.AwaitStep)}
        self._opened |= {x.key: x for x in self.answers[-1] if isinstance(x, (c.StartChild, c.OpenTask))}
        opened = [self._opened[key] for key in self.execution.calls.waiting_for() if key in self._opened]
        self.children = {x.key: x for x in opened if isinstance(x, c.StartChild)}
        self.tasks = {x.key: x for x in opened if isinstance(x, c.OpenTask)}
        self.held = {key for key in self.held if key in self.execution.calls.waiting_for()}
        self.incidents = {key for key in self.incidents if key in self.execution.calls.waiting_for()}

    def restart(self) -> None:
        """Drops the run from memory and brings it back from its journal."""
        self.execution.close()
        assert self.execution.commands == [], "a run that is dropped cannot act"
        self.execution = self.replay()

    def replay(self, workflow: Workflow[..., Any] | None = None, events: list[e.Event] | None = None) -> CodeExecution:
        """A new execution, where the journal ends. ``workflow``: with other code."""
        execution, replay = self._replayed(workflow, self.journal if events is None else events)
        assert replay.taken_over or not replay.awaited, "every record is in the journal"
        return execution

    def _replayed(self, workflow: Workflow[..., Any] | None, events: list[e.Event]) -> tuple[CodeExecution, Replay]:
        execution = self.new_execution(workflow)
        try:
            replay = Replay(execution, Past.of(events, execution.version))
            for event in events:
                replay.feed(event)
            replay.finish()
        except BaseException:
            execution.close()
            raise
        return execution, replay

    def take_over(self, workflow: Workflow[..., Any]) -> list[c.Command]:
        """Other code takes the run over; what it asks for now."""
        execution, replay = self._replayed(workflow, self.journal)
        asked = execution.outstanding()
        self.execution.close()
        self.workflow, self.execution = workflow, execution
        if replay.taken_over:
            self.journal.append(e.Marker(self.now, None, None, CODE, execution.version))
        self.journal += [_RECORD[type(command)](self.now, command) for command in replay.awaited]
        if execution.closed:
            self.end = replay.awaited[-1]
        self.answers.append(asked)
        self.look_around()
        return asked

    def check(self) -> None:
        """The journal leads a new execution to the same place, by the same commands."""
        again = self.replay()
        try:
            assert again.outstanding() == self.execution.outstanding()
            assert again.deadline == self.execution.deadline
            assert again.closed == self.execution.closed
        finally:
            again.close()
        assert self.commands_again() == self.answers

    def commands_again(self) -> list[list[c.Command]]:
        """What a new execution asks for when the same events happen to it, not as a replay."""
        execution = self.new_execution()
        answers = []
        try:
            for event in self.journal:
                if not isinstance(event, e.RECORDS):
                    execution.apply(event)
                    answers.append(list(execution.commands))
                    execution.commands.clear()
        finally:
            execution.close()
        return answers

    @property
    def result(self) -> Any:
        assert isinstance(self.end, c.Complete), self.end
        return ENCODINGS.decode(self.end.result)

    @property
    def failure(self) -> e.Failure:
        assert isinstance(self.end, c.Fail), self.end
        return self.end.failure

    @property
    def asked(self) -> list[str]:
        """Names of the commands of the last event."""
        return [type(command).__name__ for command in self.answers[-1]]


def step_named(name: str, **terms: Any) -> Step[..., Any]:
    """A step of one argument; what it answers is the world's to say."""

    async def run(argument: Any = None) -> Any: ...

    return Step(run, StepSpec(name, **terms))


def flow(function: Callable[..., Any], **policy: Any) -> Workflow[..., Any]:
    return Workflow(function, function.__name__, policy=MessagePolicy(**policy))


def arguments(step: Step[..., Any], command: c.RunStep) -> tuple[Any, ...]:
    """What a step is called with."""
    return step.bind(ENCODINGS).decode(command.input)[0]


def decoded(payload: Payload | None) -> Any:
    assert payload is not None
    return ENCODINGS.decode(payload)
