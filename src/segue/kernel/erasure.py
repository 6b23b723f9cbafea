"""Takes a person's data out of events: what stays is what happened when, and to which step, but not with what."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.kernel.events import Event, Failure
from segue.kernel.payload import ERASED, Payload

GONE = Payload(ERASED, msgspec.Raw(b'""'))
"""Stands in the place of every payload. Nothing decodes it: who asks for the value is told that it was erased."""

_TEXT_OF_PEOPLE = frozenset({"reason", "message", "summary"})
_HASHES = frozenset({"hash", "input_hash"})
"""The hash of a value that can be guessed gives the value away."""


def erase_event(event: Event) -> Event:
    """The event without payloads, messages, hashes, tags, attributes and headers; kind, time, actor and keys stay."""
    changes: dict[str, Any] = {"headers": None}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, Payload):
            changes[name] = GONE
        elif isinstance(value, Failure):
            changes[name] = _erase_failure(value)
        elif name in _TEXT_OF_PEOPLE or name in _HASHES:
            changes[name] = ""
        elif name == "tags":
            changes[name] = {}
        elif name == "attributes":
            changes[name] = dict.fromkeys(value)
        elif name == "form":
            changes[name] = None
    return msgspec.structs.replace(event, **changes)


def _erase_failure(failure: Failure) -> Failure:
    cause = None if failure.cause is None else _erase_failure(failure.cause)
    return Failure(failure.type, "(erased)", "", failure.retryable, cause, None)
