"""Idempotency keys: a request that is sent again is answered as the first time, and carried out once."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from hashlib import blake2b
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from api_kit import Visit, log_in, problem, start, until

from segue import Engine, signal, update, workflow
from segue.encodings.aesgcm import AesGcm
from segue.errors import StoreUnavailable
from segue.server import once as module
from segue.server.access import Loopback
from segue.server.app import application
from segue.stores.base import RunFilter


@workflow
async def says() -> None:
    @update
    def say(text: str) -> str:
        return f"said: {text}"

    await signal("stop")


DOUBLES = {"workflow": "doubles", "input": [4]}


def keyed(key: str) -> dict[str, str]:
    return {"idempotency-key": key}


async def test_a_repeated_start_is_one_run_and_one_answer(api: httpx.AsyncClient, engine: Engine) -> None:
    first, second = [await api.post("/runs", json=DOUBLES, headers=keyed("a")) for _ in range(2)]
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    assert (await api.post("/runs", json=DOUBLES, headers=keyed("b"))).json()["run"] != first.json()["run"]
    assert len(engine.store.list(RunFilter())) == 2


async def test_what_cannot_be_repeated_by_nature_is_carried_out_once(api: httpx.AsyncClient) -> None:
    schedule = DOUBLES | {"name": "nightly", "when": {"type": "cron", "line": "@daily"}}
    made = [await api.post("/schedules", json=schedule, headers=keyed("a")) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    runs = [(await api.post("/schedules/nightly/trigger", json={}, headers=keyed("b"))).json()["run"] for _ in "12"]
    assert runs[0] == runs[1]
    gone = [await api.delete("/schedules/nightly", headers=keyed("c")) for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in gone] == [(204, b"")] * 2


async def test_a_refusal_is_not_kept(api: httpx.AsyncClient) -> None:
    body = {"workflow": "doubles", "input": [1], "id": "taken", "on_conflict": "fail"}
    run = await start(api, "doubles", 2, id="taken")
    await until(api, run, "completed")
    problem(await api.post("/runs", json=body, headers=keyed("a")), 409, "run-already-exists")
    await api.post(f"/runs/{run}/rerun", json={"step": "start"})
    problem(await api.post("/runs", json=body, headers=keyed("a")), 409, "run-already-exists")


async def test_a_key_is_for_one_request_of_one_caller(visit: Visit) -> None:
    ann, bob = await log_in(visit(), "developer"), await log_in(visit(), "root")
    first = await ann.post("/runs", json=DOUBLES, headers=keyed("a"))
    problem(await ann.post("/runs", json=DOUBLES | {"input": [5]}, headers=keyed("a")), 422, "key-used")
    problem(await ann.post(f"/runs/{first.json()['run']}/cancel", json={}, headers=keyed("a")), 422, "key-used")
    other = await bob.post("/runs", json=DOUBLES, headers=keyed("a"))
    assert other.json()["run"] != first.json()["run"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_what_is_no_key_is_refused(api: httpx.AsyncClient, engine: Engine, key: str) -> None:
    problem(await api.post("/runs", json=DOUBLES, headers=keyed(key)), 422, "invalid-argument")
    assert engine.store.list(RunFilter()) == []


async def test_two_at_once_are_not_both_carried_out(api: httpx.AsyncClient, engine: Engine) -> None:
    answers = await asyncio.gather(*(api.post("/runs", json=DOUBLES, headers=keyed("a")) for _ in range(5)))
    codes = {answer.status_code for answer in answers}
    assert 201 in codes
    assert codes <= {201, 409}
    assert len(engine.store.list(RunFilter())) == 1


async def test_a_request_whose_server_died_is_carried_out_when_it_is_repeated(
    api: httpx.AsyncClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = engine.store.accounts

    def dies(*args: Any) -> None:
        raise StoreUnavailable("the test says so")

    with monkeypatch.context() as patched:
        patched.setattr(rows, "keep_answer", dies)
        problem(await api.post("/runs", json=DOUBLES, headers=keyed("a")), 503, "store-unavailable")
    again = await api.post("/runs", json=DOUBLES, headers=keyed("a"))
    problem(again, 409, "under-way")
    assert again.headers["retry-after"] == "1"
    monkeypatch.setattr(module, "PATIENCE", -1)
    assert (await api.post("/runs", json=DOUBLES, headers=keyed("a"))).status_code == 201
    assert len(engine.store.list(RunFilter())) == 1, "the engine knows the run by its key"


async def test_what_is_kept_of_an_answer_is_sealed(tmp_path: Path) -> None:
    codec = AesGcm({"k": os.urandom(32)})
    async with Engine(f"sqlite:///{tmp_path}/s.db", workflows=[says], codec=codec) as engine:
        transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as api:
            run = await start(api, "says")
            body = {"name": "say", "arguments": ["my secret"]}
            first, second = [await api.post(f"/runs/{run}/update", json=body, headers=keyed("a")) for _ in range(2)]
            assert first.json() == second.json() == {"value": "said: my secret"}
            assert second.headers["idempotency-replayed"] == "true"
        (kept,) = sqlite3.connect(tmp_path / "s.db").execute("SELECT request, body FROM segue_answers").fetchall()
    asked = f"POST /api/v1/runs/{run}/update\0".encode() + first.request.content
    assert b"secret" not in kept[1]
    assert kept[0] != blake2b(asked, digest_size=16).hexdigest(), "who guesses what was asked cannot tell that it was"
