"""One call that has not been answered: of a step, a child run or a human task; and the future of its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from segue.authoring.python.loop import TimerHandle, WorkflowFuture, WorkflowTask
from segue.errors import DecisionFailed, StepFailed
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.payload import Payload
from segue.kernel.steps import DECISION, StepSpec

if TYPE_CHECKING:
    from segue.authoring.python.calls import Calls

Decode = Callable[[Payload], Any]
Decide = Callable[[str], e.DecisionEvaluated]
"""Makes a decision, for the call of a key."""


class Call(WorkflowFuture[Any]):
    """A call that has not been answered, and the future of its answer.

    Cancelling it asks the callee to stop. It is cancelled once the callee has ended, so that whoever undoes the call
    knows what came of it: the task that made the call finds that in its ``late``.

    What is looked at in every call is in slots; the rest has its default in the class.
    """

    __slots__ = ("caller", "calls", "cancelling", "decode", "hash", "key", "name", "timer")

    calls: Calls
    caller: WorkflowTask[Any]
    key: str
    name: str
    hash: str
    decode: Decode
    cancelling: bool
    message: Any = None
    timer: TimerHandle | None
    """What ends the present wait, if time does."""
    adopting = False
    """Events that came before the call are being applied to it."""

    def cancel(self, msg: Any | None = None) -> bool:
        if self.done():
            return False
        if not self.cancelling:
            self.cancelling = True
            self.message = msg
            self._request_cancel()
        return True

    def _request_cancel(self) -> None:
        raise AssertionError("every kind of call says how it is cancelled")

    def cancel_now(self) -> None:
        super().cancel(self.message)

    def succeed(self, payload: Payload) -> None:
        """The callee answered with a value."""
        result = self.decode(payload)
        if self.cancelling:
            self.caller.late = result
            self.cancel_now()
        else:
            self.set_result(result)

    def fail(self, error: BaseException) -> None:
        if self.cancelling:
            self.cancel_now()
        else:
            self.set_exception(error)

    def outstanding(self) -> list[c.Command]:
        return []

    def give_up(self) -> None:
        """A person has answered in the callee's place: it is told, if that makes sense."""


class StepCall(Call):
    """A step: between attempts it waits on a durable timer, after its last one it may wait for a person.

    Attributes:
        attempt, failures, lost, started: as in ``RunStep``.
        under_way: an attempt is; otherwise the call waits for the next one.
        close_by, heartbeat: as in ``RunStep``.
        exhausted: the failure of the last attempt, if a person is to be told of it.
        stands_still: a person has been told, and has not acted.
        scheduled_at: since when (µs) its outcome is to come from outside; None while it is not.
        held: a person has paused the step, and the next attempt waits for that to end.
    """

    __slots__ = ("attempt", "close_by", "failures", "headers", "heartbeat", "input", "lost", "spec", "started")

    spec: StepSpec
    input: Payload
    attempt: int
    failures: int
    lost: int
    started: bool
    close_by: int | None
    heartbeat: Payload | None
    headers: e.Headers | None
    under_way = True
    exhausted: c.StandStill | None = None
    stands_still = False
    scheduled_at: int | None = None
    held = False

    def open(self, spec: StepSpec, input: Payload, headers: e.Headers | None) -> None:
        """Before its first attempt."""
        self.spec = spec
        self.input = input
        self.headers = headers
        self.attempt = 1
        self.failures = self.lost = 0
        self.started = False
        self.close_by = self.heartbeat = None

    def command(self) -> c.RunStep:
        return c.RunStep(
            self.key, self.spec, self.input, self.hash, self.attempt, self.failures, self.lost, self.started,
            self.headers, self.close_by, self.heartbeat,
        )  # fmt: skip

    def outstanding(self) -> list[c.Command]:
        if self.exhausted is not None and not self.stands_still:
            return [self.exhausted]
        if not self.under_way:
            return []
        if self.scheduled_at is not None:
            waiting = c.AwaitStep(self.command(), self.scheduled_at)
            return [waiting, c.CancelStep(self.key)] if self.cancelling else [waiting]
        return [self.command(), c.CancelStep(self.key)] if self.cancelling else [self.command()]

    def limit_from(self, now: int) -> None:
        """The time for all attempts together begins."""
        if self.spec.schedule_to_close is not None:
            self.close_by = now + self.spec.schedule_to_close

    def run_again(self) -> None:
        """The wait before the next attempt is over."""
        self.timer = None
        self.under_way = True
        self.calls.dispatch(self)

    def stand_still(self, event: e.IncidentOpened) -> None:
        """A person has to act."""
        self.stands_still = True
        self.under_way = False
        if event.cause == "process-lost":
            self.attempt += 1
        if self.cancelling:
            self._leave()

    def go_on(self) -> None:
        """A person has acted: there is a new budget of attempts."""
        self.failures = self.lost = 0
        self.limit_from(self.calls.execution.loop.now)
        if self.stands_still or self.exhausted is not None:
            self.stands_still = self.started = False
            self.exhausted = None
            self.run_again()

    def begun(self, event: e.StepStarted) -> None:
        """An attempt was begun because the outcome of the one before was never seen."""
        self.lost += event.attempt - self.attempt
        self.attempt = event.attempt
        self.started = True
        self.scheduled_at = None
        if not self.under_way:
            self.under_way = True
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        """Parked: the wait before an attempt is set up just now, and was over long ago."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def scheduled(self, event: e.StepScheduled) -> None:
        """The step's code has ended; its outcome comes from outside."""
        self.scheduled_at = event.at
        if not self.adopting:
            self.calls.wait_outside(self)
        if self.cancelling:  # its code ended before it was asked to stop, and nobody outside is
            self._leave()

    def pause(self) -> None:
        """The step is paused: the attempt that was to begin does not."""
        self.held = True
        self.under_way = False
        if self.cancelling:
            self._leave()

    def resume(self) -> None:
        """The step goes on."""
        if self.held:
            self.held = False
            self.run_again()

    def _request_cancel(self) -> None:
        execution = self.calls.execution
        if self.stands_still or self.held or self.scheduled_at is not None:
            self._leave()
            return
        if not self.under_way:
            self.calls.abandon(self)
            return
        execution.issue(c.CancelStep(self.key))
        patience = execution.loop.now + self.spec.grace
        self.timer = execution.loop.call_at_microsecond(patience, self.calls.abandon, self)

    def _leave(self) -> None:
        """Nobody works on it who could be asked to stop: what it waits for is taken back, and that is all."""
        self.calls.execution.issue(c.CancelStep(self.key))
        self.calls.abandon(self)

    def failed(self, event: e.StepFailed) -> None:
        """One attempt failed: wait for the next, stand still, or tell the workflow."""
        self.attempt = event.attempt + 1
        self.started = False
        self.scheduled_at = None
        self.failures += 1
        self.heartbeat = event.heartbeat
        if self.cancelling or (event.retry_at is None and self.spec.on_exhausted != "incident"):
            self.calls.settle(self)
            self.fail(step_failed(event, self.failures))
            return
        self.under_way = False
        self._stop_waiting()
        if event.retry_at is None:
            self.exhausted = c.StandStill(self.key, self.name, event.attempt, event.failure)
            self.calls.tell(self)
        else:
            self.timer = self.calls.execution.loop.call_at_microsecond(event.retry_at, self.run_again)


