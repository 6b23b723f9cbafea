"""The examples as the tests play them: one process, one example, from wherever the database says it is to its end.

Prints ``event N`` for every event of the run as it comes to be on disk, and ``outcome JSON`` at the end.

    python example_plays.py order FOLDER sample
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from segue import Approval, Engine, Handle, HumanTask, RunFailed, testing
from segue.errors import CallerError, RunClosed
from segue.runtime.settings import Settings

Reply = Callable[[HumanTask], Any]


def database(folder: Path) -> str:
    return f"sqlite:///{folder / 'segue.db'}"


def opened(folder: Path) -> Engine:
    """The engine of a play. On a slow machine all of its deaths may fall into one step, and none is its fault."""
    return Engine(database(folder), settings=Settings(lost_limit=10))


async def watch(engine: Engine, *ids: str) -> None:
    """Says how far these runs are: how many events there are of all of them together."""
    numbers = count(1)

    async def follow(id: str) -> None:
        while engine.store.find(engine.namespace, id) is None:  # noqa: ASYNC110 -- its parent has to start it first
            await asyncio.sleep(0.001)
        async for _ in (await engine.handle(id)).events():
            print(f"event {next(numbers)}", flush=True)

    print("event 0", flush=True)
    await asyncio.gather(*map(follow, ids))


async def outcome(handle: Handle[Any]) -> Any:
    """How the run ended, as JSON can say it."""
    try:
        return ["completed", msgspec.to_builtins(await handle.result(), str_keys=True, enc_hook=repr)]
    except RunFailed as error:
        failure = error.failure
        while failure is not None and failure.cause is not None:
            failure = failure.cause  # how many attempts it took is no part of the outcome: a death may take one away
        return [type(error).__name__, str(error) if failure is None else f"{failure.type}: {failure.message}"]


async def to_its_end(engine: Engine, handle: Handle[Any], replies: dict[str, Reply] | None = None) -> Any:
    """The run's outcome, with somebody at hand who answers its questions."""
    watching = asyncio.create_task(watch(engine, handle.id))
    ending = asyncio.create_task(outcome(handle))
    while not ending.done():
        for task in await engine.tasks(run=handle.run):
            reply = (replies or {}).get(task.assignee)
            try:
                if reply is not None:
                    await engine.complete_task(task, reply(task), by=task.assignee)
            except CallerError:
                continue  # answered by the process before this one
        await asyncio.wait([ending], timeout=0.02)
    await watching
    return await ending


async def order(folder: Path, which: str) -> Any:
    from order import ORDERS, fulfil

    async with opened(folder) as engine:
        handle = await engine.start(fulfil, ORDERS[which], id=which)
        return await to_its_end(engine, handle, {"manager": lambda task: Approval(True, "go on")})


async def ci(folder: Path, *complaint: str) -> Any:
    from ci import Health, Project, deliver

    async with opened(folder) as engine:
        project = Project(str(folder / "almanac"), str(folder / "site"), watch=0.5)
        handle = await engine.start(deliver, project, id=" ".join(["delivery", *complaint]))
        if complaint:
            with suppress(RunClosed):
                await handle.signal("health", Health(False, complaint[0]), message="complaint")
        return await to_its_end(engine, handle, {"release manager": lambda task: Approval(True)})


async def etl(folder: Path, tolerance: str) -> Any:
    from etl import refresh

    async with opened(folder) as engine:
        handle = await engine.start(refresh, float(tolerance), id="year")
        return await to_its_end(engine, handle, {"data steward": lambda task: Approval(True)})


async def onboarding(folder: Path, withdraw: str = "") -> Any:
    from onboarding import ADA, onboard, stage

    async with testing.engine(folder) as world:
        stage(world)
        handle = await world.engine.start(onboard, ADA, id="ada")
        if withdraw:
            world.at(testing.DAWN + timedelta(days=float(withdraw)), lambda: handle.cancel("another job"))
        children = [f"{area}-{ADA.email}" for area in ("paperwork", "equipment", "workplace")]
        watching = asyncio.create_task(watch(world.engine, "ada", *children))
        with suppress(RunFailed):
            await world.result(handle)
        watching.cancel()
        return await outcome(handle)


async def loan(folder: Path, which: str) -> Any:
    from loan import APPLICATIONS, lend, stage

    async with testing.engine(folder) as world:
        handle = await world.engine.start(lend, APPLICATIONS[which], id="loan")
        stage(world, "loan")
        watching = asyncio.create_task(watch(world.engine, "loan"))
        await world.result(handle)
        watching.cancel()
        return await outcome(handle)


PLAYS = {"order": order, "ci": ci, "etl": etl, "onboarding": onboarding, "loan": loan}

if __name__ == "__main__":
    name, place, *rest = sys.argv[1:]
    ended = asyncio.run(PLAYS[name](Path(place), *rest))
    print("outcome", json.dumps(ended), flush=True)
