"""Two bodies of code under the name of one app: said in the logs, shown to whoever looks; nothing is lost."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import shop_program
from fleet_kit import LEASE, Fleet, until
from prometheus_client.parser import text_string_to_metric_families as parse

from segue import Engine, Settings
from segue.cli.workers import _table
from segue.metrics.exposing import exposition
from segue.metrics.meter import Meter
from segue.runtime import differing
from segue.server.answers import Here
from segue.server.overview import WorkerView, list_workers

pytestmark = pytest.mark.xdist_group("fleet")
SETTINGS = Settings(lease=LEASE)


async def seen(engine: Engine) -> list[WorkerView]:
    return await Here(engine, by="").ask(list_workers)


async def differing_by_kind(engine: Engine) -> dict[str, float]:
    body, _ = await exposition(Meter(engine, counting=False))
    samples = [sample for family in parse(body.decode()) for sample in family.samples]
    return {each.labels["kind"]: each.value for each in samples if each.name == "segue_workflows_differing"}


async def test_two_bodies_of_code_under_one_name_are_told_apart(
    fleet: Fleet, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "segue.differing")
    monkeypatch.setattr(differing, "VISIT", 0)

    def said(level: str, *words: str) -> bool:
        records = [record for record in caplog.records if record.levelname == level]
        return any(all(word in record.getMessage() for word in words) for record in records)

    async with Engine(fleet.url, settings=SETTINGS, workflows=shop_program.BODIES["1"]) as first:
        process = await fleet.worker("2", program=Path(shop_program.__file__), BODY="2")
        names = [each.worker for each in first.store.workers()]
        await until(lambda: said("INFO", "'fulfil'", "brought up to date", *names))
        await until(lambda: said("WARNING", "lack workflow 'recount'", "--app", *names))
        async with Engine(fleet.url, settings=SETTINGS, workflows=shop_program.BODIES["1"]):
            await until(lambda: said("WARNING", "different code under one name", "'fulfil'", "pin"))
            workers = await seen(first)
            assert [each.differs for each in workers] == [{"fulfil": "mixed", "recount": "arriving"}] * 3
            cells = [str(cell) for cell in _table(workers, first.clock.now()).columns[-1].cells]
            old, new = workers[0].serves, workers[1].serves
            assert cells[0] == f"≠fulfil ({old['fulfil']}), parcel, +recount ({old['recount']})"
            assert cells[1] == f"≠fulfil ({new['fulfil']}), parcel, +recount (not here)"
            assert await differing_by_kind(first) == {"rolling": 0, "arriving": 1, "mixed": 1, "leaving": 0}
            # What only some have code for is done all the same, wherever it begins.
            handles = [await first.start(shop_program.recount, n) for n in range(12)]
            assert [await h.result(timeout=60) for h in handles] == [f"{n} recounted" for n in range(12)]
        await process.leave()
        await until(lambda: said("INFO", "have the same code"))
    assert "parcel" not in caplog.text, "versions of what is pinned may stay beside each other"


async def test_a_process_that_is_there_for_one_workflow_does_not_speak_for_its_app(
    fleet: Fleet, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "segue.differing")
    monkeypatch.setattr(differing, "VISIT", 0)
    await fleet.worker("1", program=Path(shop_program.__file__), BODY="1")
    visiting = Settings(lease=LEASE, strangers="leave")
    async with Engine(fleet.url, settings=visiting, workflows=[shop_program.recount]) as visitor:
        assert visitor.duty is not None
        await visitor.duty.tending._tend()
        assert [each.differs.get("fulfil") for each in await seen(visitor)] == ["leaving"] * 2
    assert caplog.text == ""
