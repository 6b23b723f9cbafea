"""A scene of the crash sweep on virtual time: schedules, a backfill, hooks and deadlines, while the clock jumps about.

Each process plays it from the start; what an earlier one has done is done. The times are those of ``VirtualClock``,
which begins at 09:00 on 2026-01-05.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sweep_steps as steps
from sweep_game import Game

from segue import Deadline, Engine, Every, NonRetryable, RunReport, Schedule, Settings, workflow
from segue.errors import ScheduleExists
from segue.stores.base import RunFilter
from segue.stores.faults import FaultyStore
from segue.testing import VirtualClock, World
from segue.testing.mocks import Mocks

HOUR = 3_600_000_000
END = round(datetime(2026, 1, 5, 15, 30, tzinfo=UTC).timestamp() * 1e6)


@workflow
async def on_time(n: int) -> int:
    await asyncio.sleep(600)
    return await steps.fetch(n)


@workflow(on_failure=steps.hooked)
async def always_fails() -> None:
    raise NonRetryable("as planned")


@workflow
async def late(report: RunReport) -> str:
    return report.id


async def play(folder: Path, store: FaultyStore, game: Game) -> None:
    clock = VirtualClock()
    settings = Settings(cache=game.cache)
    async with Engine(f"sqlite:///{folder}/runs.db", store=store, clock=clock, settings=settings) as engine:
        world = World(engine, clock, Mocks())
        clock.jump(max((row.changed_at for row in await engine.list()), default=0))
        await _make(engine)
        while clock.now() < END:
            await world.advance("35m")
            clock._now -= HOUR if clock.now() % 5 == game.at % 5 and clock.now() < END - 2 * HOUR else 0
            await world.settle()
            clock.jump(clock.now() + HOUR)
            await world.settle()
        (folder / "outcome").write_text(json.dumps(await _outcome(engine), indent=1, sort_keys=True))


async def _make(engine: Engine) -> None:
    make = engine.schedules.create
    rules: dict[str, tuple[Any, Schedule]] = {
        "work": (on_time, Schedule(Every("1h"), args=(1,), overlap="buffer-all", end="2026-01-05T15:00")),
        "jittered": (
            on_time,
            Schedule(Every("2h"), args=(2,), jitter="10m", overlap="allow-all", end="2026-01-05T15:00"),
        ),
        "after-work": (
            on_time,
            Schedule(Every("1h"), args=(3,), after=("work",), overlap="allow-all", end="2026-01-05T15:00"),
        ),
        "failing": (
            always_fails,
            Schedule(
                Every("1h"),
                overlap="allow-all",
                end="2026-01-05T14:00",
                deadlines=(Deadline("completed", "20m", late),),
            ),
        ),
    }
    for name, (flow, schedule) in rules.items():
        with suppress(ScheduleExists):
            await make(name, flow, schedule)
    with suppress(ScheduleExists):
        await engine.schedules.backfill("work", "2026-01-04T00:00", "2026-01-04T05:00", id="fill", parallel=2)


async def _outcome(engine: Engine) -> dict[str, Any]:
    """How every run ended, and what the schedules count."""
    ended: dict[str, Any] = {row.id: row.state for row in await engine.list(RunFilter(limit=10_000))}
    for found in await engine.schedules.list():
        fills = [(fill.started, fill.completed, fill.done) for fill in found.backfills]
        ended[found.name] = [found.started, found.skipped, found.missed is not None, len(found.waiting), fills]
    return ended
