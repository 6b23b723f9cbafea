"""Who may do what: every route with every role, real logins and keys; and what keeps others out."""

from __future__ import annotations

import asyncio
import re
from typing import Any, get_args

import httpx2 as httpx
import pytest
from api_kit import PASSWORD, QUICK, Time, Visit, log_in, problem, start, until
from starlette.routing import Route as Place

from segue import Engine
from segue.server import answering, live
from segue.server.access import COOKIE, ROLES, FirstLoopback, Known, Loopback
from segue.server.accounts import Accounts, Role
from segue.server.app import application
from segue.server.call import Permission, Route
from segue.server.routes import BASE, ROUTES

MAY: dict[str, set[str]] = {
    "nobody": {"public"},
    "stranger": {"public", "known"},
    "viewer": {"public", "known", "runs:read", "tasks:read", "schedules:read", "system:read", "metrics:read"},
    "operator": {
        "public", "known", "runs:read", "tasks:read", "schedules:read", "system:read", "metrics:read", "runs:act",
        "tasks:act", "schedules:act",
    },
    "developer": {
        "public", "known", "runs:read", "tasks:read", "schedules:read", "system:read", "metrics:read", "runs:act",
        "tasks:act", "schedules:act", "runs:start", "schedules:write", "steps:work",
    },
    "admin": set(get_args(Permission)),
}  # fmt: skip
"""What each of them may do, said once more by hand."""

PUBLIC = {"GET /health", "GET /ready", "GET /session", "POST /session", "DELETE /session"}
"""All that somebody who is not known may ask; a new one has to be put here by whoever makes it."""


def path_of(route: Route, namespace: str = "default") -> str:
    path = route.path.replace(f"{{{route.within}}}", namespace) if route.within else route.path
    return re.sub(r"\{\w+(:int)?\}", lambda found: "1" if found[1] else "x", path)


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


# --- every route with every role ------------------------------------------------------------------------------


@pytest.mark.parametrize("who", list(MAY))
async def test_every_route_lets_in_whom_it_should_and_nobody_else(visit: Visit, who: str) -> None:
    api = visit()
    if who != "nobody":
        await log_in(api, who)
    # Everybody may log out, which is left for the end.
    routes = sorted(
        (route for route in ROUTES if not route.stream), key=lambda route: name_of(route) == "DELETE /session"
    )
    found = {}
    for route in routes:  # as far as the handler, which has nothing to do: there is no such run, or no body
        answer = await api.request(route.method, path_of(route))
        found[name_of(route)] = answer.status_code not in (401, 403)
        if not found[name_of(route)]:
            problem(answer, 401 if who == "nobody" else 403, "unknown-caller" if who == "nobody" else "not-allowed")
    assert found == {name_of(route): route.needs in MAY[who] for route in routes}


@pytest.mark.parametrize("who", list(MAY))
async def test_a_stream_lets_in_whom_it_should(visit: Visit, who: str) -> None:
    api = visit()
    if who != "nobody":
        await log_in(api, who)
    answer = await api.get("/runs/1/live")
    # There is no run 1: whoever may look is told so by the stream, which then ends.
    if "runs:read" in MAY[who]:
        assert (answer.status_code, "run-not-found" in answer.text) == (200, True)
    else:
        problem(answer, 401 if who == "nobody" else 403, "unknown-caller" if who == "nobody" else "not-allowed")


def test_a_route_without_a_permission_of_its_own_is_not_let_through() -> None:
    with pytest.raises(TypeError, match="needs"):
        Route(method="GET", path="/new", handler=print, summary="New.")  # type: ignore[call-arg]
    wrong = [name_of(route) for route in ROUTES if route.needs not in get_args(Permission)]
    assert wrong == [], "a permission that nobody can have"
    assert {name_of(route) for route in ROUTES if route.needs == "public"} == PUBLIC


def test_every_permission_is_had_by_somebody_and_each_role_holds_the_smaller() -> None:
    assert {role: set(ROLES[role]) for role in get_args(Role)} == {role: MAY[role] for role in get_args(Role)}
    viewer, operator, developer, admin = (ROLES[role] for role in get_args(Role))
    assert viewer < operator < developer < admin


async def test_what_changes_something_is_never_a_get() -> None:
    looking = {
        "public",
        "known",
        "runs:read",
        "tasks:read",
        "schedules:read",
        "system:read",
        "metrics:read",
        "access:read",
    }
    assert {route.needs for route in ROUTES if route.method == "GET"} <= looking


