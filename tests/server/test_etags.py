"""Entity tags: what somebody has is not sent again, and what they have not seen is not written over."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
import pytest
from api_kit import Visit, log_in, problem

from segue import Cron, Engine, Every, Schedule
from segue.server.accounts import Accounts

NIGHTLY = {"name": "nightly", "workflow": "doubles", "input": [4], "when": {"type": "cron", "line": "0 2 * * *"}}
PLACE = "/schedules/nightly"


def match(tag: str) -> dict[str, str]:
    return {"if-match": tag}


# --- what was not seen is not written over ----------------------------------------------------------------------


async def test_a_schedule_that_was_changed_meanwhile_is_left_alone(api: httpx.AsyncClient) -> None:
    made = await api.post("/schedules", json=NIGHTLY)
    tag = made.headers["etag"]
    assert made.json()["etag"] == tag == (await api.get(PLACE)).headers["etag"]
    first = await api.patch(PLACE, json={"note": "mine"}, headers=match(tag))
    assert first.status_code == 200
    late = await api.patch(PLACE, json={"note": "theirs", "jitter": "1m"}, headers=match(tag))
    assert "schedule 'nightly'" in problem(late, 412, "changed-meanwhile")["detail"]
    problem(await api.delete(PLACE, headers=match(tag)), 412, "changed-meanwhile")
    now = (await api.get(PLACE)).json()
    assert (now["note"], now["policy"]["jitter"], now["etag"]) == ("mine", 0, first.headers["etag"])
    again = await api.patch(PLACE, json={"note": "theirs"}, headers=match(now["etag"]))
    assert again.json()["note"] == "theirs"
    assert (await api.patch(PLACE, json={"note": "whoever's"})).json()["note"] == "whoever's"
    assert (await api.delete(PLACE, headers=match((await api.get(PLACE)).headers["etag"]))).status_code == 204


async def test_what_a_schedule_does_by_itself_is_no_change_of_it(api: httpx.AsyncClient) -> None:
    tag = (await api.post("/schedules", json=NIGHTLY)).headers["etag"]
    assert (await api.post(f"{PLACE}/trigger", json={})).status_code == 201
    assert (await api.get(PLACE)).json()["started"] == 1
    assert (await api.patch(PLACE, json={"note": "mine"}, headers=match(tag))).status_code == 200


@pytest.mark.parametrize("header", ["*", '"other", {tag}', "{tag}"])
async def test_one_of_several_tags_is_enough(api: httpx.AsyncClient, header: str) -> None:
    tag = (await api.post("/schedules", json=NIGHTLY)).headers["etag"]
    answer = await api.patch(PLACE, json={"note": "mine"}, headers=match(header.format(tag=tag)))
    assert answer.status_code == 200


async def test_a_change_between_look_and_write_is_seen(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that have seen the same: the second one's look is older than the first one's write."""
    await engine.schedules.create("nightly", "doubles", Schedule(Cron("0 2 * * *"), (4,)))
    seen, write = engine.schedules.plan("nightly"), engine.schedules._write
    others: list[Any] = ["1h"]

    async def overtaken(operation: Any) -> Any:
        if others:
            await engine.schedules.update("nightly", when=Every(others.pop()))
        return await write(operation)

    def check(plan: Any) -> None:
        if plan != seen:
            raise LookupError("changed")

    monkeypatch.setattr(engine.schedules, "_write", overtaken)
    with pytest.raises(LookupError):
        await engine.schedules.update("nightly", note="late", check=check)
    assert (engine.schedules.plan("nightly").rule, engine.schedules.plan("nightly").note) == (Every("1h"), "")


async def test_roles_that_were_changed_meanwhile_are_left_alone(visit: Visit, accounts: Accounts) -> None:
    root = await log_in(visit(), "root")
    users = {user["name"]: user for user in (await root.get("/users")).json()}
    tag = users["viewer"]["etag"]
    first = await root.patch("/users/viewer", json={"roles": {"default": "operator"}}, headers=match(tag))
    assert first.headers["etag"] == first.json()["etag"] != tag
    for request in (
        root.patch("/users/viewer", json={"roles": {}}, headers=match(tag)),
        root.patch("/users/viewer", json={"password": "another one"}, headers=match(tag)),
        root.delete("/users/viewer", headers=match(tag)),
    ):
        problem(await request, 412, "changed-meanwhile")
    assert accounts.user("viewer").roles == {"default": "operator"}
    assert (await root.delete("/users/viewer", headers=match(first.headers["etag"]))).status_code == 204


def test_a_new_password_does_not_come_undone_by_a_change_of_roles(accounts: Accounts) -> None:
    before, after = accounts.user("viewer").password, []

    def check(row: Any) -> None:
        if not after:  # in the middle of the change of roles
            accounts.set_password("viewer", "another one")
            after.append(accounts.user("viewer").password)

    accounts.set_roles("viewer", {"default": "operator"}, check=check)
    row = accounts.user("viewer")
    assert (row.password, row.roles) == (after[0], {"default": "operator"})
    assert row.password != before
