"""Payloads as people and machines read them, without the code that knows their types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from segue.cli.words import size
from segue.kernel.erasure import GONE
from segue.kernel.payload import JSON, Payload

LONGEST = 20_000
"""Characters of a value that a terminal shows."""


def plain_value(payload: Payload) -> Any:
    """What JSON can say of a payload: its value, or what it is and how large."""
    if payload == GONE:
        return {"erased": True}
    if payload.encoding == JSON and payload.ref is None:
        value = msgspec.json.decode(payload.data)
        return _with_parts(value, payload.parts) if payload.parts else value
    return {"encoding": payload.encoding, "bytes": _bytes(payload)}


def arguments(payload: Payload) -> Any:
    """What JSON can say of a run's arguments: by name, or in their order where whoever started it had no names."""
    value = plain_value(payload)
    return value["*"] if isinstance(value, dict) and value.keys() == {"*"} else value


def readable(payload: Payload, value_of: Callable[[Payload], Any] = plain_value) -> str:
    """The value as indented JSON, or a line that says what it is."""
    if payload.encoding == JSON and payload.ref is None:
        return msgspec.json.format(msgspec.json.encode(value_of(payload)), indent=2).decode()
    return "(erased)" if payload == GONE else f"{payload.encoding}, {size(_bytes(payload))}"


def cut(text: str) -> str:
    """The beginning of a long text, and how much more there is."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}…\n({size(len(text.encode()))} in all; --json prints them)"


def brief(payload: Payload, longest: int = 60) -> str:
    """The value on one line, cut."""
    if payload.encoding != JSON or payload.ref is not None:
        return readable(payload)
    text = msgspec.json.encode(plain_value(payload)).decode()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _with_parts(value: Any, parts: tuple[Payload, ...]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"$part"} and isinstance(value["$part"], int) and value["$part"] < len(parts):
            return plain_value(parts[value["$part"]])
        return {name: _with_parts(item, parts) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_parts(item, parts) for item in value]
    return value


def _bytes(payload: Payload) -> int:
    if payload.size is not None:
        return payload.size
    return len(payload.data) * 3 // 4 if payload.encoding != JSON else len(payload.data)
