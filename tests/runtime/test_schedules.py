"""Schedules on virtual time, which begins on Monday 2026-01-05 at 09:00 UTC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from schedule_kit import at_once, breaks, goes_on, hours, hurries, ids, let_end, origin, told, until_told, utc

from segue import Cron, Deadline, Engine, Every, Schedule, testing
from segue.errors import (
    InvalidArgument,
    NotInWorkflow,
    ScheduleExists,
    ScheduleNotFound,
    UnknownWorkflow,
)
from segue.stores.base import RunFilter
from segue.testing import World
from segue.testing.mocks import Mocks


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    told.clear()
    async with testing.engine(tmp_path) as world:
        yield world


async def made(world: World, workflow: Any = at_once, when: Any = None, name: str = "s", **more: Any) -> None:
    await world.engine.schedules.create(name, workflow, Schedule(when or Every("1h"), **more))


# --- when -------------------------------------------------------------------------------------------------------


async def test_runs_are_started_when_they_are_due_and_know_what_for(world: World) -> None:
    await made(world, when=Cron("0 2 * * *", "Europe/Berlin"), args=("x",), tags={"kind": "nightly"})
    await world.advance("2d")
    assert await ids(world) == ["s@2026-01-06T01:00:00Z", "s@2026-01-07T01:00:00Z"]
    handle = await world.engine.handle("s@2026-01-07T01:00:00Z")
    interval = ["2026-01-06T01:00:00Z", "2026-01-07T01:00:00Z"]
    assert await handle.result() == ["2026-01-07T01:00:00Z", interval, "x"]
    started = await origin(world, handle.id)
    assert started.at == started.due
    assert started.interval == (started.due - 86_400_000_000, started.due)  # type: ignore[operator]
    assert (started.actor, started.tags) == ("schedule:s", {"kind": "nightly"})


async def test_a_run_that_no_schedule_started_is_due_at_no_time(world: World) -> None:
    assert await world.result(await world.engine.start(at_once, "x")) == [None, None, "x"]


def test_outside_a_workflow_nothing_is_due() -> None:
    import segue

    with pytest.raises(NotInWorkflow):
        segue.due()


async def test_a_run_has_the_timeout_of_its_workflow(world: World) -> None:
    await made(world, hurries)
    await world.engine.schedules.trigger("s")
    await world.advance("75m")
    assert [row.state for row in await world.engine.list()] == ["failed", "failed"]


async def test_a_run_that_continues_as_new_is_still_the_run_of_its_due_time(world: World) -> None:
    await made(world, goes_on, when=Every("1m"), end="2026-01-05T09:05")
    await world.advance("150s")
    shown = await world.engine.schedules.show("s")
    assert (shown.open, shown.started, shown.skipped) == (("s@2026-01-05T09:01:00Z",), 1, 1)
    await world.advance("1m")
    assert await (await world.engine.handle("s@2026-01-05T09:01:00Z")).result() == ["2026-01-05T09:01:00Z", 2]


async def test_jitter_moves_the_start_and_not_the_due_time(world: World) -> None:
    await made(world, when=Every("1d"), jitter="6h")
    shown = await world.engine.schedules.show("s")
    await world.advance("5d")
    starts = [await origin(world, id) for id in await ids(world)]
    delays = [started.at - (started.due or 0) for started in starts]
    assert len(set(delays)) == len(delays) >= 4
    assert all(0 <= delay <= 6 * 3_600_000_000 for delay in delays)
    assert [round(at.timestamp() * 1e6) for at in shown.starts[: len(starts)]] == [started.at for started in starts]


async def test_a_schedule_begins_and_ends(world: World) -> None:
    await made(world, start="2026-01-05T11:00", end="2026-01-05T13:00")
    await world.advance("1d")
    assert await hours(world, "s") == ["05T11", "05T12"]
    assert (await world.engine.schedules.show("s")).next == ()


async def test_a_start_in_the_past_is_caught_up_with(world: World) -> None:
    await made(world, start="2026-01-01", overlap="allow-all", catchup="3h")
    await world.settle()
    assert await hours(world, "s") == ["05T06", "05T07", "05T08", "05T09"]
    assert (await world.engine.schedules.show("s")).missed == (utc("2026-01-01T00:00"), utc("2026-01-05T05:00"))


async def test_what_was_due_while_the_engine_was_down_is_caught_up_with(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        await made(world, overlap="allow-all", catchup="150m")
    async with testing.engine(tmp_path) as world:
        world.clock.jump(world.clock.now() + 6 * 3_600_000_000)
        await world.advance("1s")
        assert await hours(world, "s") == ["05T13", "05T14", "05T15"]


async def test_a_clock_that_jumps_starts_nothing_twice_and_loses_nothing(world: World) -> None:
    hour = 3_600_000_000
    await made(world, overlap="allow-all")
    await world.advance("90m")
    world.clock._now -= hour  # set back, as an operator does it
    await world.advance("59m")
    world.clock.jump(world.clock.now() + hour)  # set forward
    await world.settle()
    world.clock._now -= hour
    await world.advance("3h")
    found = await hours(world, "s")
    assert found == ["05T10", "05T11", "05T12", "05T13"]


async def test_of_two_engines_one_starts_the_runs_and_the_other_goes_on(tmp_path: Path, until: Any) -> None:
    url, clock = f"sqlite:///{tmp_path}/segue.db", testing.VirtualClock()
    owner = Engine(url, clock=clock)
    await owner.open()
    async with Engine(url, clock=clock) as other:
        first, second = World(owner, clock, Mocks()), World(other, clock, Mocks())
        assert (first.engine.owner, second.engine.owner) == (True, False)
        await made(second, overlap="allow-all")
        await until(lambda: clock.next is not None)
        for world in (first, second, first):
            await world.advance("1h")
        assert await hours(second, "s") == ["05T10", "05T11", "05T12"]
        await owner.close()
        await until(lambda: second.engine.owner)
        await second.advance("2h")
        assert await hours(second, "s") == ["05T10", "05T11", "05T12", "05T13", "05T14"]
        shown = await second.engine.schedules.show("s")
        assert (shown.started, shown.skipped, shown.missed) == (5, 0, None)


# --- overlap ----------------------------------------------------------------------------------------------------


async def test_skip(world: World) -> None:
    await made(world, until_told)
    await world.advance("3h")
    assert await hours(world, "s") == ["05T10"]
    assert (await world.engine.schedules.show("s")).skipped == 2
    await let_end(world, "s@2026-01-05T10:00:00Z")
    await world.advance("1h")
    assert await hours(world, "s") == ["05T10", "05T13"]


@pytest.mark.parametrize(("overlap", "later"), [("buffer-one", ["05T11"]), ("buffer-all", ["05T11", "05T12"])])
async def test_buffered_runs_start_when_the_one_before_has_ended(world: World, overlap: Any, later: list[str]) -> None:
    await made(world, until_told, overlap=overlap)
    await world.advance("3h")
    shown = await world.engine.schedules.show("s")
    assert [at.strftime("%dT%H") for at in shown.waiting] == later
    assert shown.waits_for == ("s@2026-01-05T10:00:00Z",)
    for n in range(len(later)):
        assert await hours(world, "s") == ["05T10", *later[:n]]
        await let_end(world, (await ids(world, "s@"))[-1])
    assert await hours(world, "s") == ["05T10", *later]


@pytest.mark.parametrize(("overlap", "state"), [("cancel-other", "cancelled"), ("terminate-other", "terminated")])
async def test_the_open_run_makes_way(world: World, overlap: Any, state: str) -> None:
    await made(world, until_told, overlap=overlap)
    await world.advance("2h")
    await world.settle()
    assert await hours(world, "s") == ["05T10", "05T11"]
    first = await (await world.engine.handle("s@2026-01-05T10:00:00Z")).status()
    assert (first.state, first.error) == (state, "run s@2026-01-05T11:00:00Z is due")


async def test_side_by_side(world: World) -> None:
    await made(world, until_told, overlap="allow-all")
    await world.advance("3h")
    assert await hours(world, "s", states=("waiting",)) == ["05T10", "05T11", "05T12"]


async def test_whoever_ends_a_run_from_elsewhere_lets_the_next_one_go(world: World, tmp_path: Path) -> None:
    await made(world, until_told, overlap="buffer-one")
    await world.advance("2h")
    async with testing.engine(tmp_path, own=False) as other:
        await (await other.engine.handle("s@2026-01-05T10:00:00Z")).terminate("enough")
        world.engine._duty.mail.look()  # type: ignore[union-attr]
    await world.settle()
    assert await hours(world, "s") == ["05T10", "05T11"]


# --- waiting for other runs -------------------------------------------------------------------------------------


async def test_a_run_waits_until_the_one_before_has_completed(world: World) -> None:
    await made(world, breaks, depends_on_past=True, overlap="buffer-all")
    await world.advance("3h")
    assert await hours(world, "s") == ["05T10"]
    shown = await world.engine.schedules.show("s")
    assert shown.waits_for == ("s@2026-01-05T10:00:00Z",)
    await world.engine.schedules.update("s", args=())
    # Mended by a run of the same due time that completes.
    await world.engine.start(at_once, id="s@2026-01-05T10:00:00Z/mended")
    await world.settle()
    assert await hours(world, "s") == ["05T10", "05T10", "05T11"]


async def test_a_run_waits_for_the_run_of_another_schedule(world: World) -> None:
    await made(world, until_told, name="extract", overlap="allow-all")
    await made(world, name="load", after=("extract",), overlap="allow-all")
    await world.advance("2h")
    assert await hours(world, "load") == []
    await let_end(world, "extract@2026-01-05T11:00:00Z")
    assert await hours(world, "load") == ["05T11"]
    await let_end(world, "extract@2026-01-05T10:00:00Z")
    assert await hours(world, "load") == ["05T11", "05T10"]


async def test_what_waits_for_a_run_is_known_to_the_next_owner(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        await made(world, until_told, overlap="buffer-one")
        await world.advance("2h")
    async with testing.engine(tmp_path) as world:
        await world.settle()
        await let_end(world, "s@2026-01-05T10:00:00Z")
        assert await hours(world, "s") == ["05T10", "05T11"]


# --- by hand ----------------------------------------------------------------------------------------------------


async def test_pause_and_resume(world: World) -> None:
    schedules = world.engine.schedules
    await made(world)
    await schedules.pause("s", "inventory")
    await world.advance("3h")
    shown = await schedules.show("s")
    assert (shown.paused, shown.next, await ids(world)) == ("inventory", (), [])
    await schedules.resume("s")
    await schedules.resume("s")
    await world.advance("1h")
    assert await hours(world, "s") == ["05T13"], "what was due meanwhile is not caught up with"


async def test_triggered_now(world: World) -> None:
    await made(world, until_told, args=())
    await world.engine.schedules.pause("s")
    handle = await world.engine.schedules.trigger("s")
    assert handle.id.startswith("s@2026-01-05T09:00:00Z/manual-")
    assert (await world.engine.schedules.show("s")).open == (handle.id,)
    await world.engine.schedules.resume("s")
    await world.advance("1h")
    assert await ids(world) == [handle.id], "it counts as open"
    again = await world.engine.schedules.trigger("s", due="2025-12-24T00:00")
    assert (await origin(world, again.id)).due == round(utc("2025-12-24").timestamp() * 1e6)
    await let_end(world, handle.id)
    assert await handle.result() == "told"


async def test_changed(world: World) -> None:
    schedules = world.engine.schedules
    await made(world)
    changed = await schedules.update("s", when=Every("30m"), overlap="allow-all", args=("new",), note="twice an hour")
    assert (changed.when, changed.policy.overlap, changed.note) == ("every 30m", "allow-all", "twice an hour")
    await world.advance("1h")
    assert len(await ids(world)) == 2
    assert (await (await world.engine.handle("s@2026-01-05T09:30:00Z")).result())[2] == "new"


async def test_deleted(world: World) -> None:
    await made(world, until_told)
    await world.advance("1h")
    await world.engine.schedules.backfill("s", "2026-01-01", "2026-01-02", id="b")
    await world.engine.schedules.delete("s")
    await world.advance("1d")
    assert await world.engine.schedules.list() == []
    assert await ids(world, states=("waiting",)) == ["s@2026-01-05T10:00:00Z", "s@2026-01-01T00:00:00Z/b"]


REFUSED: list[tuple[type[Exception], Any]] = [
    (ScheduleExists, lambda s: s.create("s", at_once, Every("1h"))),
    (ScheduleNotFound, lambda s: s.show("t")),
    (ScheduleNotFound, lambda s: s.pause("t")),
    (ScheduleNotFound, lambda s: s.trigger("t")),
    (ScheduleNotFound, lambda s: s.cancel_backfill("s", "b")),
    (UnknownWorkflow, lambda s: s.create("t", "no such workflow", Every("1h"))),
    (InvalidArgument, lambda s: s.create("t", at_once, Schedule(Every("1h"), args=(1, 2)))),
    (InvalidArgument, lambda s: s.create("a/b", at_once, Every("1h"))),
    (InvalidArgument, lambda s: s.create("a@b", at_once, Every("1h"))),
    (InvalidArgument, lambda s: s.create("", at_once, Every("1h"))),
    (InvalidArgument, lambda s: s.update("s", workflow="other")),
    (InvalidArgument, lambda s: s.update("s", overlap="sometimes")),
    (InvalidArgument, lambda s: s.update("s", when="@daily")),
    (InvalidArgument, lambda s: s.update("s", end="2020-01-01")),
    (InvalidArgument, lambda s: s.pause("s", "a\0b")),
    (InvalidArgument, lambda s: s.trigger("s", due="soon")),
    (InvalidArgument, lambda s: s.backfill("s", "2026-01-02", "2026-01-01")),
    (InvalidArgument, lambda s: s.backfill("s", "2026-01-02", "2027-01-01")),
    (InvalidArgument, lambda s: s.backfill("s", "2026-01-01T00:10", "2026-01-01T00:20")),
    (InvalidArgument, lambda s: s.backfill("s", "2026-01-01", "2026-01-02", parallel=0)),
    (InvalidArgument, lambda s: s.backfill("s", "2026-01-01", "2026-01-02", order="random")),
]


@pytest.mark.parametrize(("error", "call"), REFUSED)
async def test_what_cannot_be_is_refused_and_changes_nothing(world: World, error: type[Exception], call: Any) -> None:
    await made(world)
    await world.settle()
    before = world.engine.store.schedules("default")
    with pytest.raises(error):
        await call(world.engine.schedules)
    assert world.engine.store.schedules("default") == before
    assert await ids(world) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"overlap": "never"}, {"catchup": "1s"}, {"after": "extract"}, {"jitter": "-1s"}, {"name": "a/b"},
        {"end": "1999-01-01", "start": "2020-01-01"}, {"start": "soon"}, {"when": "@daily"},
        {"deadlines": (1,)},
    ],
)  # fmt: skip
def test_a_schedule_that_cannot_be(fields: dict[str, Any]) -> None:
    with pytest.raises((InvalidArgument, AttributeError)):
        Schedule(**({"when": Every("1h")} | fields))


async def test_preview(world: World) -> None:
    shown = world.engine.schedules.preview(Cron("@daily", "Asia/Tokyo"), 3)
    assert [at.isoformat() for at in shown] == [f"2026-01-0{day}T15:00:00+00:00" for day in (5, 6, 7)]


async def test_a_schedule_that_no_release_wrote_holds_up_no_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    from segue.stores.base import Batch
    from segue.stores.schedule_rows import ScheduleRow, WriteSchedule

    broken = ScheduleRow("default", "odd", "", "default", "at_once", 0, 5, True, b"{}", b"{}")
    world.engine.store.commit(Batch(1, (WriteSchedule(broken),)))
    await made(world)
    await world.advance("3h")
    assert await hours(world, "s") == ["05T10", "05T11", "05T12"]
    assert len([record for record in caplog.records if "odd" in record.getMessage()]) == 1


# --- deadlines --------------------------------------------------------------------------------------------------


async def test_a_deadline_runs_something_because_nothing_happened(world: World) -> None:
    from schedule_kit import page, tell

    late = (Deadline("started", "5m", tell), Deadline("completed", "30m", page))
    await made(world, until_told, deadlines=late)
    await world.advance("100m")
    assert [(report.id, report.state) for report in told] == [("s@2026-01-05T10:00:00Z", "waiting")]
    report = told[0]
    assert (report.occasion, report.schedule, report.due) == ("deadline", "s", utc("2026-01-05T10:00"))
    assert "has not completed by 2026-01-05T10:30:00+00:00" in report.message
    await world.advance("40m")
    assert [(report.id, report.state) for report in told[1:]] == [("s@2026-01-05T11:00:00Z", "missing")]
    await world.advance("15m")
    assert len(told) == 3
    assert [row.state for row in await world.engine.list(RunFilter(workflow="page"))] == ["completed"] * 2


async def test_a_deadline_that_passed_while_the_engine_was_down_is_told_once(tmp_path: Path) -> None:
    from schedule_kit import tell

    told.clear()
    async with testing.engine(tmp_path) as world:
        await made(world, when=Every("1d"), catchup="1h", deadlines=(Deadline("started", "10m", tell),))
    async with testing.engine(tmp_path) as world:
        world.clock.jump(world.clock.now() + 30 * 86_400_000_000)
        await world.advance("1s")
        await world.advance("1h")
    assert [report.id for report in told] == ["s@2026-02-04T00:00:00Z"]


# --- many -------------------------------------------------------------------------------------------------------


async def test_of_many_schedules_only_those_that_are_due_cost_anything(world: World) -> None:
    from segue.kernel.schedule import Standing
    from segue.runtime.plans import encode
    from segue.schedules.planning import planned
    from segue.stores.base import Batch
    from segue.stores.schedule_rows import ScheduleRow, WriteSchedule

    engine = world.engine
    plan = encode(planned(engine, at_once, Schedule(Every("1d", "10h"))))
    now = world.clock.now()
    rows = [
        ScheduleRow("default", f"n{n}", "", "default", "at_once", 0, now + (1 + n) * 86_400_000_000, False, plan,
                    encode(Standing(now)))
        for n in range(3_000)
    ]  # fmt: skip
    engine.store.commit(Batch(1, tuple(map(WriteSchedule, rows))))
    await made(world, when=Every("1h"))
    before = engine._duty.conductor.writer.commits  # type: ignore[union-attr]
    await world.advance("1h")
    assert await ids(world) == ["s@2026-01-05T10:00:00Z"]
    assert engine._duty.conductor.writer.commits - before < 10  # type: ignore[union-attr]


async def test_many_schedules_that_are_due_at_once(world: World) -> None:
    for n in range(700):
        await made(world, name=f"n{n}")
    await world.advance("1h")
    assert len(await ids(world)) == 700
