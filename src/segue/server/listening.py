"""Listens on a port, on the event loop that the engine runs on, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterable, Iterator

import uvicorn
from starlette.types import ASGIApp

from segue.errors import InvalidArgument
from segue.server.patience import Impatient

PATIENCE = 3
"""Seconds that requests under way have to end; streams of live views do not end by themselves."""
TRIES = 50
"""Ports that are tried one after the other, where the next free one will do."""


class Listening:
    """A server that listens. ``url`` is where."""

    def __init__(self, server: _Server, sock: socket.socket, host: str) -> None:
        self._server = server
        self._task = asyncio.create_task(server.serve(sockets=[sock]))
        shown = "127.0.0.1" if host == "0.0.0.0" else f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{sock.getsockname()[1]}"

    async def close(self) -> None:
        """Stops listening, and lets requests under way end."""
        self._server.should_exit = True
        await asyncio.wait([self._task], timeout=PATIENCE + 1)


def listen(
    app: ASGIApp, *, host: str = "127.0.0.1", port: int = 7733, next_free: bool = False, proxies: Iterable[str] = ()
) -> Listening:
    """Listens; call it on the event loop that is to serve.

    Args:
        next_free: take the next port if this one is taken.
        proxies: addresses beside this machine's that are believed when they say for whom they ask.

    Raises:
        InvalidArgument: the port is taken, or the address is none of this machine's.
    """
    sock = _bound(host, port, TRIES if next_free else 1)
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, server_header=False, date_header=True,
        timeout_graceful_shutdown=PATIENCE, ws="none", http=Impatient,
        forwarded_allow_ips=["127.0.0.1", "::1", *proxies],
    )  # fmt: skip
    return Listening(_Server(config), sock, host)


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the engine."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bound(host: str, port: int, tries: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(port, port + tries):
        # Named as TCP: asyncio sets TCP_NODELAY on no other socket, and without it every answer waits 40 ms for the
        # client's delayed acknowledgement of its headers.
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, number))
            sock.listen(512)
        except OSError as error:
            sock.close()
            if error.errno != errno.EADDRINUSE:
                raise InvalidArgument(f"cannot listen on {host}:{number} ({error.strerror}); choose another") from error
            continue
        sock.setblocking(False)
        return sock
    last = f" to {port + tries - 1}" if tries > 1 else ""
    raise InvalidArgument(f"port {port}{last} on {host} is taken by another program; choose one with --port")
