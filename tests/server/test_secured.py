"""TLS that is not as it should be, or on one side only, with real certificates on this machine: said at once."""

from __future__ import annotations

import asyncio
import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segue.errors import ServerRefused, ServerUnavailable
from segue.server import client, secured
from segue.server.client import TRIES, ServerClient
from tls_kit import HERE, Demanding, certify


class Nothing(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *args: object) -> None:
        pass


class Counting(http.server.ThreadingHTTPServer):
    """A server that answers nothing of ours, and counts who connects."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__((HERE, 0), Nothing)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.connections = 0

    def get_request(self) -> tuple[ssl.SSLSocket, tuple[str, int]]:
        self.connections += 1
        return super().get_request()  # type: ignore[return-value]

    def handle_error(self, request: object, client_address: object) -> None:
        pass


Serves = Callable[..., tuple[Counting, str]]


@pytest.fixture
def serves(tmp_path: Path) -> Iterator[Serves]:
    """Starts servers; their address and the file with their certificate."""
    running: list[tuple[Counting, threading.Thread]] = []

    def serve(address: str = HERE, days: int = 1, newest: ssl.TLSVersion | None = None) -> tuple[Counting, str]:
        certify(tmp_path, address, days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
        if newest is not None:
            context.maximum_version = newest
        server = Counting(context)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.append((server, thread))
        return server, f"{HERE}:{server.server_address[1]}"

    yield serve
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


async def asked(url: str) -> str:
    """Why the server that is asked there gives no answer."""
    async with ServerClient(url) as server:
        with pytest.raises(ServerUnavailable) as refused:
            await server.list()
    return str(refused.value)


async def test_a_certificate_that_nobody_trusts(serves: Serves) -> None:
    server, at = serves()
    said = await asked(f"https://{at}")
    assert said.startswith(f"the certificate of https://{at} is not trusted: self-signed certificate; ")
    assert "SSL_CERT_FILE" in said
    assert server.connections == 1
    async with ServerClient(f"https://{at}") as asks:
        with pytest.raises(ServerUnavailable, match="is not trusted"):
            await anext(asks.events(1))
    assert server.connections == 2


async def test_one_that_is_trusted(serves: Serves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, at = serves()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    async with ServerClient(f"https://{at}") as server:
        with pytest.raises(ServerRefused, match="HTTP 404"):  # there is no server of ours behind it
            await server.list()


@pytest.mark.parametrize(
    ("address", "days", "said"),
    [
        (HERE, -1, "certificate has expired; have it renewed"),
        ("127.0.0.9", 1, "not valid for '127.0.0.1'; ask the server under the name that stands in it"),
    ],
)
async def test_one_that_is_not_right(
    serves: Serves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, days: int, said: str
) -> None:
    server, at = serves(address, days)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    assert said in await asked(f"https://{at}")
    assert server.connections == 1


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_a_server_that_is_too_old(serves: Serves) -> None:
    server, at = serves(newest=ssl.TLSVersion.TLSv1_1)
    assert f"https://{at} and this machine cannot agree on TLS" in await asked(f"https://{at}")
    assert server.connections == 1


async def test_tls_that_is_asked_without(serves: Serves) -> None:
    server, at = serves()
    assert await asked(f"http://{at}/below") == (
        f"http://{at}/below answers with TLS only; ask it at https://{at}/below"
    )  # fmt: skip
    assert server.connections == 2, "once as it was asked, once to see what it is"


@pytest.mark.parametrize(("lost", "connections"), [(0, 1), (1, 2)])
async def test_a_server_that_demands_a_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: int, connections: int
) -> None:
    monkeypatch.setattr(client, "TRIES", 1)
    server = Demanding(tmp_path, lost=lost)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    try:
        assert (await asked(server.url)).startswith(f"{server.url} demands a client certificate, and segue has none")
        assert server.connections == connections
    finally:
        await asyncio.to_thread(server.close)  # beside the loop, on which connections end


async def test_one_that_breaks_off_and_demands_nothing_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secured, "DEMANDS_WITHIN", 0.05)
    server = Demanding(tmp_path, lost=100)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    try:
        assert f"was asked {TRIES} times in vain" in await asked(server.url)
        assert server.connections == 2 * TRIES, "and each time it was seen what it is"
    finally:
        await asyncio.to_thread(server.close)  # beside the loop, on which connections end
