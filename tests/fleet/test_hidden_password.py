"""The password in the URL of the database stays there: not in spans, logs, errors, journals or over HTTP."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit, urlunsplit

import httpx2 as httpx
import psycopg
import pytest
from fleet_kit import until

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from postgres_kit import PostgresServer
from segue import Engine, Transaction, step, workflow
from segue.errors import SchemaTooNew, StoreUnavailable
from segue.metrics.meter import meter_of
from segue.server.access import Loopback
from segue.server.app import application
from segue.stores.base import RunFilter

PASSWORD = "hunterpw77"


@step.transaction
def notes(db: Transaction) -> None:
    db.execute("INSERT INTO note VALUES ('it was here')")


@step.transaction(on_exhausted="incident")
def mistakes(db: Transaction) -> None:
    db.execute("INSERT INTO no_such_table VALUES (1)")


@step(on_exhausted="incident")
async def connects(url: str) -> None:
    await (await psycopg.AsyncConnection.connect(url)).close()


@workflow
async def noting() -> None:
    await notes()


@workflow
async def mistaken() -> None:
    await mistakes()


@workflow
async def connecting(place: str) -> None:
    await connects(f"postgresql://joe:{PASSWORD}@{place}/shop")


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    """Of a database of a user who has a password."""
    name = postgres.create()
    parts = urlsplit(postgres.url(name))
    place = parts.netloc.rpartition("@")[2]
    postgres.execute(f"CREATE ROLE {name}_user LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    yield urlunsplit(parts._replace(netloc=f"{name}_user:{PASSWORD}@{place}"))
    postgres.drop(name)
    postgres.execute(f"DROP ROLE {name}_user")


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def engine(url: str, spans: InMemorySpanExporter) -> AsyncIterator[Engine]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE note (what text)")
    async with Engine(url, tracer_provider=provider) as engine:
        yield engine


async def stand_still(engine: Engine, count: int) -> None:
    await until(lambda: [row.state for row in engine.store.list(RunFilter())].count("incident") == count)


async def test_what_is_told_of_runs_and_of_the_process(
    engine: Engine, url: str, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    meter_of(engine, counting=True)
    await (await engine.start(noting)).result(timeout=60)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
            "pg_backend_pid()"
        )
    await (await engine.start(noting)).result(timeout=60)
    mistake = await engine.start(mistaken)
    # Arguments are the workflow's; the driver's error, which is recorded with its traceback, leaves the password out.
    away = await engine.start(connecting, "127.0.0.1:1")
    await stand_still(engine, 2)

    def traced() -> str:
        return "".join(span.to_json() for span in spans.get_finished_spans())

    await until(lambda: "no_such_table" in traced())  # it comes after the commit
    await until(lambda: "port 1 failed" in traced())
    told = [traced()]
    told += [repr(event) for event in engine.events_of(mistake.run)]
    told += [repr(event.failure) for event in engine.events_of(away.run) if getattr(event, "failure", None) is not None]
    transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for path in ("api/v1/settings", "api/v1/overview", "api/v1/workers", "metrics", "health", "ready"):
            answer = await client.get(f"/{path}")
            assert answer.status_code == 200, path
            told.append(answer.text)
    told += [caplog.text, repr(engine), repr(engine.store), repr(engine.settings), engine.database]
    assert [text for text in told if PASSWORD in text] == []


async def test_what_is_told_of_a_database_that_cannot_be_used(engine: Engine, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE segue.meta SET value = '99' WHERE name IN ('schema', 'oldest_code')")
    wrong = urlsplit(url)._replace(path="/no_such_database")
    closed = wrong._replace(netloc=f"joe:{PASSWORD}@127.0.0.1:1")
    for address, kind in (
        (url, SchemaTooNew),
        (urlunsplit(wrong), StoreUnavailable),
        (urlunsplit(closed), StoreUnavailable),
    ):
        with pytest.raises(kind) as refused:
            async with Engine(address):
                pass
        assert PASSWORD not in "".join(traceback.format_exception(refused.value))
