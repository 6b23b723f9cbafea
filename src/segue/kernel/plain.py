"""Payloads as plain values, without the code that knows their types: for screens, the API and export."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.kernel.erasure import GONE
from segue.kernel.payload import JSON, Payload


def plain_value(payload: Payload) -> Any:
    """What JSON can say of a payload: its value, or what it is and how large."""
    if payload == GONE:
        return {"erased": True}
    if payload.encoding == JSON and payload.ref is None:
        value = msgspec.json.decode(payload.data)
        return _with_parts(value, payload.parts) if payload.parts else value
    return {"encoding": payload.encoding, "bytes": byte_count(payload)}


def arguments(payload: Payload) -> Any:
    """What JSON can say of a run's arguments: by name, or in their order where whoever started it had no names."""
    value = plain_value(payload)
    return value["*"] if isinstance(value, dict) and value.keys() == {"*"} else value


def _with_parts(value: Any, parts: tuple[Payload, ...]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"$part"} and isinstance(value["$part"], int) and value["$part"] < len(parts):
            return plain_value(parts[value["$part"]])
        return {name: _with_parts(item, parts) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_parts(item, parts) for item in value]
    return value


def byte_count(payload: Payload) -> int:
    """How large the encoded value is, in bytes."""
    if payload.size is not None:
        return payload.size
    return len(payload.data) * 3 // 4 if payload.encoding != JSON else len(payload.data)
