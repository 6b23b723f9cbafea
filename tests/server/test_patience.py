"""Clients that take for ever, on real sockets: cut off, and nothing of them stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from segue import Engine
from segue.server import patience
from segue.server.access import Loopback
from segue.server.app import application
from segue.server.listening import Listening, listen

HALF = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc"
LIMIT = 20
"""Seconds after which a test has waited in vain."""


class Server:
    """An application that waits for bodies, and gives out streams."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.go_on = asyncio.Event()
        self.listening = listen(
            Starlette(
                routes=[
                    Route("/echo", self._echo, methods=["GET", "POST"]),
                    Route("/refuse", self._refuse, methods=["POST"]),
                    Route("/silent", self._silent),
                    Route("/endless", self._endless),
                ]
            ),
            port=0,
        )
        self.port = int(self.listening.url.rpartition(":")[2])

    async def _echo(self, request: Request) -> Response:
        try:
            return PlainTextResponse(f"got {len(await request.body())}")
        except ClientDisconnect:
            self.left.set()
            raise

    async def _refuse(self, request: Request) -> Response:
        return PlainTextResponse("too large", 413)

    async def _silent(self, request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"first\n"
            await self.go_on.wait()
            yield b"last\n"

        return StreamingResponse(parts())

    async def _endless(self, request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 65_536
                    await asyncio.sleep(0)
            finally:
                self.left.set()

        return StreamingResponse(parts())


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(patience, "REQUEST", 0.2)
    monkeypatch.setattr(patience, "READING", 0.2)
    server = Server()
    yield server
    await server.listening.close()


async def say(server: Server, text: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(text)
    return reader, writer


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection ends."""
    found = b""
    async with asyncio.timeout(LIMIT):
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(65_536):
                found += part
    return found


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /echo HT",
        b"GET /echo HTTP/1.1\r\nhost: x\r\n",
        b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc",
    ],
    ids=["nothing", "half a line", "headers", "half a body"],
)
async def test_a_request_that_does_not_come_is_not_waited_for(server: Server, said: bytes) -> None:
    reader, writer = await say(server, said)
    assert await rest(reader) == b""
    if b"content-length" in said:
        async with asyncio.timeout(LIMIT):
            await server.left.wait()
    writer.close()


@pytest.mark.parametrize("length", [b"content-length: 30000000", b"transfer-encoding: chunked"])
async def test_whoever_sends_a_body_that_is_refused_hears_of_it(server: Server, length: bytes) -> None:
    """Also one that sends all of it before it reads, and wants the connection closed."""
    head = b"POST /refuse HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + length + b"\r\n\r\n"
    reader, writer = await say(server, head)
    async with asyncio.timeout(LIMIT):
        for _ in range(300):
            writer.write(b"%x\r\n" % 99_993 + b"x" * 99_993 + b"\r\n" if b"chunked" in length else b"x" * 100_000)
            await writer.drain()
        writer.write(b"0\r\n\r\n" if b"chunked" in length else b"")
    answer = await rest(reader)
    assert (answer[:12], answer[-9:]) == (b"HTTP/1.1 413", b"too large")
    writer.close()


async def test_but_not_for_ever(server: Server) -> None:
    head = b"POST /refuse HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 30000000\r\n\r\n"
    reader, writer = await say(server, head)
    assert (await rest(reader))[:12] == b"HTTP/1.1 413"
    async with asyncio.timeout(LIMIT):
        with pytest.raises(ConnectionError):
            await _go_on(writer)
    writer.close()


async def _go_on(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def test_headers_without_end_are_not_kept(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REQUEST", 600.0)
    reader, writer = await say(server, b"GET /echo HTTP/1.1\r\nhost: x\r\n")
    sent = 0
    with contextlib.suppress(ConnectionError):
        while not reader.at_eof() and sent < 50_000_000:
            writer.write(b"x-more: %b\r\n" % (b"y" * 1000))
            await writer.drain()
            sent += 1000
            await asyncio.sleep(0)
    assert sent < 50_000_000
    writer.close()


async def test_who_asks_in_time_is_served_again_and_again(server: Server) -> None:
    reader, writer = await say(server, b"")
    for length in (0, 5, 100_000):
        head = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % length
        writer.write(head + b"z" * length)
        answer = await reader.readuntil(b"got %d" % length)
        assert answer.startswith(b"HTTP/1.1 200")
    writer.close()


async def test_a_stream_may_stay_silent_for_longer(server: Server) -> None:
    reader, writer = await say(server, b"GET /silent HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    await reader.readuntil(b"first\n")
    # Until another connection, opened later, has been cut off.
    other, closing = await say(server, b"")
    await rest(other)
    closing.close()
    server.go_on.set()
    assert b"last" in await rest(reader)
    writer.close()


async def test_an_answer_that_nobody_reads_is_given_up(server: Server) -> None:
    _, writer = await say(server, b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    async with asyncio.timeout(LIMIT):
        await server.left.wait()
    writer.transport.abort()


# --- live views -----------------------------------------------------------------------------------------------


async def test_thousands_of_live_views_come_and_go(engine: Engine, long: bool) -> None:
    listening: Listening = listen(application(engine, Loopback("ann")), port=0)
    port = int(listening.url.rpartition(":")[2])
    request = f"GET /api/v1/live HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n".encode()

    async def come_and_go() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        await reader.readuntil(b"retry: 1000")
        writer.transport.abort()

    def held() -> tuple[int, int]:
        return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))

    await come_and_go()
    before = held()
    for _ in range(100 if long else 10):
        await asyncio.gather(*[come_and_go() for _ in range(100)])
    async with asyncio.timeout(LIMIT):
        while True:
            tasks, files = held()
            if tasks <= before[0] + 3 and files <= before[1] + 3:
                break
            await asyncio.sleep(0)
    await listening.close()
