"""Ids of traces and spans: derived from a run's uid and what the span is for, so that whoever writes it gives it the
same one, and a span that refers to another knows its id before that one is written."""

from __future__ import annotations

import threading
from hashlib import blake2b

from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from segue.kernel.events import Headers

_W3C = TraceContextTextMapPropagator()


def trace_id(uid: str) -> int:
    """Of a run that nobody's trace goes on in."""
    return int.from_bytes(blake2b(f"trace\n{uid}".encode(), digest_size=16).digest()) or 1


def span_id(uid: str, *what: object) -> int:
    """Of one span in a run: an attempt by step key and number, others by what they are and the number of an event."""
    text = "\n".join(("span", uid, *map(str, what)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) or 1


def caller(headers: Headers | None) -> SpanContext | None:
    """The span that headers (W3C trace context) come from; None if there is none, or it is not well-formed."""
    if not headers or "traceparent" not in headers:
        return None
    found = get_current_span(_W3C.extract(headers, Context())).get_span_context()
    return found if found.is_valid else None


class Chosen:
    """Gives out the ids that were chosen for the next span. Takes the place of a tracer's own generator."""

    def __init__(self) -> None:
        self._next = threading.local()

    def choose(self, trace: int, span: int) -> None:
        self._next.trace, self._next.span = trace, span

    def generate_trace_id(self) -> int:
        found: int = self._next.trace
        return found

    def generate_span_id(self) -> int:
        found: int = self._next.span
        return found

    def is_trace_id_random(self) -> bool:
        return False


CHOSEN = Chosen()
"""One for all, because a provider may hand out one tracer twice; what is chosen is for the thread that chooses."""
