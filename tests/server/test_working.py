"""Serving a queue over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from api_kit import PASSWORD, QUICK, Time, problem, start, until

from segue import Engine, Retry, StepFailed, step, workflow
from segue.server.access import Known, Loopback
from segue.server.accounts import Accounts
from segue.server.app import application
from segue.server.client import ServerClient
from segue.server.listening import listen
from segue.server.within import within
from segue.server.working import ActivateBody, ResultBody, activate, complete


@step(name="working.charge", queue="payments", retry=Retry(attempts=2, initial="1ms", jitter=0))
async def charge(customer: str, amount: int = 1) -> str:
    raise NotImplementedError


@workflow(name="working.pays")
async def pays(customer: str, amount: int) -> str:
    try:
        return await charge(customer, amount)
    except StepFailed as error:
        return f"not paid: {error.failure.type}"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", workflows=[pays]) as engine:
        yield engine


async def taken(api: httpx.AsyncClient, **body: Any) -> list[dict[str, Any]]:
    answer = await api.post("/queues/payments/activate", json={"worker": "w", "wait": 20, **body})
    assert answer.status_code == 200, answer.text
    attempts: list[dict[str, Any]] = answer.json()["attempts"]
    return attempts


async def test_an_attempt_goes_all_the_way(api: httpx.AsyncClient) -> None:
    run = await start(api, "working.pays", "ann", 42, id="p-1")
    (got,) = await taken(api)
    assert (got["run"], got["step"], got["arguments"]) == ("p-1", "working.charge", {"customer": "ann", "amount": 42})
    at = f"/attempts/{got['token']}"
    assert (await api.post(f"{at}/heartbeat", json={"details": {"asked": 1}})).status_code == 204
    shown = await until(api, run, "waiting")
    assert shown["calls"][0]["state"] == "waiting"
    assert (await api.post(f"{at}/complete", json={"result": "paid"})).status_code == 204
    assert (await until(api, run, "completed"))["result"]["value"] == "paid"
    for what, body in (("complete", {"result": "paid"}), ("fail", {"message": "no"}), ("heartbeat", {})):
        refused = problem(await api.post(f"{at}/{what}", json=body), 409, "attempt-over")
        assert "is not waited for any more" in refused["detail"]


async def test_what_a_worker_says_is_kept_with_the_run(api: httpx.AsyncClient, engine: Engine) -> None:
    run = await start(api, "working.pays", "ann", 42)
    (got,) = await taken(api)
    at = f"/attempts/{got['token']}"
    said = {
        "progress": {"done": 3, "total": 4, "message": "asking the bank"},
        "lines": [{"text": "first", "ago": 60}, {"text": "second", "level": "WARNING", "stream": "log"}],
    }
    assert (await api.post(f"{at}/heartbeat", json=said)).status_code == 204
    lines = engine.logs(run)
    assert [(line.key, line.attempt, line.level, line.stream, line.text) for line in lines] == [
        ("/working.charge", 1, "INFO", "stdout", "first"), ("/working.charge", 1, "WARNING", "log", "second"),
    ]  # fmt: skip
    assert lines[1].at - lines[0].at >= 60_000_000
    (report,) = engine.reports(run)
    assert json.loads(report.text) == ["working.charge", {"done": 3.0, "total": 4.0, "message": "asking the bank"}]
    assert (await api.post(f"{at}/heartbeat", json={"lines": [{"text": "x" * 65_537}]})).status_code == 422
    assert (await api.post(f"{at}/complete", json={"result": "paid"})).status_code == 204
    problem(await api.post(f"{at}/heartbeat", json=said), 409, "attempt-over")
    assert len(engine.logs(run)) == 2, "what comes too late is dropped"


async def test_a_worker_gets_no_step_that_it_does_not_know(api: httpx.AsyncClient) -> None:
    await start(api, "working.pays", "ann", 42)
    assert await taken(api, wait=0.2, steps=["working.ship"]) == []
    assert len(await taken(api, steps=["working.ship", "working.charge"])) == 1


async def test_what_is_in_a_queue_is_told(api: httpx.AsyncClient, engine: Engine) -> None:
    assert (await api.get("/queues")).json() == []
    for n in range(3):
        await start(api, "working.pays", "ann", 42, id=f"p-{n}")
    await (await within(engine, "another").start(pays, "bob", 42)).status()
    got: list[dict[str, Any]] = []
    while len(got) < 3:
        got += await taken(api, worker="node-1", limit=3)
    for each in got[:2]:
        assert (await api.post(f"/attempts/{each['token']}/return")).status_code == 204
    wanted = {"namespace": "default", "app": "default", "queue": "payments", "waiting": 2, "paused": 0, "held": 1}

    async def told() -> dict[str, Any]:
        (found,) = (await api.get("/queues")).json()
        return dict(found)

    found = await told()
    since = found.pop("since")
    assert found == wanted | {"workers": {"node-1": 1}}
    assert 0 <= engine.clock.now() - since < 60_000_000
    assert (await api.post(f"/attempts/{got[2]['token']}/return")).status_code == 204
    assert (await told())["waiting"] == 3
    assert (await api.post("/steps/working.charge/pause", json={"reason": "no money"})).status_code == 204
    assert (await told())["paused"] == 3
    assert (await told())["since"] is None


async def test_failures_are_the_retry_policys(api: httpx.AsyncClient) -> None:
    run = await start(api, "working.pays", "ann", 42)
    numbers = []
    for _ in range(2):
        (got,) = await taken(api)
        numbers.append(got["attempt"])
        body = {"type": "ECONNRESET", "message": "the line is dead", "traceback": "at charge.js:3", "details": [1]}
        assert (await api.post(f"/attempts/{got['token']}/fail", json=body)).status_code == 204
    assert numbers == [1, 2]
    picture = await until(api, run, "completed")
    assert picture["result"]["value"] == "not paid: ECONNRESET"
    assert picture["calls"][0]["tries"][0]["worker"] == "w"
    assert picture["calls"][0]["failure"]["traceback"] == "at charge.js:3"


async def test_who_waits_gets_work_when_it_comes(api: httpx.AsyncClient) -> None:
    waiting = asyncio.create_task(taken(api, limit=3))
    assert await taken(api, wait=0) == []
    await start(api, "working.pays", "ann", 42)
    assert len(await waiting) == 1


async def test_two_workers_never_hold_one_attempt(api: httpx.AsyncClient) -> None:
    for n in range(6):
        await start(api, "working.pays", "ann", n)
    first, second = await asyncio.gather(taken(api, worker="a", limit=3), taken(api, worker="b", limit=3))
    held = [each["token"] for each in first + second]
    assert len(set(held)) == len(held)
    while len(held) < 6:
        held += [each["token"] for each in await taken(api)]
    assert len(set(held)) == 6


@pytest.mark.parametrize("body", [
    {}, {"worker": ""}, {"worker": "w", "limit": 0}, {"worker": "w", "lease": 0}, {"worker": "w", "wait": 3600},
    {"worker": "w", "extra": 1},
])  # fmt: skip
async def test_what_cannot_be_asked_is_refused(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await api.post("/queues/payments/activate", json=body)).status_code == 422


@pytest.mark.parametrize("token", ["x", "MQ", "MQoxCnh4CmtleQ", "LTEKMQp4Cmtl"])
async def test_a_token_that_is_none_is_refused(api: httpx.AsyncClient, token: str) -> None:
    assert (await api.post(f"/attempts/{token}/complete", json={})).status_code in (409, 422)


async def test_a_worker_serves_the_queue_of_its_namespace(api: httpx.AsyncClient, engine: Engine) -> None:
    handle = await within(engine, "eu").start(pays, "ann", 42)
    assert await taken(api, wait=0) == []
    eu = {"namespace": "eu"}
    answer = await api.post("/queues/payments/activate", params=eu, json={"worker": "w", "wait": 20})
    (got,) = answer.json()["attempts"]
    at = f"/attempts/{got['token']}"
    for what, body in (("complete", {"result": "paid"}), ("fail", {"message": "no"}), ("heartbeat", {})):
        refused = problem(await api.post(f"{at}/{what}", json=body), 409, "attempt-over")
        assert "belongs to no run" in refused["detail"]
    assert (await api.post(f"{at}/heartbeat", params=eu, json={})).status_code == 204
    assert (await api.post(f"{at}/complete", params=eu, json={"result": "paid"})).status_code == 204
    assert await handle.result() == "paid"


async def test_a_key_may_serve_queues_and_nothing_else(engine: Engine) -> None:
    accounts = Accounts(engine.store.accounts, Time(), QUICK)
    accounts.add_user("dev", PASSWORD, {"default": "developer"})
    secret, _ = accounts.add_key("dev", "worker", frozenset({"steps:work"}), namespace="default", expires_at=None)
    looks, _ = accounts.add_key("dev", "looks", frozenset({"runs:read"}), namespace="default", expires_at=None)
    app = application(engine, Known(accounts, engine.namespace), accounts=accounts)
    transport = httpx.ASGITransport(app, client=("10.0.0.7", 1))
    base = "https://segue.example/api/v1"
    async with httpx.AsyncClient(transport=transport, base_url=base) as api:
        asked = {"worker": "w"}
        for key, status in ((secret, 200), (looks, 403)):
            headers = {"authorization": f"Bearer {key}"}
            answer = await api.post("/queues/payments/activate", json=asked, headers=headers)
            assert answer.status_code == status
        assert (await api.get("/runs", headers={"authorization": f"Bearer {secret}"})).status_code == 403
        assert (await api.post("/queues/payments/activate", json=asked)).status_code == 401


async def test_a_worker_in_python(engine: Engine) -> None:
    listening = listen(application(engine, Loopback("ann")), port=0)
    async with ServerClient(listening.url) as server:
        run = await server.start("working.pays", "ann", 42)
        work = await server.ask(activate, queue="payments", body=ActivateBody("python", wait=20))
        for each in work.attempts:
            await server.ask(complete, token=each.token, body=ResultBody(f"{each.arguments['customer']} paid"))
        async for event in server.events(run.run):
            last = event
    await listening.close()
    assert last.fields["result"]["value"] == "ann paid"
