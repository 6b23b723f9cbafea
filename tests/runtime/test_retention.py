"""Retention: runs that are past their time go by themselves, at their time, and the file grows smaller again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from segue import (
    Engine,
    Retention,
    RunFailed,
    Settings,
    continue_as_new,
    query,
    signal,
    step,
    testing,
    update,
    workflow,
)  # fmt: skip
from segue.client.handles import Handle
from segue.errors import RunNotFound
from segue.kernel import events as e
from segue.kernel.payload import Payload
from segue.runtime import retention
from segue.runtime.clock import Alarm
from segue.stores.base import RunFilter
from segue.stores.sqlite.store import SqliteStore

MONTH = Settings(retention=(Retention("30d"),))


@step
async def print_label(size: int) -> str:
    print("a line in the log")
    return "x" * size


@workflow
async def send(size: int) -> str:
    return await print_label(size)


@workflow
async def lose(size: int) -> None:
    raise ValueError("lost")


@workflow
async def watch_over(size: int) -> None:
    await send.child(size, id="child")
    await signal("enough")


@workflow
async def newest(size: int) -> None:
    """Something else has to have started last: run numbers go on after the newest run, which therefore stays."""
    await signal("never")


async def ended(world: testing.World, workflow: Any, id: str, size: int = 10) -> None:
    handle = await world.engine.start(workflow, size, id=id)
    with suppress(RunFailed):
        await world.result(handle)


async def there(engine: Engine) -> set[str]:
    return {row.id for row in await engine.list(RunFilter(limit=1000))}


async def test_runs_go_when_their_time_has_passed_and_not_before(tmp_path: Path) -> None:
    async with testing.engine(tmp_path, settings=MONTH) as world:
        await ended(world, send, "early")
        await world.advance("1d")
        await ended(world, send, "late")
        await world.engine.start(newest, 0, id="newest")
        await world.advance("28d 23h 59m")
        assert await there(world.engine) == {"early", "late", "newest"}
        await world.advance("2m")
        assert await there(world.engine) == {"late", "newest"}
        await world.advance("1d")
        assert await there(world.engine) == {"newest"}
        assert world.engine.store.stats().runs == {"waiting": 1}
        assert world.clock.next is None, "with nothing to delete, nothing is looked for"


class Cutting:
    """A clock that cuts long waits, as the machine's does to notice when it is set. A test moves it on."""

    def __init__(self) -> None:
        self.time = 1_000_000_000_000
        self.rings: Callable[[], None] | None = None

    def now(self) -> int:
        return self.time

    def call_at(self, at: int, callback: Callable[[], None]) -> Alarm:
        self.rings = callback
        return self

    def cancel(self) -> None:
        self.rings = None

    def second(self) -> None:
        self.time += 1_000_000
        rings, self.rings = self.rings, None
        if rings is not None:
            rings()


async def test_an_alarm_that_rings_early_does_not_put_the_round_off(tmp_path: Path) -> None:
    store, clock = SqliteStore.open(tmp_path / "test.db"), Cutting()
    retaining = retention.Retaining(store, clock, "default", (Retention("2m"),))
    retaining.heard(e.RunCompleted(clock.time, None, None, Payload("json", b"1")))
    seconds = 0
    while not retaining.busy and seconds < 1_000:
        clock.second()
        seconds += 1
    assert 120 <= seconds <= 182, "its time, and what rounds are apart"
    await retaining.close()
    store.close()


async def test_each_workflow_and_state_has_its_own_time(tmp_path: Path) -> None:
    rules = (Retention("30d"), Retention("90d", state="failed"), Retention("1d", workflow=send.name))
    async with testing.engine(tmp_path, settings=Settings(retention=rules)) as world:
        await ended(world, send, "sent")
        await ended(world, lose, "lost")
        await ended(world, watch_over_nothing, "watched")
        await world.engine.start(newest, 0, id="newest")
        await world.advance("1d 2m")
        assert await there(world.engine) == {"lost", "watched", "newest"}
        await world.advance("29d")
        assert await there(world.engine) == {"lost", "newest"}
        await world.advance("60d")
        assert await there(world.engine) == {"newest"}


@workflow
async def watch_over_nothing(size: int) -> None:
    await asyncio.sleep(1)


