"""Who takes for ever is cut off: a client that does not send its request, sends headers without end, or does not read.

The library underneath waits without limit for all three, and keeps every header that comes; some thousand sockets that
say nothing would be all that it takes to have nobody else served. Streams of live views may stay silent: what is
limited is the request, and an answer that is not taken.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST = 30.0
"""Seconds in which a request has to be there, with its body; and after which a connection has to have begun one."""
READING = 60.0
"""Seconds for which an answer may wait to be read on."""
LARGEST_HEAD = 64 * 1024
"""Bytes of a request's first line and headers."""


class Impatient(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._sending: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._head = 0
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_HearingOut(transport, self))  # type: ignore[arg-type]
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._sending, self._reading):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > LARGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    # --- what the parser finds ----------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head, self._in_head = 0, True
        self._expect()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        self._head, self._in_head = 0, True
        super().on_message_complete()
        if self.transport.is_closing():
            self.transport.close()

    @property
    def in_body(self) -> bool:
        """Whether more of a request's body is to come."""
        return not self._in_head

    # --- what the transport can take ----------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._reading is None:
            self._reading = self.loop.call_later(READING, self._cut_off)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _expect(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
        self._sending = self.loop.call_later(REQUEST, self._cut_off)

    def _cut_off(self) -> None:
        # At once: what still waits to be written is what nobody reads.
        self.transport.abort()


class _HearingOut:
    """The transport of a connection, which is not closed in the middle of a request's body.

    To close it while something comes in is a reset, with which the answer is lost: whoever sends a body first and reads
    then would not hear that it is too large. So it says that nothing more comes from here, and what comes from there is
    read and dropped, for as long as a request may take.
    """

    def __init__(self, transport: asyncio.Transport, connection: Impatient) -> None:
        self._transport = transport
        self._connection = connection
        self._closing = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._closing or self._transport.is_closing()

    def close(self) -> None:
        if not self.is_closing() and self._connection.in_body and self._transport.can_write_eof():
            self._closing = True
            self._transport.write_eof()
            self._connection.flow.resume_reading()
        else:
            self._transport.close()
