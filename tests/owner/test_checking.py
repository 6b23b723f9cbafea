"""A change of code is held against the open runs before it is deployed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from segue import Engine, removed, signal, step
from segue.authoring.python.changes import REMOVED
from segue.authoring.python.definitions import Workflow
from segue.owner.checking import InStore, Verdict, check_runs, grouped

CHARGED: list[int] = []


@step(name="checking.charge")
async def charge(n: int) -> int:
    CHARGED.append(n)
    return n


@step(name="checking.ship")
async def ship(n: int) -> int:
    return n


async def pay_and_ship(n: int) -> int:
    await charge(n)
    await signal("paid")
    return await ship(n)


async def ship_only(n: int) -> int:
    await signal("paid")
    return await ship(n)


async def charge_later(n: int) -> int:
    await signal("paid")
    await charge(n)
    return await ship(n)


async def charge_more(n: int) -> int:
    await charge(n + 1)
    return await ship(n)


def code(function: Any) -> list[Workflow[..., Any]]:
    return [Workflow(function, "checking.order")]


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """A database with runs that have charged and wait."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    async with Engine(url, workflows=code(pay_and_ship)) as engine:
        await asyncio.gather(*[engine.start("checking.order", n, id=f"order-{n}") for n in range(1_000)])
        while any(row.state != "waiting" for row in _rows(engine)):  # noqa: ASYNC110 - it stands in the database
            await asyncio.sleep(0.005)
    return url


def _rows(engine: Engine) -> Any:
    return InStore(engine.store, engine.journal, engine.namespace, engine.app).rows()


async def verdicts(url: str, function: Any, sample: int | None = None) -> list[Verdict]:
    async with Engine(url, workflows=code(function), own=False) as engine:
        journals = InStore(engine.store, engine.journal, engine.namespace, engine.app)
        return await asyncio.to_thread(lambda: list(check_runs(engine.definitions, journals, sample=sample)))


async def test_a_charge_that_is_gone_from_the_code_is_found_before_deployment(url: str) -> None:
    CHARGED.clear()
    found = await verdicts(url, ship_only)
    (group,) = grouped(found)
    assert str(group) == "1,000 runs of checking.order: step 'checking.charge' recorded, no longer called"
    assert len(found) == 1_000
    assert "segue.removed('checking.charge')" in group.example.problem
    assert CHARGED == [], "looking runs nothing"

    removed("checking.charge")
    try:
        assert grouped(await verdicts(url, ship_only)) == []
    finally:
        REMOVED.discard("checking.charge")

    assert grouped(await verdicts(url, pay_and_ship)) == []
    later = await verdicts(url, charge_later)
    assert grouped(later) == []
    assert {x.pending for x in later} == {("checking.charge",)}
    (group,) = grouped(await verdicts(url, charge_more, sample=7))
    assert (group.runs, group.cause) == (7, "recorded with other arguments than it is called with")


async def test_what_was_told_is_what_happens(url: str) -> None:
    """The rules of the check are those of the takeover."""
    told = {verdict.id: verdict.problem for verdict in await verdicts(url, ship_only, sample=3)}
    async with Engine(url, workflows=code(ship_only)) as engine:
        for id, problem in told.items():
            handle = await engine.handle(id)
            await handle.signal("paid")
            with pytest.raises(Exception, match="stands still") as caught:
                await handle.result()
            assert problem.partition(": ")[2] in str(caught.value)
