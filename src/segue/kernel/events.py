"""The journal's events: what happened to a run, in order, for ever.

Every change of a run's state is one of these. Fields are append-only and a tag is never used twice, so that a journal
written by any release replays in every later one. What is a pure function of earlier events is not an event; the few
that are (``TaskOpened``, ``AttributesSet``, ``Marker``, ``UpdateCompleted`` and the closing events) are *records*:
written for readers and for other tables, and checked, not applied, on replay (see ``replay.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from segue.kernel.payload import Payload
from segue.kernel.plain_numbers import base_of

Headers = dict[str, str]


class Failure(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An exception as it is kept: enough for a person to mend it, nothing that can run.

    Attributes:
        type: qualified name of the exception's class.
        message: ``str(exception)``.
        traceback: formatted, the user's frames only where they can be told apart.
        retryable: False when the policy or the exception itself says that trying again is of no use.
        cause: the ``__cause__``, if any.
        details: a value that the exception carried for the workflow, if any.
    """

    type: str
    message: str
    traceback: str = ""
    retryable: bool = True
    cause: Failure | None = None
    details: Payload | None = None


class ParentRef(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Who started a child run: the parent's row and uid, and the call's key in the parent."""

    run: int
    uid: str
    key: str
    close_policy: str = "cancel"
    """What the parent's end means for the child: ``cancel``, ``terminate`` or ``abandon``."""


class Continued(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Which run a run goes on from, in a chain of continue-as-new.

    Attributes:
        uid: of the run before it.
        number: how many runs of the chain came before.
        restless: how many of them, counted back from the last, ended without having waited for anything.
    """

    uid: str
    number: int
    restless: int = 0


class Event(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=False):
    """Base of all events.

    Attributes:
        at: microseconds since 1970-01-01 UTC, stamped before the event is applied, never decreasing within a run.
        actor: who or what caused it (``user:ann``, ``run:order-42``, ``step``); None means the engine itself.
        headers: context that propagates (trace ids and the like).
    """

    at: int
    actor: str | None
    headers: Headers | None


class RunStarted(Event, frozen=True, tag="RunStarted"):
    workflow: str
    id: str
    uid: str
    input: Payload
    namespace: str = "default"
    version: str = ""
    python: str = ""
    flags: int = 0
    parent: ParentRef | None = None
    due: int | None = None
    interval: tuple[int, int] | None = None
    tags: dict[str, str] = {}
    memo: Payload | None = None
    input_hash: str = ""
    begin: int | None = None
    """When (µs) the workflow's code begins, if that is later than ``at``: the start was delayed."""
    timeout: int | None = None
    """µs from its beginning after which the run is stopped."""
    summary: str = ""
    """What the run is about, in a person's words."""
    continued: Continued | None = None
    seed: str = ""
    """The uid from which the run's chance is drawn; its own, unless it was forked from another run."""


class StepStarted(Event, frozen=True, tag="StepStarted"):
    """An attempt whose predecessor's outcome was never seen: journaled before the step is run again."""

    key: str
    name: str
    attempt: int
    worker: str = ""


class StepCompleted(Event, frozen=True, tag="StepCompleted"):
    key: str
    name: str
    attempt: int
    hash: str
    result: Payload
    input: Payload | None = None
    started_at: int = 0
    worker: str = ""
    summary: str | None = None


class StepFailed(Event, frozen=True, tag="StepFailed"):
    """An attempt failed. ``retry_at`` (µs, jitter included) is when the next one is due, None when it was the last."""

    key: str
    name: str
    attempt: int
    hash: str
    failure: Failure
    retry_at: int | None = None
    input: Payload | None = None
    started_at: int = 0
    worker: str = ""
    summary: str | None = None
    heartbeat: Payload | None = None
    """What the attempt's last heartbeat said, for the next attempt to go on from."""


class TimerFired(Event, frozen=True, tag="TimerFired"):
    """Time went on to ``at`` and at least timer number ``timer`` is due; all that are due fire, in order."""

    timer: int
    summary: str | None = None


class SignalReceived(Event, frozen=True, tag="SignalReceived"):
    name: str
    payload: Payload
    message: str = ""
    """The sender's message id: the same one twice is one signal."""


class UpdateAccepted(Event, frozen=True, tag="UpdateAccepted"):
    name: str
    update: str
    payload: Payload


class UpdateCompleted(Event, frozen=True, tag="UpdateCompleted"):
    update: str
    result: Payload | None = None
    failure: Failure | None = None


class ChildStarted(Event, frozen=True, tag="ChildStarted"):
    key: str
    workflow: str
    id: str
    uid: str
    hash: str
    failure: Failure | None = None
    """Set when the child could not be started (its id is taken)."""
    run: int = 0
    """The child's row, by which its parent reaches it whoever has its id by then."""
    close_policy: str = "cancel"


class ChildCompleted(Event, frozen=True, tag="ChildCompleted"):
    key: str
    state: str
    result: Payload | None = None
    failure: Failure | None = None


class TaskOpened(Event, frozen=True, tag="TaskOpened"):
    """A human task was offered to ``assignee`` (a person, group or role)."""

    key: str
    name: str
    assignee: str
    form: dict[str, Any] | None = None
    """JSON Schema of the answer."""
    due: int | None = None
    subject: Payload | None = None
    hash: str = ""
    """Of what it is about; tells tasks of one name apart when the code has changed."""


class TaskCompleted(Event, frozen=True, tag="TaskCompleted"):
    key: str
    outcome: Payload


class AttributesSet(Event, frozen=True, tag="AttributesSet"):
    """Search attributes; a value of None removes the attribute."""

    attributes: dict[str, Any]


class Marker(Event, frozen=True, tag="Marker"):
    """A decision that replay must find again: ``patched`` ids, adopted steps, deduplicated calls."""

    kind: str
    name: str
    value: Payload | None = None


class CancelRequested(Event, frozen=True, tag="CancelRequested"):
    reason: str = ""


class IncidentOpened(Event, frozen=True, tag="IncidentOpened"):
    """The run stands still. ``cause`` is a word of ``kernel.incidents``; ``remedy`` tells a person what to do."""

    cause: str
    message: str
    remedy: str
    key: str | None = None
    failure: Failure | None = None


class IncidentResolved(Event, frozen=True, tag="IncidentResolved"):
    """``retry``: a person lets the run go on where it stood. ``withdrawn``: the workflow has given up the step."""

    action: str = "retry"
    key: str | None = None


class RunCompleted(Event, frozen=True, tag="RunCompleted"):
    result: Payload


class RunFailed(Event, frozen=True, tag="RunFailed"):
    failure: Failure


class RunCancelled(Event, frozen=True, tag="RunCancelled"):
    reason: str = ""


class RunTerminated(Event, frozen=True, tag="RunTerminated"):
    reason: str = ""


class Erased(Event, frozen=True, tag="Erased"):
    """The run's payloads and whatever else may speak of a person were taken out of the events before this one.

    The only event that comes after a closing one.
    """

    reason: str = ""


class MessageSent(Event, frozen=True, tag="MessageSent"):
    """What the run sent to another one is in that one's inbox, or nobody got it.

    Attributes:
        kind: ``signal`` or ``cancel``. name: the signal's.
        state: "" when it is there; ``unknown`` when there is no such run; else the state in which that run has ended.
    """

    key: str
    kind: str
    id: str
    name: str
    hash: str
    state: str = ""


class StepScheduled(Event, frozen=True, tag="StepScheduled"):
    """The step's code has ended, and its outcome will come from outside, by whoever has the attempt's token."""

    key: str
    name: str
    attempt: int
    hash: str
    input: Payload | None = None
    started_at: int = 0
    worker: str = ""
    summary: str | None = None


class Paused(Event, frozen=True, tag="Paused"):
    """A person has the run stand still: what comes in is kept, and seen after ``Resumed``. With ``key``: one call of a
    step that is paused for all runs waits for its turn."""

    reason: str = ""
    key: str | None = None
    name: str = ""
    """The step's."""


class Resumed(Event, frozen=True, tag="Resumed"):
    """The run goes on, or the call of ``key`` does."""

    key: str | None = None


class RunContinued(Event, frozen=True, tag="RunContinued"):
    """The run ended by going on as a new one, of the same id, with ``input``. ``uid`` is the new run's."""

    uid: str
    input: Payload


class StepCached(Event, frozen=True, tag="StepCached"):
    """A call was answered with the result of an earlier one; the step did not run. ``source_*`` say whose it was."""

    key: str
    name: str
    attempt: int
    hash: str
    result: Payload
    input: Payload | None = None
    started_at: int = 0
    worker: str = ""
    summary: str | None = None
    source: str = ""
    """Id of the run that made the result."""
    source_run: int = 0
    source_seq: int = 0
    made_at: int = 0
    """When it was recorded there."""


class Spared(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A call that need not run again. ``run``, ``seq``: where its outcome stands: row, and number of the event.
    ``begun``: number of the event that says of which child or human task it is."""

    key: str
    run: int
    seq: int
    begun: int = 0


class Modified(Event, frozen=True, tag="Modified"):
    """A person has changed the run's future.

    ``skip``: the call ``key`` is answered with ``value``, whatever comes of it. ``input``: further attempts of the step
    get ``value`` as their arguments. ``forked``: the events before this one are those of run ``source``, up to its
    event ``seq``; from here on it is a run of its own, but the calls ``spared`` are answered with what is recorded
    elsewhere.
    """

    action: str
    key: str | None = None
    value: Payload | None = None
    source: str = ""
    source_id: str = ""
    seq: int = 0
    spared: tuple[Spared, ...] = ()


class DecisionEvaluated(Event, frozen=True, tag="DecisionEvaluated"):
    """A decision was made in the run itself. What is recorded stands, whatever becomes of the model.

    Attributes:
        name: the call's, ``decision:`` and how the decision or decision service was asked for.
        hash: of the inputs.
        model, model_hash: the name of the model, and the hash of its files. decision: its id there.
        result: what it gave. explanation: the decisions that led to it, with the rules that matched and their values.
        failure: set instead when it could not be made.
    """

    key: str
    name: str
    hash: str
    model: str
    model_hash: str
    decision: str
    input: Payload
    result: Payload | None = None
    explanation: Payload | None = None
    failure: Failure | None = None


AnyEvent = (
    RunStarted
    | StepStarted
    | StepCompleted
    | StepFailed
    | TimerFired
    | SignalReceived
    | UpdateAccepted
    | UpdateCompleted
    | ChildStarted
    | ChildCompleted
    | TaskOpened
    | TaskCompleted
    | AttributesSet
    | Marker
    | CancelRequested
    | IncidentOpened
    | IncidentResolved
    | RunCompleted
    | RunFailed
    | RunCancelled
    | RunTerminated
    | Erased
    | MessageSent
    | StepScheduled
    | Paused
    | Resumed
    | RunContinued
    | StepCached
    | Modified
    | DecisionEvaluated
)

RECORDS: tuple[type[Event], ...] = (
    TaskOpened,
    AttributesSet,
    Marker,
    UpdateCompleted,
    RunCompleted,
    RunFailed,
    RunCancelled,
    RunContinued,
)
"""Events that follow purely from earlier ones; replay expects them as commands and does not apply them."""

ENDS: dict[type[Event], str] = {
    RunCompleted: "completed",
    RunFailed: "failed",
    RunCancelled: "cancelled",
    RunTerminated: "terminated",
    RunContinued: "continued",
}
"""The state in which each event that closes a run leaves it."""
CLOSING: tuple[type[Event], ...] = tuple(ENDS)
"""Events after which the journal of a run takes no more, apart from ``Erased``."""


def _base(value: Any) -> Any:
    """Of a subclass of text or numbers, such as NumPy's, what it holds: what users name things by may be of any."""
    base = base_of(value)
    if base is None:
        raise NotImplementedError(type(value))
    return base


encode: Callable[[Event], bytes] = msgspec.json.Encoder(enc_hook=_base).encode
"""The event as one line of JSON (an array whose first item is the tag)."""
decode: Callable[[bytes | str], AnyEvent] = msgspec.json.Decoder(AnyEvent).decode
"""The event that ``encode`` wrote. Raises ``msgspec.ValidationError`` when it is none of this release's."""
