"""What is done to an event's payloads on their way to the store and back: sealed by a codec, kept apart when large.

Which fields of an event hold payloads is read once from the events' types, so that a new event needs nothing here.
On the way out an event is sealed first and split second: what is kept apart is sealed as well. With the payloads a
codec seals what speaks of them in words: messages and tracebacks of failures, messages of incidents, reasons.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Protocol, TypeVar, get_args

import msgspec

from segue.errors import PayloadError
from segue.kernel.events import (
    AnyEvent,
    CancelRequested,
    Event,
    Failure,
    IncidentOpened,
    Paused,
    RunCancelled,
    RunStarted,
    RunTerminated,
    StepCached,
    StepCompleted,
    StepFailed,
    StepScheduled,
    TimerFired,
)
from segue.kernel.payload import JSON, Payload, from_bytes

LIMIT = 128 * 1024
"""Bytes of a payload, as it stands in the journal, above which it is kept apart."""
SEALED = "sealed:"
"""How a text begins that a codec has sealed; behind it stands the payload."""
HIDDEN = "(sealed)"
"""What is read of it without the codec."""

_KEPT_APART = b'",null,"'
"""Stands in the line of every event that has a payload kept apart (its encoding, no data, its address), and in few
others."""
_SEALED_TEXT = f'"{SEALED}'.encode()

E = TypeVar("E", bound=Event)
_Change = Callable[[Payload], Payload]
_Reword = Callable[[str], str]


class Codec(Protocol):
    """Seals payloads so that who reads the database does not read them.

    Attributes:
        hash_key: key of the argument hashes, so that they cannot be guessed from likely arguments; None leaves the
            hashes unkeyed. It must never change, or no recorded step is recognised any more.
    """

    hash_key: bytes | None

    def seal(self, payload: Payload) -> Payload:
        """The payload sealed, parts included; its encoding is the codec's mark, ``|``, and the encoding before.

        A part that is sealed already stays as it is.
        """

    def open(self, payload: Payload) -> Payload:
        """What ``seal`` was given; a payload that bears no mark of this codec comes back as it is.

        Raises:
            PayloadError: it was sealed with a key that is not here, or was altered.
        """


def seal_event(event: E, codec: Codec) -> E:
    """The event with every payload and every text about them sealed, parts and the details of failures included."""
    return _map_event(event, codec.seal, lambda text: seal_text(text, codec))


def open_event(event: E, codec: Codec | None) -> E:
    """The event that ``seal_event`` was given; without a codec, with a word in place of the texts. Payloads whose bytes
    are kept apart stay as they are. Raises ``PayloadError``."""
    if codec is None:
        return _map_event(event, _leave, _hide) if type(event) in _SPEAKING else event

    def open_payload(payload: Payload) -> Payload:
        return codec.open(payload) if payload.ref is None else payload

    return _map_event(event, open_payload, lambda text: open_text(text, codec))


def seal_text(text: str, codec: Codec | None) -> str:
    """The text sealed, as text; without a codec as it is."""
    if codec is None or not text:
        return text
    sealed = codec.seal(Payload(JSON, msgspec.Raw(msgspec.json.encode(text))))
    return SEALED + msgspec.json.encode(sealed).decode()


def open_text(text: str, codec: Codec | None) -> str:
    """The text that ``seal_text`` was given; without a codec a word that says it is sealed. Raises ``PayloadError``."""
    if not text.startswith(SEALED):
        return text
    try:
        payload = msgspec.json.decode(text[len(SEALED) :], type=Payload)
    except msgspec.DecodeError:  # written without a codec, by somebody who begins a text like that
        return text
    opened = payload if codec is None else codec.open(payload)
    return msgspec.json.decode(opened.data, type=str) if opened.encoding == JSON else HIDDEN


def split_event(event: E, limit: int = LIMIT) -> tuple[E, list[tuple[str, bytes]]]:
    """The event without its large payloads, and those as (content address, bytes). Nothing large: the same event.

    Cheaper still: an event whose encoded line is no longer than ``limit`` has nothing to split.
    """
    look = _holds_large.get(type(event))
    if look is None or not look(event, limit):
        return event, []
    apart: list[tuple[str, bytes]] = []

    def move(payload: Payload) -> Payload:
        if payload.ref is not None or len(payload.data) <= limit:
            return payload
        data = payload.raw()
        apart.append((address(data), data))
        return Payload(payload.encoding, _NOTHING, apart[-1][0], len(data), payload.parts)

    return _map_event(event, move), apart


def join_event(event: E, blobs: Mapping[str, bytes | None]) -> E:
    """The event that ``split_event`` was given; ``blobs`` holds what ``refs_event`` named.

    Raises:
        PayloadError: bytes are missing or are not those that were kept.
    """
    return _map_event(event, lambda payload: join_payload(payload, blobs))


def join_payload(payload: Payload, blobs: Mapping[str, bytes | None]) -> Payload:
    """One payload with its bytes back in place. Raises ``PayloadError`` as ``join_event`` does."""
    if payload.ref is None:
        return payload
    data = blobs.get(payload.ref)
    if data is None:
        raise PayloadError(f"$: the bytes kept apart under {payload.ref} are missing; restore them from a backup")
    if address(data) != payload.ref:
        raise PayloadError(f"$: the bytes kept apart under {payload.ref} are damaged; restore them from a backup")
    return from_bytes(payload.encoding, data, payload.parts)


def fill_event(event: E, blobs: Mapping[str, bytes | None], codec: Codec | None) -> E:
    """The event with its payloads that are kept apart joined and opened; the rest of it was opened before. Raises
    ``PayloadError`` as ``join_event`` and ``open_event`` do."""

    def fill(payload: Payload) -> Payload:
        if payload.ref is None:
            return payload
        whole = join_payload(payload, blobs)
        return whole if codec is None else codec.open(whole)

    return _map_event(event, fill)


def is_whole(line: bytes) -> bool:
    """Whether nothing in an event's line is kept apart and none of its texts is sealed; in doubt, no. A look at the
    line saves looks at the event."""
    return line.find(_KEPT_APART) < 0 and line.find(_SEALED_TEXT) < 0  # in less than half the time of ``in``


def refs_event(event: Event) -> list[str]:
    """Content addresses of the event's payloads that are kept apart, in order, repeats included."""
    keep_apart = _keep_apart.get(type(event))
    if keep_apart is None or not keep_apart(event):
        return []
    found: list[str] = []

    def note(payload: Payload) -> Payload:
        if payload.ref is not None:
            found.append(payload.ref)
        return payload

    _map_event(event, note)
    return found