def test_nothing_is_served_beside_the_table(engine: Engine) -> None:
    app: Any = application(engine, Loopback("ann"))
    places = [place for place in app._app.routes if isinstance(place, Place)]
    other = {place.path for place in places} - {BASE + route.path for route in ROUTES}
    assert other == {
        f"{BASE}/openapi.json", "/login", "/logout", "/", "/overview", "/runs", "/runs/{run:int}", "/workflows",
        "/tasks", "/schedules", "/workers", "/settings", "/assets/{name}", "/metrics", "/health", "/ready",
    }  # fmt: skip


# --- sessions -------------------------------------------------------------------------------------------------


async def test_somebody_logs_in_acts_and_logs_out(visit: Visit, engine: Engine) -> None:
    api = visit()
    before = (await api.get("/session")).json()
    assert (before["name"], before["login"], before["csrf"], before["permissions"]) == ("", True, "", ["public"])
    answer = await api.post("/session", json={"name": "developer", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age=43200"):
        assert part in cookie
    session = (await api.get("/session")).json()
    assert (session["name"], session["account"], "runs:start" in session["permissions"]) == ("developer", True, True)
    run = await start(api, "doubles", 2)
    picture = await until(api, run, "completed")
    assert picture["started_by"] == "user:developer"
    token = api.cookies[COOKIE]
    assert (await api.delete("/session")).status_code == 204
    problem(await visit(cookies={COOKIE: token}).get("/runs"), 401, "unknown-caller")
    assert engine.store.accounts.session(token) is None, "the token itself stands nowhere"


async def test_a_session_that_was_put_there_by_somebody_else_is_not_taken_over(visit: Visit) -> None:
    theirs = (await log_in(visit(), "viewer")).cookies[COOKIE]
    for planted in (theirs, "x" * 43):
        await log_in(visit(cookies={COOKIE: planted}), "admin")
        problem(await visit(cookies={COOKIE: planted}).get("/runs"), 401, "unknown-caller")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 201),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "https://segue.example"}, 403),
        ({"origin": "https://segue.example"}, 201),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 403),
        ({"x-csrf-token": "wrong"}, 403),
        ({"x-csrf-token": "é"}, 403),
        ({"sec-fetch-site": "cross-site", "x-csrf-token": "right"}, 201),
        ({"x-csrf-token": "right"}, 201),
    ],
)
async def test_another_sites_page_acts_for_nobody(visit: Visit, headers: dict[str, str], status: int) -> None:
    own = await log_in(visit(), "developer")
    token = (await own.get("/session")).json()["csrf"]
    sent = {name: token if value == "right" else value for name, value in headers.items()}
    other = visit(headers={}, cookies=dict(own.cookies))
    encoded = {name: value.encode() for name, value in sent.items()}
    answer = await other.post("/runs", json={"workflow": "doubles", "input": [1]}, headers=encoded)
    assert answer.status_code == status, answer.text
    assert (await other.get("/runs")).status_code == 200, "looking is no harm: nobody else can read it"


async def test_a_session_ends_with_its_time(visit: Visit, time: Time) -> None:
    api = await log_in(visit(), "viewer")
    time.at += 12 * 3_600_000_000 - 1
    assert (await api.get("/runs")).status_code == 200
    time.at += 1
    problem(await api.get("/runs"), 401, "unknown-caller")


async def test_a_password_is_changed_with_the_old_one_and_ends_all_sessions(visit: Visit) -> None:
    api, elsewhere = await log_in(visit(), "viewer"), await log_in(visit(), "viewer")
    wrong = {"old": "not it", "new": "battery staple"}
    problem(await api.post("/session/password", json=wrong), 401, "wrong-password")
    short = {"old": PASSWORD, "new": "short"}
    problem(await api.post("/session/password", json=short), 422, "invalid-argument")
    right = {"old": PASSWORD, "new": "battery staple"}
    assert (await api.post("/session/password", json=right)).status_code == 204
    problem(await elsewhere.get("/runs"), 401, "unknown-caller")
    problem(await visit().post("/session", json={"name": "viewer", "password": PASSWORD}), 401, "wrong-password")
    await log_in(visit(), "viewer", "battery staple")


async def test_passwords_cannot_be_tried_without_end(visit: Visit, accounts: Accounts) -> None:
    api = visit()
    guesses = [await api.post("/session", json={"name": "root", "password": f"guess {n}"}) for n in range(12)]
    assert [answer.status_code for answer in guesses] == [401] * 10 + [429] * 2
    assert int(guesses[-1].headers["retry-after"]) >= 1
    problem(await api.post("/session", json={"name": "root", "password": PASSWORD}), 429, "too-often")
    await log_in(visit("10.0.0.8"), "root")
    noted = accounts.rows.audited("default", actor="root")
    assert [row.outcome for row in noted] == [204, 429, 429, 429, *[401] * 10]
    assert {(row.action, row.address) for row in noted} == {("log_in", "10.0.0.7"), ("log_in", "10.0.0.8")}


