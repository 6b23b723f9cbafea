"""What an execution asks for. Events go in, commands come out; the runtime carries them out after the commit."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.kernel.events import Failure, Headers
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


class RecordMarker(Command, frozen=True):
    kind: str
    name: str
    value: Payload | None = None


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


class Log(Command, frozen=True):
    """A line that the workflow itself logged; replay does not log it again."""

    level: str
    message: str
