"""Entity tags: what somebody has is not sent again, and what they have not seen is not written over."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from api_kit import Visit, log_in, problem, start, until

from segue import Cron, Engine, Every, Schedule, progress, signal, step, workflow
from segue.server.access import Loopback
from segue.server.accounts import Accounts
from segue.server.app import application

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


# --- what somebody has is not sent again ------------------------------------------------------------------------


class Reader:
    """Asks for one address again and again, with the tag of the answer before."""

    def __init__(self, api: httpx.AsyncClient, path: str) -> None:
        self._api = api
        self._path = path
        self.tag = ""
        self.found: Any = None

    async def changed(self) -> bool:
        """Whether there was anything to be sent."""
        answer = await self._api.get(self._path, headers={"if-none-match": self.tag})
        assert answer.headers["cache-control"] == "no-store"
        before, self.tag = self.tag, answer.headers["etag"]
        if answer.status_code == 304:
            assert (answer.content, self.tag) == (b"", before)
            return False
        assert answer.status_code == 200, answer.text
        assert self.tag != before
        self.found = answer.json()
        return True


async def test_a_run_is_sent_when_it_has_changed(api: httpx.AsyncClient) -> None:
    run = await start(api, "waits", 2)
    await until(api, run, "waiting")
    readers = [Reader(api, f"/runs/{run}{rest}") for rest in ("", "?plain=true", "/events")]

    async def changed() -> list[bool]:
        return [await reader.changed() for reader in readers]

    assert (await changed(), await changed()) == ([True] * 3, [False] * 3)
    other = await start(api, "doubles", 1)
    await until(api, other, "completed")
    assert await changed() == [False] * 3, "what others do is nothing to it"
    await api.post(f"/runs/{run}/signal", json={"name": "more", "value": "a"})
    assert (await changed(), await changed()) == ([True] * 3, [False] * 3)
    await api.post(f"/runs/{run}/pause", json={"reason": "lunch"})
    await until(api, run, "paused")
    assert (await changed(), await changed()) == ([True] * 3, [False] * 3)
    await api.post(f"/runs/{run}/terminate", json={})
    await until(api, run, "terminated")
    assert (await changed(), await changed()) == ([True] * 3, [False] * 3)
    assert readers[0].found["run"]["state"] == "terminated"


async def test_a_run_that_was_erased_is_sent(api: httpx.AsyncClient, engine: Engine) -> None:
    run = await start(api, "doubles", 4)
    await until(api, run, "completed")
    picture, events = Reader(api, f"/runs/{run}"), Reader(api, f"/runs/{run}/events?limit=1")
    await picture.changed()
    await events.changed()
    await engine.erase(run, by="ann")
    assert await picture.changed()
    assert await events.changed()
    assert "4" not in str(events.found["events"][0]["fields"]["input"]["value"])


async def test_a_run_is_sent_when_one_of_its_children_has_changed(own: httpx.AsyncClient) -> None:
    run = await start(own, "adopts")
    await until(own, run, "waiting")
    (child,) = (await own.get(f"/runs/{run}/children")).json()["runs"]
    await until(own, child["run"], "waiting")
    reader = Reader(own, f"/runs/{run}")
    assert (await reader.changed(), await reader.changed()) == (True, False)
    await own.post(f"/runs/{child['run']}/pause", json={})
    await until(own, child["run"], "paused")
    assert await reader.changed()
    assert [each["run"]["state"] for each in reader.found["children"].values()] == ["paused"]


GATES: list[asyncio.Event] = []


@step
async def reports() -> None:
    for done, gate in enumerate(GATES):
        progress(done, 2)
        await gate.wait()


@workflow(name="holds")
async def holds() -> str:
    return await signal("more", str)


@workflow(name="adopts")
async def adopts() -> str:
    return await holds()


@workflow(name="works")
async def works() -> None:
    await reports()


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with Engine(f"sqlite:///{tmp_path}/own.db", workflows=[holds, adopts, works]) as engine:
        transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:
            yield client


async def test_what_a_step_reports_is_sent(own: httpx.AsyncClient) -> None:
    GATES[:] = [asyncio.Event(), asyncio.Event()]
    run = await start(own, "works")
    reader, seen = Reader(own, f"/runs/{run}"), -1
    for done, gate in enumerate(GATES):
        async with asyncio.timeout(20):
            while seen < done:
                await asyncio.sleep(0)
                if await reader.changed():
                    told = [call["progress"]["done"] for call in reader.found["calls"] if call.get("progress")]
                    seen = max(told, default=-1)
        assert not await reader.changed()
        gate.set()
    await until(own, run, "completed")


async def test_a_run_with_very_many_children_is_always_sent(api: httpx.AsyncClient) -> None:
    run = await start(api, "parent", 51)
    await until(api, run, "completed")
    answer = await api.get(f"/runs/{run}", headers={"if-none-match": "*"})
    assert (answer.status_code, "etag" in answer.headers) == (200, False)


async def test_a_workflow_is_sent_when_its_file_was_written(api: httpx.AsyncClient, engine: Engine) -> None:
    readers = [Reader(api, path) for path in ("/workflows", "/workflows/doubles", "/workflows/doubles/outline")]
    assert [await reader.changed() for reader in readers] == [True] * 3
    assert [await reader.changed() for reader in readers] == [False] * 3
    found = engine.definitions.workflow("doubles")
    assert found is not None
    file = inspect.getfile(found.function)
    times = os.stat(file).st_atime_ns, os.stat(file).st_mtime_ns
    os.utime(file, ns=(times[0], times[1] + 1_000))
    try:
        assert [await reader.changed() for reader in readers] == [True] * 3
    finally:
        os.utime(file, ns=times)


@pytest.mark.parametrize(("header", "status"), [("W/{tag}", 304), ('"x", {tag}', 304), ("*", 304), ('"x"', 200)])
async def test_tags_are_compared_as_the_standard_says(api: httpx.AsyncClient, header: str, status: int) -> None:
    run = await start(api, "doubles", 1)
    await until(api, run, "completed")
    tag = (await api.get(f"/runs/{run}")).headers["etag"]
    answer = await api.get(f"/runs/{run}", headers={"if-none-match": header.format(tag=tag)})
    assert answer.status_code == status


async def test_who_may_not_see_it_learns_nothing_by_a_tag(visit: Visit, engine: Engine) -> None:
    ann = await log_in(visit(), "developer")
    run = await start(ann, "doubles", 1)
    await until(ann, run, "completed")
    tag = {"if-none-match": (await ann.get(f"/runs/{run}")).headers["etag"]}
    problem(await visit().get(f"/runs/{run}", headers=tag), 401, "unknown-caller")
    stranger = await log_in(visit(), "stranger")
    problem(await stranger.get(f"/runs/{run}", headers=tag), 403, "not-allowed")
    problem(await ann.get("/runs/999", headers={"if-none-match": "*"}), 404, "run-not-found")
