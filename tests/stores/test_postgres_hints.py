"""Listening for hints at a server that lets nobody listen: it is away, or a standby."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from segue.stores.postgres.connection import Address
from segue.stores.postgres.hints import AGAIN, Hints


@pytest.fixture
def refusing() -> Iterator[tuple[str, list[str]]]:
    """Where a server takes connections and closes them at once, and who has come so far."""
    came: list[str] = []
    server = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        while True:
            try:
                connection, (address, _) = server.accept()
            except OSError:
                return
            came.append(address)
            connection.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    yield f"postgresql://me@127.0.0.1:{server.getsockname()[1]}/none?sslmode=disable&gssencmode=disable", came
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def test_a_server_that_lets_nobody_listen_is_not_asked_all_the_time(refusing: tuple[str, list[str]]) -> None:
    url, came = refusing
    at = 100.0
    hints = Hints(Address(url), 1.0, now=lambda: at)
    assert [hints.changed(0) for _ in range(10)] == [True] + [False] * 9, "a hint may have been missed, once"
    assert len(came) == 1
    at += AGAIN
    assert [hints.changed(0) for _ in range(10)] == [True] + [False] * 9
    assert len(came) == 2
    hints.close()


def test_a_connection_that_is_lost_is_made_anew_at_once(postgres_database: Callable[[], str]) -> None:
    url = postgres_database()
    hints = Hints(Address(url), 1.0, now=lambda: 100.0)
    assert hints.changed(0)
    assert not hints.changed(0)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE query = 'LISTEN segue' AND datname = current_database()"
        )
    assert hears(hints), "one may have been missed"
    assert hints.changed(0), "and before it listened again"
    assert not hints.changed(0)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("NOTIFY segue")
    assert hears(hints)
    hints.close()


def hears(hints: Hints) -> bool:
    """Whether something is heard within some seconds: what the server sends takes its time."""
    return any(hints.changed(0) or time.sleep(0.01) for _ in range(1000))
