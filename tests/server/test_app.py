"""The application around the handlers: what is there, who may ask, and what goes wrong before a handler is reached."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2 as httpx
import pytest
from api_kit import problem
from test_access import path_of

from segue import Engine
from segue.server import decoding
from segue.server.access import ROLES, Loopback
from segue.server.app import application
from segue.server.call import Asked, Principal, Route
from segue.server.routes import BASE, ROUTES

Client = Callable[..., httpx.AsyncClient]


class As:
    """Everybody is this one."""

    def __init__(self, role: str | None) -> None:
        self._who = None if role is None else Principal(name=role, may=ROLES[role])

    login = False

    async def principal(self, asked: Asked) -> Principal | None:
        return self._who


def client(engine: Engine, access: Any, *, address: str = "127.0.0.1", host: str = "localhost") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application(engine, access), client=(address, 1), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


def address(route: Route) -> str:
    return BASE + path_of(route)


@pytest.mark.parametrize("role", [None, *ROLES])
@pytest.mark.parametrize("route", [route for route in ROUTES if not route.stream], ids=lambda r: f"{r.method} {r.path}")
async def test_every_route_asks_for_its_permission(engine: Engine, route: Route, role: str | None) -> None:
    async with client(engine, As(role)) as api:
        answer = await api.request(route.method, address(route))
    allowed = route.needs == "public" or (role is not None and route.needs in ROLES[role])
    if allowed:
        assert answer.status_code not in (401, 403)
    else:
        problem(answer, 401 if role is None else 403, "unknown-caller" if role is None else "not-allowed")


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.path}")
async def test_no_other_way_of_writing_a_path_leads_there(engine: Engine, route: Route) -> None:
    path = address(route)
    async with client(engine, As("admin")) as api:
        for other in (
            path + "/",
            *([] if route.path.endswith("}") else [path + ".json"]),  # there it is another name
            path.upper(),
            path.replace("/api", "/api/"),
            path.replace("/api/", "/%61pi/%2e/"),
        ):
            answer = await api.request(route.method, httpx.URL("http://localhost", raw_path=other.encode()))
            assert answer.status_code == 404, other


@pytest.mark.parametrize("number", [1 << 53, 1 << 63, 1 << 70])
@pytest.mark.parametrize(
    "route", [route for route in ROUTES if ":int" in route.path], ids=lambda r: f"{r.method} {r.path}"
)
async def test_a_number_that_no_database_has_is_of_nothing(engine: Engine, route: Route, number: int) -> None:
    async with client(engine, As("admin")) as api:
        answer = await api.request(route.method, re.sub(r"\{\w+:int\}", str(number), BASE + route.path), json={})
        assert answer.status_code == 200 if route.stream else 400 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize("number", [-1, 1 << 53, 1 << 70])
@pytest.mark.parametrize(
    "question",
    [
        "/runs?since",
        "/runs?until",
        "/runs?parent",
        "/runs?after",
        "/runs?limit",
        "/runs/1/events?after",
        "/audit?before",
    ],
)
async def test_a_number_out_of_range_is_refused(engine: Engine, question: str, number: int) -> None:
    async with client(engine, As("admin")) as api:
        problem(await api.get(f"{BASE}{question}={number}"), 422, "invalid-argument")


@pytest.mark.parametrize("question", ["/runs?workflow=%00", "/runs?tag=a%3D%00", "/audit?actor=%00", "/schedules/%00"])
async def test_what_no_database_can_look_for_is_refused(engine: Engine, question: str) -> None:
    async with client(engine, As("admin")) as api:
        problem(await api.get(f"{BASE}{question}"), 422, "invalid-argument")


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "TRACE"])
async def test_a_method_that_is_not_in_the_table_is_refused(engine: Engine, method: str) -> None:
    async with client(engine, As("admin")) as api:
        answer = await api.request(method, f"{BASE}/runs")
        problem(answer, 405, "wrong-method")
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}, "all that the path has"


@pytest.mark.parametrize(
    ("address", "host", "origin", "status"),
    [
        ("127.0.0.1", "localhost", None, 200),
        ("127.0.0.1", "127.0.0.1:7733", "http://127.0.0.1:7733", 200),
        ("127.0.0.1", "localhost:7733", "http://localhost:5173", 200),
        ("127.0.0.1", "localhost", "https://evil.example", 401),
        ("127.0.0.1", "localhost", "null", 401),
        ("127.0.0.1", "rebound.example", None, 401),
        ("10.0.0.7", "localhost", None, 401),
    ],
)
async def test_only_this_machine_is_let_in_without_a_login(
    engine: Engine, address: str, host: str, origin: str | None, status: int
) -> None:
    headers = {} if origin is None else {"origin": origin}
    async with client(engine, Loopback("ann"), address=address, host=host) as api:
        assert (await api.get(f"{BASE}/runs", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("content", "kind", "status", "type"),
    [
        (b"workflow=doubles", "application/x-www-form-urlencoded", 415, "not-json"),
        (b"{}", "text/plain", 415, "not-json"),
        (b"{", "application/json", 422, "invalid-argument"),
        (b"\xff", "application/json", 422, "invalid-argument"),
        (b"[" * 100_000, "application/json", 422, "invalid-argument"),
        (b'{"input": [%s%s]}' % (b"[" * 100_000, b"]" * 100_000), "application/json", 422, "invalid-argument"),
        (b'{"workflow": "doubles", "input": [1e999]}', "application/json", 422, "invalid-argument"),
        (b'{"workflow": "doubles", "input": [1], "id": "\\udc80"}', "application/json", 422, "invalid-argument"),
    ],
    ids=["form", "text", "broken", "not-utf8", "nested", "deep", "number", "half-a-letter"],
)
async def test_a_malformed_body_is_refused(engine: Engine, content: bytes, kind: str, status: int, type: str) -> None:
    async with client(engine, As("admin")) as api:
        answer = await api.post(f"{BASE}/runs", content=content, headers={"content-type": kind})
        problem(answer, status, type)
        assert (await api.get(f"{BASE}/runs")).json()["runs"] == []


async def test_a_body_that_never_ends_is_not_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000:
            sent += 1
            yield b" " * 1_000

    monkeypatch.setattr(decoding, "LARGEST_BODY", 10_000)
    async with client(engine, As("admin")) as api:
        answer = await api.post(f"{BASE}/runs", content=endless(), headers={"content-type": "application/json"})
        problem(answer, 413, "too-large")


async def test_a_defect_is_told_by_number_and_not_by_its_text(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(namespace: str) -> None:
        raise RuntimeError("the password is sesame")

    monkeypatch.setattr(engine.store, "counts", broken)
    async with client(engine, As("admin")) as api:
        answer = await api.get(f"{BASE}/overview")
    found = problem(answer, 500, "internal")
    assert "sesame" not in answer.text
    assert found["request"] in caplog.text
    assert "sesame" in caplog.text


async def test_every_answer_carries_the_headers_that_hold_a_browser_back(engine: Engine) -> None:
    async with client(engine, As("admin")) as api:
        for path in (f"{BASE}/runs", f"{BASE}/nothing", "/"):
            headers = (await api.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert "default-src 'none'" in headers["content-security-policy"]
