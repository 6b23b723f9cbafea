"""Which signals a run takes, over the API."""

from __future__ import annotations

import httpx2 as httpx
from api_kit import start, until


async def test_the_signals_of_a_run_come_with_their_forms(api: httpx.AsyncClient) -> None:
    run = await start(api, "listens")
    await until(api, run, "waiting")
    found = (await api.get(f"/runs/{run}/signals")).json()
    assert [(each["name"], each["awaited"]) for each in found] == [
        ("item", True),
        ("anything", False),
        ("nudge", False),
        ("rate", False),
    ]
    forms = {each["name"]: each["form"] for each in found}
    assert forms["item"]["$defs"]["Item"]["required"] == ["text", "amount"]
    assert forms["anything"] == {}
    assert forms["nudge"] == {"type": "null"}
    assert forms["rate"] == {"type": "number"}


async def test_a_run_that_has_ended_takes_none(api: httpx.AsyncClient) -> None:
    run = await start(api, "doubles", 1)
    await until(api, run, "completed")
    assert (await api.get(f"/runs/{run}/signals")).json() == []


async def test_looking_changes_nothing(api: httpx.AsyncClient) -> None:
    run = await start(api, "listens")
    before = await until(api, run, "waiting")
    await api.get(f"/runs/{run}/signals")
    assert (await api.get(f"/runs/{run}")).json()["seq"] == before["seq"]
    answer = await api.post(f"/runs/{run}/signal", json={"name": "item", "value": {"text": "a", "amount": "1.5"}})
    assert answer.status_code == 204
    assert (await until(api, run, "completed"))["result"]["value"] == "a"
