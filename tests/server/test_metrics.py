"""``/metrics``: where it is, who may have it, and what machines find beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from api_kit import PASSWORD, Visit, log_in, problem

from postgres_kit import PostgresServer
from segue import Engine
from segue.server.access import Known
from segue.server.accounts import Accounts
from segue.server.app import machine_application
from segue.server.routes import BASE


async def test_it_is_in_the_api_and_where_prometheus_looks(api: httpx.AsyncClient) -> None:
    for address in (f"{BASE}/metrics", "/metrics"):
        answer = await api.get(f"http://localhost{address}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert answer.headers["cache-control"] == "no-store"
        assert 'segue_tasks_open{namespace="default"} 0.0' in answer.text
    described = (await api.get("/openapi.json")).json()["paths"][f"{BASE}/metrics"]["get"]
    assert (described["x-permission"], list(described["responses"]["200"]["content"])) == (
        "metrics:read",
        ["text/plain"],
    )


async def test_a_key_for_metrics_reads_them_and_nothing_else(visit: Visit, accounts: Accounts) -> None:
    key, _ = accounts.add_key("viewer", "prometheus", frozenset({"metrics:read"}), namespace="default", expires_at=None)
    api = visit(headers={"authorization": f"Bearer {key}"})
    assert (await api.get("/metrics")).status_code == 200
    assert (await api.get("https://segue.example/metrics")).status_code == 200
    problem(await api.get("/runs"), 403, "not-allowed")
    problem(await visit().get("https://segue.example/metrics"), 401, "unknown-caller")


async def test_a_worker_serves_machines_and_nobody_else(engine: Engine, accounts: Accounts) -> None:
    app = machine_application(engine, Known(accounts, engine.namespace), accounts=accounts)
    key, _ = accounts.add_key("viewer", "prometheus", frozenset({"metrics:read"}), namespace="default", expires_at=None)
    transport = httpx.ASGITransport(app, client=("10.0.0.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.1:9000") as machine:
        assert (await machine.get("/health")).json() == {"status": "ok"}
        assert (await machine.get("/ready")).json() == {"status": "ready", "owner": True}
        problem(await machine.get("/metrics"), 401, "unknown-caller")
        answer = await machine.get("/metrics", headers={"authorization": f"Bearer {key}"})
        assert (answer.status_code, "segue_owner 1.0" in answer.text) == (200, True)
        for path in ("/", "/api/v1/runs", "/login", "/metrics/", "/Metrics", "/metrics/../api/v1/runs"):
            assert (await machine.get(path)).status_code == 404


async def test_somebody_who_has_logged_in_sees_them_too(visit: Visit) -> None:
    api = await log_in(visit(), "viewer", PASSWORD)
    assert (await api.get("/metrics")).status_code == 200


async def test_strangers_are_not_told_where_the_database_is_that_does_not_answer(
    postgres: PostgresServer, postgres_database: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    url = postgres_database()
    parts = urlsplit(url)
    async with Engine(url, own=False) as engine:
        accounts = Accounts(engine.store.accounts, engine.clock.now)
        app = machine_application(engine, Known(accounts, engine.namespace), accounts=accounts)
        postgres.drop(parts.path[1:])
        transport = httpx.ASGITransport(app, client=("10.0.0.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.1:9000") as stranger:
            caplog.set_level(logging.WARNING, "segue.server")
            told = problem(await stranger.get("/ready"), 503, "store-unavailable")
    assert not [part for part in (parts.path[1:], str(parts.port), "127.0.0.1") if part in told["detail"]]
    assert told["request"] in caplog.text
    assert parts.path[1:] in caplog.text, "whoever has the log finds out"
