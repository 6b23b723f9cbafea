"""The port: what it is made as, and who is believed about whom they ask for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import httpx2 as httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from segue.errors import InvalidArgument
from segue.server.listening import listen


async def who(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(f"{scope['scheme']} {scope['client'][0]}")(scope, receive, send)


async def test_small_answers_are_not_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    without_delay: list[bool] = []

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted = transport.get_extra_info("socket")
            without_delay.append(bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
            transport.close()  # type: ignore[attr-defined]

    made: list[socket.socket] = []
    create = socket.socket.listen

    def keep(sock: socket.socket, *args: int) -> None:
        made.append(sock)
        create(sock, *args)

    monkeypatch.setattr(socket.socket, "listen", keep)
    listening = listen(who, port=0)
    serving = await asyncio.get_running_loop().create_server(Protocol, sock=made[0].dup())
    await listening.close()
    reader, writer = await asyncio.open_connection(*serving.sockets[0].getsockname())
    await reader.read()
    writer.close()
    await writer.wait_closed()
    serving.close()
    await serving.wait_closed()
    assert without_delay == [True]


@pytest.mark.parametrize(
    ("source", "proxies", "seen"),
    [
        ("127.0.0.1", (), "https 203.0.113.9"),
        ("127.0.0.3", (), "http 127.0.0.3"),
        ("127.0.0.3", ("127.0.0.3",), "https 203.0.113.9"),
    ],
)
async def test_a_proxy_is_believed_where_it_is_known(source: str, proxies: Sequence[str], seen: str) -> None:
    listening = listen(who, port=0, proxies=proxies)
    said = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    transport = httpx.AsyncHTTPTransport(local_address=source)
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(listening.url, headers=said)).text == seen
    await listening.close()


async def test_a_port_that_is_taken_is_told() -> None:
    listening = listen(who, port=0)
    port = int(listening.url.rpartition(":")[2])
    with pytest.raises(InvalidArgument, match=f"port {port} on 127.0.0.1 is taken"):
        listen(who, port=port)
    other = listen(who, port=port, next_free=True)
    assert other.url != listening.url
    await listening.close()
    await other.close()
