"""A step that a worker process can find."""

from __future__ import annotations

from opentelemetry import trace

from segue import step


@step(executor="process")
def elsewhere() -> str:
    return f"{trace.get_current_span().get_span_context().span_id:016x}"
