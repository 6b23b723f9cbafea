"""How events stand in the store: sealed by the codec, large payloads kept apart under their content address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from segue.kernel import events as e
from segue.kernel.codec import (
    HIDDEN,
    LIMIT,
    Codec,
    fill_event,
    is_whole,
    join_event,
    open_event,
    open_text,
    refs_event,
    seal_event,
    seal_text,
    split_event,
)
from segue.kernel.encoding import Encodings
from segue.kernel.payload import Payload
from segue.kernel.reference import MARK, references, references_of
from segue.stores.base import Blob

PAGE = 500
Values = Mapping[str, bytes | None]
"""Bytes by content address; None for what is nowhere any more."""
NONE: Values = {}
E = TypeVar("E", bound=e.Event)


class JournalFormat:
    """Writes events and reads them back.

    Args:
        encodings: how values become payloads.
        codec: seals payloads before they leave the process, if there is one.
        blobs: fetches large payloads by content address.
    """

    def __init__(
        self, *, encodings: Encodings, codec: Codec | None, blobs: Callable[[Iterable[str]], dict[str, bytes]]
    ) -> None:
        self.encodings = encodings
        self.codec = codec
        self._blobs = blobs

    def write(self, event: e.Event) -> tuple[bytes, list[Blob]]:
        """The event's row, and the blobs that belong to it."""
        if self.codec is None:
            data = e.encode(event)
            refs = references(data) if data.find(MARK) >= 0 else None  # in a sixth of the time of ``in``
        else:
            refs = references_of(event)
            event = seal_event(event, self.codec)
            data = e.encode(event)
        held = [Blob(ref, None) for ref in refs] if refs else []
        if len(data) <= LIMIT:  # nothing in it can be large
            return data, held
        event, large = split_event(event)
        return e.encode(event), held + [Blob(ref, data) for ref, data in large]

    def read(
        self, rows: Iterable[tuple[int, bytes]], *, apart: bool = False, at_hand: Values = NONE
    ) -> Iterator[tuple[int, e.Event]]:
        """The events of rows, a page's blobs fetched at once, but for those that the caller has ``at_hand``. ``apart``
        leaves large values where they are, for who only looks: their payloads say how large they are."""
        page: list[tuple[int, e.Event]] = []
        partial: list[int] = []
        decode, sealed = e.decode, self.codec is not None  # variables are called faster than attributes
        for seq, data in rows:
            if sealed or not is_whole(data):
                partial.append(len(page))
            page.append((seq, decode(data)))
            if len(page) >= PAGE:
                yield from self._whole(page, partial, apart, at_hand) if partial else page
                page, partial = [], []
        yield from self._whole(page, partial, apart, at_hand) if partial else page

    def fill(self, event: E) -> E:
        """An event that was read ``apart``, with its large values."""
        refs = refs_event(event)
        return fill_event(event, self._blobs(refs), self.codec) if refs else event

    def event(self, data: bytes, *, at_hand: Values = NONE) -> e.Event:
        """One event."""
        return next(self.read([(0, data)], at_hand=at_hand))[1]

    def over(self, blobs: Callable[[Iterable[str]], dict[str, bytes]]) -> JournalFormat:
        """The same format with another way to its large values."""
        return JournalFormat(encodings=self.encodings, codec=self.codec, blobs=blobs)

    def _whole(
        self, page: list[tuple[int, e.Event]], partial: list[int], apart: bool, at_hand: Values
    ) -> Iterator[tuple[int, e.Event]]:
        """The events of a page, those in some of its places with what is kept apart or sealed."""
        wanted = set() if apart else {ref for place in partial for ref in refs_event(page[place][1])}
        missing = wanted - at_hand.keys()
        blobs = {**at_hand, **self._blobs(missing)} if missing else at_hand
        begin = 0
        for place in partial:
            yield from page[begin:place]
            seq, event = page[place]
            yield seq, open_event(join_event(event, blobs) if wanted else event, self.codec)
            begin = place + 1
        yield from page[begin:]

    def readable(self, payload: Payload) -> bytes:
        """A payload on its own, for rows that readers look at directly."""
        sealed = self.codec.seal(payload) if self.codec is not None else payload
        return msgspec.json.encode(sealed)

    def payload(self, data: bytes) -> Payload:
        """What ``readable`` wrote."""
        payload = msgspec.json.decode(data, type=Payload)
        return self.codec.open(payload) if self.codec is not None else payload

    def seal_value(self, data: bytes) -> bytes:
        """A payload's bytes, sealed: what ``readable`` is for payloads, for those that are encoded already."""
        return data if self.codec is None else self.readable(msgspec.json.decode(data, type=Payload))

    def open_value(self, data: bytes) -> bytes:
        """What ``seal_value`` was given."""
        return data if self.codec is None else msgspec.json.encode(self.payload(data))

    def seal_text(self, text: str) -> str:
        """A line of text on its own."""
        return seal_text(text, self.codec)

    def open_text(self, text: str) -> str:
        """What ``seal_text`` was given."""
        return open_text(text, self.codec)

    def brief(self, text: str | None) -> str | None:
        """An error as it stands in the run's row, which everybody lists: with a codec only what comes before the colon,
        the kind of error."""
        if text is None or self.codec is None:
            return text
        kind, colon, _ = text.partition(": ")
        return f"{kind}: {HIDDEN}" if colon else HIDDEN

    def brief_reason(self, text: str) -> str | None:
        """A person's reason as it stands there."""
        return HIDDEN if text and self.codec is not None else text or None