async def test_who_has_no_account_is_told_what_who_has_one_is(visit: Visit) -> None:
    unknown = await visit().post("/session", json={"name": "nobody at all", "password": PASSWORD})
    wrong = await visit().post("/session", json={"name": "root", "password": "wrong"})
    assert [problem(answer, 401, "wrong-password")["detail"] for answer in (unknown, wrong)] == [
        "that is no user's name with their password"
    ] * 2


# --- keys -----------------------------------------------------------------------------------------------------


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def make_key(api: httpx.AsyncClient, *permissions: str, expires_at: int | None = None) -> dict[str, Any]:
    body = {"label": "ci", "permissions": list(permissions), "expires_at": expires_at}
    answer = await api.post("/keys", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_key_does_what_it_was_made_for_and_no_more(visit: Visit, accounts: Accounts, engine: Engine) -> None:
    owner = await log_in(visit(), "developer")
    made = await make_key(owner, "runs:start", "runs:read")
    program = visit(headers=bearer(made["secret"]))  # no cookie, and so no page of another site
    run = await start(program, "doubles", 2)
    assert (await until(program, run, "completed"))["started_by"] == "user:developer/ci"
    problem(await program.post(f"/runs/{run}/cancel", json={}), 403, "not-allowed")
    problem(await program.get("/users"), 403, "not-allowed")
    kept = engine.store.accounts.key(made["key"]["id"])
    assert kept is not None
    assert made["secret"].rpartition("_")[2] not in kept.digest
    accounts.set_roles("developer", {"default": "viewer"})
    problem(await program.post("/runs", json={"workflow": "doubles", "input": [1]}), 403, "not-allowed")
    assert (await program.get("/runs")).status_code == 200, "what its owner still may, it may"


async def test_a_key_and_a_session_of_one_person_are_one_who_sees_to_a_task(visit: Visit, engine: Engine) -> None:
    here = await log_in(visit(), "operator")
    made = await make_key(here, "tasks:read", "tasks:act", "runs:read")
    key = visit(headers={"authorization": f"Bearer {made['secret']}"})
    run = (await engine.start("asks", 5)).run
    await until(here, run, "waiting")
    (task,) = (await key.get("/tasks")).json()["tasks"]
    place = f"/tasks/{task['task']}"
    for client in (key, here):
        assert (await client.post(f"{place}/claim", json={})).status_code == 204
        assert (await client.get("/tasks")).json()["counts"]["mine"] == 1
    assert (await here.post(f"{place}/release", json={})).status_code == 204
    assert (await key.post(f"{place}/comments", json={"text": "looked at it"})).status_code == 204
    notes = (await here.get(f"{place}/notes")).json()
    assert [(note["actor"], note["kind"]) for note in notes] == [
        ("operator", "claimed"), ("operator", "released"), ("operator", "commented"),
    ]  # fmt: skip
    assert (await key.post(f"{place}/complete", json={"answer": {"approved": True}})).status_code == 204
    await until(here, run, "completed")
    assert (await here.get(place)).json()["closed_by"] == "operator", "so that a second look is somebody else's"
    audit = (await (await log_in(visit(), "root")).get("/audit")).json()["entries"]
    label = f"operator/{made['key']['label']}"
    assert label in {entry["actor"] for entry in audit if entry["action"] == "complete_task"}


async def test_a_key_is_refused_once_it_is_revoked_has_expired_or_lost_its_owner(
    visit: Visit, accounts: Accounts, time: Time
) -> None:
    owner = await log_in(visit(), "operator")
    soon = time.at + 60_000_000
    first, second, third = [await make_key(owner, "runs:read", expires_at=at) for at in (None, soon, None)]
    clients = [visit(headers=bearer(made["secret"])) for made in (first, second, third)]
    assert [(await client.get("/runs")).status_code for client in clients] == [200, 200, 200]
    assert (await owner.delete(f"/keys/{first['key']['id']}")).status_code == 204
    problem(await clients[0].get("/runs"), 401, "unknown-caller")
    problem(await owner.delete(f"/keys/{first['key']['id']}"), 404, "key-not-found")
    time.at = soon
    problem(await clients[1].get("/runs"), 401, "unknown-caller")
    accounts.remove_user("operator")
    problem(await clients[2].get("/runs"), 401, "unknown-caller")


async def test_a_key_gives_nobody_what_its_owner_lacks(visit: Visit) -> None:
    operator = await log_in(visit(), "operator")
    body = {"label": "x", "permissions": ["runs:start"], "expires_at": None}
    problem(await operator.post("/keys", json=body), 403, "not-allowed")
    weak = visit(headers=bearer((await make_key(operator, "runs:read"))["secret"]))
    problem(await weak.post("/keys", json=body | {"permissions": ["runs:act"]}), 403, "not-allowed")
    admins = await make_key(await log_in(visit(), "root"), "runs:read")
    problem(await operator.delete(f"/keys/{admins['key']['id']}"), 404, "key-not-found")
    assert [key["owner"] for key in (await operator.get("/keys")).json()] == ["operator"]


async def test_the_id_of_a_key_is_not_the_key(visit: Visit) -> None:
    made = await make_key(await log_in(visit(), "viewer"), "runs:read")
    for secret in ("", "0" * 64, made["secret"].rpartition("_")[2][:-1]):
        text = f"segue_{made['key']['id']}_{secret}"
        problem(await visit(headers=bearer(text)).get("/runs"), 401, "unknown-caller")


@pytest.mark.parametrize(
    "sent",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer segue__",
        "Bearer segue_%_x",
        "Basic cm9vdDpyb290",
        "Bearer segue_a_" * 9,
    ],
)
async def test_what_is_no_key_opens_nothing(visit: Visit, sent: str) -> None:
    problem(await visit(headers={"authorization": sent}).get("/runs"), 401, "unknown-caller")


