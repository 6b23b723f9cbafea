"""What crosses the border between a process and the journal: an encoding's name and the bytes of a value.

A payload is data, never code: decoding executes nothing. In the journal's JSON a ``json`` payload stands as the
value itself, so that a person can read it; every other encoding stands as base64 text.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable

import msgspec

from segue.errors import PayloadError

JSON = "json"
ERASED = "erased"
"""Name of no encoding: stands where a person's data was erased."""

Fetch = Callable[[str], bytes]
"""Gives the bytes that are kept apart under a content address."""


class Payload(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An encoded value.

    Attributes:
        encoding: name of the encoding that made it (``json``, ``arrow``, ``npy``, ``file``, …), with the codec's
            marks in front when a codec sealed it (``aes-gcm:KEYID|json``).
        data: the value as a JSON fragment: itself for ``json``, a base64 string for anything else; ``null`` while
            the bytes are kept apart under ``ref``.
        ref: content address (hex BLAKE2b-256 of the bytes) when they are kept apart.
        size: number of bytes, given when they are kept apart.
        parts: values inside a JSON payload that have an encoding of their own; the JSON holds
            ``{"$part": index}`` in their places.
    """

    encoding: str
    data: msgspec.Raw
    ref: str | None = None
    size: int | None = None
    parts: tuple[Payload, ...] = ()

    def raw(self) -> bytes:
        """The encoded bytes. Raises ``ValueError`` while they are kept apart."""
        if self.ref is not None:
            raise ValueError(f"payload {self.ref} is kept apart and was not fetched")
        if self.encoding == JSON:
            return bytes(self.data)
        return b64decode(msgspec.json.decode(self.data, type=str))


def from_bytes(encoding: str, data: bytes, parts: tuple[Payload, ...] = ()) -> Payload:
    """A payload whose bytes are ``data`` in ``encoding``."""
    if encoding == JSON:
        return Payload(JSON, msgspec.Raw(data), None, None, parts)
    return Payload(encoding, msgspec.Raw(b'"' + b64encode(data) + b'"'), None, None, parts)


NULL = Payload(JSON, msgspec.Raw(b"null"))
"""The payload of ``None``."""


def content(payload: Payload, fetch: Fetch | None = None) -> bytes:
    """The payload's bytes, fetched when they are kept apart. Raises ``PayloadError`` when they cannot be."""
    if payload.ref is None:
        return payload.raw()
    if fetch is None:
        raise PayloadError(f"$: the payload is kept apart under {payload.ref} and nothing was given to fetch it with")
    return fetch(payload.ref)
