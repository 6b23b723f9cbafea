"""Runs whose code is elsewhere: a client is told, and who is there for one workflow leaves those of others alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from segue import Engine, Incident, signal, workflow
from segue.errors import NotServed, UnknownWorkflow
from segue.runtime.settings import Settings


@workflow
async def stranger_a(n: int) -> int:
    return n + await signal("more", int)


@workflow
async def stranger_b(n: int) -> int:
    return 2 * n


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/test.db"


async def start_and_leave(url: str) -> None:
    async with Engine(url, workflows=[stranger_a]) as engine:
        await engine.start(stranger_a, 1, id="a")
        await asyncio.sleep(0.05)


async def test_runs_of_others_are_left_alone_when_asked(url: str) -> None:
    await start_and_leave(url)
    async with Engine(url, workflows=[stranger_b], settings=Settings(strangers="leave", slow_poll=0.05)) as engine:
        left = await engine.handle("a")
        await left.signal("more", 41)  # its mail is left alone too
        assert await (await engine.start(stranger_b, 3)).result() == 6
        await asyncio.sleep(0.2)
        assert (await left.status()).state in ("running", "waiting")
    async with Engine(url, workflows=[stranger_a]) as engine:
        assert await (await engine.handle("a")).result() == 42


async def test_otherwise_they_stand_still(url: str) -> None:
    await start_and_leave(url)
    async with Engine(url, workflows=[stranger_b], settings=Settings(slow_poll=0.05)) as engine:
        left = await engine.handle("a")
        await left.signal("more", 41)
        with pytest.raises(Incident, match="definition-missing"):
            await left.result(timeout=5)


async def test_a_client_is_told_when_the_owner_lacks_its_workflow(url: str) -> None:
    async with Engine(url, workflows=[stranger_b]) as owner, Engine(url) as client:
        with pytest.raises(NotServed, match=r"no workflow 'stranger_a' \(it has: stranger_b\)") as caught:
            await client.start(stranger_a, 1, id="a")
        assert caught.value.worker == owner.worker
        assert await client.list() == []
        assert await (await client.start(stranger_b, 2)).result() == 4


async def test_what_is_defined_later_is_served_too(url: str) -> None:
    async with Engine(url, settings=Settings(slow_poll=0.05)), Engine(url, own=False) as client:

        @workflow
        async def stranger_c() -> str:
            return "late"

        await asyncio.sleep(0.2)
        assert await (await client.start(stranger_c)).result() == "late"


async def test_a_name_is_enough_where_the_owner_has_the_code(url: str) -> None:
    async with Engine(url, workflows=[stranger_b]), Engine(url, own=False, workflows=[]) as client:
        assert await (await client.start("stranger_b", 4)).result() == 8
        with pytest.raises(UnknownWorkflow, match=r"known: stranger_b\)"):
            await client.start("stranger_z", 4)
