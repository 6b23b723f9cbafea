"""Following a run from the process that owns it, and from another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import segue
from segue import Engine, step, workflow
from segue.client.following import Progress, Published, Recorded
from segue.runtime import reports

gate: dict[str, asyncio.Event] = {}


@step
async def climbs(steps: int) -> int:
    for n in range(steps):
        segue.progress(n + 1, steps, f"at {n + 1}")
        await asyncio.sleep(0)
    print("up")
    await gate["top"].wait()
    return steps


@workflow
async def climb(steps: int) -> int:
    segue.publish("camp", "valley")
    height = await climbs(steps)
    segue.publish("camp", "summit")
    return height


@pytest.fixture
async def client(engine: Engine, url: str) -> AsyncIterator[Engine]:
    async with Engine(url, own=False) as client:
        yield client


@pytest.mark.parametrize("own", [True, False], ids=["owner", "client"])
async def test_events_published_values_and_progress(engine: Engine, client: Engine, own: bool) -> None:
    gate["top"] = asyncio.Event()
    started = await engine.start(climb, 3, id="c")
    handle = await (engine if own else client).handle("c")
    live: list[Any] = []
    async with asyncio.timeout(10):
        async for found in handle.events(progress=True):
            live.append(found)
            if isinstance(found, Progress):
                gate["top"].set()  # seen while the step is under way
    said = [x for x in live if isinstance(x, Progress)]
    assert (said[0].step, said[0].done, said[0].total, said[0].message) == ("climbs", 1, 3, "at 1")
    assert said[-1].message == "at 3", "the last report is kept, however fast they came"
    assert len(said) < 4 or reports.EVERY == 0
    assert [(x.name, x.value) for x in live if isinstance(x, Published)] == [("camp", "valley"), ("camp", "summit")]
    events = [x for x in live if isinstance(x, Recorded)]
    assert events == await started.history()
    assert [x async for x in handle.events()] == events
    assert [x async for x in handle.events(after=1)] == events[1:]
    assert [line.text for line in engine.logs(handle.run)] == ["up"], "progress is no output"
