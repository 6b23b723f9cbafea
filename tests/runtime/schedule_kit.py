"""Workflows and short ways to look at what schedules have started, for their tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import segue
from segue import NonRetryable, RunReport, signal, step, workflow
from segue.kernel import events as e
from segue.stores.base import RunFilter
from segue.testing import World

told: list[RunReport] = []


@step
async def tell(report: RunReport) -> None:
    told.append(report)


@step
async def tell_nothing() -> None:
    told.append(RunReport("success", "", "", datetime(2026, 1, 1, tzinfo=UTC)))


@workflow
async def page(report: RunReport) -> str:
    await tell(report)
    return report.message


@workflow
async def at_once(value: str = "") -> list[Any]:
    return [segue.due(), segue.data_interval(), value]


@workflow
async def until_told() -> str:
    await signal("enough")
    return "told"


@workflow(timeout="10m")
async def hurries() -> None:
    await signal("never")


@workflow
async def goes_on(n: int = 0) -> list[Any]:
    if n < 2:
        await segue.sleep("1m")
        segue.continue_as_new(n + 1)
    return [segue.due(), n]


@workflow
async def breaks() -> None:
    raise NonRetryable("broken")


async def ids(world: World, prefix: str = "", **where: Any) -> list[str]:
    """Runs in the order in which they were started."""
    found = await world.engine.list(RunFilter(id_prefix=prefix or None, limit=10_000, **where))
    return [row.id for row in reversed(found)]


async def hours(world: World, name: str, **where: Any) -> list[str]:
    """The due hours of a schedule's runs, in the order in which they were started."""
    return [id.partition("@")[2].partition(":")[0][8:] for id in await ids(world, f"{name}@", **where)]


async def origin(world: World, id: str) -> e.RunStarted:
    event = (await (await world.engine.handle(id)).history())[0].event
    assert isinstance(event, e.RunStarted)
    return event


async def let_end(world: World, id: str) -> None:
    await (await world.engine.handle(id)).signal("enough")
    await world.settle()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
