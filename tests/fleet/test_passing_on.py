"""Runs that a worker without their code passes on to one that has it, and what comes to it meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import pytest
from fleet_kit import until

from segue import Engine, Schedule, Settings, workflow
from segue.errors import StoreUnavailable
from segue.recurrence.rules import Every
from segue.stores.base import Answer, Append, Batch, Fence, RunRow

SETTINGS = Settings(lease=5.0, poll=0.02, slow_poll=0.1)
SOON = 0.5


@workflow(name="fleet.passing-on.order")
async def order() -> str:
    return "done"


@workflow(name="fleet.passing-on.other")
async def other() -> None:
    pass


@pytest.fixture
async def pair(postgres_database: Callable[[], str]) -> AsyncIterator[tuple[Engine, Engine]]:
    """A worker with the code of a schedule's runs, and one without it."""
    url = postgres_database()
    async with (
        Engine(url, settings=SETTINGS, workflows=[order]) as one,
        Engine(url, settings=SETTINGS, workflows=[other]) as without,
    ):
        await one.schedules.create("s", order, Schedule(Every("1h")), paused="by hand only")
        yield one, without


class Late:
    """Has the commit that says of a run that it waits here come just after the run was passed on, if there is one, and
    before the other worker looks."""

    def __init__(self, engine: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self._commit, self._pass_on, self._due = engine.store.commit, engine.store.pass_on, other.store.due
        self._held = threading.Event()
        monkeypatch.setattr(other.store, "due", self.due)
        self.passing, self._asked, self._passed = threading.Event(), threading.Event(), threading.Event()
        monkeypatch.setattr(engine.store, "commit", self.commit)
        monkeypatch.setattr(engine.store, "pass_on", self.pass_on)

    def commit(self, batch: Batch) -> list[Answer]:
        said = [x.status.state for x in batch.operations if isinstance(x, Append) and x.status is not None]
        if "waiting" in said and self.passing.is_set():
            self._held.set()
            self._asked.set()
            self._passed.wait(SOON)
        try:
            return self._commit(batch)
        finally:
            self._held.clear()

    def due(self, *args: Any, **more: Any) -> list[RunRow]:
        return [] if self._held.is_set() else self._due(*args, **more)

    def pass_on(self, fence: Fence, workflows: Iterable[str], runs: Iterable[int], now: int) -> int:
        self._asked.clear()
        self._passed.clear()
        self.passing.set()
        self._asked.wait(SOON)  # the rest of the worker goes on meanwhile
        try:
            return self._pass_on(fence, workflows, runs, now)
        finally:
            self._passed.set()


async def test_a_run_that_comes_while_others_are_passed_on_is_not_lost(
    pair: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, without = pair
    late = Late(without, one, monkeypatch)
    handles = [await without.schedules.trigger("s")]
    await until(late.passing.is_set)
    handles += await asyncio.gather(*[without.schedules.trigger("s") for _ in range(12)])
    for handle in handles:
        assert await handle.result(timeout=60) == "done"


async def test_runs_that_could_not_be_passed_on_wait_for_the_next_time(
    pair: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, without = pair
    pass_on, asked = without.store.pass_on, 0

    def away(fence: Fence, workflows: Iterable[str], runs: Iterable[int], now: int) -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise StoreUnavailable("for a moment")
        return pass_on(fence, workflows, runs, now)

    monkeypatch.setattr(without.store, "pass_on", away)
    handles = await asyncio.gather(*[without.schedules.trigger("s") for _ in range(12)])
    for handle in handles:
        assert await handle.result(timeout=60) == "done"
    assert asked >= 2
