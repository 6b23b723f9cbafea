"""Users, keys and the audit log over the API, and how far an admin of one namespace reaches."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
import pytest
from api_kit import PASSWORD, Visit, log_in, problem, start

from segue import Engine
from segue.server.accounts import Accounts


def new(name: str, **roles: str) -> dict[str, Any]:
    return {"name": name, "password": PASSWORD, "roles": roles}


async def test_users_are_made_changed_and_removed(visit: Visit) -> None:
    root = await log_in(visit(), "root")
    made = await root.post("/users", json=new("ann", default="viewer"))
    assert (made.status_code, made.json()["roles"], made.json()["elsewhere"]) == (201, {"default": "viewer"}, False)
    problem(await root.post("/users", json=new("ann")), 400, "caller-error")
    ann = await log_in(visit(), "ann")
    problem(await ann.post("/runs", json={"workflow": "doubles", "input": [1]}), 403, "not-allowed")
    changed = await root.patch("/users/ann", json={"roles": {"*": "developer"}})
    assert changed.json()["roles"] == {"*": "developer"}
    await start(ann, "doubles", 1)
    assert (await root.patch("/users/ann", json={"password": "battery staple"})).status_code == 200
    problem(await ann.get("/runs"), 401, "unknown-caller")
    listed = {user["name"]: user for user in (await root.get("/users")).json()}
    assert listed["ann"]["roles"] == {"*": "developer"}
    assert "battery" not in (await root.get("/users")).text
    assert (await root.delete("/users/ann")).status_code == 204
    problem(await root.delete("/users/ann"), 404, "user-not-found")


@pytest.mark.parametrize(
    "body",
    [
        new(""), new("a/b"), new(" a"), new("a\n"), new("a" * 101), new("ann", default="king"),
        new("ann") | {"password": "short"}, new("password12") | {"password": "PASSWORD12"}, new("ann\0"),
        {"name": "ann"},
    ],
)  # fmt: skip
async def test_a_user_that_cannot_be_is_refused(visit: Visit, accounts: Accounts, body: Any) -> None:
    root = await log_in(visit(), "root")
    before = accounts.list_users()
    problem(await root.post("/users", json=body), 422, "invalid-argument")
    assert accounts.list_users() == before


async def test_an_admin_of_one_namespace_reaches_no_further(visit: Visit, accounts: Accounts) -> None:
    admin = await log_in(visit(), "admin")
    assert (await admin.post("/users", json=new("ann", default="developer"))).status_code == 201
    for beyond in (new("eve", other="viewer"), {**new("eve"), "roles": {"*": "admin"}}):
        problem(await admin.post("/users", json=beyond), 403, "not-allowed")
    problem(await admin.patch("/users/admin", json={"roles": {"*": "admin"}}), 403, "not-allowed")
    # Of somebody with roles elsewhere: their role here, and nothing by which they could be acted as.
    here = {"other": "admin", "default": "viewer"}
    assert (await admin.patch("/users/stranger", json={"roles": {"default": "viewer"}})).status_code == 200
    problem(await admin.patch("/users/stranger", json={"password": "battery staple"}), 403, "not-allowed")
    problem(await admin.patch("/users/root", json={"password": "battery staple"}), 403, "not-allowed")
    problem(await admin.delete("/users/root"), 403, "not-allowed")
    assert accounts.user("stranger").roles == here
    await log_in(visit(), "root")
    assert (await admin.delete("/users/ann")).status_code == 204


async def test_who_may_look_around_everywhere_is_no_admin_there(visit: Visit, accounts: Accounts) -> None:
    """The admin of one namespace who is also a viewer of all."""
    accounts.set_roles("admin", {"*": "viewer", "default": "admin"})
    admin, root = await log_in(visit(), "admin"), await log_in(visit(), "root")
    own = (await root.post("/keys", json={"label": "own", "permissions": ["runs:read"], "expires_at": None})).json()
    for roles in ({"*": "admin"}, {"other": "admin"}, {"*": "operator", "default": "admin"}):
        problem(await admin.patch("/users/admin", json={"roles": roles}), 403, "not-allowed")
        problem(await admin.post("/users", json={**new("eve"), "roles": roles}), 403, "not-allowed")
    for name in ("root", "stranger"):
        problem(await admin.patch(f"/users/{name}", json={"password": "battery staple"}), 403, "not-allowed")
        problem(await admin.delete(f"/users/{name}"), 403, "not-allowed")
    assert (await admin.delete(f"/keys/{own['key']['id']}")).status_code >= 400
    assert [key["label"] for key in (await root.get("/keys")).json()] == ["own"]
    listed = {user["name"]: user["roles"] for user in (await admin.get("/users")).json()}
    assert (listed["stranger"], listed["root"]) == ({}, {"*": "admin"})
    assert accounts.user("admin").roles == {"*": "viewer", "default": "admin"}


async def test_roles_elsewhere_are_not_told_and_not_found_out(visit: Visit, accounts: Accounts) -> None:
    admin = await log_in(visit(), "admin")
    listed = {user["name"]: user["roles"] for user in (await admin.get("/users")).json()}
    assert (listed["stranger"], listed["viewer"], listed["root"]) == ({}, {"default": "viewer"}, {"*": "admin"})
    changed = await admin.patch("/users/stranger", json={"roles": {"default": "operator"}})
    assert changed.json()["roles"] == {"default": "operator"}
    assert accounts.user("stranger").roles == {"other": "admin", "default": "operator"}
    # Whether the guess is right or wrong, the answer is the same.
    for guess in ({"other": "admin"}, {"other": "viewer"}):
        told = problem(await admin.patch("/users/stranger", json={"roles": guess}), 403, "not-allowed")
        assert told["detail"] == "admin gives and takes roles in namespace 'default' only, not in other"
    assert (await admin.patch("/users/stranger", json={"roles": {}})).json()["roles"] == {}
    assert accounts.user("stranger").roles == {"other": "admin"}
    # What holds everywhere they see, send back as it is, and cannot change.
    assert (await admin.patch("/users/root", json={"roles": {"*": "admin", "default": "viewer"}})).status_code == 200
    assert (await admin.patch("/users/root", json={"roles": {"default": "admin"}})).json()["roles"] == {
        "*": "admin", "default": "admin",
    }  # fmt: skip
    problem(await admin.patch("/users/root", json={"roles": {"*": "viewer"}}), 403, "not-allowed")


async def test_it_is_told_which_accounts_reach_beyond_whoever_asks(visit: Visit, accounts: Accounts) -> None:
    for name, roles in (("ann", {"default": "viewer"}), ("bob", {"default": "viewer", "other": "admin"}), ("eve", {})):
        accounts.add_user(name, PASSWORD, roles)  # type: ignore[arg-type]
    for who, beyond in (("admin", {"bob", "root"}), ("root", set())):
        asker = await log_in(visit(), who)
        told = {user["name"] for user in (await asker.get("/users")).json() if user["beyond"]}
        assert told & {"ann", "bob", "eve", "root", "admin"} == beyond
        for name in ("ann", "bob"):
            changed = await asker.patch(f"/users/{name}", json={"password": "battery staple"})
            assert changed.status_code == (403 if name in beyond else 200)


async def test_the_last_admin_stays(visit: Visit, accounts: Accounts) -> None:
    for name in ("admin", "stranger"):
        accounts.remove_user(name)
    root = await log_in(visit(), "root")
    assert "last admin" in problem(await root.delete("/users/root"), 400, "caller-error")["detail"]
    problem(await root.patch("/users/root", json={"roles": {"*": "viewer"}}), 400, "caller-error")
    assert accounts.user("root").roles == {"*": "admin"}


async def test_what_was_done_and_what_was_refused_is_noted(visit: Visit, engine: Engine) -> None:
    operator = await log_in(visit(), "operator")
    problem(await operator.post("/runs", json={"workflow": "doubles", "input": [1]}), 403, "not-allowed")
    problem(await operator.post("/runs/99/cancel", json={}), 404, "run-not-found")
    await operator.get("/runs")
    await operator.post("/runs/bulk/preview", json={"act": {"do": "cancel"}, "runs": []})
    await operator.delete("/session")
    admin = await log_in(visit(), "admin")
    page = (await admin.get("/audit", params={"actor": "operator"})).json()
    told = [(entry["action"], entry["target"], entry["outcome"]) for entry in page["entries"]]
    assert told == [
        ("log_out", "/api/v1/session", 204),
        ("cancel_run", "/api/v1/runs/99/cancel", 404),
        ("start_run", "/api/v1/runs", 403),
        ("log_in", "/api/v1/session", 204),
    ]
    first = (await admin.get("/audit", params={"limit": 1})).json()
    assert (first["entries"][0]["actor"], first["entries"][0]["address"]) == ("admin", "10.0.0.7")
    rest = (await admin.get("/audit", params={"before": first["next"]})).json()
    assert (rest["entries"], rest["next"]) == (page["entries"], None)
    problem(await (await log_in(visit(), "developer")).get("/audit"), 403, "not-allowed")


async def test_no_secret_gets_into_the_audit_log_or_the_kept_answers(visit: Visit, engine: Engine) -> None:
    root = await log_in(visit(), "root")
    kept = {"idempotency-key": "k"}
    body = {"label": "ci", "permissions": ["runs:read"], "expires_at": None}
    secret = (await root.post("/keys", json=body, headers=kept)).json()["secret"]
    await root.post("/users", json=new("ann"), headers=kept)
    await root.patch("/users/ann", json={"password": "battery staple"}, headers=kept)
    rows = engine.store.accounts
    assert rows.answer("default", "root", "k") is None
    noted = repr(rows.audited("default"))
    for text in (secret, PASSWORD, "battery staple"):
        assert text not in noted


async def test_nobody_makes_keys_for_no_account(api: httpx.AsyncClient) -> None:
    body = {"label": "ci", "permissions": ["runs:read"], "expires_at": None}
    problem(await api.post("/keys", json=body), 403, "not-allowed")
    problem(await api.post("/session/password", json={"old": "a", "new": "b"}), 400, "caller-error")
