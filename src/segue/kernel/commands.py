"""What an execution asks for. Events go in, commands come out; the runtime carries them out after the commit."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.kernel.events import DecisionEvaluated, Failure, Headers, SignalReceived, UpdateAccepted
from segue.kernel.payload import Payload
from segue.kernel.steps import StepSpec


class Command(msgspec.Struct, frozen=True, gc=False):
    """Base of all commands."""


class RunStep(Command, frozen=True):
    """Run one attempt of a step.

    Attributes:
        attempt: its number, from 1; lost processes count.
        failures: how many attempts failed so far, which is what the retry policy counts.
        lost: how many attempts went down with their process.
        started: whether the journal says that this attempt was begun.
        hash: the canonical hash of the arguments.
        close_by: when (µs) the last attempt has to have ended, if the step has such a limit.
        heartbeat: what the last heartbeat of an earlier attempt said.
    """

    key: str
    spec: StepSpec
    input: Payload
    hash: str
    attempt: int = 1
    failures: int = 0
    lost: int = 0
    started: bool = False
    headers: Headers | None = None
    close_by: int | None = None
    heartbeat: Payload | None = None


class AwaitStep(Command, frozen=True):
    """The step's code has ended, and its outcome comes from outside; ``since`` (µs) it has been waited for."""

    step: RunStep
    since: int


class CancelStep(Command, frozen=True):
    """Ask a running attempt to stop, whose outcome is still awaited; or give up a step that stands still."""

    key: str


class StandStill(Command, frozen=True):
    """A step has failed for good, and that is not for the workflow to handle: a person has to act."""

    key: str
    name: str
    attempt: int
    failure: Failure


class StartChild(Command, frozen=True):
    key: str
    workflow: str
    id: str
    uid: str
    input: Payload
    hash: str
    close_policy: str = "cancel"
    headers: Headers | None = None
    delay: int = 0
    timeout: int | None = None
    summary: str = ""


class CancelChild(Command, frozen=True):
    key: str
    id: str
    reason: str = ""


class SendMessage(Command, frozen=True):
    """Send a signal to the run that has this id now, or ask it to stop; ``MessageSent`` says whether it got it.

    Attributes:
        kind: ``signal`` or ``cancel``.
        name: of the signal; or the reason of the request.
        message: an id under which the other run takes it once.
    """

    key: str
    kind: str
    id: str
    name: str
    message: str
    hash: str
    payload: Payload | None = None
    headers: Headers | None = None


class OpenTask(Command, frozen=True):
    """Offer a task to people; the task's completion comes back as ``TaskCompleted``."""

    key: str
    name: str
    assignee: str
    form: dict[str, Any] | None = None
    due: int | None = None
    subject: Payload | None = None
    hash: str = ""
    """Of what it is about."""


class CloseTask(Command, frozen=True):
    """Withdraw a task that nobody needs to answer any more."""

    key: str


class Reassign(Command, frozen=True):
    """Hand an open task to somebody else (escalation)."""

    key: str
    assignee: str


class SetAttributes(Command, frozen=True):
    attributes: dict[str, Any]


class Publish(Command, frozen=True):
    """Make a value visible to readers of the run while it goes on."""

    name: str
    value: Payload


class Attach(Command, frozen=True):
    """Keep an artifact with the run, in the place of one of the same name."""

    name: str
    value: Payload


class RecordMarker(Command, frozen=True):
    kind: str
    name: str
    value: Payload | None = None


class RecordDecision(Command, frozen=True):
    """Record a decision that has been made, whose time is still to be stamped, and give it back: only what is recorded
    counts."""

    event: DecisionEvaluated


class CompleteUpdate(Command, frozen=True):
    update: str
    result: Payload | None = None
    failure: Failure | None = None


class Complete(Command, frozen=True):
    result: Payload


class Fail(Command, frozen=True):
    failure: Failure


class Cancelled(Command, frozen=True):
    reason: str = ""


class ContinueAsNew(Command, frozen=True):
    """End this run and go on in a new one of the same id, with what was sent and has not been taken.

    Attributes:
        hash: the canonical hash of the input.
        waited: whether anything has happened to the run since it began.
        kept: signals and updates that nobody has taken, in order.
    """

    input: Payload
    hash: str
    waited: bool
    kept: tuple[SignalReceived | UpdateAccepted, ...] = ()


ENDS: frozenset[type[Command]] = frozenset((Complete, Fail, Cancelled, ContinueAsNew))
"""Commands that end the run: one of them is the last that a run asks for."""


class SetSummary(Command, frozen=True):
    """Say anew what the run is about."""

    summary: str


class Log(Command, frozen=True):
    """A line that the workflow itself logged; replay does not log it again."""

    level: str
    message: str
