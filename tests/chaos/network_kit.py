"""Networks that fail: a TCP proxy that swallows, delays and resets, and network namespaces whose link can be cut.

The proxy has a thread and an event loop of its own: what it does must not depend on who else is at work.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import pytest

Way = Literal["to", "from"]
"""Of bytes: to the server, or from it."""
CHUNK = 65_536
_ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST."""


class Proxy:
    """Between clients and one server.

    Attributes:
        swallows: bytes of these ways stay here until it is healed; connections stay open, and new ones are taken.
        delay: seconds for every chunk, each way.
        limit: gives, for each new connection, after how many bytes (both ways together) it is reset; None for never.
    """

    def __init__(self, server: int, host: str = "127.0.0.1") -> None:
        self._server = server
        self.swallows: frozenset[Way] = frozenset()
        self.delay = 0.0
        self.limit: Callable[[], int | None] = lambda: None
        self.resets = 0
        self._links: set[_Link] = set()
        self._listener = socket.create_server((host, 0))
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._healed = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def url(self, direct: str) -> str:
        """The way through here to the database of another URL."""
        return through(direct, self._listener.getsockname()[0], self.port)

    def swallow(self, *ways: Way) -> None:
        """From now on nothing gets through these ways."""
        self.swallows = frozenset(ways)

    def heal(self) -> None:
        """What was swallowed arrives now, as what TCP sends again does."""
        self.swallows = frozenset()
        self._loop.call_soon_threadsafe(self._healed.set)

    def reset(self) -> None:
        """Resets all connections."""
        asyncio.run_coroutine_threadsafe(self._reset(), self._loop).result(30)

    def close(self) -> None:
        async def end() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for link in list(self._links):
                link.close()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()
        self._listener.close()

    def _run(self) -> None:
        self._loop.create_task(self._accept())
        self._loop.run_forever()

    async def _accept(self) -> None:
        links: set[asyncio.Task[None]] = set()
        while True:
            client, _ = await self._loop.sock_accept(self._listener)
            task = self._loop.create_task(self._carry(client))
            links.add(task)
            task.add_done_callback(links.discard)

    async def _carry(self, client: socket.socket) -> None:
        server = socket.socket()
        link = _Link(client, server, self.limit())
        self._links.add(link)
        try:
            server.setblocking(False)
            await self._loop.sock_connect(server, ("127.0.0.1", self._server))
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(link, "to", client, server))
                both.create_task(self._pass(link, "from", server, client))
        except* OSError:
            pass
        finally:
            link.close()
            self._links.discard(link)

    async def _pass(self, link: _Link, way: Way, source: socket.socket, target: socket.socket) -> None:
        while True:
            data = await self._loop.sock_recv(source, CHUNK)
            if self.delay:
                await asyncio.sleep(self.delay)
            while way in self.swallows:
                self._healed.clear()
                await self._healed.wait()
            allowed = data if link.left is None else data[: link.left]
            await self._loop.sock_sendall(target, allowed)
            if link.left is not None:
                link.left -= len(allowed)
                if not link.left:
                    self.resets += 1
                    link.abort()
            if not data:
                raise ConnectionResetError  # the other way ends with this one

    async def _reset(self) -> None:
        for link in list(self._links):
            self.resets += 1
            link.abort()


class _Link:
    """A client's connection, and the one to the server that belongs to it."""

    def __init__(self, client: socket.socket, server: socket.socket, left: int | None) -> None:
        self._sockets = client, server
        client.setblocking(False)
        self.left = left

    def abort(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
                each.shutdown(socket.SHUT_RD)  # whoever reads here is told

    def close(self) -> None:
        for each in self._sockets:
            each.close()


def through(direct: str, host: str, port: int) -> str:
    """The URL of the same database at another place."""
    parts = urlsplit(direct)
    return urlunsplit(parts._replace(netloc=f"{parts.username}@{host}:{port}"))


def at_random(chance: random.Random, most: int) -> Callable[[], int]:
    """A limit anywhere in a connection."""
    return lambda: chance.randint(1, most)


class Namespace:
    """A network of its own with two links to this machine: one that can be cut, and one for what tests note."""

    def __init__(self, number: int) -> None:
        self.name = f"segue-{os.getpid()}-{number}"
        self._links = [f"sg{os.getpid() % 100_000}{number}{end}" for end in "ab"]
        self.hosts = [f"10.{213 + end}.{number}.1" for end in range(2)]
        self.prefix = ("ip", "netns", "exec", self.name)

    def make(self) -> None:
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        for end, (link, host) in enumerate(zip(self._links, self.hosts, strict=True)):
            _ip("link", "add", link, "type", "veth", "peer", "name", f"eth{end}", "netns", self.name)
            _ip("addr", "add", f"{host}/30", "dev", link)
            _ip("link", "set", link, "up")
            _ip("-n", self.name, "addr", "add", f"{host[:-1]}2/30", "dev", f"eth{end}")
            _ip("-n", self.name, "link", "set", f"eth{end}", "up")

    def cut(self) -> None:
        """Nothing gets through the first link any more, either way, and nobody is told."""
        _ip("link", "set", self._links[0], "down")

    def join(self) -> None:
        _ip("link", "set", self._links[0], "up")

    def remove(self) -> None:
        for link in self._links:
            subprocess.run(["ip", "link", "del", link], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)


@contextmanager
def namespace(number: int) -> Iterator[Namespace]:
    """A network namespace; skips where this machine does not let one be made."""
    if shutil.which("ip") is None:
        pytest.skip("missing tool: ip (Debian's package iproute2)")
    made = Namespace(number)
    try:
        made.make()
    except subprocess.CalledProcessError as error:
        made.remove()
        pytest.skip(f"this machine lets nobody make network namespaces here: {error.stderr.strip()}")
    try:
        yield made
    finally:
        made.remove()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
