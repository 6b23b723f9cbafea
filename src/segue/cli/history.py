"""Events of a journal as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from segue.cli.payloads import brief
from segue.cli.words import iso, length
from segue.kernel import events as e
from segue.kernel.failures import summary
from segue.kernel.payload import Payload
from segue.kernel.plain import plain_value

_HIDDEN = ("at", "actor", "headers")


def event_rows(events: Iterable[tuple[int, e.Event]]) -> Iterator[tuple[int, int, str, str]]:
    """(number, time, kind, what it says) of each event."""
    for seq, event in events:
        yield seq, event.at, type(event).__name__, _text(event)


def event_json(seq: int, event: e.Event) -> dict[str, Any]:
    """An event for machines, with payloads as their values."""
    found = {"seq": seq, "event": type(event).__name__, "at": iso(event.at), "actor": event.actor}
    if event.headers:
        found["headers"] = event.headers
    for name in event.__struct_fields__:
        if name not in _HIDDEN:
            found[name] = _value(getattr(event, name))
    return found


def _value(value: Any) -> Any:
    if isinstance(value, Payload):
        return plain_value(value)
    if isinstance(value, msgspec.Struct):
        return {name: _value(getattr(value, name)) for name in value.__struct_fields__}
    return value


def _text(event: e.Event) -> str:
    parts = []
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if (
            name in _HIDDEN
            or name in ("hash", "input_hash", "worker", "python", "flags", "form", "seed", "model_hash")
            or value in (None, {}, "")
        ):
            continue
        if isinstance(value, Payload):
            parts.append(f"{name}={brief(value)}")
        elif isinstance(value, e.Failure):
            parts.append(f"{name}={summary(value)}")
        elif name in ("retry_at", "due", "begin"):
            parts.append(f"{name}=+{length(max(0, value - event.at))}")
        elif name == "started_at":
            parts.append(f"ran={length(event.at - value)}")
        elif not isinstance(value, msgspec.Struct):
            parts.append(f"{name}={value}")
    if event.actor:
        parts.append(f"by={event.actor}")
    return "  ".join(parts)
