"""Writes spans of what is recorded, after the commit and with the recorded times.

Spans are written by whoever records the event, once: a replay records nothing. A process that dies between the commit
and its span leaves that span out; it never comes twice, and never under two ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from segue.kernel import events as e
from segue.kernel.attempt import Attempt
from segue.runtime.attempts import Attempts
from segue.runtime.resident import Resident
from segue.runtime.witness import Witness
from segue.tracing.identity import CHOSEN, caller, span_id, trace_id
from segue.tracing.travelling import carry, enter

Attributes = dict[str, str | int]


class Place(NamedTuple):
    """Where a run is among traces.

    Attributes:
        trace: its trace. parent: the span above the run's own. links: spans that it comes from, of other traces.
        inside: the context of the run's own span, for the spans below it.
    """

    trace: int
    parent: SpanContext | None
    links: tuple[Link, ...]
    inside: Context


class Spans(Witness):
    """The spans of all runs of an engine.

    Args:
        tracer: of the OpenTelemetry SDK.
        texts: whether messages and tracebacks of failures may be told; not so where a codec seals them.
    """

    def __init__(self, tracer: Any, *, texts: bool) -> None:
        self._tracer = tracer
        self._texts = texts

    def serve(self, attempts: Attempts) -> None:
        attempts.prepare, attempts.enter = self.prepare, enter

    def prepare(self, attempt: Attempt) -> None:
        """Has what the attempt calls find the attempt's span: ids are known before the span is written."""
        run: Any = attempt.identity
        if run.started is not None:
            place = self._place(run)
            flags = _context_of(place.inside).trace_flags
            span = SpanContext(place.trace, span_id(run.uid, attempt.key, attempt.attempt), False, flags)
            attempt.headers = carry(attempt.headers, span)

    def recorded(self, run: Resident, seq: int, since: int, events: Sequence[e.Event]) -> None:
        if run.started is None:  # its journal cannot be read
            return
        place = None
        for number, event in enumerate(events, seq):
            write = _WRITTEN.get(type(event))
            if write is not None:
                place = place or self._place(run)
                write(self, run, place, number, since, event)
            since = event.at

    def _place(self, run: Resident) -> Place:
        started = run.started
        assert started is not None
        above, links = caller(started.headers), []
        trace = trace_id(run.uid) if above is None else above.trace_id
        if started.parent is not None:
            call = span_id(started.parent.uid, started.parent.key)
            if above is None:
                links.append(_link(trace_id(started.parent.uid), call))
            else:
                above = SpanContext(trace, call, True, above.trace_flags, above.trace_state)
        if started.continued is not None:
            before = started.continued.uid
            links.append(_link(trace_id(before) if above is None else trace, span_id(before)))
        context = Context() if above is None else set_span_in_context(NonRecordingSpan(above), Context())
        # Asked by name and id, as it is asked again when the span is written: all spans of the run share the answer.
        asked = self._tracer.sampler.should_sample(context, trace, run.workflow, SpanKind.INTERNAL, {}, links)
        flags = TraceFlags(TraceFlags.SAMPLED if asked.decision.is_sampled() else TraceFlags.DEFAULT)
        own = SpanContext(trace, span_id(run.uid), False, flags)
        return Place(trace, above, tuple(links), set_span_in_context(NonRecordingSpan(own), Context()))

    def _write(
        self, run: Resident, place: Place, name: str, id: int, start: int, end: int, more: Attributes | None = None,
        *, failure: e.Failure | None = None, error: str = "", links: Sequence[Link] = (), top: bool = False,
    ) -> None:  # fmt: skip
        attributes: Attributes = {
            "segue.run.id": run.id, "segue.workflow": run.workflow, "segue.namespace": run.namespace, **(more or {})
        }  # fmt: skip
        context = place.inside
        if top:
            context = (
                Context() if place.parent is None else set_span_in_context(NonRecordingSpan(place.parent), Context())
            )
        CHOSEN.choose(place.trace, id)
        span = self._tracer.start_span(
            name, context=context, attributes=attributes, links=links, start_time=min(start, end) * 1000
        )
        if failure is not None:
            told = {"exception.type": failure.type}
            if self._texts:
                told |= {"exception.message": failure.message, "exception.stacktrace": failure.traceback}
            span.add_event("exception", told, end * 1000)
            error = f"{failure.type}: {failure.message}" if self._texts else failure.type
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(end * 1000)

    # --- what each event is written as ------------------------------------------------------------------------

    def _step(self, run: Resident, place: Place, seq: int, since: int, event: e.StepCompleted | e.StepFailed) -> None:
        more: Attributes = {"segue.step": event.name, "segue.step.key": event.key, "segue.attempt": event.attempt}
        failure = event.failure if isinstance(event, e.StepFailed) else None
        if isinstance(event, e.StepFailed):
            more["segue.retried"] = int(event.retry_at is not None)
        id = span_id(run.uid, event.key, event.attempt)
        self._write(run, place, event.name, id, event.started_at or event.at, event.at, more, failure=failure)

    def _wait(self, run: Resident, place: Place, seq: int, since: int, event: e.Event) -> None:
        """From what happened last to what was waited for."""
        origin = caller(event.headers)
        above = None if origin is None else _link(origin.trace_id, origin.span_id)
        links = [] if above is None or above.context.trace_id == place.trace else [above]
        name = f"wait: {WAITED[type(event)]} {getattr(event, 'name', '')}".rstrip()
        self._write(run, place, name, span_id(run.uid, "wait", seq), since, event.at, links=links)

    def _child(self, run: Resident, place: Place, seq: int, since: int, event: e.ChildStarted) -> None:
        more: Attributes = {"segue.child.id": event.id, "segue.child.workflow": event.workflow}
        name, id = f"start {event.workflow}", span_id(run.uid, event.key)
        self._write(run, place, name, id, event.at, event.at, more, failure=event.failure)

    def _incident(self, run: Resident, place: Place, seq: int, since: int, event: e.IncidentOpened) -> None:
        id = span_id(run.uid, "incident", seq)
        said = f"{event.cause}: {event.message}" if self._texts else event.cause
        self._write(run, place, f"incident: {event.cause}", id, event.at, event.at, error=said)

    def _end(self, run: Resident, place: Place, seq: int, since: int, event: e.Event) -> None:
        assert run.started is not None
        more: Attributes = {"segue.state": run.row_state, "segue.run.uid": run.uid}
        failure = event.failure if isinstance(event, e.RunFailed) else None
        begin = run.started.begin or run.started.at
        self._write(
            run, place, run.workflow, span_id(run.uid), begin, event.at, more, failure=failure, links=place.links,
            top=True,
        )  # fmt: skip


WAITED: dict[type[e.Event], str] = {
    e.TimerFired: "timer",
    e.SignalReceived: "signal",
    e.UpdateAccepted: "update",
    e.ChildCompleted: "child",
    e.TaskCompleted: "task",
    e.Resumed: "pause",
    e.IncidentResolved: "incident",
}
"""What was waited for until one of these came."""

_WRITTEN: dict[type[e.Event], Callable[[Spans, Resident, Place, int, int, Any], None]] = {
    e.StepCompleted: Spans._step,
    e.StepFailed: Spans._step,
    e.ChildStarted: Spans._child,
    e.IncidentOpened: Spans._incident,
    **dict.fromkeys(WAITED, Spans._wait),
    **dict.fromkeys(e.CLOSING, Spans._end),
}


def _link(trace: int, span: int) -> Link:
    return Link(SpanContext(trace, span, True, TraceFlags(TraceFlags.SAMPLED)))


def _context_of(context: Context) -> SpanContext:
    return get_current_span(context).get_span_context()
