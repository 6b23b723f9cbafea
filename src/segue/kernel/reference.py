"""A value that is passed by reference: in the journal stands where it is kept, and nothing of it comes along.

Whoever refers to a value keeps it: the value belongs to every run that has a reference to it in its journal.
"""

from __future__ import annotations

import re

import msgspec

from segue.kernel.codec import Codec, address
from segue.kernel.events import Event
from segue.kernel.payload import JSON, Payload, from_bytes

MARK = b'"segue_ref":"'
"""Stands in the JSON of every reference, and hardly anywhere else: a look for it is cheap."""

_ADDRESS = re.compile(rb'"segue_ref":"([0-9a-f]{64})"')
WHOLE = "payload"
"""In place of an encoding: what is kept is a whole payload, because it has parts."""


def keep_apart(payload: Payload, step: str, codec: Codec | None) -> tuple[Payload, str, bytes]:
    """The reference to a value, and the content address and bytes under which the value is to be kept."""
    sealed = payload if codec is None else codec.seal(payload)
    encoding = WHOLE if sealed.parts else sealed.encoding
    data = msgspec.json.encode(sealed) if sealed.parts else sealed.raw()
    ref = {"segue_ref": address(data), "encoding": encoding, "size": len(data), "step": step}
    return Payload(JSON, msgspec.Raw(msgspec.json.encode(ref))), address(data), data


def brought_back(encoding: str, data: bytes, codec: Codec | None) -> Payload:
    """The value's payload. Raises ``PayloadError`` if it was sealed with a key that is not here."""
    payload = msgspec.json.decode(data, type=Payload) if encoding == WHOLE else from_bytes(encoding, data)
    return payload if codec is None else codec.open(payload)


def references(line: bytes) -> list[str]:
    """Content addresses of the references in an event's line."""
    return [found.decode() for found in dict.fromkeys(_ADDRESS.findall(line))]


def references_of(event: Event) -> list[str]:
    """The same for an event that is about to be sealed."""
    values = (getattr(event, name) for name in event.__struct_fields__)
    lines = (bytes(value.data) for value in values if isinstance(value, Payload))
    return [ref for line in lines if MARK in line for ref in references(line)]
