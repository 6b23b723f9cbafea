"""The record of a run: what programs take in that show runs themselves."""

from __future__ import annotations

import httpx2 as httpx
import msgspec
import pytest
from api_kit import start, until

from segue import Engine
from segue.server import records, runs
from segue.server.answers import Here
from segue.server.records import Record, RecordLook
from segue.watching import LiveWatch, Watch


async def watched(api: httpx.AsyncClient, run: int) -> Watch:
    watch = Watch(run)
    after: int | None = 0
    while after is not None:
        answer = await api.get(f"/runs/{run}/record", params={"after": after})
        record = msgspec.json.decode(answer.content, type=Record)
        watch.take(RecordLook(record))
        after = record.next
    return watch


@pytest.mark.parametrize(("workflow", "input", "state"), [
    ("doubles", 21, "completed"), ("fails", "x", "failed"), ("asks", 7, "waiting"), ("stands", "x", "incident"),
])  # fmt: skip
async def test_a_record_shows_what_the_database_shows(
    api: httpx.AsyncClient, engine: Engine, workflow: str, input: object, state: str
) -> None:
    run = await start(api, workflow, input)
    await until(api, run, state)
    near, far = LiveWatch(engine, run), await watched(api, run)
    near.refresh()
    assert (far.state, far.timeline.seq) == (near.state, near.timeline.seq)
    assert far.timeline.calls == near.timeline.calls
    assert far.timeline.incidents == near.timeline.incidents
    assert far.waits() == near.waits()
    assert [task.name for task in far.look.tasks()] == [task.name for task in near.look.tasks()]


async def test_a_long_journal_comes_by_page(
    api: httpx.AsyncClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await start(api, "doubles", 1)
    await until(api, run, "completed")
    monkeypatch.setattr(records, "MOST", 1)
    first = (await api.get(f"/runs/{run}/record")).json()
    assert (len(first["events"]), first["next"]) == (1, 1)
    whole = await watched(api, run)
    assert whole.timeline.seq == len(list(engine.events_of(run)))
    monkeypatch.setattr(records, "MOST", 500)
    monkeypatch.setattr(records, "LARGE", 1)
    assert len((await api.get(f"/runs/{run}/record")).json()["events"]) == 1


async def test_no_uid_is_told(api: httpx.AsyncClient, engine: Engine) -> None:
    run = await start(api, "doubles", 1, id="a")
    await until(api, run, "completed")
    row = engine.store.run(run)
    assert row is not None
    assert row.uid not in (await api.get(f"/runs/{run}/record")).text


async def test_one_run_is_found_by_its_whole_id(api: httpx.AsyncClient) -> None:
    for id in ("a", "ab", "abc"):
        await start(api, "doubles", 1, id=id)
    found = (await api.get("/runs", params={"current": "ab"})).json()
    assert [run["id"] for run in found["runs"]] == ["ab"]
    assert (await api.get("/runs", params={"current": "b"})).json()["runs"] == []


async def test_whose_runs_these_are(api: httpx.AsyncClient, engine: Engine) -> None:
    app = (await api.get("/app")).json()
    assert (app["app"], app["namespace"]) == (engine.app, engine.namespace)
    assert "doubles" in app["owner"]["serves"]
    assert (await api.get("/app", params={"app": "other"})).json()["owner"] is None


async def test_a_start_takes_its_terms(api: httpx.AsyncClient, engine: Engine) -> None:
    run = await start(api, "doubles", 1, delay="2h", timeout="1h", summary="for ann")
    found = (await api.get("/runs", params={"state": "open"})).json()["runs"][0]
    assert (found["run"], found["summary"], found["state"]) == (run, "for ann", "waiting")
    assert found["due_at"] - found["started_at"] == pytest.approx(7_200_000_000, abs=1_000_000)


async def test_runs_to_which_it_cannot_be_done_are_left_out(api: httpx.AsyncClient) -> None:
    done, waits = await start(api, "doubles", 1), await start(api, "asks", 1)
    await until(api, done, "completed")
    await until(api, waits, "waiting")
    body = {"act": {"do": "pause"}, "runs": [done, waits], "possible": True, "expect": 1}
    answer = (await api.post("/runs/bulk", json=body)).json()
    assert (answer["chosen"], answer["done"]) == (1, 1)


async def test_an_engine_answers_as_its_server_does(api: httpx.AsyncClient, engine: Engine) -> None:
    run = await start(api, "doubles", 1, id="a")
    await until(api, run, "completed")
    here = await Here(engine).ask(runs.list_runs, query=runs.RunQuery(id="a"))
    there = (await api.get("/runs", params={"id": "a"})).json()
    assert msgspec.to_builtins(here)["runs"] == there["runs"]
