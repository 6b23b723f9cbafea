"""Whoever starts a run, and wherever: which version it gets while one is ramped up, its id alone says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from segue import Cron, Engine, Schedule, continue_as_new
from segue.authoring.python.definitions import Workflow
from segue.kernel.ramp import on_ramp

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
IDS = [f"order-{number}" for number in range(12)]


async def _one(left: int) -> str:
    if left:
        continue_as_new(left - 1)
    return "one"


async def _two(left: int) -> str:
    if left:
        continue_as_new(left - 1)
    return "two"


ONE = Workflow(_one, "ramps.order", version="1", versioning="pinned")
TWO = Workflow(_two, "ramps.order", version="2", versioning="pinned", ramp=50)
"""Half of all runs get it."""


def expected(id: str) -> str:
    return "two" if on_ramp(50, id) else "one"


def test_both_versions_are_expected_of_some() -> None:
    assert {expected(id) for id in IDS} == {"one", "two"}


async def test_a_start_by_name_where_the_code_is_not(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    async with Engine(url, workflows=[ONE, TWO]), Engine(url, own=False, workflows=[]) as client:
        handles = [await client.start("ramps.order", 0, id=id) for id in IDS]
        assert [await handle.result() for handle in handles] == [expected(id) for id in IDS]


async def test_a_schedule_that_is_triggered_where_the_code_is_and_where_it_is_not(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    async with Engine(url, workflows=[ONE, TWO]) as owner, Engine(url, own=False, workflows=[]) as client:
        await owner.schedules.create("s", ONE, Schedule(Cron("0 2 * * *"), args=(0,)))
        for engine in (owner, client):
            handles = [await engine.schedules.trigger("s") for _ in IDS]
            assert [await handle.result() for handle in handles] == [expected(handle.id) for handle in handles]


async def test_a_run_that_goes_on_as_a_new_one_keeps_to_its_side(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/runs.db", workflows=[ONE, TWO]) as engine:
        handles = [await engine.start("ramps.order", 2, id=id) for id in IDS]
        assert [await handle.result() for handle in handles] == [expected(id) for id in IDS]


@pytest.mark.on_file
async def test_a_start_in_a_transaction_of_the_users(tmp_path: Path, until: Until) -> None:
    async with Engine(f"sqlite:///{tmp_path}/runs.db", workflows=[ONE, TWO]) as engine:
        with closing(apsw.Connection(f"{tmp_path}/runs.db")) as connection:
            for id in IDS:
                insert = "INSERT INTO segue_outbox (workflow, id, input) VALUES ('ramps.order', ?, '[0]')"
                connection.execute(insert, (id,))
        await until(lambda: all(engine.store.find("default", id) is not None for id in IDS))
        assert [await (await engine.handle(id)).result() for id in IDS] == [expected(id) for id in IDS]