async def test_a_child_stays_as_long_as_its_parent_is_open(tmp_path: Path) -> None:
    async with testing.engine(tmp_path, settings=MONTH) as world:
        parent = await world.engine.start(watch_over, 10, id="parent")
        await world.engine.start(newest, 0, id="newest")
        await world.advance("60d")
        assert await there(world.engine) == {"parent", "child", "newest"}
        await parent.signal("enough")
        await world.advance("31d")
        assert await there(world.engine) == {"newest"}


async def test_what_is_past_its_time_goes_when_an_owner_comes(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        await ended(world, send, "sent")
        await world.engine.start(newest, 0, id="newest")
        await world.advance("60d")
        assert await there(world.engine) == {"sent", "newest"}, "without a rule nothing is deleted"
    async with testing.engine(tmp_path, settings=MONTH, start=testing.DAWN + timedelta(days=60)) as world:
        await world.settle()
        assert await there(world.engine) == {"newest"}


async def test_the_file_shrinks_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 7)
    monkeypatch.setattr(retention, "PAGES", 100)
    async with testing.engine(tmp_path, settings=MONTH) as world:
        for number in range(30):
            await ended(world, send, f"r{number}", 100_000)
        await world.engine.start(newest, 0, id="newest")
        await world.settle()
        full = world.engine.store.stats()
        await world.advance("31d")
        assert await there(world.engine) == {"newest"}
        empty = world.engine.store.stats()
        assert full.events > 90
        assert (empty.events, empty.payloads) == (1, 0)
        assert world.engine.logs(1) == []
    assert (tmp_path / "segue.db").stat().st_size < 300_000


async def test_an_id_may_be_used_again_once_its_run_is_gone(tmp_path: Path) -> None:
    async with testing.engine(tmp_path, settings=MONTH) as world:
        await ended(world, send, "order-1", 10)
        await world.engine.start(newest, 0, id="newest")
        await world.advance("31d")
        with pytest.raises(RunNotFound):
            await world.engine.handle("order-1")
        handle = await world.engine.start(send, 20, id="order-1")  # other input: the old run would refuse it
        assert await world.result(handle) == "x" * 20


@workflow
async def collect(total: int) -> int:
    """Goes on as new with each thing that it is given, until that is nothing."""

    @update
    def sum_up(more: int) -> int:
        return total + more

    @query
    def so_far() -> int:
        return total

    given = await signal("more", int)
    if given:
        continue_as_new(total + given)
    return total


async def many(world: testing.World, handle: Any, given: list[int]) -> None:
    for each in given:
        await handle.signal("more", each)
        await world.advance("31d")  # what has gone on is past its time by then


@pytest.mark.parametrize("looked", [False, True])
async def test_a_handle_goes_on_with_its_chain_whose_runs_are_deleted(tmp_path: Path, looked: bool) -> None:
    async with testing.engine(tmp_path, workflows=[collect], settings=MONTH) as world:
        handle = await world.engine.start(collect, 0, id="pot")
        first = handle.run
        await many(world, handle, [1, 2])
        if looked:
            assert (await handle.status()).chain == first  # from here on it is of a run that is neither first nor last
            await many(world, await world.engine.handle("pot"), [3, 4])
        else:
            await many(world, handle, [7])
        assert world.engine.store.run(first) is None
        assert world.engine.store.run(handle.run) is None
        held = [one_that_knows(world.engine, handle) for _ in range(5)]
        assert await held[0].update("sum_up", 5) == 15
        assert await held[1].query("so_far") == 10
        await held[2].pause("a moment")
        await held[2].resume()
        await held[3].signal("more", 0)
        assert await world.result(handle) == 10
        assert await held[4].result() == 10


def one_that_knows(engine: Engine, handle: Handle[int]) -> Handle[int]:
    """Another handle that knows no more than this one does."""
    return Handle(engine, handle.run, handle.id, int, chain=handle._first)


async def test_a_handle_does_not_go_on_with_another_run_of_its_id(tmp_path: Path) -> None:
    async with testing.engine(tmp_path, workflows=[collect, newest], settings=MONTH) as world:
        handle = await world.engine.start(collect, 0, id="pot")
        await many(world, handle, [1])
        await world.engine.start(newest, 1, id="newest")
        await many(world, handle, [0])
        other = await world.engine.start(collect, 0, id="pot")
        await many(world, other, [2])
        for reach in (lambda: handle.signal("more", 3), handle.status, handle.cancel, handle.result):
            with pytest.raises(RunNotFound):
                await reach()
        assert await other.query("so_far") == 2
