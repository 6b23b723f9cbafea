"""Large values that are outside the database, over HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest
from api_kit import problem, start, until

from segue import Engine, Settings, step, workflow
from segue.errors import StoreUnavailable
from segue.runtime import placing
from segue.stores import objects

pytest.importorskip("fsspec")

SIZE = 300_000


@step(name="placed.http.make")
async def make(letter: str) -> str:
    return letter * SIZE


@workflow(name="placed.http.gives")
async def gives(letter: str) -> str:
    return await make(letter)


@pytest.fixture
async def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.setattr(placing, "PAUSE", 0.02)
    (tmp_path / "values").mkdir()
    settings = Settings(large_values=(tmp_path / "values").as_uri())
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", workflows=[gives], settings=settings) as engine:
        yield engine


async def test_a_value_is_fetched_when_it_is_asked_for_and_the_loop_goes_on(
    api: httpx.AsyncClient, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = await start(api, "placed.http.gives", "a")
    await until(api, run, "completed")
    async with asyncio.timeout(10):
        while not engine.store.places.of_run(run):  # noqa: ASYNC110 - it moves by itself
            await asyncio.sleep(0.01)
    here, asked = threading.get_ident(), []
    get = objects.get

    def noted(place: str) -> bytes | None:
        asked.append(threading.get_ident())
        return get(place)

    monkeypatch.setattr(objects, "get", noted)
    events = (await api.get(f"/runs/{run}/events")).json()["events"]
    assert (await api.get(f"/runs/{run}")).status_code == 200
    assert asked == [], "who looks at a run fetches nothing"

    where = {"seq": events[1]["seq"], "field": "result"}
    assert (await api.get(f"/runs/{run}/value", params=where)).json()["value"] == "a" * SIZE
    assert (await api.get(f"/runs/{run}/record")).status_code == 200
    assert asked
    assert here not in asked

    def away(place: str) -> bytes:
        raise StoreUnavailable(f"{place} does not answer: it is away")

    monkeypatch.setattr(objects, "get", away)
    problem(await api.get(f"/runs/{run}/value", params=where), 503, "store-unavailable")
    assert "does not answer: it is away" in caplog.text
