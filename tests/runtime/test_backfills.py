"""Backfills on virtual time: the past is filled in, some runs at a time, and it is seen how far that is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from schedule_kit import at_once, breaks, hours, ids, let_end, origin, until_told

from segue import BackfillInfo, Cron, Every, Schedule, testing
from segue.errors import InvalidArgument, ScheduleExists
from segue.testing import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with testing.engine(tmp_path) as world:
        yield world


async def made(world: World, workflow: Any = at_once, when: Any = None, **more: Any) -> None:
    await world.engine.schedules.create("s", workflow, Schedule(when or Every("1h"), **more), paused="not yet")


async def seen(world: World) -> BackfillInfo:
    return (await world.engine.schedules.show("s")).backfills[0]


DAY = ("2026-01-01T00:00", "2026-01-01T05:00")


async def test_some_runs_at_a_time_and_progress(world: World) -> None:
    await made(world, until_told)
    await world.engine.schedules.backfill("s", *DAY, id="b", parallel=2)
    await world.settle()
    assert await hours(world, "s") == ["01T00", "01T01"]
    started = await origin(world, "s@2026-01-01T01:00:00Z/b")
    assert started.interval == (started.due - 3_600_000_000, started.due)  # type: ignore[operator]
    await let_end(world, "s@2026-01-01T01:00:00Z/b")
    await (await world.engine.handle("s@2026-01-01T00:00:00Z/b")).cancel()
    await world.settle()
    far = await seen(world)
    assert (far.total, far.started, far.completed, far.failed, far.done) == (5, 4, 1, 1, False)
    assert far.open == ("s@2026-01-01T02:00:00Z/b", "s@2026-01-01T03:00:00Z/b")
    for id in (*far.open, "s@2026-01-01T04:00:00Z/b"):
        await let_end(world, id)
    far = await seen(world)
    assert (far.started, far.completed, far.failed, far.open, far.done) == (5, 4, 1, (), True)
    assert world.engine.store.waiting_schedules("default") == []


async def test_the_newest_first(world: World) -> None:
    await made(world)
    await world.engine.schedules.backfill("s", *DAY, order="newest")
    await world.settle()
    assert await hours(world, "s") == ["01T04", "01T03", "01T02", "01T01", "01T00"]


async def test_what_is_there_is_left_and_what_failed_is_done_again(world: World) -> None:
    schedules = world.engine.schedules
    await made(world, breaks)
    await schedules.backfill("s", "2026-01-01T00:00", "2026-01-01T02:00", id="first")
    await world.settle()
    await schedules.delete("s")
    await made(world)
    await schedules.backfill("s", *DAY, id="missing")
    await world.settle()
    assert len(await ids(world, "s@")) == 5
    await schedules.backfill("s", *DAY, id="failed", reprocess="failed", parallel=5)
    await world.settle()
    assert [id for id in await ids(world, "s@") if id.endswith("/failed")] == [
        f"s@2026-01-01T0{hour}:00:00Z/failed" for hour in (0, 1)
    ]
    await schedules.backfill("s", *DAY, id="all", reprocess="all")
    await world.settle()
    assert len(await ids(world, "s@")) == 12
    found = {one.id: (one.total, one.started, one.skipped) for one in (await schedules.show("s")).backfills}
    assert found == {"missing": (5, 3, 2), "failed": (5, 2, 3), "all": (5, 5, 0)}


async def test_ten_years_by_the_minute_are_refused_with_their_number(world: World) -> None:
    await made(world, when=Cron("* * * * *"))
    period = ("2016-01-01", "2026-01-01")
    with pytest.raises(InvalidArgument, match=r"about 5,\d{3},\d{3} due times .* and 10,000 are allowed"):
        await world.engine.schedules.backfill("s", *period)
    assert (await world.engine.schedules.show("s")).backfills == ()
    await world.engine.schedules.update("s", when=Every("1m"))
    with pytest.raises(InvalidArgument, match="10,000 are allowed"):
        await world.engine.schedules.backfill("s", *period)
    await world.engine.schedules.backfill("s", *period, most=6_000_000, id="huge")
    assert (await seen(world)).total == 5_260_320
    await world.engine.schedules.cancel_backfill("s", "huge")


async def test_one_that_is_cancelled_starts_no_more(world: World) -> None:
    await made(world, until_told)
    schedules = world.engine.schedules
    await schedules.backfill("s", *DAY, id="b")
    await world.settle()
    with pytest.raises(ScheduleExists):
        await schedules.backfill("s", *DAY, id="b")
    await schedules.cancel_backfill("s", "b")
    await let_end(world, "s@2026-01-01T00:00:00Z/b")
    assert await hours(world, "s") == ["01T00"]


async def test_runs_that_depend_on_the_past_go_one_by_one(world: World) -> None:
    await made(world, breaks, depends_on_past=True)
    schedules = world.engine.schedules
    for more in ({"parallel": 2}, {"order": "newest"}):
        with pytest.raises(InvalidArgument, match="one by one"):
            await schedules.backfill("s", *DAY, **more)
    await schedules.backfill("s", *DAY, id="b")
    await world.settle()
    assert await hours(world, "s") == ["01T00"], "it failed, and the others wait"
    await schedules.backfill("s", "2026-01-01T00:00", "2026-01-01T01:00", id="again", reprocess="failed")
    await world.engine.start(at_once, id="s@2026-01-01T00:00:00Z/by-hand")
    await world.settle()
    assert (await hours(world, "s"))[-1] == "01T01"


async def test_a_backfill_goes_on_with_the_next_owner(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        await made(world, until_told)
        await world.engine.schedules.backfill("s", *DAY, id="b")
        await world.settle()
    async with testing.engine(tmp_path) as world:
        await world.settle()
        await let_end(world, "s@2026-01-01T00:00:00Z/b")
        assert await hours(world, "s") == ["01T00", "01T01"]
