"""How events stand in the store: sealed by the codec, large payloads kept apart under their content address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from segue.kernel import events as e
from segue.kernel.codec import KEPT_APART, LIMIT, Codec, join_event, open_event, refs_event, seal_event, split_event
from segue.kernel.encoding import Encodings
from segue.kernel.payload import Payload
from segue.stores.base import Blob

PAGE = 500


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
        if self.codec is not None:
            event = seal_event(event, self.codec)
        data = e.encode(event)
        if len(data) <= LIMIT:  # nothing in it can be large
            return data, []
        event, large = split_event(event)
        return e.encode(event), [Blob(ref, data) for ref, data in large]

    def read(self, rows: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, e.Event]]:
        """The events of rows, a page's blobs fetched at once."""
        page: list[tuple[int, e.Event]] = []
        apart = False
        for seq, data in rows:
            page.append((seq, e.decode(data)))
            apart = apart or KEPT_APART in data
            if len(page) >= PAGE:
                yield from self._whole(page, apart)
                page, apart = [], False
        yield from self._whole(page, apart)

    def event(self, data: bytes) -> e.Event:
        """One event."""
        return next(self.read([(0, data)]))[1]

    def _whole(self, page: list[tuple[int, e.Event]], apart: bool) -> Iterator[tuple[int, e.Event]]:
        wanted = {ref for _, event in page for ref in refs_event(event)} if apart else set()
        if not wanted and self.codec is None:
            yield from page
            return
        blobs = self._blobs(wanted) if wanted else {}
        for seq, event in page:
            whole = join_event(event, blobs) if wanted else event
            yield seq, open_event(whole, self.codec) if self.codec is not None else whole

    def readable(self, payload: Payload) -> bytes:
        """A payload on its own, for rows that readers look at directly."""
        sealed = self.codec.seal(payload) if self.codec is not None else payload
        return msgspec.json.encode(sealed)

    def payload(self, data: bytes) -> Payload:
        """What ``readable`` wrote."""
        payload = msgspec.json.decode(data, type=Payload)
        return self.codec.open(payload) if self.codec is not None else payload
