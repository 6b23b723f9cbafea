"""Several namespaces behind one server: whoever asks is led into the one that they name, and learns of no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from api_kit import PASSWORD, Visit, log_in, problem, start, until
from test_access import MAY, bearer, name_of, path_of

from segue import Engine, Retention, Settings
from segue.errors import Incident, InvalidArgument, ServerRefused
from segue.runtime.keeping import RetentionRule
from segue.server import live, namespaces
from segue.server.access import Known, Loopback
from segue.server.accounts import Accounts
from segue.server.app import application, machine_application
from segue.server.client import ServerClient
from segue.server.routes import BASE, ROUTES
from segue.server.within import within
from segue.stores.base import RunFilter

EU = {"namespace": "eu"}


@pytest.fixture
def accounts(accounts: Accounts) -> Accounts:
    """Beside those of the own namespace, one user of each role in another one."""
    for role in ("viewer", "operator", "developer", "admin"):
        accounts.add_user(f"eu-{role}", PASSWORD, {"eu": role})  # type: ignore[dict-item]
    return accounts


# --- every route, role and namespace --------------------------------------------------------------------------

PEOPLE = [*MAY, "eu-viewer", "eu-operator", "eu-developer", "eu-admin", "root", "key", "eu-key", "every-key"]
KEYS = {"key": "default", "eu-key": "eu", "every-key": "*"}


def expected(who: str, needs: str, namespace: str) -> int:
    """The status of a refusal, 0 for none; said once more by hand."""
    if needs == "public":
        return 0
    if who == "nobody":
        return 401
    if who == "root":
        return 404 if namespace == "nowhere" else 0
    home = "eu" if who.startswith("eu-") else "other" if who == "stranger" else "default"
    role = who.removeprefix("eu-")
    if who == "every-key":  # of an owner with a role in eu alone
        home, role = "eu", "viewer"
    if namespace != home and namespace != "default":
        return 404
    if who == "eu-key" and namespace == "default":
        return 403  # a key of another namespace: not even what everybody may who is known
    may = MAY["viewer"] if role in ("viewer", "key") else MAY[role]
    return 0 if needs in (may if namespace == home else MAY["stranger"]) else 403


async def client(visit: Visit, accounts: Accounts, who: str) -> httpx.AsyncClient:
    if who in KEYS:
        owner = "viewer" if who == "key" else "eu-viewer"
        key, _ = accounts.add_key(owner, who, frozenset(MAY["admin"]), namespace=KEYS[who], expires_at=None)
        return visit(headers=bearer(key))
    return visit() if who == "nobody" else await log_in(visit(), who)


@pytest.mark.parametrize("namespace", ["default", "eu", "nowhere"])
@pytest.mark.parametrize("who", PEOPLE)
async def test_every_route_lets_in_whom_it_should_in_every_namespace(
    visit: Visit, accounts: Accounts, who: str, namespace: str
) -> None:
    api = await client(visit, accounts, who)
    routes = sorted(ROUTES, key=lambda route: name_of(route) == "DELETE /session")
    for route in routes:
        if route.stream and expected(who, route.needs, namespace) == 0:
            continue  # it would not end; what streams tell is looked at below
        answer = await api.request(route.method, path_of(route, namespace), params={"namespace": namespace})
        status = expected(who, route.needs, namespace)
        if status == 404:
            problem(answer, 404, "namespace-not-found")
        elif status:
            problem(answer, status, "unknown-caller" if status == 401 else "not-allowed")
        else:
            told = answer.json()["type"] if answer.status_code >= 400 else ""
            refused = told in ("segue:namespace-not-found", "segue:unknown-caller")
            assert (answer.status_code in (401, 403), refused) == (False, False), (name_of(route), answer.text)


async def test_what_is_there_is_refused_in_the_words_of_what_is_not(visit: Visit, engine: Engine) -> None:
    await within(engine, "eu").start("doubles", 1)
    await within(engine, "us").start("doubles", 1)
    viewer = await log_in(visit(), "viewer")
    told = [
        problem(await viewer.get("/runs", params={"namespace": name}), 404, "namespace-not-found")["detail"]
        for name in ("eu", "us", "zz")
    ]
    assert len({re.sub("'..'", "", text) for text in told}) == 1
    assert told[0] == "there is no namespace 'eu' in which viewer has a role (there are: default)"
    root = await log_in(visit(), "root")
    text = problem(await root.get("/runs", params={"namespace": "zz"}), 404, "namespace-not-found")["detail"]
    assert text == "there is no namespace 'zz' in which root has a role (there are: default, eu, other, us)"


@pytest.mark.parametrize("named", ["", "*", "a b", "../x", "ä", "-x", "x" * 64, "a\0"])
async def test_what_can_be_no_namespace_is_refused_before_anything_else(visit: Visit, named: str) -> None:
    for path in ("/runs", "/health", "/session"):
        found = problem(await visit().get(path, params={"namespace": named}), 400, "invalid-namespace")
        assert "is no name of a namespace" in found["detail"]
        assert found["path"] == "$.namespace"
    problem(await visit().get("/health?namespace=eu&namespace=us"), 400, "invalid-namespace")


# --- what is in one is not in another -------------------------------------------------------------------------

BODIES: dict[str, dict[str, Any]] = {
    "signal_run": {"name": "more", "value": "x"}, "query_run": {"name": "so_far"}, "update_run": {"name": "add"},
    "skip_call": {"call": "/x", "result": 1}, "edit_input": {"call": "/x", "arguments": []},
    "rerun": {"step": "/x"}, "fork_run": {"step": "/x"},
}  # fmt: skip
QUERIES = {"show_value": {"seq": 1, "field": "input"}, "preview_fork": {"step": "/x"}, "show_artifact": {"name": "x"}}


async def test_no_route_leads_to_a_run_of_another_namespace(visit: Visit, engine: Engine) -> None:
    run = (await within(engine, "eu").start("waits", id="of-eu")).run
    root, eu = await log_in(visit(), "root"), await log_in(visit(), "eu-admin")
    for route in ROUTES:
        if "{run:int}" not in route.path:
            continue
        name = route.handler.__name__
        path = route.path.replace("{run:int}", str(run))
        body = None if route.body is None else BODIES.get(name, {})
        asked: dict[str, Any] = {"json": body} if body is not None else {}
        answer = await root.request(route.method, path, params=QUERIES.get(name, {}), **asked)
        if route.stream:
            assert "segue:run-not-found" in answer.text, name
        else:
            problem(answer, 404, "run-not-found")
    assert (await eu.get(f"/runs/{run}", params=EU)).json()["run"]["id"] == "of-eu"
    row = engine.store.run(run)
    assert row is not None
    assert row.state == "waiting"


async def test_lists_counts_tasks_and_schedules_are_of_the_namespace(visit: Visit, engine: Engine) -> None:
    root = await log_in(visit(), "root")
    eu = await log_in(visit(params=EU), "eu-admin")
    mine, theirs = await start(root, "asks", 5, id="same"), await start(eu, "asks", 7, id="same")
    assert mine != theirs
    for api, more, run in ((root, {}, mine), (eu, EU, theirs)):
        await until(api, run, "waiting")
        assert [each["run"] for each in (await api.get("/runs")).json()["runs"]] == [run]
        overview = (await api.get("/overview")).json()
        assert (sum(overview["counts"].values()), overview["open_tasks"]) == (1, 1)
        assert overview["namespace"] == more.get("namespace", "default")
        (task,) = (await api.get("/tasks")).json()["tasks"]
        assert task["run"] == run
        other = {} if more else EU
        problem(await root.get(f"/tasks/{task['task']}", params=other), 404, "task-not-found")
        answered = await root.post(f"/tasks/{task['task']}/complete", params=other, json={"answer": {"approved": True}})
        problem(answered, 404, "task-not-found")
        preview = {"act": {"do": "cancel"}, "runs": [run]}
        problem(await root.post("/runs/bulk/preview", params=other, json=preview), 404, "run-not-found")
        assert (await root.get("/runs", params=other | {"parent": run})).json()["runs"] == []
    body = {"name": "nightly", "workflow": "doubles", "when": {"type": "every", "period": "1h"}, "input": [1]}
    assert (await eu.post("/schedules", json=body)).status_code == 201
    assert (await root.get("/schedules")).json()["schedules"] == []
    problem(await root.get("/schedules/nightly"), 404, "schedule-not-found")
    triggered = (await eu.post("/schedules/nightly/trigger", json={})).json()["run"]
    row = engine.store.run(triggered)
    assert row is not None
    assert row.namespace == "eu"
    await eu.post("/steps/double/pause", json={})
    assert (await root.get("/steps/paused")).json() == []
    assert [each["step"] for each in (await eu.get("/steps/paused")).json()] == ["double"]


async def test_an_idempotency_key_is_of_its_namespace(visit: Visit, engine: Engine) -> None:
    root = await log_in(visit(), "root")
    body, key = {"workflow": "doubles", "input": [1]}, {"idempotency-key": "k"}
    runs = [(await root.post("/runs", params=more, json=body, headers=key)).json()["run"] for more in ({}, EU, {}, EU)]
    assert runs[:2] == runs[2:]
    assert len(set(runs)) == 2
    assert {name: len(engine.store.list(RunFilter(namespace=name))) for name in ("default", "eu")} == {
        "default": 1, "eu": 1,
    }  # fmt: skip


async def test_what_was_done_stands_in_the_log_of_its_namespace(visit: Visit) -> None:
    operator = await log_in(visit(), "eu-operator")
    problem(await operator.post("/runs", params=EU, json={"workflow": "doubles"}), 403, "not-allowed")
    problem(await operator.post("/runs/9/cancel", params=EU, json={}), 404, "run-not-found")
    problem(await operator.post("/runs/9/cancel", json={}), 403, "not-allowed")
    problem(await operator.post("/runs/9/cancel", params={"namespace": "us"}, json={}), 404, "namespace-not-found")
    eu, admin = await log_in(visit(), "eu-admin"), await log_in(visit(), "admin")
    asked = {"actor": "eu-operator"}
    there = (await eu.get("/audit", params=asked | EU)).json()["entries"]
    assert [(each["action"], each["outcome"]) for each in there] == [("cancel_run", 404), ("start_run", 403)]
    here = (await admin.get("/audit", params=asked)).json()["entries"]
    assert [(each["target"], each["outcome"]) for each in here] == [
        ("/api/v1/runs/9/cancel?namespace=us", 404), ("/api/v1/runs/9/cancel", 403), ("/api/v1/session", 204),
    ]  # fmt: skip


async def test_streams_are_of_the_namespace(visit: Visit, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK", 0.0)
    handle = await within(engine, "eu").start("doubles", 4)
    assert await handle.result() == 8
    eu = await log_in(visit(), "eu-viewer")
    followed = await eu.get(f"/runs/{handle.run}/live", params=EU)
    assert "RunCompleted" in followed.text
    assert "event: end" in followed.text


# --- who may see which ----------------------------------------------------------------------------------------


async def names(api: httpx.AsyncClient) -> list[str]:
    session = (await api.get("/session")).json()
    listed = (await api.get("/namespaces")).json()
    assert [each["name"] for each in listed["namespaces"]] == session["namespaces"]
    assert listed["own"] == "default"
    found: list[str] = session["namespaces"]
    return found


async def test_everybody_is_told_of_those_that_they_have_a_role_in(visit: Visit, accounts: Accounts) -> None:
    accounts.set_roles("viewer", {"default": "viewer", "us": "admin"})
    assert await names(await log_in(visit(), "root")) == ["default", "eu", "other", "us"]
    assert await names(await log_in(visit(), "viewer")) == ["default", "us"]
    assert await names(await log_in(visit(), "eu-viewer")) == ["eu"]
    assert (await visit().get("/session")).json()["namespaces"] == []
    seen = (await (await log_in(visit(), "viewer")).get("/session", params={"namespace": "us"})).json()
    assert (seen["namespace"], "access:act" in seen["permissions"]) == ("us", True)
    none = (await (await log_in(visit(), "viewer")).get("/session", params={"namespace": "eu"})).json()
    assert none["permissions"] == ["known", "public"]


async def test_keys_reach_as_far_as_they_were_made_for(visit: Visit, accounts: Accounts) -> None:
    may = frozenset({"runs:read"})
    reach = {}
    for owner, namespace in (("root", "*"), ("root", "eu"), ("eu-viewer", "*"), ("eu-viewer", "default")):
        key, _ = accounts.add_key(owner, "k", may, namespace=namespace, expires_at=None)
        session = (await visit(headers=bearer(key)).get("/session")).json()
        reach[owner, namespace] = session["namespaces"]
    assert reach == {
        ("root", "*"): ["default", "eu", "other"], ("root", "eu"): ["eu"], ("eu-viewer", "*"): ["eu"],
        ("eu-viewer", "default"): [],
    }  # fmt: skip


async def test_they_are_listed_with_what_is_open_in_them(api: httpx.AsyncClient, engine: Engine) -> None:
    eu = within(engine, "eu")
    for n in range(3):
        await eu.start("waits", id=f"w-{n}")
    for one in (eu, engine):
        with pytest.raises(Incident):
            await (await one.start("stands", "x")).result()
    told = (await api.get("/namespaces")).json()
    assert [(each["name"], each["open"], each["incidents"]) for each in told["namespaces"]] == [
        ("default", 1, 1), ("eu", 4, 1),
    ]  # fmt: skip
    assert (told["own"], told["most"]) == ("default", namespaces.COUNTED)


# --- what is said of them -------------------------------------------------------------------------------------

MONTH = [{"keep": "30d"}, {"keep": "365d", "state": "failed"}]


async def test_what_is_said_of_a_namespace_is_changed_part_by_part(visit: Visit, engine: Engine) -> None:
    admin, viewer = await log_in(visit(), "eu-admin"), await log_in(visit(), "eu-viewer")
    made = await admin.patch("/namespaces/eu", json={"description": "Europe", "retention": MONTH})
    assert made.json() == {
        "name": "eu", "description": "Europe", "retention": MONTH, "open": 0, "incidents": 0, "may_change": True,
        "etag": made.headers["etag"],
    }  # fmt: skip
    (seen,) = (await viewer.get("/namespaces", params=EU)).json()["namespaces"]
    assert seen == made.json() | {"may_change": False}
    for body, description, retention in (
        ({}, "Europe", MONTH), ({"description": ""}, "", MONTH), ({"retention": "7d"}, "", [{"keep": "7d"}]),
        ({"retention": []}, "", []), ({"retention": None, "description": "EU"}, "EU", None),
    ):  # fmt: skip
        changed = (await admin.patch("/namespaces/eu", json=body)).json()
        assert (changed["description"], changed["retention"]) == (description, retention)
    told = (await admin.get("/audit", params=EU)).json()["entries"]
    assert {(each["actor"], each["action"], each["target"], each["outcome"]) for each in told} == {
        ("eu-admin", "change_namespace", "/api/v1/namespaces/eu", 200)
    }
    assert len(told) == 6


async def test_whoever_says_what_they_have_seen_of_a_namespace_writes_over_nothing_else(visit: Visit) -> None:
    admin = await log_in(visit(), "eu-admin")
    (unsaid,) = (await admin.get("/namespaces", params=EU)).json()["namespaces"]

    def seen(etag: str) -> dict[str, str]:
        return {"if-match": etag}

    first = await admin.patch("/namespaces/eu", json={"description": "Europe"}, headers=seen(unsaid["etag"]))
    assert first.status_code == 200
    late = await admin.patch("/namespaces/eu", json={"retention": MONTH}, headers=seen(unsaid["etag"]))
    assert "namespace 'eu' is not any more what it was" in problem(late, 412, "changed-meanwhile")["detail"]
    (found,) = (await admin.get("/namespaces", params=EU)).json()["namespaces"]
    assert (found["retention"], found["etag"]) == (None, first.headers["etag"])
    second = await admin.patch("/namespaces/eu", json={"retention": MONTH}, headers=seen(found["etag"]))
    assert second.json()["description"] == "Europe"
    assert second.headers["etag"] != first.headers["etag"]


async def test_the_path_says_which_namespace_whatever_the_parameter_says(visit: Visit, engine: Engine) -> None:
    body = {"description": "mine"}
    both = {"namespace": "default"}
    admin, other = await log_in(visit(), "admin"), await log_in(visit(), "eu-admin")
    assert (await other.patch("/namespaces/eu", params=both, json=body)).status_code == 200
    problem(await admin.patch("/namespaces/eu", params=both, json=body), 404, "namespace-not-found")
    problem(await admin.patch("/namespaces/eu", json=body), 404, "namespace-not-found")
    problem(await other.patch("/namespaces/default", params=EU, json=body), 403, "not-allowed")
    problem(await (await log_in(visit(), "root")).patch("/namespaces/zz", json=body), 404, "namespace-not-found")
    problem(await admin.patch("/namespaces/a%20b", json=body), 400, "invalid-namespace")
    assert [row.name for row in engine.store.described.list()] == ["eu"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"description": "x" * 1001}, "$.description"),
        ({"description": "a\0"}, "$.description"),
        ({"description": None}, "$.description"),
        ({"retention": "soon"}, "$.retention"),
        ({"retention": [{"keep": "30d"}, {"keep": "soon", "state": "failed"}]}, "$.retention[1].keep"),
        ({"retention": [{"keep": "30d", "state": "waiting"}]}, "$.retention[0].state"),
        ({"retention": [{"keep": "30d"}, {"keep": "31d"}]}, "$.retention"),
        ({"retention": [{"keep": "30d", "region": "eu"}]}, "$.retention[0]"),
        ({"name": "us"}, ""),
    ],
)
async def test_what_cannot_be_said_is_refused_with_its_place(
    visit: Visit, engine: Engine, body: dict[str, Any], path: str
) -> None:
    answer = await (await log_in(visit(), "admin")).patch("/namespaces/default", json=body)
    assert problem(answer, 422, "invalid-argument").get("path", "") == path
    assert engine.store.described.list() == []


async def test_whoever_may_change_a_namespace_is_told_so(visit: Visit, accounts: Accounts) -> None:
    accounts.set_roles("viewer", {"default": "viewer", "us": "admin"})
    accounts.add_user("both", PASSWORD, {"eu": "admin", "*": "viewer"})
    keys = {}
    for label, owner, namespace, may in (
        ("all", "root", "*", {"access:act"}), ("eu", "root", "eu", {"access:act"}),
        ("looks", "root", "*", {"runs:read"}), ("own", "viewer", "*", {"access:act"}),
        ("reads", "eu-admin", "*", {"runs:read"}),
    ):  # fmt: skip
        keys[label], _ = accounts.add_key(owner, label, frozenset(may), namespace=namespace, expires_at=None)
    found = {}
    for who in ("root", "admin", "viewer", "eu-admin", "both", *keys):
        api = visit(headers=bearer(keys[who])) if who in keys else await log_in(visit(), who)
        params = EU if who == "eu" else {}
        told = (await api.get("/namespaces", params=params)).json()["namespaces"]
        found[who] = {each["name"] for each in told if each["may_change"]}
        for each in told:
            status = (await api.patch(f"/namespaces/{each['name']}", json={})).status_code
            assert (who, each["name"], status) == (who, each["name"], 200 if each["may_change"] else 403)
    every = {"default", "eu", "other", "us"}
    assert found == {
        "root": every, "admin": {"default"}, "viewer": {"us"}, "eu-admin": {"eu"}, "all": every, "eu": {"eu"},
        "looks": set(), "own": {"us"},
        "reads": set(), "both": {"eu"},
    }  # fmt: skip


async def test_rules_of_the_settings_are_told_beside_those_of_namespaces(tmp_path: Path) -> None:
    settings = Settings(retention=(Retention("30d"), Retention(86400 * 365, state="failed")))
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", workflows=[], settings=settings) as engine:
        transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:
            assert (await client.get("/namespaces")).json()["retention"] == MONTH
            assert (await client.patch("/namespaces/default", json={"retention": []})).json()["may_change"] is True


async def test_on_this_machine_every_namespace_of_the_database_is_served(
    api: httpx.AsyncClient, engine: Engine
) -> None:
    problem(await api.get("/runs", params=EU), 404, "namespace-not-found")
    await within(engine, "eu").start("doubles", 1, id="a")
    assert [run["id"] for run in (await api.get("/runs", params=EU)).json()["runs"]] == ["a"]
    assert (await api.get("/session")).json()["namespaces"] == ["default", "eu"]


async def test_figures_are_of_what_may_be_seen(visit: Visit, accounts: Accounts, engine: Engine) -> None:
    await within(engine, "eu").start("waits", id="a")
    await engine.start("waits", id="b")
    app = machine_application(engine, Known(accounts, engine.namespace), accounts=accounts)
    found = {}
    may = frozenset({"metrics:read"})
    for owner, namespace, asked in (
        ("root", "*", {}), ("root", "*", EU), ("viewer", "default", {}), ("eu-viewer", "eu", EU),
    ):  # fmt: skip
        key, _ = accounts.add_key(owner, "prometheus", may, namespace=namespace, expires_at=None)
        transport = httpx.ASGITransport(app, client=("10.0.0.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.1", headers=bearer(key)) as machine:
            answer = await machine.get("/metrics", params=asked)
        assert answer.status_code == 200
        found[owner, namespace, *asked] = sorted(set(re.findall('namespace="([^"]+)"', answer.text)))
    assert found == {
        ("root", "*"): ["default", "eu"], ("root", "*", "namespace"): ["eu"],
        ("viewer", "default"): ["default"], ("eu-viewer", "eu", "namespace"): ["eu"],
    }  # fmt: skip


# --- from Python ----------------------------------------------------------------------------------------------


async def test_the_client_asks_in_its_namespace(engine: Engine) -> None:
    await within(engine, "eu").start("doubles", 1, id="first")
    transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
    async with (
        httpx.AsyncClient(transport=transport) as http,
        ServerClient("http://localhost", namespace="eu", http=http) as eu,
        ServerClient("http://localhost", http=http) as own,
        ServerClient("http://localhost", namespace="zz", http=http) as none,
    ):
        made = await eu.start("doubles", 2, id="second")
        assert [event.event async for event in eu.events(made.run)][-1] == "RunCompleted"
        assert [run.id for run in (await eu.list()).runs] == ["second", "first"]
        assert (await own.list()).runs == []
        assert await own.find("second") is None
        with pytest.raises(ServerRefused, match="no namespace 'zz'"):
            await none.list()
        with pytest.raises(ServerRefused, match="no run"):
            async for _ in own.events(made.run):
                pass
        change = namespaces.NamespaceChange(description="of Europe", retention="30d")
        changed = await own.ask(namespaces.change_namespace, name="eu", body=change)
        assert (changed.name, changed.description, changed.retention) == ("eu", "of Europe", [RetentionRule("30d")])
        assert (await none.ask(namespaces.change_namespace, name="eu", body=change)).name == "eu", "the path says which"
        with pytest.raises(InvalidArgument, match="no name of a namespace"):
            ServerClient("http://localhost", namespace="a b", http=http)


async def test_the_description_names_the_parameter_of_every_route_once(api: httpx.AsyncClient) -> None:
    told = (await api.get("/openapi.json")).json()
    assert told["components"]["parameters"]["namespace"]["schema"]["pattern"] == "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
    reference = {"$ref": "#/components/parameters/namespace"}
    for route in ROUTES:
        path = told["paths"][BASE + re.sub(r":\w+", "", route.path)][route.method.lower()]
        named = (route.needs != "public" or route.method == "GET") and not route.within
        assert path["parameters"].count(reference) == named
