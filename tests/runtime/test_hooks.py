"""Hooks: what is run, durably, because a run has completed, failed or stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from schedule_kit import ids, page, tell, tell_nothing, told, utc

from segue import Every, Incident, NonRetryable, RunFailed, RunReport, Schedule, signal, step, testing, workflow
from segue.errors import InvalidArgument
from segue.kernel import events as e
from segue.stores.base import RunFilter
from segue.testing import World


@step(on_exhausted="incident")
async def needs_care() -> None:
    raise NonRetryable("no paper")


@workflow(on_success=tell, on_failure=page, on_incident=tell_nothing)
async def watched(how: str) -> str:
    match how:
        case "fails":
            raise NonRetryable("it broke")
        case "stands":
            await needs_care()
        case "waits":
            await signal("never")
    return how


@workflow(on_failure="hooked_itself")
async def hooked_itself(report: Any) -> None:
    raise NonRetryable("again")


@workflow(on_failure="nobody_has_this")
async def hooked_to_nothing() -> None:
    raise NonRetryable("it broke")


@workflow
async def takes_a_number(n: int) -> None: ...


@workflow(on_failure=takes_a_number)
async def hooked_to_another_type() -> None:
    raise NonRetryable("it broke")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    told.clear()
    async with testing.engine(tmp_path) as world:
        yield world


async def test_a_step_is_run_when_a_run_completes(world: World) -> None:
    await world.result(await world.engine.start(watched, "well", id="a"))
    await world.settle()
    assert [(r.occasion, r.workflow, r.id, r.state, r.message, r.due) for r in told] == [
        ("success", "watched", "a", "completed", "", None)
    ]
    (hook,) = await ids(world, "a/")
    assert hook.startswith("a/on-success/")
    first = (await (await world.engine.handle(hook)).history())[0].event
    assert isinstance(first, e.RunStarted)
    assert (first.actor, first.workflow) == ("hook:a", "segue.call-step")


async def test_a_workflow_is_run_when_a_run_fails(world: World) -> None:
    with pytest.raises(RunFailed):
        await world.result(await world.engine.start(watched, "fails", id="a"))
    await world.settle()
    (hook,) = await ids(world, "a/")
    assert await (await world.engine.handle(hook)).result() == "NonRetryable: it broke"


async def test_a_step_is_run_at_every_incident(world: World) -> None:
    handle = await world.engine.start(watched, "stands", id="a")
    with pytest.raises(Incident):
        await world.result(handle)
    await world.settle()
    await handle.retry()
    await world.settle()
    hooks = await ids(world, "a/")
    assert len(hooks) == len(set(hooks)) == len(told) == 2
    assert all(hook.startswith("a/on-incident/") for hook in hooks)


@pytest.mark.parametrize("end", ["cancel", "terminate"])
async def test_whoever_ends_a_run_knows_it_already(world: World, end: str) -> None:
    handle = await world.engine.start(watched, "waits", id="a")
    await getattr(handle, end)("enough")
    await world.settle()
    assert await ids(world) == ["a"]


async def test_a_hook_has_no_hooks(world: World) -> None:
    with pytest.raises(RunFailed):
        await world.result(await world.engine.start(hooked_itself, None, id="a"))
    await world.settle()
    assert len(await ids(world)) == 2


async def test_a_hook_without_code_stands_still_and_is_seen(world: World) -> None:
    for hooked in (hooked_to_nothing, hooked_to_another_type):
        with pytest.raises(RunFailed):
            await world.result(await world.engine.start(hooked))
    await world.settle()
    rows = await world.engine.list(RunFilter(states=("incident",)))
    assert sorted(row.workflow for row in rows) == ["nobody_has_this", "takes_a_number"]
    assert {(row.error or "").partition(":")[0] for row in rows} == {"definition-missing", "payload"}


async def test_a_hook_learns_what_a_schedule_had_the_run_due_for(world: World) -> None:
    await world.engine.schedules.create("s", watched, Schedule(Every("1h"), args=("well",)))
    await world.advance("1h")
    (report,) = told
    due = utc("2026-01-05T10:00")
    assert (report.due, report.interval) == (due, (utc("2026-01-05T09:00"), due))
    assert isinstance(report, RunReport)


@workflow
async def takes_two(a: int, b: int) -> None: ...


@workflow
class Alarm:
    async def run(self, report: RunReport) -> str:
        return report.message


@workflow(on_failure=Alarm, schedule=Schedule(Every("1h"), args=(3,), name="fragile"))
class Fragile:
    async def run(self, n: int) -> None:
        raise NonRetryable(f"broken by {n}")


async def test_workflows_as_classes_are_scheduled_and_hooked(tmp_path: Path) -> None:
    async with testing.engine(tmp_path, workflows=[Alarm, Fragile]) as world:
        await world.advance("1h")
        hook, run = [row.id for row in await world.engine.list()]
        assert run == "fragile@2026-01-05T10:00:00Z"
        assert hook.startswith(f"{run}/on-failure/")
        assert await (await world.engine.handle(hook)).result() == "NonRetryable: broken by 3"


@pytest.mark.parametrize("call", [print, 5, takes_two])
def test_what_cannot_be_a_hook(call: Any) -> None:
    async def hooked() -> None: ...

    with pytest.raises(InvalidArgument, match="on_failure"):
        workflow(on_failure=call, name="never defined")(hooked)