async def test_keys_cannot_be_tried_without_end(visit: Visit) -> None:
    api = visit(headers=bearer("segue_0_0"))
    codes = [(await api.get("/runs")).status_code for _ in range(Known.STRANGE_BURST + 5)]
    assert (codes[0], codes[-1]) == (401, 429)
    other = await log_in(visit("10.0.0.9"), "viewer")
    assert (await other.get("/runs")).status_code == 200


async def test_a_key_may_not_ask_too_often(visit: Visit, time: Time) -> None:
    owner = await log_in(visit(), "viewer")
    program = visit(headers=bearer((await make_key(owner, "runs:read"))["secret"]))
    codes = [(await program.get("/session")).status_code for _ in range(Known.BURST + 1)]
    assert codes == [200] * Known.BURST + [429]
    time.at += 1_000_000
    assert (await program.get("/session")).status_code == 200


async def test_a_namespace_keeps_its_roles_to_itself(visit: Visit) -> None:
    stranger = await log_in(visit(), "stranger")
    problem(await stranger.get("/runs"), 403, "not-allowed")
    problem(await stranger.get("/users"), 403, "not-allowed")


# --- the first account ----------------------------------------------------------------------------------------


async def test_this_machine_needs_no_login_until_there_is_an_account(engine: Engine) -> None:
    accounts = Accounts(engine.store.accounts, engine.clock.now, QUICK)
    app = application(engine, FirstLoopback(Loopback("ann"), Known(accounts, "default")), accounts=accounts)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as api:
        assert (await api.get(f"{BASE}/runs")).status_code == 200
        problem(await api.post(f"{BASE}/session", json={"name": "a", "password": "b"}), 409, "no-login")
        answer = await api.post(f"{BASE}/users", json={"name": "ann", "password": PASSWORD, "roles": {"*": "admin"}})
        assert answer.status_code == 201
        problem(await api.get(f"{BASE}/runs"), 401, "unknown-caller")
        accounts.remove_user("ann")
        problem(await api.get(f"{BASE}/runs"), 401, "unknown-caller")


async def test_whoever_loses_their_role_is_cut_off_from_their_stream(
    visit: Visit, accounts: Accounts, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "LOOK_AGAIN", -1.0)
    monkeypatch.setattr(live, "LOOK", 0.0)
    monkeypatch.setattr(live, "QUIET", 0.0)
    begun, pulse = asyncio.Event(), engine.store.pulse

    def looked() -> int:
        begun.set()
        return pulse()

    monkeypatch.setattr(engine.store, "pulse", looked)
    api = await log_in(visit(), "viewer")
    streaming = asyncio.create_task(api.get("/live"))
    await begun.wait()
    accounts.set_roles("viewer", {})
    answer = await streaming
    assert answer.status_code == 200
    assert "segue:not-allowed" in answer.text.rpartition("event: problem")[2]
