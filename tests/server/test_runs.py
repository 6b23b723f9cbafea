"""Looking at runs over the API."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx2 as httpx
import pytest
from api_kit import problem, start, until

from segue import Engine
from segue.server import plain_calls
from segue.stores.base import RunFilter
from segue.stores.log_rows import LogLine

SAID = [(1_000, "DEBUG", "looks"), (2_000, "WARNING", "odd\ntwice"), (3_000, "ERROR", "bad")]


async def test_a_run_is_shown_whole(api: httpx.AsyncClient) -> None:
    run = await start(api, "doubles", 21, id="a", tags={"team": "red"})
    picture = await until(api, run, "completed")
    assert (picture["run"]["id"], picture["run"]["tags"]) == ("a", {"team": "red"})
    assert picture["input"]["value"] == {"n": 21}
    assert picture["result"]["value"] == 42
    (call,) = picture["calls"]
    assert (call["name"], call["state"], call["attempts"]) == ("double", "completed", 1)
    assert call["input"]["value"] == {"n": 21}
    assert call["result"]["value"] == 42


async def test_a_run_is_shown_with_children_that_failed_or_that_it_did_not_wait_for(api: httpx.AsyncClient) -> None:
    run = await start(api, "leaves/them")
    await until(api, run, "failed")
    (ended,) = (await api.get("/runs", params={"id": "ended"})).json()["runs"]
    await until(api, ended["run"], "terminated")
    picture = (await api.get(f"/runs/{run}")).json()
    assert {call["child"]: call["state"] for call in picture["calls"]} == {
        "left": "waiting", "ended": "terminated", "failed": "failed"
    }  # fmt: skip
    assert ["ended_at" in call for call in picture["calls"]] == [False, True, True]
    children = picture["children"]
    assert [children[call["key"]]["run"]["id"] for call in picture["calls"]] == ["left", "ended", "failed"]
    assert [call["name"] for call in children["/fails"]["calls"]] == ["breaks"]


async def test_a_failure_is_told_with_the_users_traceback(api: httpx.AsyncClient) -> None:
    run = await start(api, "fails", "out of paper")
    picture = await until(api, run, "failed")
    assert picture["failure"]["cause"]["message"] == "out of paper", "that of the workflow"
    assert "out of paper" in picture["run"]["error"]
    (call,) = picture["calls"]
    assert call["failure"]["type"] == "ValueError"
    assert "raise ValueError(text)" in call["failure"]["traceback"]
    assert picture["result"] is None


async def test_runs_are_listed_by_page_and_each_says_where_it_stands(api: httpx.AsyncClient) -> None:
    runs = [await start(api, "doubles", n) for n in range(5)]
    for run in runs:
        await until(api, run, "completed")
    asks = await start(api, "asks", 100)
    await until(api, asks, "waiting")
    first = (await api.get("/runs", params={"limit": 4})).json()
    second = (await api.get("/runs", params={"limit": 4, "after": first["next"]})).json()
    assert [row["run"] for row in first["runs"] + second["runs"]] == [asks, *reversed(runs)]
    assert second["next"] is None
    assert first["runs"][0]["standing"]["who"] == "manager"
    assert first["runs"][1]["standing"] == {"state": "completed", "kind": "result", "value": 8}


async def test_a_list_says_which_signals_a_run_waits_for(api: httpx.AsyncClient) -> None:
    runs = [await start(api, "waits"), await start(api, "gated"), await start(api, "gated", "a day")]
    for run in runs:
        await until(api, run, "waiting")
    listed = {row["run"]: row for row in (await api.get("/runs")).json()["runs"]}
    waits, gated, timed = (listed[run] for run in runs)
    assert waits["awaits"] == ["more"]
    assert waits["standing"] == {"state": "waiting", "kind": "signal", "signals": ["more"]}
    assert (gated["awaits"], gated["standing"]) == ([], {"state": "waiting", "kind": "message"})
    assert (timed["standing"]["kind"], timed["standing"]["signals"]) == ("timer", ["early"])
    picture = (await api.get(f"/runs/{gated['run']}")).json()
    assert [wait["kind"] for wait in picture["waits"]] == ["message"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "completed"}, ["b", "a"]),
        ({"state": ["completed", "failed"]}, ["c", "b", "a"]),
        ({"state": "closed", "workflow": "fails"}, ["c"]),
        ({"state": "open"}, ["waiting"]),
        ({"id": "wai"}, ["waiting"]),
        ({"tag": "team=red"}, ["a"]),
        ({"since": 1, "until": 2}, []),
        ({"text": "red"}, ["a"]),
        ({"text": "bl"}, ["b"]),
        ({"text": "bl "}, []),
        ({"text": "team", "state": "completed"}, ["b", "a"]),
        ({"text": "paper value"}, ["c"]),
        ({"text": "waits"}, ["waiting"]),
        ({"text": "nothing-like-it"}, []),
    ],
)
async def test_runs_are_found_by_what_is_asked(api: httpx.AsyncClient, query: dict[str, str], found: list[str]) -> None:
    await until(api, await start(api, "doubles", 1, id="a", tags={"team": "red"}), "completed")
    await until(api, await start(api, "doubles", 2, id="b", tags={"team": "blue"}), "completed")
    await until(api, await start(api, "fails", "out of paper", id="c"), "failed")
    await until(api, await start(api, "waits", id="waiting"), "waiting")
    assert [row["id"] for row in (await api.get("/runs", params=query)).json()["runs"]] == found


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"state": "done"}, "$.state"),
        ({"limit": "0"}, "$.limit"),
        ({"limit": "many"}, "$.limit"),
        ({"tag": "red"}, "$.tag"),
        ({"text": ""}, "$.text"),
        ({"text": "--"}, "$.text"),
        ({"text": "x" * 10_000}, "$.text"),
        ({"text": "a b c d e f g h i"}, "$.text"),
        ({"colour": "red"}, ""),
        ([("workflow", "a"), ("workflow", "b")], "$.workflow"),
    ],
)
async def test_a_wrong_question_is_told_where(api: httpx.AsyncClient, query: dict[str, str], path: str) -> None:
    assert problem(await api.get("/runs", params=query), 422, "invalid-argument").get("path", "") == path


async def test_the_journal_comes_by_page(api: httpx.AsyncClient) -> None:
    run = await start(api, "doubles", 4)
    await until(api, run, "completed")
    first = (await api.get(f"/runs/{run}/events", params={"limit": 2})).json()
    assert [event["event"] for event in first["events"]] == ["RunStarted", "StepCompleted"]
    assert first["events"][1]["fields"]["result"]["value"] == 8
    rest = (await api.get(f"/runs/{run}/events", params={"after": first["next"]})).json()
    assert [event["event"] for event in rest["events"]] == ["RunCompleted"]
    assert rest["next"] is None


async def test_logs_come_by_page(api: httpx.AsyncClient) -> None:
    run = await start(api, "doubles", 4)
    await until(api, run, "completed")
    page = (await api.get(f"/runs/{run}/logs")).json()
    assert [(line["text"], line["key"], line["stream"]) for line in page["lines"]] == [
        ("doubling 4", "/double", "stdout")
    ]
    assert (await api.get(f"/runs/{run}/logs", params={"after": page["lines"][-1]["row"]})).json()["lines"] == []


async def test_logs_are_chosen_by_call_and_level_and_come_as_a_text(api: httpx.AsyncClient, engine: Engine) -> None:
    run = await start(api, "doubles", 4)
    await until(api, run, "completed")
    said = [LogLine(run, "", 1, at, level, "log", text) for at, level, text in SAID]
    assert [line.text for line in engine.logs(run)] == ["doubling 4"]
    assert engine.store.logs.append(said)

    async def texts(**query: Any) -> list[str]:
        page = (await api.get(f"/runs/{run}/logs", params=query)).json()
        return [line["text"] for line in page["lines"]]

    assert await texts() == ["doubling 4", "looks", "odd\ntwice", "bad"]
    assert await texts(level="info") == ["doubling 4", "odd\ntwice", "bad"]
    assert await texts(level="warning") == ["odd\ntwice", "bad"]
    assert await texts(level="error") == ["bad"]
    assert await texts(level="debug", key="/double") == ["doubling 4"]
    problem(await api.get(f"/runs/{run}/logs", params={"level": "loud"}), 422, "invalid-argument")
    answer = await api.get(f"/runs/{run}/logs/text", params={"level": "warning"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == (
        "1970-01-01T00:00:00.002Z WARNING workflow  odd\n    twice\n1970-01-01T00:00:00.003Z ERROR   workflow  bad\n"
    )
    assert " INFO    /double 1  doubling 4\n" in (await api.get(f"/runs/{run}/logs/text")).text
    problem(await api.get("/runs/999/logs/text"), 404, "run-not-found")


async def test_a_large_value_says_its_size_and_is_asked_for_by_itself(api: httpx.AsyncClient) -> None:
    text = "x" * 200_000
    run = await start(api, "fails", text)
    picture = await until(api, run, "failed")
    assert (picture["input"]["cut"], "value" in picture["input"]) == (True, False)
    assert picture["input"]["bytes"] > 200_000
    assert (picture["input"]["seq"], picture["input"]["field"]) == (1, "input")
    whole = await api.get(f"/runs/{run}/value", params={"seq": 1, "field": "input"})
    assert whole.json()["value"] == {"text": text}
    problem(await api.get(f"/runs/{run}/value", params={"seq": 1, "field": "memo"}), 422, "invalid-argument")
    problem(await api.get(f"/runs/{run}/value", params={"seq": 99, "field": "input"}), 422, "invalid-argument")


async def test_who_only_looks_fetches_no_large_values(
    api: httpx.AsyncClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "x" * 200_000
    run = await start(api, "waits", 1)
    await api.post(f"/runs/{run}/signal", json={"name": "more", "value": text})
    await until(api, run, "completed")

    def fetched(refs: Iterable[str]) -> dict[str, bytes]:
        raise AssertionError(f"{refs} were fetched")

    with monkeypatch.context() as looking:
        looking.setattr(engine.journal, "_blobs", fetched)
        picture = (await api.get(f"/runs/{run}")).json()
        assert (picture["result"]["cut"], picture["result"]["bytes"] > 200_000) == (True, True)
        events = (await api.get(f"/runs/{run}/events")).json()["events"]
        (received,) = [each for each in events if each["event"] == "SignalReceived"]
        assert received["fields"]["payload"]["cut"]
        (listed,) = (await api.get("/runs")).json()["runs"]
        assert listed["standing"]["value"] == {"encoding": "json", "bytes": picture["result"]["bytes"]}
        assert (await api.get("/workflows/waits/grid")).json()["runs"]

    where = {"seq": picture["result"]["seq"], "field": "result"}
    assert (await api.get(f"/runs/{run}/value", params=where)).json()["value"] == [text]


async def test_a_run_of_another_namespace_is_not_there(api: httpx.AsyncClient, engine: Engine) -> None:
    run = await start(api, "waits")
    engine.namespace = "another"
    problem(await api.get(f"/runs/{run}"), 404, "run-not-found")
    problem(await api.post(f"/runs/{run}/cancel", json={}), 404, "run-not-found")


async def test_steps_of_which_there_is_no_more_to_tell_come_column_by_column(api: httpx.AsyncClient) -> None:
    run = await start(api, "many", 3)
    whole = await until(api, run, "completed")
    brief = (await api.get(f"/runs/{run}", params={"plain": "true"})).json()
    plain = brief["plain"]
    assert whole["plain"] is None
    assert brief["calls"] == []
    assert len(whole["calls"]) == 3
    for i, call in enumerate(whole["calls"]):
        began = whole["run"]["started_at"] + plain["began"][i]
        (attempt,) = call["tries"]
        assert (call["key"], call["name"]) == (plain["key"][i], plain["names"][plain["name"][i]])
        assert (call["began_at"], attempt["started_at"]) == (began, began + plain["waited"][i])
        assert attempt["ended_at"] == call["ended_at"] == began + plain["waited"][i] + plain["ran"][i]
        assert attempt["worker"] == plain["workers"][plain["worker"][i]]
        for field in ("input", "result"):
            value = (await api.get(f"/runs/{run}/value", params={"seq": plain["seq"][i], "field": field})).json()
            assert value == call[field]
        assert json.loads(plain["result"][i]) == call["result"]["value"]
        assert len(plain["result"][i]) == call["result"]["bytes"]


async def test_results_come_along_where_they_are_short_and_few(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await start(api, "many", 3)
    await until(api, run, "completed")
    monkeypatch.setattr(plain_calls, "FEW", 2)
    brief = (await api.get(f"/runs/{run}", params={"plain": "true"})).json()
    assert brief["plain"]["result"] == [None] * 3
    monkeypatch.setattr(plain_calls, "FEW", 3)
    monkeypatch.setattr(plain_calls, "SHORT", 0)
    brief = (await api.get(f"/runs/{run}", params={"plain": "true"})).json()
    assert brief["plain"]["result"] == [None] * 3


async def test_what_failed_waits_or_was_undone_is_told_whole(api: httpx.AsyncClient) -> None:
    run = await start(api, "branches", True)
    whole = await until(api, run, "failed")
    brief = (await api.get(f"/runs/{run}", params={"plain": "true"})).json()
    apart = [call["name"] for call in brief["calls"]]
    assert {"breaks", "put_back"} <= set(apart)
    assert sorted([*apart, *(brief["plain"]["names"][i] for i in brief["plain"]["name"])]) == sorted(
        call["name"] for call in whole["calls"]
    )
    assert [call for call in whole["calls"] if call["name"] in apart] == brief["calls"]


async def test_how_a_run_ended_is_told_after_its_data_was_erased(api: httpx.AsyncClient, engine: Engine) -> None:
    run = await start(api, "waits", 1, id="gone")
    await until(api, run, "waiting")
    await api.post(f"/runs/{run}/cancel", json={"reason": "no more tea"})
    await until(api, run, "cancelled")
    await engine.erase(run, by="ann")
    (found,) = (await api.get("/runs", params={"id": "gone"})).json()["runs"]
    assert (found["standing"]["state"], found["standing"]["kind"]) == ("cancelled", "reason")


async def test_a_search_has_pages_and_a_histogram_and_chooses_for_actions(api: httpx.AsyncClient) -> None:
    for n in range(3):
        await start(api, "waits", id=f"r{n}", tags={"team": "red"})
    await start(api, "waits", id="other")
    first = (await api.get("/runs", params={"text": "red", "limit": 2})).json()
    second = (await api.get("/runs", params={"text": "red", "limit": 2, "after": first["next"]})).json()
    assert [row["id"] for row in first["runs"] + second["runs"]] == ["r2", "r1", "r0"]
    assert second["next"] is None
    bars = (await api.get("/runs/histogram", params={"text": "red"})).json()["bars"]
    assert sum(sum(bar["states"].values()) for bar in bars) == 3
    body = {"act": {"do": "terminate"}, "where": {"text": "red"}}
    assert (await api.post("/runs/bulk/preview", json=body)).json()["possible"] == 3
    assert (await api.post("/runs/bulk", json=body)).json()["done"] == 3
    for where in ({"text": "--"}, {"text": ""}):
        problem(await api.post("/runs/bulk", json=body | {"where": where}), 422, "invalid-argument")


async def test_the_client_searches(api: httpx.AsyncClient, engine: Engine) -> None:
    await start(api, "waits", id="r", tags={"team": "red"})
    assert [row.id for row in (await engine.search(RunFilter(text="red"))).rows] == ["r"]
    assert [row.id for row in await engine.list(RunFilter(text="red"))] == ["r"]
