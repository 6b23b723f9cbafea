"""The figures of the server's engine, for Prometheus."""

from __future__ import annotations

from typing import Any

from segue.metrics.exposing import exposition
from segue.metrics.meter import meter_of
from segue.server.call import Call, Text
from segue.server.within import whole_of


async def show_metrics(call: Call[Any, None]) -> Text:
    """What the process counts, if it counts, and what the store holds: of the namespace that is named, or of all that
    whoever asks may see."""
    everything = call.who.everywhere and not call.asked.namespace
    namespaces = None if everything else [call.engine.namespace]
    meter, accept = meter_of(whole_of(call.engine)), call.asked.headers.get("accept", "")
    return Text(*await exposition(meter, accept, namespaces=namespaces))