def address(data: bytes) -> str:
    """The content address of bytes: 64 hex digits of BLAKE2b-256."""
    return blake2b(data, digest_size=32).hexdigest()


_NOTHING = msgspec.Raw(b"null")


def _leave(payload: Payload) -> Payload:
    return payload


def _hide(text: str) -> str:
    return open_text(text, None)


def _map_event(event: E, change: _Change, reword: _Reword | None = None) -> E:
    """The event with ``change`` applied to each payload, a payload's parts first, and ``reword`` to each text."""
    changes: dict[str, Any] = {}
    for name in _PAYLOADS[type(event)]:
        before = getattr(event, name)
        if before is not None and (after := _map_payload(before, change)) is not before:
            changes[name] = after
    for name in _FAILURES[type(event)]:
        failure = getattr(event, name)
        if failure is not None and (mended := _map_failure(failure, change, reword)) is not failure:
            changes[name] = mended
    if reword is not None:
        for name in _TEXTS.get(type(event), ()):
            if text := getattr(event, name):
                changes[name] = reword(text)
    return msgspec.structs.replace(event, **changes) if changes else event


def _map_failure(failure: Failure, change: _Change, reword: _Reword | None) -> Failure:
    details = None if failure.details is None else _map_payload(failure.details, change)
    cause = None if failure.cause is None else _map_failure(failure.cause, change, reword)
    if reword is not None:
        message, traceback = reword(failure.message), reword(failure.traceback)
        return Failure(failure.type, message, traceback, failure.retryable, cause, details)
    if details is failure.details and cause is failure.cause:
        return failure
    return msgspec.structs.replace(failure, details=details, cause=cause)


