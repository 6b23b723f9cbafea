"""Servers that cannot be used: each says what to do, and nothing is written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from postgres_kit import own_server
from segue import Engine, workflow
from segue.errors import SchemaTooNew, StoreCorrupt, StoreError, StoreUnavailable
from segue.stores.postgres import connection as connecting
from segue.stores.postgres.store import PostgresStore


@workflow
async def nothing() -> str:
    return "nothing"


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_nobody_there() -> None:
    with pytest.raises(StoreUnavailable, match=r"postgresql://me@127.0.0.1:1/shop: .* cannot be reached") as caught:
        PostgresStore.open("postgresql://me:hidden@127.0.0.1:1/shop")
    assert "hidden" not in str(caught.value)


def test_a_password_that_is_wrong_or_not_there() -> None:
    with own_server() as server:
        server.execute("CREATE ROLE joe LOGIN PASSWORD 'right'")
        server.stop()
        rules = server.folder / "data" / "pg_hba.conf"
        rules.write_text(f"host all joe 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        server.start()
        place = f"127.0.0.1:{server.port}/postgres"
        with pytest.raises(StoreUnavailable, match=r"password .*; see whether .* password and database") as caught:
            PostgresStore.open(f"postgresql://joe:hidden@{place}")
        assert "hidden" not in str(caught.value)
        with pytest.raises(StoreUnavailable, match="the server asks for a password and none was given; write postgres"):
            PostgresStore.open(f"postgresql://joe@{place}")
    with pytest.raises(StoreUnavailable, match="see whether it runs and takes connections from here"):
        PostgresStore.open(f"postgresql://joe:hidden@{place}")


def test_no_such_database(postgres_database: Callable[[], str]) -> None:
    url = urlunsplit(urlsplit(postgres_database())._replace(path="/no_such"))
    with pytest.raises(StoreUnavailable, match=r"no such database|does not exist"):
        PostgresStore.open(url)


def test_a_read_only_server(postgres_database: Callable[[], str]) -> None:
    url = postgres_database()
    PostgresStore.open(url).close()
    name = urlsplit(url).path[1:]
    execute(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store = PostgresStore.open(url)
    with pytest.raises(StoreUnavailable, match=r"read-only .*name the primary"):
        store.own("default", "worker")
    store.close()


def test_a_user_without_rights(postgres_database: Callable[[], str]) -> None:
    url = postgres_database()
    execute(url, "DROP ROLE IF EXISTS stranger", "CREATE ROLE stranger LOGIN")
    parts = urlsplit(url)
    stranger = urlunsplit(parts._replace(netloc=f"stranger@{parts.hostname}:{parts.port}"))
    with pytest.raises(StoreUnavailable, match="lacks a right; grant CREATE on the database"):
        PostgresStore.open(stranger)


def test_a_server_that_is_too_old(postgres_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    url = postgres_database()
    monkeypatch.setattr(connecting, "OLDEST_SERVER", 990_000)
    with pytest.raises(StoreError, match=r"is PostgreSQL \d.*update the server"):
        PostgresStore.open(url)


def test_a_schema_of_a_newer_release(postgres_database: Callable[[], str]) -> None:
    url = postgres_database()
    PostgresStore.open(url).close()
    execute(url, "UPDATE segue.meta SET value = '99' WHERE name = 'schema'")
    PostgresStore.open(url).close()  # it says that this release may still work with it
    execute(url, "UPDATE segue.meta SET value = '98' WHERE name = 'oldest_code'")
    with pytest.raises(SchemaTooNew, match=r"schema 99.*update segue"):
        PostgresStore.open(url)


def test_many_open_a_new_database_at_once(postgres_database: Callable[[], str]) -> None:
    url = postgres_database()
    problems: list[BaseException] = []

    def open_it() -> None:
        try:
            PostgresStore.open(url).close()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_table_that_is_gone(postgres_database: Callable[[], str]) -> None:
    url = postgres_database()
    store = PostgresStore.open(url)
    execute(url, "DROP TABLE segue.inbox")
    with pytest.raises(StoreCorrupt, match="a table of segue's is gone"):
        store.inbox([1])
    store.close()


async def test_a_full_server_is_waited_for(postgres_database: Callable[[], str]) -> None:
    """No connection to be had for a while: the engine says so when it opens, and works once there is one."""
    with own_server({"max_connections": "8", "superuser_reserved_connections": "1"}) as server:
        url = server.url(server.create())
        PostgresStore.open(url).close()
        server.execute("CREATE ROLE guest LOGIN IN ROLE pg_write_all_data, pg_read_all_data")
        server.execute("GRANT ALL ON DATABASE postgres TO guest")
        execute(url, "GRANT ALL ON SCHEMA segue TO guest", "GRANT ALL ON ALL SEQUENCES IN SCHEMA segue TO guest")
        parts = urlsplit(url)
        guest = urlunsplit(parts._replace(netloc=f"guest@{parts.hostname}:{parts.port}"))
        taken = [psycopg.connect(guest) for _ in range(7)]
        with pytest.raises(StoreUnavailable):
            async with Engine(guest):
                pass
        for connection in taken:
            connection.close()
        async with Engine(guest) as engine:
            assert await (await engine.start(nothing)).result(timeout=10) == "nothing"
