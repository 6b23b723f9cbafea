"""Whether there is anybody to trace for: a tracer provider of the OpenTelemetry SDK, given or configured for all."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace

from segue.tracing.identity import CHOSEN
from segue.tracing.spans import Spans


def spans(provider: Any, version: str, *, texts: bool) -> Spans | None:
    """What writes spans to the provider, or to the one that is configured for the process; None if there is none."""
    tracer: Any = (provider or trace.get_tracer_provider()).get_tracer("segue", version)
    if not hasattr(tracer, "id_generator"):  # nobody has configured one: what is written goes nowhere
        return None
    tracer.id_generator = CHOSEN
    return Spans(tracer, texts=texts)
