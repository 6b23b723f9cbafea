"""Which signals, updates and queries a run takes, over the API."""

from __future__ import annotations

from pathlib import Path

import httpx2 as httpx
import pytest
from api_kit import problem, start, until

from segue import Engine, continue_as_new, query, signal, update, workflow
from segue.server.access import Loopback
from segue.server.app import application

BOOK = {
    "title": "arguments of book",
    "type": "object",
    "properties": {
        "day": {"type": "string", "format": "date"},
        "seats": {"type": "integer", "default": 1},
        "*notes": {"type": "array", "items": {"type": "string"}, "default": []},
    },
    "required": ["day"],
    "additionalProperties": False,
}


@workflow(name="goes_on")
async def goes_on(round: int = 1) -> int:
    if round == 1:
        continue_as_new(2)

    @query
    def which(also: int) -> int:
        return round + also

    @update
    def stop() -> None:
        """Ends it."""

    await signal("over")
    return round


def over(engine: Engine) -> httpx.AsyncClient:
    """The API of an engine."""
    transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1")


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


async def test_updates_come_with_the_forms_of_their_arguments(api: httpx.AsyncClient) -> None:
    run = await start(api, "books")
    before = await until(api, run, "waiting")
    book, note = (await api.get(f"/runs/{run}/updates")).json()
    assert book == {"name": "book", "parameters": ["day", "seats", "*notes"], "form": BOOK, "summary": "Books seats."}
    assert (note["name"], note["parameters"], note["summary"]) == ("note", ["text", "mark"], "")
    assert note["form"]["properties"] == {"text": {}, "mark": {"default": None}}
    assert note["form"]["required"] == ["text"]
    assert (await api.get(f"/runs/{run}")).json()["seq"] == before["seq"], "looking changes nothing"
    body = {"name": "book", "arguments": ["2026-03-03", 2, "by the window"], "id": "once"}
    for _ in range(2):
        assert (await api.post(f"/runs/{run}/update", json=body)).json() == {"value": "26"}
    told = problem(
        await api.post(f"/runs/{run}/update", json=body | {"arguments": ["2025-03-03"], "id": "other"}),
        422,
        "update-rejected",
    )
    assert told["detail"].endswith("was refused by its validator: ValueError: that day is over")


async def test_queries_come_with_the_forms_of_their_arguments_also_after_the_end(api: httpx.AsyncClient) -> None:
    run = await start(api, "books")
    await until(api, run, "waiting")
    open_ones = (await api.get(f"/runs/{run}/queries")).json()
    every, price = open_ones
    assert (every["name"], every["parameters"], every["form"]["properties"]) == ("all_booked", [], {})
    assert (price["name"], price["parameters"]) == ("price", ["day", "item"])
    assert price["summary"] == "What a seat costs on a day."
    assert price["form"]["properties"]["item"]["default"] == {"text": "seat", "amount": "12"}
    assert price["form"]["$defs"]["Item"]["required"] == ["text", "amount"]
    assert (await api.post(f"/runs/{run}/signal", json={"name": "over"})).status_code == 204
    await until(api, run, "completed")
    assert (await api.get(f"/runs/{run}/updates")).json() == []
    assert (await api.get(f"/runs/{run}/queries")).json() == open_ones
    answer = await api.post(f"/runs/{run}/query", json={"name": "price", "arguments": ["2026-03-03"]})
    assert answer.json() == {"value": "13"}


@pytest.mark.parametrize("end", ["cancel", "terminate"])
async def test_a_run_that_was_ended_answers_queries(api: httpx.AsyncClient, end: str) -> None:
    run = await start(api, "books")
    await until(api, run, "waiting")
    await api.post(f"/runs/{run}/{end}", json={})
    await until(api, run, "cancelled", "terminated")
    assert [each["name"] for each in (await api.get(f"/runs/{run}/queries")).json()] == ["all_booked", "price"]
    assert (await api.post(f"/runs/{run}/query", json={"name": "all_booked"})).json() == {"value": {}}


async def test_for_a_run_that_has_gone_on_the_last_of_its_chain_answers(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", workflows=[goes_on]) as engine, over(engine) as api:
        run = await start(api, "goes_on")
        await until(api, run, "continued")
        last = (await api.get(f"/runs/{run}")).json()["latest"]
        await until(api, last, "waiting")
        assert (await api.get(f"/runs/{run}/updates")).json() == []
        assert [each["name"] for each in (await api.get(f"/runs/{last}/updates")).json()] == ["stop"]
        (which,) = (await api.get(f"/runs/{run}/queries")).json()
        assert which == (await api.get(f"/runs/{last}/queries")).json()[0]
        asked = {"name": which["name"], "arguments": [5]}
        assert (await api.post(f"/runs/{run}/query", json=asked)).json() == {"value": 7}


@pytest.mark.parametrize("kind", ["signals", "updates", "queries"])
async def test_what_a_run_takes_is_not_known_where_its_code_is_not(
    api: httpx.AsyncClient, tmp_path: Path, kind: str
) -> None:
    run = await start(api, "books")
    await until(api, run, "waiting")
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", workflows=[], own=False) as other, over(other) as there:
        told = problem(await there.get(f"/runs/{run}/{kind}"), 400, "caller-error")
        assert "its workflow 'books' is not known here" in told["detail"]
        assert (await there.post(f"/runs/{run}/update", json={"name": "note", "arguments": [1]})).json() == {"value": 1}
