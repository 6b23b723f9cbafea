"""Runs by when they began, over the API."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
import pytest
from api_kit import problem, start, until

from segue.server import histogram as module

MINUTE = 60_000_000


async def histogram(api: httpx.AsyncClient, **query: Any) -> Any:
    answer = await api.get("/runs/histogram", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def total(found: Any) -> dict[str, int]:
    states: dict[str, int] = {}
    for bar in found["bars"]:
        for state, runs in bar["states"].items():
            states[state] = states.get(state, 0) + runs
    return states


async def test_the_runs_of_a_list_are_counted(api: httpx.AsyncClient) -> None:
    empty = await histogram(api)
    assert (empty["bars"], empty["counted"]) == ([], 1)
    for n in range(3):
        await until(api, await start(api, "doubles", n), "completed")
    failed = await until(api, await start(api, "fails", "x", id="f-1"), "failed")
    await until(api, await start(api, "asks", 7), "waiting")
    found = await histogram(api)
    assert total(found) == {"completed": 3, "failed": 1, "waiting": 1}
    assert (found["counted"], found["bar"]) == (1, 1_000_000)
    assert found["since"] <= failed["run"]["started_at"] < found["until"]
    assert all(bar["at"] % found["bar"] == 0 for bar in found["bars"])
    assert total(await histogram(api, workflow="doubles")) == {"completed": 3}
    assert total(await histogram(api, state=["failed", "open"])) == {"failed": 1, "waiting": 1}
    assert total(await histogram(api, id="f-")) == {"failed": 1}
    began = failed["run"]["started_at"]
    around = await histogram(api, since=began - MINUTE, until=began + 1, bars=2)
    assert (around["since"], around["until"], around["bar"]) == (began - MINUTE, began + 1, MINUTE)
    assert total(around)["failed"] == 1


async def test_of_too_many_the_numbers_are_estimates(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(40):
        await start(api, "asks", n)
    monkeypatch.setattr(module, "MOST_COUNTED", 20)
    found = await histogram(api)
    assert found["counted"] == pytest.approx(0.5, abs=0.01)
    assert sum(total(found).values()) == pytest.approx(40, rel=0.3)


@pytest.mark.parametrize(
    ("query", "path"), [({"since": 5, "until": 5}, "$.until"), ({"bars": 501}, "$.bars"), ({"state": "odd"}, "$.state")]
)
async def test_what_cannot_be_is_refused(api: httpx.AsyncClient, query: Any, path: str) -> None:
    assert problem(await api.get("/runs/histogram", params=query), 422, "invalid-argument")["path"] == path
