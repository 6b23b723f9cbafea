"""Schedules declared in code: made when an engine takes over, and at peace with what a person has changed since."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from schedule_kit import hours, ids

from segue import Cron, Every, Schedule, ScheduleInfo, Settings, testing
from segue.authoring.python.definitions import Workflow
from segue.authoring.python.scheduling import declared
from segue.encodings.aesgcm import AesGcm
from segue.errors import InvalidArgument, ScheduleDeclared
from segue.testing import World


async def nightly(value: str = "") -> str:
    return value


def code(schedule: Any) -> Workflow[Any, Any]:
    """The workflow as some version of the code declares it."""
    return Workflow(nightly, "nightly", schedules=declared(schedule, "nightly"))


@asynccontextmanager
async def deployed(folder: Path, schedule: Any, **options: Any) -> AsyncIterator[World]:
    async with testing.engine(folder, workflows=[code(schedule)], **options) as world:
        await world.settle()
        yield world


async def shown(world: World, name: str = "nightly") -> ScheduleInfo:
    return await world.engine.schedules.show(name)


async def test_what_is_declared_is_made_and_runs(tmp_path: Path) -> None:
    async with deployed(tmp_path, Every("1h")) as world:
        await world.advance("2h")
        assert await hours(world, "nightly") == ["05T10", "05T11"]
        found = await shown(world)
        assert (found.declared, found.changed, found.when) == (True, (), "every 1h")


async def test_nothing_is_written_when_the_code_says_what_it_said(tmp_path: Path) -> None:
    schedule = Schedule(
        Cron("0 2 * * *", "Europe/Berlin"), args=("x",), overlap="buffer-one", jitter="5m", tags={"a": "b"}
    )
    async with deployed(tmp_path, schedule) as world:
        (before,) = world.engine.store.schedules("default")
    async with deployed(tmp_path, schedule) as world:
        assert world.engine.store.schedules("default") == [before]


async def test_nor_when_a_codec_seals_the_same_arguments_into_other_bytes(tmp_path: Path) -> None:
    codec = AesGcm({"k": bytes(32)})
    schedule = Schedule(Every("1h"), args=("x",))
    async with deployed(tmp_path, schedule, codec=codec) as world:
        (before,) = world.engine.store.schedules("default")
        assert b'"x"' not in before.plan
    async with deployed(tmp_path, schedule, codec=codec) as world:
        assert world.engine.store.schedules("default") == [before]
        await world.advance("1h")
        assert await (await world.engine.handle("nightly@2026-01-05T10:00:00Z")).result() == "x"


async def test_a_new_declaration_changes_what_it_changes(tmp_path: Path) -> None:
    async with deployed(tmp_path, Schedule(Every("1h"), note="old")):
        pass
    async with deployed(tmp_path, Schedule(Every("2h"), note="new", args=("x",))) as world:
        found = await shown(world)
        assert (found.when, found.note, found.changed) == ("every 2h", "new", ())
        await world.advance("2h")
        assert await hours(world, "nightly") == ["05T10"]


async def test_what_a_person_changed_stands_until_the_code_changes_that_field(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with deployed(tmp_path, Schedule(Every("1h"), note="code")) as world:
        await world.engine.schedules.update("nightly", when=Every("30m"), overlap="allow-all", note="by ann")
        assert (await shown(world)).changed == ("when", "note", "overlap")
    async with deployed(tmp_path, Schedule(Every("1h"), note="code")) as world:
        found = await shown(world)
        assert (found.when, found.policy.overlap, found.note) == ("every 30m", "allow-all", "by ann")
    async with deployed(tmp_path, Schedule(Every("1h"), note="new code", jitter="1m")) as world:
        found = await shown(world)
        assert (found.when, found.policy.overlap, found.note) == ("every 30m", "allow-all", "new code")
        assert (found.policy.jitter, found.changed) == (60_000_000, ("when", "overlap"))
        assert "because a person changed it: when, overlap" in caplog.text


async def test_a_pause_and_the_cursor_are_nothing_that_code_says(tmp_path: Path) -> None:
    async with deployed(tmp_path, Every("1h")) as world:
        await world.advance("1h")
        await world.engine.schedules.pause("nightly", "inventory")
    async with deployed(tmp_path, Schedule(Every("1h"), overlap="allow-all")) as world:
        await world.advance("5h")
        assert (await shown(world)).paused == "inventory"
        assert await hours(world, "nightly") == ["05T10"]


async def test_what_is_no_longer_declared_is_paused_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    async with deployed(tmp_path, Every("1h")):
        pass
    async with deployed(tmp_path, None) as world:
        await world.advance("3h")
        found = await shown(world)
        assert (found.paused, found.declared, await ids(world)) == ("no longer declared in code", False, [])
    async with deployed(tmp_path, Every("1h")) as world:
        await world.advance("1h")
        assert (await shown(world)).paused is None
        assert len(await ids(world)) == 1
    async with deployed(tmp_path, None) as world:
        await world.engine.schedules.delete("nightly")
        assert await world.engine.schedules.list() == []


async def test_what_stands_in_code_is_not_deleted_as_long_as_that_is_served(tmp_path: Path) -> None:
    async with deployed(tmp_path, Every("1h")) as world:
        with pytest.raises(ScheduleDeclared, match="or pause it"):
            await world.engine.schedules.delete("nightly")
    async with testing.engine(tmp_path, workflows=[]) as world:
        await world.engine.schedules.delete("nightly")


async def test_a_name_that_a_person_had_taken_stays_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with deployed(tmp_path, None) as world:
        await world.engine.schedules.create("nightly", "nightly", Every("3h"))
    async with deployed(tmp_path, Every("1h")) as world:
        found = await shown(world)
        assert (found.when, found.declared, found.changed) == ("every 3h", True, ("when",))
    async with deployed(tmp_path, Every("2h")) as world:
        assert (await shown(world)).when == "every 2h"


async def test_several_schedules_of_one_workflow(tmp_path: Path) -> None:
    both = (Schedule(Every("1h"), args=("a",)), Schedule(Every("2h"), args=("b",), name="also"))
    async with deployed(tmp_path, both) as world:
        await world.advance("2h")
        assert [found.name for found in await world.engine.schedules.list()] == ["also", "nightly"]
        assert (len(await hours(world, "nightly")), len(await hours(world, "also"))) == (2, 1)
    with pytest.raises(InvalidArgument, match="two schedules 'nightly'"):
        code((Schedule(Every("1h")), Schedule(Every("2h"))))


async def test_a_name_that_another_app_has_is_told_at_the_start(tmp_path: Path) -> None:
    async with deployed(tmp_path, Every("1h"), app="reports"):
        pass
    with pytest.raises(InvalidArgument, match="app 'reports' has already"):
        async with deployed(tmp_path, Every("1h"), app="orders"):
            pass
    async with deployed(tmp_path, None, app="orders") as world:
        assert (await shown(world)).paused is None


async def test_arguments_that_do_not_fit_are_told_at_the_start(tmp_path: Path) -> None:
    for _ in range(2):  # the second time as well: nobody is left owning the runs
        with pytest.raises(InvalidArgument):
            async with deployed(tmp_path, Schedule(Every("1h"), args=(1, 2, 3))):
                pass


async def test_a_process_that_is_there_for_one_workflow_leaves_schedules_alone(tmp_path: Path) -> None:
    async with deployed(tmp_path, Every("1h")):
        pass
    async with deployed(tmp_path, Every("2h"), settings=Settings(strangers="leave")) as world:
        await world.advance("5h")
        assert ((await shown(world)).when, await ids(world)) == ("every 1h", [])
