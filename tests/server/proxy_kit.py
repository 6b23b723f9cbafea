"""A reverse proxy on this machine, which changes the head of what it passes on as one that is known does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit


class Manner(NamedTuple):
    """How a proxy asks: by which version of HTTP, whether it names the server as Host, and what it adds."""

    version: str = "1.1"
    own_host: bool = True
    adds: Mapping[str, str] = {}


@asynccontextmanager
async def proxy(to: str, manner: Manner) -> AsyncIterator[str]:
    """Where it listens; each connection carries one request."""
    place = urlsplit(to)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.title(): value for name, _, value in (line.partition(": ") for line in lines)}
        host = place.netloc if manner.own_host else headers["Host"]
        asked = {**headers, **manner.adds, "Host": host, "Connection": "close"}
        head = [f"{first.rpartition('/')[0]}/{manner.version}", *(f"{name}: {value}" for name, value in asked.items())]
        theirs, ours = await asyncio.open_connection(place.hostname, place.port)
        ours.write("\r\n".join([*head, "", ""]).encode())
        writer.write(await theirs.read())
        for each in (ours, writer):
            each.close()
            await each.wait_closed()

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()
