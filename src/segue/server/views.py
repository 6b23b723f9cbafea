"""What the API says of runs: the shapes of its answers. Times are µs since 1970 UTC, so that a screen can reckon."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.kernel import events as e
from segue.kernel.payload import Payload
from segue.kernel.plain import byte_count, plain_value
from segue.kernel.timeline import Call, Incident, Place, Try
from segue.standing import Standing
from segue.stores.base import RunRow

SHOWN = 64 * 1024
"""Bytes of a value that an answer carries; a larger one says its size and is asked for by itself."""

SOON = 1_000_000
"""A ``wake`` up to here says that the run is to go on at once, and names no time."""


class FailureView(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error: type and message first, the traceback with the user's frames."""

    type: str
    message: str
    traceback: str = ""
    retryable: bool = True
    cause: FailureView | None = None


class ValueView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A recorded value.

    Attributes:
        encoding: ``json``, ``arrow``, ``npy``, ``file``, …, or sealed.
        bytes: its size.
        value: what JSON can say of it; absent when ``cut``.
        cut: too large to be sent along; then ``seq`` and ``field`` say where it is asked for.
    """

    encoding: str
    bytes: int
    value: Any = msgspec.UNSET
    cut: bool = False
    seq: int | None = None
    field: str = ""


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands in a list.

    Attributes:
        due_at: when it goes on by itself, if a time decides that.
        summary: what it is about, in a person's words. timer: what the timer is about that it waits for.
        awaits: names of signals that it waits for while it does nothing else, twenty at most.
    """

    run: int
    id: str
    namespace: str
    workflow: str
    version: str
    app: str
    state: str
    started_at: int
    changed_at: int
    closed_at: int | None
    parent: int | None
    error: str | None
    tags: dict[str, str]
    attributes: dict[str, Any]
    due_at: int | None = None
    summary: str = ""
    timer: str | None = None
    awaits: list[str] = []
    standing: Standing | None = None


class TryView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt of a step."""

    number: int
    started_at: int
    ended_at: int | None = None
    failure: FailureView | None = None
    retry_at: int | None = None
    worker: str = ""


class CallView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step, child, task or message of a run, with its attempts. ``alone``: no other call of the run has its name, so
    that whoever repairs the run may name it by that; otherwise by its key. ``queue``: where it is, if it is in one;
    ``holder``: the worker that has it."""

    kind: str
    key: str
    name: str
    state: str
    began_at: int
    alone: bool = True
    undo: bool = False
    ended_at: int | None = None
    attempts: int = 0
    of: int | None = None
    retry_at: int | None = None
    tries: list[TryView] = []
    failure: FailureView | None = None
    input: ValueView | None = None
    result: ValueView | None = None
    progress: Any = None
    child: str = ""
    assignee: str = ""
    due: int | None = None
    by: str = ""
    queue: str = ""
    holder: str = ""
    model: str = ""
    explanation: ValueView | None = None


class IncidentView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a run, or one call of it, stands still."""

    at: int
    cause: str
    message: str
    remedy: str
    key: str | None = None
    failure: FailureView | None = None
    resolved_at: int | None = None


class EventView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event of the journal, payloads as values."""

    seq: int
    event: str
    at: int
    actor: str | None = None
    headers: dict[str, str] | None = None
    fields: dict[str, Any] = {}


def run_view(row: RunRow, standing: Standing | None = None) -> RunView:
    return RunView(
        run=row.run, id=row.id, namespace=row.namespace, workflow=row.workflow, version=row.version, app=row.app,
        state=standing.state if standing is not None else row.state, started_at=row.started_at,
        changed_at=row.changed_at, closed_at=row.closed_at, parent=row.parent, error=row.error, tags=row.tags,
        attributes=row.attributes, due_at=row.wake if row.wake is not None and row.wake > SOON else None,
        summary=row.summary, timer=row.timer, awaits=list(row.awaits), standing=standing,
    )  # fmt: skip


def value_view(payload: Payload, at: Place | None = None, *, shown: int = SHOWN) -> ValueView:
    """A value, of which is known where it stands, if it is."""
    size = byte_count(payload)
    if size > shown:
        seq, field = at or (None, "")
        return ValueView(payload.encoding, size, cut=True, seq=seq, field=field)
    return ValueView(payload.encoding, size, plain_value(payload))


def failure_view(failure: e.Failure) -> FailureView:
    cause = None if failure.cause is None else failure_view(failure.cause)
    return FailureView(failure.type, failure.message, failure.traceback, failure.retryable, cause)


def call_view(call: Call) -> CallView:
    return CallView(
        kind=call.kind, key=call.key, name=call.name, state=call.state, began_at=call.began_at, alone=call.alone,
        undo=call.undo, ended_at=call.ended_at, attempts=call.attempts, of=call.of, retry_at=call.retry_at,
        tries=[_try_view(attempt) for attempt in call.tries], failure=_optional(call.failure),
        input=_value(call.input or call.subject, call.input_at), result=_value(call.result, call.result_at),
        progress=call.progress,
        child=call.child_id, assignee=call.assignee, due=call.due, by=call.by,
        queue=call.queue, holder=call.holder,
        model=call.model, explanation=_value(call.explanation, call.result_at and (call.result_at[0], "explanation")),
    )  # fmt: skip


def incident_view(incident: Incident | e.IncidentOpened) -> IncidentView:
    """An incident as it stands, or as it was opened."""
    return IncidentView(
        at=incident.at, cause=incident.cause, message=incident.message, remedy=incident.remedy, key=incident.key,
        failure=_optional(incident.failure), resolved_at=getattr(incident, "resolved_at", None),
    )  # fmt: skip


def event_view(seq: int, event: e.Event) -> EventView:
    fields = {
        name: _plain(getattr(event, name), (seq, name))
        for name in event.__struct_fields__
        if name not in ("at", "actor", "headers")
    }
    return EventView(
        seq=seq, event=type(event).__name__, at=event.at, actor=event.actor, headers=event.headers, fields=fields
    )


def _try_view(attempt: Try) -> TryView:
    return TryView(
        attempt.number, attempt.started_at, attempt.ended_at, _optional(attempt.failure), attempt.retry_at,
        attempt.worker,
    )  # fmt: skip


def _optional(failure: e.Failure | None) -> FailureView | None:
    return None if failure is None else failure_view(failure)


def _value(payload: Payload | None, at: Place | None = None) -> ValueView | None:
    return None if payload is None else value_view(payload, at)


def _plain(value: Any, at: Place | None = None) -> Any:
    match value:
        case Payload():
            return msgspec.to_builtins(value_view(value, at))
        case e.Failure():
            return msgspec.to_builtins(failure_view(value))
        case msgspec.Struct():
            return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
        case _:
            return value
