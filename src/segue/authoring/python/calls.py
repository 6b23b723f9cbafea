"""What a run is waiting for: steps, children and human tasks that it has called and that have not answered.

A call is known by its key (``kernel.steps.step_key``). Its answer is an event that carries the key; beside it stands
the hash of the arguments, and both have to fit. Where other code has had the run, ``kernel.adoption`` says which
recorded call a call is; an answer that comes before its call is parked until the call is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from segue.authoring.python.call import (
    Call,
    ChildCall,
    Decide,
    DecisionCall,
    Decode,
    MessageCall,
    StepCall,
    TaskCall,
    decision_failed,
)
from segue.authoring.python.keys import Keys
from segue.authoring.python.loop import WorkflowTask
from segue.errors import (
    NonDeterminism,
    NotDeterministic,
    RunCancelled,
    RunClosed,
    RunFailed,
    RunNotFound,
    RunTerminated,
)
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.adoption import other_arguments
from segue.kernel.names import person_of
from segue.kernel.payload import Payload
from segue.kernel.steps import StepSpec

if TYPE_CHECKING:
    from segue.authoring.python.execution import CodeExecution

AnyCall = TypeVar("AnyCall", bound="Call")
_current_task = asyncio.current_task
_NONE: frozenset[str] = frozenset()


class Calls:
    """All calls of one run that have not been answered, and the answers that came before their calls.

    Attributes:
        made: how many calls the run has made.
    """

    __slots__ = ("_abandoned", "_excused", "_open", "_parked", "execution", "keys", "made")

    def __init__(self, execution: CodeExecution) -> None:
        self.execution = execution
        self.made = 0
        self._open: dict[str, Call] = {}
        self._parked: dict[str, list[e.Event]] = {}
        self._abandoned: dict[str, None] = {}  # a set takes more than three times as much, for as long as it is empty
        self._excused = _NONE
        """Keys of attempts without an outcome or a call, of which a person has said that the run may go on."""
        self.keys = Keys(execution)

    # --- made by workflow code --------------------------------------------------------------------------------

    def caller(self, name: str) -> WorkflowTask[Any]:
        """The task that is making a call."""
        task = _current_task(self.execution.loop)
        if isinstance(task, WorkflowTask):
            return task
        self.execution.loop.forbid_in_queries(f"call {name}")
        self.execution.loop.halt(
            NotDeterministic(
                f"{name} was called outside any task of the workflow; await it, or use asyncio.create_task"
            )
        )

    def next_key(self, name: str, hash: str) -> str:
        """The key of the call that the current task is about to make."""
        return self.keys.next(self.caller(name), name, hash)

    def step(
        self, spec: StepSpec, input: Payload, hash: str, decode: Decode, *, key: str | None = None, insist: bool = True
    ) -> StepCall:
        """Calls a step. ``insist``: while compensating, one that fails for good stands still instead of raising."""
        name = spec.name
        caller = self.caller(name)
        if key is not None:
            place = self.keys.explicit(name, key, hash)
        else:
            place = self.keys.next(caller, name, hash)
        call = self._call(StepCall, caller, place, name, hash, decode)
        if insist and caller.shielded:
            spec = msgspec.structs.replace(spec, on_exhausted="incident")
        execution = self.execution
        call.open(spec, input, execution.outgoing_headers() if execution.carries_headers else None)
        if spec.schedule_to_close is not None:
            call.limit_from(execution.loop.now)
        if not self._parked or not self._adopt_parked(call):
            self.dispatch(call)
        return call

    def child(self, command: c.StartChild, decode: Decode, *, detached: bool) -> ChildCall:
        """Starts a child run, which answers with its result, or with its id as soon as it runs if detached."""
        name = command.workflow
        call = self._call(ChildCall, self.caller(name), command.key, name, command.hash, decode)
        call.command = command
        call.detached = detached
        if not self._adopt_parked(call):
            self.execution.issue(command)
        return call

    def task(self, command: c.OpenTask, decode: Decode) -> TaskCall:
        """Opens a human task, which answers with its outcome."""
        call = self._call(TaskCall, self.caller(command.name), command.key, command.name, "", decode)
        past = self.execution.past
        if past is None or not past.opened(command.key):
            self.execution.issue(command)
        self._adopt_parked(call)
        return call

    def send(self, command: c.SendMessage) -> MessageCall:
        """Sends a message to another run, which answers with nothing once it is there."""
        name = _message_name(command)
        call = self._call(MessageCall, self.caller(name), command.key, name, command.hash, lambda payload: None)
        call.command = command
        if not self._adopt_parked(call):
            self.execution.issue(command)
        return call

    def decision(self, name: str, hash: str, decide: Decide, decode: Decode) -> DecisionCall:
        """Makes a decision, unless the journal has it; it answers with what is recorded."""
        caller = self.caller(name)
        call = self._call(DecisionCall, caller, self.keys.next(caller, name, hash), name, hash, decode)
        call.decide = decide
        if not self._adopt_parked(call) and not self.execution.replaying:
            self.execution.issue(call.command())
        return call

    def dispatch(self, call: StepCall) -> None:
        """Asks for an attempt; whatever is still open at the end of a replay is asked for then (``outstanding``)."""
        if not self.execution.replaying:
            self.execution.issue(call.command())

    def wait_outside(self, call: StepCall) -> None:
        """Has the outcome of an attempt waited for."""
        if not self.execution.replaying and call.scheduled_at is not None:
            self.execution.issue(c.AwaitStep(call.command(), call.scheduled_at))

    def tell(self, call: StepCall) -> None:
        """Has a person told that a step stands still, unless the journal says of a parked call that this was done."""
        if call.exhausted is not None and not call.stands_still and not call.adopting and not self.execution.replaying:
            self.execution.issue(call.exhausted)

    def _call(
        self, kind: type[AnyCall], caller: WorkflowTask[Any], key: str, name: str, hash: str, decode: Decode
    ) -> AnyCall:
        loop = self.execution.loop
        call = kind(loop=loop)
        loop.last_number = call.number = loop.last_number + 1
        call.calls = self
        call.caller = caller
        call.key = key
        call.name = name
        call.hash = hash
        call.decode = decode
        call.cancelling = False
        call.timer = None
        self.made += 1
        self._open[key] = call
        return call

    # --- answered by events -----------------------------------------------------------------------------------

    def step_started(self, event: e.StepStarted) -> None:
        call = self._find(event, event.key, event.name)
        if isinstance(call, StepCall):
            call.begun(event)

    def step_completed(self, event: e.StepCompleted) -> None:
        call = self._open.get(event.key)
        if call is None or call.name != event.name:
            call = self._find(event, event.key, event.name)
        if call is not None:
            if call.hash != event.hash:
                raise other_arguments(call.name, call.key)
            self.settle(call)
            call.succeed(event.result)

    def step_failed(self, event: e.StepFailed) -> None:
        call = self._find(event, event.key, event.name)
        if isinstance(call, StepCall):
            if call.hash != event.hash:
                raise other_arguments(call.name, call.key)
            call.failed(event)

    def step_scheduled(self, event: e.StepScheduled) -> None:
        call = self._find(event, event.key, event.name)
        if isinstance(call, StepCall):
            if call.hash != event.hash:
                raise other_arguments(call.name, call.key)
            call.scheduled(event)

    def paused(self, event: e.Paused) -> None:
        if event.key in self._parked:
            self._parked[event.key].append(event)
        call = self._open.get(event.key) if event.key else None
        if isinstance(call, StepCall):
            call.pause()

    def resumed(self, event: e.Resumed) -> None:
        if event.key in self._parked:
            self._parked[event.key].append(event)
        call = self._open.get(event.key) if event.key else None
        if isinstance(call, StepCall):
            call.resume()

    def child_started(self, event: e.ChildStarted) -> None:
        call = self._find(event, event.key, event.workflow)
        if not isinstance(call, ChildCall):
            return
        if call.hash != event.hash:
            raise other_arguments(call.name, call.key)
        call.started = True
        if event.failure is not None:
            self.settle(call)
            call.fail(RunFailed(event.failure.message, run_id=event.id, failure=event.failure))
            return
        if call.cancelling:
            # The request was made while the child was being started, and found nobody.
            self.execution.issue(c.CancelChild(call.key, event.id, str(call.message or "")))
        if call.detached:
            self.abandon(call, result=None if call.cancelling else event.id)

    def child_completed(self, event: e.ChildCompleted) -> None:
        call = self._find(event, event.key, None)
        if not isinstance(call, ChildCall):
            return
        self.settle(call)
        # After a crash between the child's start and its acknowledgement, the child's end may come first.
        if not call.started:
            self._abandoned[call.key] = None
        if event.result is not None:
            call.succeed(event.result)
            return
        kind = {"cancelled": RunCancelled, "terminated": RunTerminated}.get(event.state, RunFailed)
        failure = event.failure
        ended = f"was {event.state}" if failure is None else f"failed: {failure.type}: {failure.message}"
        message = f"child run {call.command.id!r} {ended}"
        call.fail(kind(message, run_id=call.command.id, failure=event.failure))

    def task_completed(self, event: e.TaskCompleted) -> None:
        call = self._find(event, event.key, None)
        if call is not None:
            if isinstance(call, TaskCall):
                call.by = person_of(event.actor)
            self.settle(call)
            call.succeed(event.outcome)

    def message_sent(self, event: e.MessageSent) -> None:
        call = self._find(event, event.key, _message_name(event))
        if call is None:
            return
        if call.hash != event.hash:
            raise other_arguments(call.name, call.key)
        self.settle(call)
        if not event.state:
            call.set_result(None)
        else:
            call.set_exception(RunNotFound(event.id) if event.state == "unknown" else RunClosed(event.id, event.state))

    def decision_evaluated(self, event: e.DecisionEvaluated) -> None:
        call = self._find(event, event.key, event.name)
        if call is None:
            return
        if call.hash != event.hash:
            raise other_arguments(call.name, call.key)
        self.settle(call)
        if event.result is not None:
            call.succeed(event.result)
        else:
            call.fail(decision_failed(event))

    def incident_opened(self, event: e.IncidentOpened) -> None:
        if event.key in self._parked:
            self._parked[event.key].append(event)
        call = self._open.get(event.key) if event.key else None
        if isinstance(call, StepCall):
            call.stand_still(event)

    def incident_resolved(self, event: e.IncidentResolved) -> None:
        if event.key in self._parked:
            self._parked[event.key].append(event)
        if event.key is None:
            self._excused |= self._begun_only()
        call = self._open.get(event.key) if event.key else None
        if isinstance(call, StepCall):
            call.go_on()

    def modified(self, event: e.Modified) -> None:
        """A person answers a call in its callee's place, or changes what a step is given from now on."""
        key = event.key
        if key is None or event.value is None:
            return  # it concerns the run as a whole
        call = self._open.get(key)
        if call is None:
            if key not in self._abandoned:  # other code made it elsewhere; the check is on the way
                self._parked.setdefault(key, []).append(event)
        elif event.action == "input":
            if isinstance(call, StepCall):
                call.input = event.value
        else:
            call.give_up()
            self.settle(call)
            self._abandoned[key] = None
            call.succeed(event.value)

    def modifiable(self, action: str) -> list[str]:
        """Keys of the calls that can be skipped; of the steps that are not under way, whose input can be changed."""
        if action == "skip":
            return list(self._open)
        return [key for key, call in self._open.items() if isinstance(call, StepCall) and not call.under_way]

    def validate_result(self, key: str, payload: Payload) -> None:
        """Raises ``PayloadError`` if an answer to this call does not fit its type."""
        self._open[key].decode(payload)

    # --- keeping them -----------------------------------------------------------------------------------------

    def settle(self, call: Call) -> None:
        """The call is answered."""
        del self._open[call.key]
        if call.timer is not None:
            call.timer.cancel()

    def forget(self) -> None:
        """The run leaves memory: whoever waits for a call is let go of, and no longer held by it."""
        for call in self._open.values():
            asyncio.Future.cancel(call)  # as no more than a future
            del call.caller
        self._open.clear()

    def abandon(self, call: Call, error: BaseException | None = None, *, result: Any = None) -> None:
        """Nobody waits for the callee any longer; a late answer is kept in the journal and changes nothing."""
        self.settle(call)
        self._abandoned[call.key] = None
        if error is not None:
            call.set_exception(error)
        elif result is not None:
            call.set_result(result)
        else:
            call.cancel_now()

    def outstanding(self) -> list[c.Command]:
        self._check_begun()
        return [command for call in self._open.values() for command in call.outstanding()]

    def is_open(self, key: str) -> bool:
        return key in self._open

    def waiting_for(self) -> list[str]:
        """Keys of the calls that have not been answered, in the order in which they were made."""
        return list(self._open)

    def _find(self, event: e.Event, key: str, name: str | None) -> Call | None:
        call = self._open.get(key)
        if call is not None and (name is None or call.name == name):
            return call
        if key in self._abandoned:
            return None
        # That an attempt was begun is no outcome: whether its call is missed shows where the journal ends.
        past = self.execution.past
        before = past is not None and (not past.passed or past.answer(event, key))
        if call is None and (before or isinstance(event, e.StepStarted)):
            self._parked.setdefault(key, []).append(event)
            return None
        raise self._not_asked_for(type(event).__name__, key, name)

    def _not_asked_for(self, what: str, key: str, name: str | None, hint: str = "") -> NonDeterminism:
        waiting = ", ".join(self.waiting_for()) or "nothing"
        return NonDeterminism(
            f"the journal has {what} of {name or key!r} under key {key!r}, but the workflow, whose "
            f"code has not changed, now waits for {waiting}: something in it is different each time it runs "
            f"(time, random, a set's order, a global); use segue.now, segue.random, or a step{hint}",
            step=name or key,
        )

    # --- answers that came before their calls ---------------------------------------------------------------------

    def _adopt_parked(self, call: Call) -> bool:
        """Whether the answer to a call is known already. It is applied from a callback, as if it had come just now."""
        events = self._parked.pop(call.key, None)
        if events is not None:
            self.execution.loop.call_soon(self._adopt, call, events)
        return events is not None

    def _adopt(self, call: Call, events: list[e.Event]) -> None:
        call.adopting = True
        for event in events:
            _ANSWERS[type(event)](self, event)
        call.adopting = False
        if isinstance(call, StepCall):
            if isinstance(events[-1], e.StepStarted):
                self.dispatch(call)
            self.wait_outside(call)
            self.tell(call)

    def _begun_only(self) -> set[str]:
        """Keys of parked attempts that were begun and of which no outcome is recorded."""
        return {
            key for key, events in self._parked.items() if all(isinstance(event, _WITHOUT_OUTCOME) for event in events)
        }

    def _check_begun(self) -> None:
        """An attempt was begun of a call that the code, though it is the same, does not make: other code was here for a
        while, or the code differs from run to run. A person decides; once one has, the attempt is left alone.

        Raises:
            NonDeterminism: naming the step.
        """
        if self._parked and self.execution.past is None:
            for key in self._begun_only() - self._excused:
                name = getattr(self._parked[key][0], "name", None)
                hint = "; if other code was here meanwhile, let the run go on: what was begun is left as it is"
                raise self._not_asked_for("StepStarted", key, name, hint)


_WITHOUT_OUTCOME = (
    e.StepStarted, e.StepScheduled, e.IncidentOpened, e.IncidentResolved, e.Paused, e.Resumed,
)  # fmt: skip

_ANSWERS: dict[type[e.Event], Callable[[Calls, Any], None]] = {
    e.StepStarted: Calls.step_started,
    e.StepCompleted: Calls.step_completed,
    e.StepCached: Calls.step_completed,
    e.StepFailed: Calls.step_failed,
    e.ChildStarted: Calls.child_started,
    e.ChildCompleted: Calls.child_completed,
    e.MessageSent: Calls.message_sent,
    e.TaskCompleted: Calls.task_completed,
    e.StepScheduled: Calls.step_scheduled,
    e.Paused: Calls.paused,
    e.Resumed: Calls.resumed,
    e.IncidentOpened: Calls.incident_opened,
    e.IncidentResolved: Calls.incident_resolved,
    e.Modified: Calls.modified,
    e.DecisionEvaluated: Calls.decision_evaluated,
}


def _message_name(message: c.SendMessage | e.MessageSent) -> str:
    return f"{message.kind}:{message.name}" if message.kind == "signal" else message.kind
