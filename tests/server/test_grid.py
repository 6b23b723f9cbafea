"""The last runs of a workflow by step, over the API."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
import pytest
from api_kit import start, until


async def grid(api: httpx.AsyncClient, name: str, **query: Any) -> Any:
    answer = await api.get(f"/workflows/{name}/grid", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_runs_stand_by_step_the_newest_first(api: httpx.AsyncClient) -> None:
    runs = [await start(api, "doubles", n) for n in range(3)]
    pictures = [await until(api, run, "completed") for run in runs]
    found = await grid(api, "doubles")
    assert found["steps"] == [{"name": "double", "kind": "step", "undo": False}]
    assert [each["run"] for each in found["runs"]] == runs[::-1]
    (cell,) = found["runs"][0]["cells"]
    (call,) = pictures[-1]["calls"]
    took = call["ended_at"] - call["began_at"]
    assert cell == {
        "step": 0, "state": "completed", "key": call["key"], "calls": 1, "failed": 0, "attempts": 1, "took": took
    }  # fmt: skip
    assert [each["run"] for each in (await grid(api, "doubles", limit=2))["runs"]] == runs[:0:-1]


async def test_calls_of_one_name_are_one_cell_and_what_went_wrong_is_seen(api: httpx.AsyncClient) -> None:
    await until(api, await start(api, "stands", "x"), "incident")
    (run,) = (await grid(api, "stands"))["runs"]
    (cell,) = run["cells"]
    assert (cell["state"], cell["failed"], cell["took"]) == ("incident", 1, None)
    await until(api, await start(api, "parent", 3), "completed")
    found = await grid(api, "parent")
    assert [each["kind"] for each in found["steps"]] == ["child"]
    assert [cell["calls"] for cell in found["runs"][0]["cells"]] == [3]


async def test_undoing_stands_last_and_steps_in_their_order(api: httpx.AsyncClient) -> None:
    await until(api, await start(api, "branches", False), "completed")
    await until(api, await start(api, "branches", True), "failed")
    await until(api, await start(api, "branches", False), "completed")
    found = await grid(api, "branches")
    assert [(each["name"], each["undo"]) for each in found["steps"]] == [
        ("take", False), ("breaks", False), ("double", False), ("put_back", True),
    ]  # fmt: skip
    states = [{found["steps"][cell["step"]]["name"]: cell["state"] for cell in run["cells"]} for run in found["runs"]]
    assert states[1] == {"take": "completed", "breaks": "failed", "put_back": "compensated"}
    assert states[0] == states[2] == {"take": "completed", "double": "completed"}


async def test_an_open_task_is_a_step_that_waits(api: httpx.AsyncClient) -> None:
    await until(api, await start(api, "asks", 5), "waiting")
    found = await grid(api, "asks")
    assert [(each["kind"], each["name"]) for each in found["steps"]] == [("task", "manager")]
    assert found["runs"][0]["cells"][0]["state"] == "waiting"


async def test_of_a_long_run_the_first_events_are_looked_at(api: httpx.AsyncClient) -> None:
    await until(api, await start(api, "many", 1_100), "completed")
    (run,) = (await grid(api, "many"))["runs"]
    assert run["cut"] is True
    assert run["cells"][0]["calls"] < 1_000


async def test_a_workflow_that_never_ran_has_an_empty_grid(api: httpx.AsyncClient) -> None:
    found = await grid(api, "adds_up")
    assert (found["steps"], found["runs"]) == ([], [])


async def test_a_workflow_is_found_whose_name_has_slashes(api: httpx.AsyncClient) -> None:
    """Its parts too: a longer path is no name with a slash."""
    await until(api, await start(api, "leaves/them"), "failed")
    assert len((await grid(api, "leaves%2Fthem"))["runs"]) == 1
    assert (await api.get("/workflows/leaves%2Fthem")).json()["workflow"]["name"] == "leaves/them"
    assert (await api.get("/workflows/leaves%2Fthem/outline")).json()["nodes"]
    assert (await api.get("/workflows/doubles")).json()["workflow"]["name"] == "doubles"


@pytest.mark.parametrize("part", ["grid", "outline"])
async def test_a_name_may_end_as_an_address_goes_on(api: httpx.AsyncClient, part: str) -> None:
    assert (await api.get(f"/workflows/doubles/{part}")).status_code == 200
    answer = await api.get(f"/workflows/doubles%2F{part}")
    assert answer.status_code == 404
    assert f"doubles/{part}" in answer.json()["detail"]
