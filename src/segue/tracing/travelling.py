"""How the current span gets from whoever calls into runs, and from runs into the code of their steps: as headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import NonRecordingSpan, SpanContext, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from segue.kernel.attempt import Attempt
from segue.kernel.events import Headers
from segue.kernel.interception import Interceptor, SendCall, StartCall

_W3C = TraceContextTextMapPropagator()


class Caller(Interceptor):
    """Sends the caller's span along with starts, signals and updates."""

    async def start(self, call: StartCall, proceed: Callable[[StartCall], Awaitable[Any]]) -> Any:
        _note(call)
        return await proceed(call)

    async def send(self, call: SendCall, proceed: Callable[[SendCall], Awaitable[Any]]) -> Any:
        _note(call)
        return await proceed(call)


def _note(call: StartCall | SendCall) -> None:
    if "traceparent" not in call.headers and get_current_span().get_span_context().is_valid:
        call.headers = dict(call.headers)  # not the default that all calls share
        _W3C.inject(call.headers)


def carry(headers: Headers | None, span: SpanContext) -> Headers:
    """Headers with a span."""
    found = {name: value for name, value in (headers or {}).items() if name not in ("traceparent", "tracestate")}
    _W3C.inject(found, set_span_in_context(NonRecordingSpan(span), Context()))
    return found


def enter(attempt: Attempt) -> None:
    """Makes the span that an attempt's headers name the current one, in the context that this is called in."""
    if attempt.headers and "traceparent" in attempt.headers:
        attach(_W3C.extract(attempt.headers, Context()))


@contextmanager
def called(headers: Mapping[str, str]) -> Iterator[None]:
    """What is done in the block is done for whoever sent these headers (in lower case)."""
    token = attach(_W3C.extract(headers))
    try:
        yield
    finally:
        detach(token)
