"""Schedules and backfills over the API."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx2 as httpx
import pytest
from api_kit import problem, until

DAY = 86_400_000_000
NIGHTLY = {"name": "nightly", "workflow": "doubles", "when": {"type": "cron", "line": "0 2 * * *"}, "input": [4]}


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


async def make(api: httpx.AsyncClient, **more: Any) -> Any:
    answer = await api.post("/schedules", json=NIGHTLY | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_schedules_come_page_by_page(api: httpx.AsyncClient) -> None:
    for name, period, start in (("hourly", "1h", "2100"), ("daily", "1d", "2101"), ("weekly", "7d", "2102")):
        # None is due before the year it starts in, so that their order has nothing to do with the time of day.
        await make(api, name=name, when={"type": "every", "period": period}, start=at(f"{start}-01-01"))
    await make(api, name="held", paused="not yet")

    async def pages(**query: Any) -> list[list[str]]:
        found, after = [], None
        while True:
            more = {} if after is None else {"after": after}
            page = (await api.get("/schedules", params=query | more | {"limit": 2})).json()
            found.append([each["name"] for each in page["schedules"]])
            after = page["next"]
            if after is None:
                return found

    assert await pages() == [["daily", "held"], ["hourly", "weekly"]]
    while await pages(order="due") != [["hourly", "daily"], ["weekly", "held"]]:
        pass  # until all have been looked at
    assert await pages(find="LY", order="due") == [["hourly", "daily"], ["weekly"]]
    assert await pages(find="none of them") == [[]]
    for wrong in ("soon daily", "1", "99999999999999999999 daily"):
        refused = await api.get("/schedules", params={"order": "due", "after": wrong})
        problem(refused, 422, "invalid-argument")


async def test_a_schedule_is_made_shown_changed_and_deleted(api: httpx.AsyncClient) -> None:
    made = await make(api, tags={"team": "data"}, catchup=3_600_000_000)
    assert (made["when"], made["policy"]["catchup"], made["tags"]) == ("0 2 * * * UTC", 3_600_000_000, {"team": "data"})
    assert made["input"]["value"] == {"n": 4}
    assert len(made["next"]) == 5
    assert (await api.get("/schedules")).json()["schedules"] == [(await api.get("/schedules/nightly")).json()]
    problem(await api.post("/schedules", json=NIGHTLY), 409, "schedule-exists")
    changes = {"when": {"type": "every", "period": "2h"}, "overlap": "allow-all", "jitter": "5m", "input": [5]}
    changed = (await api.patch("/schedules/nightly", json=changes)).json()
    assert (changed["when"], changed["policy"]["overlap"]) == ("every 2h", "allow-all")
    assert (changed["policy"]["jitter"], changed["tags"]) == (300_000_000, {"team": "data"}), "the rest stays"
    due = (await api.get("/schedules/nightly/due", params={"limit": 3})).json()
    assert [due[1] - due[0], due[2] - due[1]] == [2 * 3_600_000_000] * 2
    assert (await api.delete("/schedules/nightly")).status_code == 204
    problem(await api.get("/schedules/nightly"), 404, "schedule-not-found")


async def test_a_schedule_is_paused_resumed_and_triggered(api: httpx.AsyncClient) -> None:
    await make(api)
    assert (await api.post("/schedules/nightly/pause", json={"reason": "inventory"})).status_code == 204
    paused = (await api.get("/schedules/nightly")).json()
    assert (paused["paused"], paused["next"]) == ("inventory (paused by ann)", [])
    started = await api.post("/schedules/nightly/trigger", json={"due": at("2026-01-02")})
    assert started.status_code == 201
    picture = await until(api, started.json()["run"], "completed")
    assert (picture["result"]["value"], picture["started_by"]) == (8, "user:ann")
    assert picture["run"]["id"].startswith("nightly@2026-01-02T00:00:00Z/manual-")
    assert (await api.post("/schedules/nightly/resume", json={})).status_code == 204
    assert (await api.get("/schedules/nightly")).json()["paused"] is None


async def test_a_backfill_is_counted_made_and_followed(api: httpx.AsyncClient) -> None:
    await make(api)
    period = {"start": at("2026-01-01"), "end": at("2026-01-04")}
    counted = (await api.post("/schedules/nightly/backfill-preview", json=period)).json()
    assert counted == {"total": 3, "exact": True, "first": at("2026-01-01T02:00"), "last": at("2026-01-03T02:00")}
    made = await api.post("/schedules/nightly/backfills", json=period | {"id": "january", "parallel": 2})
    assert (made.status_code, made.json()["total"]) == (201, 3)
    while True:
        found = (await api.get("/schedules/nightly/backfills/january")).json()
        if found["done"]:
            break
        await asyncio.sleep(0)
    assert (found["started"], found["completed"], found["open"]) == (3, 3, [])
    problem(await api.post("/schedules/nightly/backfills", json=period | {"id": "january"}), 409, "schedule-exists")
    assert (await api.post("/schedules/nightly/backfills/january/cancel", json={})).status_code == 204
    problem(await api.get("/schedules/nightly/backfills/january"), 404, "schedule-not-found")


async def test_due_times_of_a_rule_that_there_might_be(api: httpx.AsyncClient) -> None:
    found = (await api.post("/due-times", json={"when": {"type": "cron", "line": "@daily"}, "limit": 3})).json()
    assert len(found) == 3
    assert {(later - sooner) for sooner, later in pairwise(found)} == {DAY}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/schedules", NIGHTLY | {"when": {"type": "cron", "line": "61 * * * *"}}, 422),
        ("POST", "/schedules", NIGHTLY | {"when": {"type": "moon"}}, 422),
        ("POST", "/schedules", NIGHTLY | {"input": ["x"]}, 422),
        ("POST", "/schedules", NIGHTLY | {"workflow": "nothing"}, 404),
        ("POST", "/schedules", NIGHTLY | {"name": "a/b"}, 422),
        ("POST", "/schedules", NIGHTLY | {"jitter": "soon"}, 422),
        ("POST", "/schedules", NIGHTLY | {"end": 0}, 422),
        ("POST", "/schedules", NIGHTLY | {"start": 2**53}, 422),
        ("PATCH", "/schedules/nothing", {}, 404),
        ("POST", "/schedules/nothing/trigger", {}, 404),
        ("POST", "/schedules/nothing/backfills", {"start": 0, "end": 1}, 404),
        ("POST", "/due-times", {"when": {"type": "calendar", "rule": "FREQ=NEVER"}}, 422),
    ],
)
async def test_what_cannot_be_is_refused(
    api: httpx.AsyncClient, method: str, path: str, body: Any, status: int
) -> None:
    answer = await api.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await api.get("/schedules")).json()["schedules"] == []
