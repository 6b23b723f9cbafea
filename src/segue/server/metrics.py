"""The figures of the server's engine, for Prometheus."""

from __future__ import annotations

from typing import Any

from segue.metrics.exposing import exposition
from segue.metrics.meter import meter_of
from segue.server.call import Call, Text


async def show_metrics(call: Call[Any, None]) -> Text:
    """What the process counts, if it counts, and what the store holds."""
    return Text(*await exposition(meter_of(call.engine), call.asked.headers.get("accept", "")))