def _map_payload(payload: Payload, change: _Change) -> Payload:
    if not payload.parts:
        return change(payload)
    parts = tuple(_map_payload(part, change) for part in payload.parts)
    if all(new is old for new, old in zip(parts, payload.parts, strict=True)):
        return change(payload)
    return change(msgspec.structs.replace(payload, parts=parts))


def _fields(kind: type[Event], wanted: type) -> tuple[str, ...]:
    hints = _HINTS[kind]
    return tuple(name for name in kind.__struct_fields__ if wanted in (hints[name], *get_args(hints[name])))


def _has_details(names: tuple[str, ...]) -> Callable[[Any], bool] | None:
    """A quick look at whether an event's failure may hold a payload."""
    if not names:
        return None
    take: Any = attrgetter(*names)

    def look(event: Any) -> bool:
        failure = take(event)
        return failure is not None and (failure.details is not None or failure.cause is not None)

    return look


def _watch_size(kind: type[Event]) -> Callable[[Any, int], bool]:
    """A quick look at whether an event may hold a large payload; every event passes it on its way to the store."""
    names, has_details = _PAYLOADS[kind], _has_details(_FAILURES[kind])
    take: Any = attrgetter(*names) if names else None

    def none(event: Any, limit: int) -> bool:
        return False

    def one(event: Any, limit: int) -> bool:
        payload = take(event)
        return payload is not None and (len(payload.data) > limit or payload.parts != ())

    def several(event: Any, limit: int) -> bool:
        for payload in take(event):  # noqa: SIM110 (any() costs a generator, half as much again)
            if payload is not None and (len(payload.data) > limit or payload.parts):
                return True
        return False

    look = several if len(names) > 1 else one if names else none
    return look if has_details is None else lambda event, limit: has_details(event) or look(event, limit)


def _watch_refs(kind: type[Event]) -> Callable[[Any], bool]:
    """A quick look at whether an event may have a payload kept apart; every event passes it on its way back."""
    names, has_details = _PAYLOADS[kind], _has_details(_FAILURES[kind])

    def look(event: Any) -> bool:
        for name in names:
            payload = getattr(event, name)
            if payload is not None and (payload.ref is not None or payload.parts):
                return True
        return has_details is not None and has_details(event)

    return look


_KINDS: tuple[type[Event], ...] = get_args(AnyEvent)
_HINTS = {kind: typing.get_type_hints(kind) for kind in _KINDS}
_PAYLOADS = {kind: _fields(kind, Payload) for kind in _KINDS}
_FAILURES = {kind: _fields(kind, Failure) for kind in _KINDS}
_TEXTS: dict[type[Event], tuple[str, ...]] = {
    CancelRequested: ("reason",),
    IncidentOpened: ("message",),
    RunCancelled: ("reason",),
    RunTerminated: ("reason",),
    Paused: ("reason",),
    RunStarted: ("summary",),
    StepCompleted: ("summary",),
    StepFailed: ("summary",),
    StepScheduled: ("summary",),
    StepCached: ("summary",),
    TimerFired: ("summary",),
}
_SPEAKING = frozenset(kind for kind in _KINDS if _FAILURES[kind] or kind in _TEXTS)
_HOLDING = [kind for kind in _KINDS if _PAYLOADS[kind] or _FAILURES[kind]]
_holds_large = {kind: _watch_size(kind) for kind in _HOLDING}
_keep_apart = {kind: _watch_refs(kind) for kind in _HOLDING}
