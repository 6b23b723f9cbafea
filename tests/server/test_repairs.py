"""Repairing runs over the API: one, many, and whole steps; each with who did it."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
import pytest
from api_kit import problem, start, until

from segue import Engine
from segue.stores.base import RunFilter


async def actors(api: httpx.AsyncClient, run: int, event: str) -> list[str | None]:
    events = (await api.get(f"/runs/{run}/events")).json()["events"]
    return [each.get("actor") for each in events if each["event"] == event]


async def test_what_a_person_does_is_journaled_with_their_name(api: httpx.AsyncClient) -> None:
    run = await start(api, "waits", 2)
    await until(api, run, "waiting")
    assert (await api.post(f"/runs/{run}/signal", json={"name": "more", "value": "a"})).status_code == 204
    assert (await api.post(f"/runs/{run}/update", json={"name": "add", "arguments": ["b"]})).status_code == 200
    await api.post(f"/runs/{run}/signal", json={"name": "more", "value": "c"})
    await until(api, run, "completed")
    for event in ("RunStarted", "SignalReceived", "UpdateAccepted"):
        assert set(await actors(api, run, event)) == {"user:ann"}, event
    other = await start(api, "waits")
    await api.post(f"/runs/{other}/cancel", json={})
    await until(api, other, "cancelled")
    assert await actors(api, other, "CancelRequested") == ["user:ann"]
    third = await start(api, "waits")
    await api.post(f"/runs/{third}/terminate", json={})
    await until(api, third, "terminated")
    assert await actors(api, third, "RunTerminated") == ["user:ann"]


async def test_a_run_is_paused_and_goes_on(api: httpx.AsyncClient) -> None:
    run = await start(api, "waits", 1)
    await until(api, run, "waiting")
    assert (await api.post(f"/runs/{run}/pause", json={"reason": "lunch"})).status_code == 204
    await until(api, run, "paused")
    await api.post(f"/runs/{run}/signal", json={"name": "more", "value": "a"})
    assert (await api.get(f"/runs/{run}")).json()["run"]["state"] == "paused"
    assert (await api.post(f"/runs/{run}/resume", json={})).status_code == 204
    await until(api, run, "completed")
    assert (await actors(api, run, "Paused"), await actors(api, run, "Resumed")) == (["user:ann"], ["user:ann"])
    problem(await api.post(f"/runs/{run}/pause", json={}), 409, "run-closed")


async def test_a_call_is_answered_in_its_callees_place(api: httpx.AsyncClient) -> None:
    run = await start(api, "stands", "x")
    await until(api, run, "incident")
    wrong = await api.post(f"/runs/{run}/skip", json={"call": "guarded", "result": {"no": "text"}})
    assert "another type" in problem(wrong, 422, "invalid-argument")["detail"]
    problem(await api.post(f"/runs/{run}/skip", json={"call": "nothing"}), 409, "not-repairable")
    done = await api.post(f"/runs/{run}/skip", json={"call": "guarded", "result": "by hand"})
    assert "answered with the result" in done.json()["action"]
    assert (await until(api, run, "completed"))["result"]["value"] == "by hand"
    assert await actors(api, run, "Modified") == ["user:ann"]


async def test_a_step_gets_other_arguments(api: httpx.AsyncClient) -> None:
    run = await start(api, "stands", "x")
    await until(api, run, "incident")
    body = {"call": "guarded", "named": {"by": "y"}}
    assert (await api.post(f"/runs/{run}/input", json=body)).status_code == 200
    assert (await api.post(f"/runs/{run}/retry", json={})).status_code == 204
    assert (await until(api, run, "completed"))["result"]["value"] == "y"
    assert await actors(api, run, "IncidentResolved") == ["user:ann"]


async def test_a_part_runs_again_and_a_fork_goes_on_elsewhere(api: httpx.AsyncClient) -> None:
    run = await start(api, "doubles", 4, id="first")
    await until(api, run, "completed")
    seen = (await api.get(f"/runs/{run}/preview", params={"step": "start"})).json()
    assert (seen["again"], seen["refused"]) == (["/double"], "")
    refused = (await api.get(f"/runs/{run}/preview", params={"step": "nothing"})).json()
    assert "nothing" in refused["refused"]
    again = (await api.post(f"/runs/{run}/rerun", json={"step": "start", "input": [5]})).json()
    assert (again["id"], again["run"] != run) == ("first", True)
    assert (await until(api, again["run"], "completed"))["result"]["value"] == 10
    fork = {"step": "start", "id": "second", "input": [6]}
    one, two = [(await api.post(f"/runs/{run}/fork", json=fork)).json() for _ in range(2)]
    assert (one["run"], one["id"]) == (two["run"], "second")
    assert (await until(api, one["run"], "completed"))["result"]["value"] == 12
    assert "user:ann" in await actors(api, one["run"], "Modified") + await actors(api, one["run"], "RunStarted")
    problem(await api.post(f"/runs/{run}/fork", json={"step": "start", "input": ["x"]}), 422, "invalid-argument")
    problem(await api.post(f"/runs/{run}/rerun", json={"step": "nothing"}), 409, "not-repairable")


async def test_what_keeps_a_part_from_running_again_is_said_in_words_of_http(api: httpx.AsyncClient) -> None:
    run = await start(api, "waits", 1, id="first")
    assert (await api.post(f"/runs/{run}/signal", json={"name": "more", "value": "a"})).status_code == 204
    await until(api, run, "completed")
    again = (await api.post(f"/runs/{run}/rerun", json={"step": "start"})).json()["run"]
    await until(api, again, "waiting")
    answer = await api.post(f"/runs/{run}/rerun", json={"step": "start", "input": [2]})
    told = problem(answer, 409, "run-already-exists")["detail"]
    assert "this one is waiting; what runs again takes that id: let the run that has it end first, or fork" in told
    answer = await api.post(f"/runs/{run}/fork", json={"step": "start", "id": "first", "input": [2]})
    told += problem(answer, 409, "run-already-exists")["detail"]
    assert told.endswith("choose another id")
    assert "on_conflict" not in told


async def test_of_a_chain_the_last_run_is_repaired(api: httpx.AsyncClient, engine: Engine) -> None:
    first = await start(api, "stands_later", "x", 1, id="chain")
    await until(api, first, "continued")
    latest = engine.store.latest(first)
    assert latest is not None
    await until(api, latest.run, "incident")
    for act, body in (("retry", {}), ("skip", {"call": "/guarded", "result": "by hand"})):
        told = problem(await api.post(f"/runs/{first}/{act}", json=body), 409, "run-closed")["detail"]
        assert told == (
            f"run 'chain' is continued and takes no more messages; run {latest.run} goes on from it: ask that one"
        )
    await api.post(f"/runs/{latest.run}/skip", json={"call": "/guarded", "result": "by hand"})
    assert (await until(api, latest.run, "completed"))["result"]["value"] == "by hand"


# --- many -----------------------------------------------------------------------------------------------------


async def test_many_runs_are_looked_at_and_then_acted_on(api: httpx.AsyncClient, engine: Engine) -> None:
    open_runs = [await start(api, "waits", id=f"w-{n}") for n in range(3)]
    done = await start(api, "doubles", 1, id="w-done")
    await until(api, done, "completed")
    body: dict[str, Any] = {"act": {"do": "pause", "reason": "stop"}, "where": {"id": "w-"}}
    seen = (await api.post("/runs/bulk/preview", json=body)).json()
    assert (seen["chosen"], seen["possible"], len(seen["effects"])) == (4, 3, 4)
    assert [row.state for row in engine.store.list(RunFilter(states=("paused",)))] == [], "nothing was changed"
    problem(await api.post("/runs/bulk", json=body | {"expect": 3}), 409, "others-chosen")
    outcome = (await api.post("/runs/bulk", json=body | {"expect": 4})).json()
    assert (outcome["chosen"], outcome["done"]) == (4, 3)
    assert outcome["outcomes"][0]["id"] == "w-done", "what was not done comes first"
    for run in open_runs:
        await until(api, run, "paused")
        assert await actors(api, run, "Paused") == ["user:ann"]
    again = (await api.post("/runs/bulk", json=body)).json()
    assert again["done"] == 0, "twice does no more than once"
    named = {"act": {"do": "resume"}, "runs": open_runs[:2]}
    assert (await api.post("/runs/bulk", json=named)).json()["done"] == 2
    for do, state in (("cancel", "cancelled"), ("terminate", "terminated")):
        run = await start(api, "waits")
        assert (await api.post("/runs/bulk", json={"act": {"do": do}, "runs": [run]})).json()["done"] == 1
        await until(api, run, state)


async def test_many_runs_that_stand_still_are_repaired(api: httpx.AsyncClient) -> None:
    runs = [await start(api, "stands", "x") for _ in range(2)]
    for run in runs:
        await until(api, run, "incident")
    where = {"state": ["incident"], "workflow": "stands"}
    seen = (await api.post("/runs/bulk/preview", json={"act": {"do": "retry"}, "where": where})).json()
    assert [effect["again"] for effect in seen["effects"]] == [["/guarded"]] * 2
    skip = {"do": "skip", "call": "guarded", "result": "z"}
    assert (await api.post("/runs/bulk", json={"act": skip, "where": where})).json()["done"] == 2
    for run in runs:
        assert (await until(api, run, "completed"))["result"]["value"] == "z"
    rerun = {"act": {"do": "rerun", "step": "start"}, "runs": runs[:1]}
    assert (await api.post("/runs/bulk", json=rerun)).json()["done"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"act": {"do": "cancel"}},
        {"act": {"do": "cancel"}, "where": {}},
        {"act": {"do": "cancel"}, "where": {"state": ["open"]}, "runs": [1]},
        {"act": {"do": "retry", "arguments": [1]}, "where": {"state": ["open"]}},
        {"act": {"do": "erase"}, "where": {"state": ["open"]}},
        {"act": {"do": "cancel"}, "where": {"state": ["odd"]}},
        {"act": {"do": "cancel"}, "runs": list(range(10_001))},
    ],
)
async def test_runs_that_are_not_chosen_are_not_touched(api: httpx.AsyncClient, body: Any) -> None:
    run = await start(api, "waits")
    problem(await api.post("/runs/bulk", json=body), 422, "invalid-argument")
    await until(api, run, "waiting")


# --- steps ----------------------------------------------------------------------------------------------------


async def test_a_step_is_paused_in_all_runs(api: httpx.AsyncClient) -> None:
    assert (await api.post("/steps/double/pause", json={"reason": "the bank is down"})).status_code == 204
    (paused,) = (await api.get("/steps/paused")).json()
    assert (paused["step"], paused["by"], paused["reason"]) == ("double", "ann", "the bank is down")
    run = await start(api, "doubles", 4)
    await until(api, run, "paused", "waiting")
    assert (await api.post("/steps/double/resume", json={})).status_code == 204
    await until(api, run, "completed")
    problem(await api.post("/steps/double/resume", json={}), 400, "caller-error")
    assert (await api.post("/steps/take%2Fback/pause", json={})).status_code == 204
    assert [each["step"] for each in (await api.get("/steps/paused")).json()] == ["take/back"]
    assert (await api.post("/steps/take%2Fback/resume", json={})).status_code == 204


# --- what belongs to a run ------------------------------------------------------------------------------------


async def test_children_and_artifacts_of_a_run(api: httpx.AsyncClient) -> None:
    run = await start(api, "parent", 2)
    await until(api, run, "completed")
    page = (await api.get(f"/runs/{run}/children", params={"limit": 1})).json()
    assert (len(page["runs"]), page["runs"][0]["parent"], page["next"] is not None) == (1, run, True)
    found = {each["name"]: each for each in (await api.get(f"/runs/{run}/artifacts")).json()}
    assert (found["note"]["value"], found["note"]["kind"], found["note"]["cut"]) == ("<b>hi</b>", "markdown", False)
    assert (found["large"]["value"], found["large"]["cut"]) == (None, True)
    whole = (await api.get(f"/runs/{run}/artifact", params={"name": "large"})).json()
    assert (len(whole["value"]), whole["size"], whole["cut"]) == (100_000, 100_002, False)
    problem(await api.get(f"/runs/{run}/artifact", params={"name": "none"}), 422, "invalid-argument")
