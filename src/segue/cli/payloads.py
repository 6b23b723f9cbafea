"""Payloads as people and machines read them, without the code that knows their types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from segue.cli.words import size
from segue.kernel.erasure import GONE
from segue.kernel.payload import JSON, Payload
from segue.kernel.plain import arguments, byte_count, plain_value
from segue.kernel.timeline import Call

LINE = 60
"""Characters of a value that stands on a line with others."""
LONGEST = 20_000
"""Characters of a value that a terminal shows."""


def readable(payload: Payload, value_of: Callable[[Payload], Any] = plain_value) -> str:
    """The value as indented JSON, or a line that says what it is."""
    if payload.encoding == JSON and payload.ref is None:
        return msgspec.json.format(msgspec.json.encode(value_of(payload)), indent=2).decode()
    return "(erased)" if payload == GONE else f"{payload.encoding}, {size(byte_count(payload))}"


def cut(text: str) -> str:
    """The beginning of a long text, and how much more there is."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}…\n({size(len(text.encode()))} in all; --json prints them)"


def brief(payload: Payload, longest: int = LINE) -> str:
    """The value on one line, cut."""
    if payload.encoding != JSON or payload.ref is not None:
        return readable(payload)
    return brief_value(plain_value(payload), longest)


def one_line(value: Any) -> str:
    """A value that JSON can say, on one line."""
    return msgspec.json.encode(value).decode()


def brief_value(value: Any, longest: int = LINE) -> str:
    """The same, cut."""
    text = one_line(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def asked(call: Call) -> str:
    """What tells an update from others of its name: its arguments or, where there is none to be shown, its id."""
    assert call.input is not None
    if call.input.encoding == JSON and call.input.ref is None and call.input != GONE:
        given = arguments(call.input)
        if given not in ({}, []):
            return brief_value(given, LINE if call.failure is None else LINE // 2)
    return call.key.removeprefix("update:")
