"""Acting on runs over the API, and people's tasks."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
import pytest
from api_kit import problem, start, until

from segue import Engine


async def test_a_run_is_signalled_asked_updated_and_ends(api: httpx.AsyncClient) -> None:
    run = await start(api, "waits", 3)
    await until(api, run, "waiting")
    assert (await api.post(f"/runs/{run}/signal", json={"name": "more", "value": "a"})).status_code == 204
    assert (await api.post(f"/runs/{run}/update", json={"name": "add", "arguments": ["b"]})).json() == {"value": 2}
    assert (await api.post(f"/runs/{run}/query", json={"name": "so_far"})).json() == {"value": ["a", "b"]}
    once = {"name": "more", "value": "c", "message": "m1"}
    assert (await api.post(f"/runs/{run}/signal", json=once)).status_code == 204
    assert (await until(api, run, "completed"))["result"]["value"] == ["a", "b", "c"]


async def test_the_same_id_with_the_same_input_is_the_same_run(api: httpx.AsyncClient) -> None:
    assert await start(api, "doubles", 1, id="a") == await start(api, "doubles", 1, id="a")
    answer = await api.post("/runs", json={"workflow": "doubles", "input": [2], "id": "a"})
    assert "other input" in problem(answer, 409, "run-already-exists")["detail"]


@pytest.mark.parametrize(("act", "state"), [("cancel", "cancelled"), ("terminate", "terminated")])
async def test_a_run_is_ended(api: httpx.AsyncClient, act: str, state: str) -> None:
    run = await start(api, "waits")
    await until(api, run, "waiting")
    assert (await api.post(f"/runs/{run}/{act}", json={"reason": "no more"})).status_code == 204
    await until(api, run, state)
    problem(await api.post(f"/runs/{run}/signal", json={"name": "more"}), 409, "run-closed")


async def test_a_task_is_answered_by_whoever_is_known_to_ask(api: httpx.AsyncClient) -> None:
    run = await start(api, "asks", 100)
    await until(api, run, "waiting")
    (task,) = (await api.get("/tasks", params={"assignee": "manager"})).json()["tasks"]
    assert task["subject"] == {"amount": 100}
    assert task["form"]["$defs"]["Approval"]["properties"].keys() >= {"approved"}
    assert (await api.get(f"/tasks/{task['task']}")).json() == task
    wrong = await api.post(f"/tasks/{task['task']}/complete", json={"answer": {"approved": "perhaps"}})
    problem(wrong, 422, "invalid-argument")
    answer = {"answer": {"approved": True}}
    assert (await api.post(f"/tasks/{task['task']}/complete", json=answer)).status_code == 204
    assert (await until(api, run, "completed"))["result"]["value"] is True
    problem(await api.post(f"/tasks/{task['task']}/complete", json=answer), 400, "caller-error")
    (closed,) = (await api.get("/tasks", params={"state": "completed"})).json()["tasks"]
    assert closed["closed_by"] == "ann"
    problem(await api.get("/tasks/999"), 404, "task-not-found")
    problem(await api.get(f"/tasks/{2**63}"), 404, "task-not-found")


async def test_tasks_come_page_by_page_with_counts(api: httpx.AsyncClient, engine: Engine) -> None:
    for amount in range(5):
        await until(api, await start(api, "asks", amount), "waiting")
    everything = await engine.tasks()
    numbers = [each.task for each in everything]
    assert numbers == sorted(numbers), "none is due: the first that was opened comes first"
    await engine.claim_task(everything[4], by="ann")
    await engine.claim_task(everything[0], by="bob")
    seen, after, counts = [], None, []
    while True:
        page = (await api.get("/tasks", params={"limit": 2} | ({} if after is None else {"after": after}))).json()
        seen += [[each["task"] for each in page["tasks"]]]
        counts.append(page["counts"])
        if (after := page["next"]) is None:
            break
    assert seen == [numbers[:2], numbers[2:4], numbers[4:]]
    assert counts == [{"open": 5, "overdue": 0, "mine": 1, "most": 10_000}, None, None]
    mine = (await api.get("/tasks", params={"claimed_by": "ann"})).json()
    assert ([each["task"] for each in mine["tasks"]], mine["next"]) == (numbers[4:], None)
    assert (await api.get("/tasks", params={"overdue": True})).json()["tasks"] == []
    pages = [await engine.tasks(limit=3), await engine.tasks(limit=3, after=everything[2])]
    assert [[each.task for each in page] for page in pages] == [numbers[:3], numbers[3:]]
    for wrong in ("", "7", "7.x", "-1.2", f"{1 << 63}.1", "1.99999999999999999999"):
        problem(await api.get("/tasks", params={"after": wrong}), 422, "invalid-argument")


async def test_a_task_is_handed_to_somebody_else(api: httpx.AsyncClient, engine: Engine) -> None:
    await until(api, await start(api, "asks", 100), "waiting")
    (task,) = (await api.get("/tasks")).json()["tasks"]
    place = f"/tasks/{task['task']}"
    assert (await api.post(f"{place}/claim", json={})).status_code == 204
    problem(await api.post(f"{place}/hand", json={"to": "bob"}), 409, "task-claimed")
    for _ in range(2):  # the second time it is theirs already
        assert (await api.post(f"{place}/hand", json={"to": "bob", "over": "ann"})).status_code == 204
    assert (await api.get(place)).json()["claimed_by"] == "bob"
    problem(await api.post(f"{place}/hand", json={"to": "eve", "over": "ann"}), 409, "task-claimed")
    problem(await api.post(f"{place}/hand", json={"to": "", "over": "bob"}), 422, "invalid-argument")
    assert (await api.post(f"{place}/hand", json={"to": "eve", "over": "bob"})).status_code == 204
    notes = (await api.get(f"{place}/notes")).json()
    told = [("ann", "claimed", ""), ("ann", "handed", "bob"), ("ann", "handed", "eve")]
    assert [(note["actor"], note["kind"], note["text"]) for note in notes] == told
    assert (await api.post(f"{place}/complete", json={"answer": {"approved": True}})).status_code == 204
    problem(await api.post(f"{place}/hand", json={"to": "bob", "over": "eve"}), 400, "caller-error")


async def test_people_share_tasks_out_and_comment_on_them(api: httpx.AsyncClient, engine: Engine) -> None:
    run = await start(api, "asks", 100)
    await until(api, run, "waiting")
    (task,) = (await api.get("/tasks")).json()["tasks"]
    place = f"/tasks/{task['task']}"
    assert task["claimed_by"] is None
    (row,) = await engine.tasks()
    await engine.claim_task(row, by="bob")
    refused = problem(await api.post(f"{place}/claim", json={}), 409, "task-claimed")
    assert "has been claimed by 'bob'" in refused["detail"]
    problem(await api.post(f"{place}/release", json={}), 409, "task-claimed")
    for _ in range(2):  # the second time it is theirs already
        assert (await api.post(f"{place}/claim", json={"over": "bob"})).status_code == 204
    shown = (await api.get(place)).json()
    assert (shown["claimed_by"], shown["claimed_at"] >= row.opened_at) == ("ann", True)
    assert (await api.post(f"{place}/comments", json={"text": "call <b>first</b>\nthen sign"})).status_code == 204
    for text in ("", " \n", "x" * 10_001, "nul \0"):
        problem(await api.post(f"{place}/comments", json={"text": text}), 422, "invalid-argument")
    problem(await api.post(f"{place}/claim", json={"over": "\0"}), 422, "invalid-argument")
    assert (await api.post(f"{place}/release", json={})).status_code == 204
    notes = (await api.get(f"{place}/notes")).json()
    assert [(note["actor"], note["kind"], note["text"]) for note in notes] == [
        ("bob", "claimed", ""), ("ann", "claimed", ""), ("ann", "commented", "call <b>first</b>\nthen sign"),
        ("ann", "released", ""),
    ]  # fmt: skip
    # A claim keeps nobody from answering: no task waits for somebody who is away.
    await engine.claim_task(row, by="bob")
    assert (await api.post(f"{place}/complete", json={"answer": {"approved": True}})).status_code == 204
    await until(api, run, "completed")
    problem(await api.post(f"{place}/claim", json={}), 400, "caller-error")
    problem(await api.post(f"{place}/comments", json={"text": "too late"}), 400, "caller-error")
    assert len((await api.get(f"{place}/notes")).json()) == 5


@pytest.mark.parametrize(
    ("body", "status", "type"),
    [
        ({"workflow": "nothing"}, 404, "unknown-workflow"),
        ({"workflow": "doubles"}, 422, "invalid-argument"),
        ({"workflow": "doubles", "input": ["x"]}, 422, "invalid-argument"),
        ({"workflow": "doubles", "input": 1}, 422, "invalid-argument"),
        ({"workflow": "doubles", "input": [1], "on_conflict": "maybe"}, 422, "invalid-argument"),
        ({"workflow": "doubles", "input": [1], "colour": "red"}, 422, "invalid-argument"),
        ({"workflow": "doubles", "input": [1], "id": "x" * 10_000}, 422, "invalid-argument"),
        ([], 422, "invalid-argument"),
    ],
)
async def test_what_cannot_be_started_is_refused_and_nothing_was(
    api: httpx.AsyncClient, body: Any, status: int, type: str
) -> None:
    problem(await api.post("/runs", json=body), status, type)
    assert (await api.get("/runs")).json()["runs"] == []


async def test_an_unknown_query_or_update_is_told(api: httpx.AsyncClient) -> None:
    run = await start(api, "waits")
    await until(api, run, "waiting")
    assert "so_far" in problem(await api.post(f"/runs/{run}/query", json={"name": "x"}), 400, "caller-error")["detail"]


async def test_a_query_that_raises_is_told(api: httpx.AsyncClient) -> None:
    run = await start(api, "waits")
    await until(api, run, "waiting")
    told = problem(await api.post(f"/runs/{run}/query", json={"name": "last"}), 422, "query-failed")
    assert "raised IndexError: list index out of range" in told["detail"]


async def test_a_query_gets_its_arguments_as_their_types(api: httpx.AsyncClient) -> None:
    run = await start(api, "books")
    await until(api, run, "waiting")
    for arguments, price in [(["2026-03-03"], "13"), (["2026-03-04", {"text": "box", "amount": "80.5"}], "82.5")]:
        answer = await api.post(f"/runs/{run}/query", json={"name": "price", "arguments": arguments})
        assert (answer.status_code, answer.json()) == (200, {"value": price})
    wrong = await api.post(f"/runs/{run}/query", json={"name": "price", "arguments": ["some day"]})
    assert "$.day: Invalid RFC3339" in problem(wrong, 422, "invalid-argument")["detail"]
    assert wrong.json()["path"] == "$.day"


async def test_the_overview_tells_what_needs_a_person(api: httpx.AsyncClient) -> None:
    await until(api, await start(api, "asks", 7), "waiting")
    await until(api, await start(api, "doubles", 7), "completed")
    seen = (await api.get("/overview")).json()
    assert seen["counts"] == {"waiting": 1, "completed": 1}
    assert (seen["open_tasks"], seen["tasks"][0]["subject"], seen["incidents"]) == (1, {"amount": 7}, [])
    assert "doubles" in seen["owner"]["serves"]
    (worker,) = (await api.get("/workers")).json()
    assert (worker["worker"], worker["serves"]) == (seen["owner"]["worker"], seen["owner"]["serves"])


async def test_workflows_come_with_the_form_of_their_input(api: httpx.AsyncClient) -> None:
    found = {workflow["name"]: workflow for workflow in (await api.get("/workflows")).json()}
    assert found.keys() >= {"doubles", "adds_up", "fails", "waits", "asks", "stands", "parent"}
    assert found["doubles"]["parameters"] == ["n"]
    assert found["doubles"]["input"]["properties"] == {"n": {"type": "integer"}}
    assert found["doubles"]["input"]["required"] == ["n"]
    assert found["waits"]["input"]["properties"]["limit"]["default"] == 3
    assert found["takes"]["parameters"] == ["first", "second", "*days"], "what can be given in order"
    assert list(found["takes"]["input"]["properties"]) == ["first", "second", "*days"]
    one = (await api.get("/workflows/doubles")).json()
    assert "return await double(n)" in one["source"]
    assert one["documentation"].endswith("More than that it does not do.")
    problem(await api.get("/workflows/nothing"), 404, "unknown-workflow")


async def test_the_source_of_a_class_is_all_of_it(api: httpx.AsyncClient) -> None:
    one = (await api.get("/workflows/counts")).json()
    assert one["source"].startswith('@workflow(name="counts")\nclass Counts:\n')
    assert "def hear(self)" in one["source"]
    assert one["source"].rstrip().endswith("return self.heard")
    assert one["place"].partition(":")[0].endswith("conftest.py")
    assert one["documentation"] == one["workflow"]["summary"] == "Counts what it hears of."


async def test_what_a_workflow_may_do_is_a_graph(api: httpx.AsyncClient) -> None:
    found = (await api.get("/workflows/branches/outline")).json()
    assert found["read"]
    assert not found["cut"]
    steps = [(node["name"], node["undo"]) for node in found["nodes"] if node["kind"] == "step"]
    assert sorted(steps) == [("breaks", False), ("double", False), ("put_back", True), ("take", False)]
    numbers = {node["id"]: node for node in found["nodes"]}
    (fork,) = [node["id"] for node in found["nodes"] if node["kind"] == "branch"]
    labels = {edge["label"]: numbers[edge["target"]]["name"] for edge in found["edges"] if edge["source"] == fork}
    assert labels == {"yes": "breaks", "no": "double"}
    problem(await api.get("/workflows/nothing/outline"), 404, "unknown-workflow")


async def test_input_becomes_the_declared_type(api: httpx.AsyncClient) -> None:
    run = await start(api, "adds_up", [{"text": "a", "amount": "1.50"}, {"text": "b", "amount": "2"}])
    assert (await until(api, run, "completed", "failed"))["result"]["value"] == "3.50"
    body = {"workflow": "adds_up", "input": [[{"text": "a", "amount": "many"}]]}
    assert "amount" in problem(await api.post("/runs", json=body), 422, "invalid-argument")["detail"]
