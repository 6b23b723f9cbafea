"""A scene of the crash sweep in which every process may have a later release of the code than the one before it.

Each workflow tells what it did, in the order of its code. What a release brings or puts elsewhere are steps of their
own; see docs/versions.md for why.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import sweep_driver as driver
import sweep_steps as steps
from sweep_game import Game

from segue import (
    Approval,
    Engine,
    NonRetryable,
    Settings,
    Step,
    StepFailed,
    Workflow,
    approval,
    patched,
    removed,
    saga,
    signal,
    step,
    workflow,
)
from segue.errors import CallerError
from segue.kernel import events as e
from segue.stores.base import CLOSED, RunFilter
from segue.stores.faults import FaultyStore

Did = list[str]


def _doing(what: str) -> Step[[int], str]:
    @step(name=f"{what}_it")  # the scenes are in one process, and no two steps have one name
    async def does(n: int) -> str:
        steps.act(f"{what}-{n}")
        await asyncio.sleep(0.001 * n)
        return f"{what}-{n}"

    return does


charge, inspect, pick, insure, ship, notify = map(_doing, ("charge", "inspect", "pick", "insure", "ship", "notify"))
reserve, hold = map(_doing, ("reserve", "hold"))
removed("notify_it")


@step
async def let_go(n: int, done: str | None) -> None:
    steps.act(f"release-{n}")


@step
async def give_up(n: int, held: str | None) -> None:
    steps.act(f"give-up-{n}")


@step
async def book_trip(n: int) -> None:
    steps.act(f"book-{n}")
    raise NonRetryable("booked out")


@workflow
async def packing(n: int) -> Did:
    return [await pick(n), await pick(n + 1)]


# --- three releases ---------------------------------------------------------------------------------------------


@workflow(name="purchase", version="1")
async def order_1() -> Did:
    did = [await charge(1)]
    await signal("packed")
    did += await asyncio.gather(pick(1), pick(2))
    return [*did, await ship(1), await notify(1)]


@workflow(name="purchase", version="2")
async def order_2() -> Did:
    did = [await charge(1), await inspect(1)]
    await signal("packed")
    did += await asyncio.gather(pick(1), pick(2))
    if patched("insured"):
        did.append(await insure(1))
    return [*did, await ship(1), await notify(1)]


@workflow(name="purchase", version="3")
async def order_3() -> Did:
    did = [await inspect(1), await charge(1)]
    await signal("packed")
    did += await asyncio.gather(pick(1), pick(2))
    if patched("insured"):
        did.append(await insure(1))
    return [*did, await ship(1)]


@workflow(name="trip", version="1")
async def trip_1() -> Did:
    try:
        async with saga() as s:
            await s.step(reserve, 1, undo=let_go)
            await book_trip(1)
    except StepFailed:
        return ["undone"]
    return []


@workflow(name="trip", version="2")
async def trip_2() -> Did:
    try:
        async with saga() as s:
            await s.step(reserve, 1, undo=let_go)
            await s.step(hold, 2, undo=give_up)
            await book_trip(1)
    except StepFailed:
        return ["undone"]
    return []


@workflow(name="permit", version="1")
async def permit_1() -> Did:
    await approval("ann")
    return [await ship(1)]


@workflow(name="permit", version="2")
async def permit_2() -> Did:
    did = [await inspect(1)]
    await approval("ann")
    return [*did, await ship(1)]


@workflow(name="parent", version="1")
async def parent_1() -> Did:
    await asyncio.sleep(0.01)
    return await packing(1)


@workflow(name="parent", version="2")
async def parent_2() -> Did:
    did = [await inspect(1)]
    await asyncio.sleep(0.01)
    return [*did, *await packing(1)]


RELEASES: dict[int, list[Workflow[..., Any]]] = {
    1: [order_1, trip_1, permit_1, parent_1, packing],
    2: [order_2, trip_2, permit_2, parent_2, packing],
    3: [order_3, trip_2, permit_2, parent_2, packing],
}

# --- how it is played -------------------------------------------------------------------------------------------


async def play(folder: Path, store: FaultyStore, game: Game) -> None:
    settings = Settings(cache=game.cache)
    more = {"workflows": RELEASES[game.release]}
    async with driver.engine_on(folder / "runs.db", store=store, settings=settings, **more) as engine:
        async with asyncio.timeout(driver.LONGEST), driver.bringing_back(engine):
            for name in ("purchase", "trip", "permit", "parent"):
                await engine.start(name, id=name)
            await (await engine.handle("purchase")).signal("packed", message="packed")
            await driver.until(lambda: _all_closed(engine))
        outcome = {row.id: _told(engine, row.run) for row in await engine.list(RunFilter(limit=100))}
        (folder / "outcome").write_text(json.dumps(outcome, indent=1, sort_keys=True))


async def _all_closed(engine: Engine) -> bool:
    for task in await engine.tasks():
        with suppress(CallerError):  # it was done before the crash
            await engine.complete_task(task, Approval(True), by="ann")
    return all(row.state in CLOSED for row in await engine.list(RunFilter(limit=100)))


def _told(engine: Engine, run: int) -> dict[str, Any]:
    """What a run came to, and what its journal says of the code that had it."""
    events = [event for _, event in engine.events_of(run)]
    marks = [(event.kind, event.name) for event in events if isinstance(event, e.Marker)]
    started, ended = events[0], events[-1]
    assert isinstance(started, e.RunStarted)
    versions = [started.version, *(name for kind, name in marks if kind == "code")]
    return {
        "state": type(ended).__name__,
        "result": json.loads(bytes(ended.result.data)) if isinstance(ended, e.RunCompleted) else str(ended),
        "releases": [name.partition("/")[0] for name in versions],
        "patched": ("patch", "insured") in marks,
        "adopted": [name for kind, name in marks if kind == "adopted"],
    }