class ChildCall(Call):
    """A child run. Cancelling passes the request on and waits for the child's own end, however long it compensates."""

    command: c.StartChild
    detached: bool
    started = False

    def outstanding(self) -> list[c.Command]:
        commands: list[c.Command] = [] if self.started else [self.command]
        if self.cancelling:
            commands.append(c.CancelChild(self.key, self.command.id))
        return commands

    def _request_cancel(self) -> None:
        self.calls.execution.issue(c.CancelChild(self.key, self.command.id, str(self.message or "")))

    def give_up(self) -> None:
        self.calls.execution.issue(c.CancelChild(self.key, self.command.id, "its parent goes on without it"))


class MessageCall(Call):
    """A message to another run. It cannot be taken back: who cancels the wait for it only stops waiting."""

    command: c.SendMessage

    def outstanding(self) -> list[c.Command]:
        return [self.command]

    def _request_cancel(self) -> None:
        self.calls.abandon(self)


class DecisionCall(Call):
    """A decision. It is made when it is asked for, once; what answers the call is what the journal has of it."""

    decide: Decide
    _command: c.RecordDecision | None = None

    def command(self) -> c.RecordDecision:
        if self._command is None:
            self._command = c.RecordDecision(self.decide(self.key))
        return self._command

    def outstanding(self) -> list[c.Command]:
        return [self.command()]

    def _request_cancel(self) -> None:
        self.calls.abandon(self)


class TaskCall(Call):
    """A human task; cancelling withdraws it. ``by``: who has answered it."""

    by = ""

    def _request_cancel(self) -> None:
        self.withdraw()

    def give_up(self) -> None:
        self.calls.execution.issue(c.CloseTask(self.key))

    def withdraw(self, error: BaseException | None = None) -> None:
        """Nobody needs the answer any more."""
        self.calls.execution.issue(c.CloseTask(self.key))
        self.calls.abandon(self, error)


def step_failed(event: e.StepFailed, attempts: int) -> StepFailed:
    """The exception that a workflow sees when a step has used up its attempts."""
    times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    message = f"{event.name} failed after {times}: {event.failure.type}: {event.failure.message}"
    return StepFailed(message, step=event.name, key=event.key, attempts=attempts, failure=event.failure)


def decision_failed(event: e.DecisionEvaluated) -> DecisionFailed:
    """The exception that a workflow sees when a decision could not be made."""
    assert event.failure is not None
    name = event.name.removeprefix(DECISION)
    message = f"decision {name!r} of model {event.model!r} was not made: {event.failure.message}"
    return DecisionFailed(message, decision=name, key=event.key, failure=event.failure)
