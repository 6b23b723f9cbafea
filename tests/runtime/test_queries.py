"""Queries: answered by the owner, by any other process that has the code, and of runs that have ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from segue import Engine, Handle, publish, query, signal, step, workflow
from segue.errors import CallerError, Incident, NotDeterministic, RunFailed, RunNotFound
from segue.kernel import events as e

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
ran: list[str] = []
moods: list[str] = []


@step
async def pick(what: str) -> str:
    ran.append(what)
    return f"picked {what}"


@workflow
async def collects(first: str) -> list[str]:
    found: list[str] = []

    @query
    def so_far(prefix: str = "") -> list[str]:
        return [prefix + what for what in found]

    @query
    def meddles() -> None:
        asyncio.get_running_loop().create_future().set_result(1)
        asyncio.create_task(pick("more"))  # type: ignore[arg-type]  # noqa: RUF006

    found.append(await pick(first))
    publish("count", 1)
    async for what in signal("add", str):
        if what == "stop":
            return found
        if what == "fail":
            raise ValueError(what)
        found.append(await pick(what))
        publish("count", len(found))
    return found


@workflow
async def moody(times: int) -> None:
    @query
    def mood() -> str:
        return "as ever"

    for _ in range(times):
        await pick(moods[0])
    publish("count", times)
    await signal("never")


@pytest.fixture
async def client(engine: Engine, url: str) -> AsyncIterator[Engine]:
    ran.clear()
    async with Engine(url, own=False) as client:
        yield client


async def counted(handle: Handle[Any], count: int, until: Until) -> None:
    async def there() -> bool:
        return bool((await handle.published()).get("count") == count)

    await until(there)


async def test_every_process_gives_the_same_answer_and_changes_nothing(
    engine: Engine, client: Engine, until: Until
) -> None:
    handle = await engine.start(collects, "tea", id="basket")
    await handle.signal("add", "milk")
    await counted(handle, 2, until)
    there = await client.handle("basket")
    before = await handle.history()
    for asked in (handle, there):
        assert await asked.query("so_far") == ["picked tea", "picked milk"]
        assert await asked.query("so_far", "= ") == ["= picked tea", "= picked milk"]
        with pytest.raises(
            CallerError, match=rf"run '{handle.id}' answers no query 'total' .it answers: meddles, so_far"
        ):
            await asked.query("total")
        with pytest.raises(
            NotDeterministic,
            match=rf"query 'meddles' of run '{handle.id}' only reads: it must not start tasks; leave that",
        ):
            await asked.query("meddles")
    assert ran == ["tea", "milk"], "replay runs no step"
    assert await handle.history() == before

    await there.signal("add", "bread")
    await counted(handle, 3, until)
    assert await there.query("so_far") == await handle.query("so_far") == ["picked tea", "picked milk", "picked bread"]


@pytest.mark.parametrize("how", ["stop", "fail", "cancel", "terminate"])
async def test_a_run_that_has_ended_still_answers(engine: Engine, client: Engine, until: Until, how: str) -> None:
    handle = await engine.start(collects, "tea", id="basket")
    await counted(handle, 1, until)
    await (getattr(handle, how)() if how in ("cancel", "terminate") else handle.signal("add", how))
    await asyncio.wait([asyncio.ensure_future(handle.result())])
    for asked in (handle, await client.handle("basket")):
        assert await asked.query("so_far") == ["picked tea"]
    assert ran == ["tea"]


async def test_who_lacks_the_code_is_told_what_to_do(engine: Engine, url: str, until: Until) -> None:
    handle = await engine.start(collects, "tea", id="basket")
    await counted(handle, 1, until)
    async with Engine(url, own=False, workflows=[moody]) as stranger:
        asked = await stranger.handle("basket")
        with pytest.raises(CallerError, match=r"'collects' is not known here.*read handle.published\(\)"):
            await asked.query("so_far")
        assert await asked.published() == {"count": 1}
        with pytest.raises(RunNotFound):
            await stranger.query(99, "so_far", ())


async def test_a_journal_that_does_not_replay_answers_nothing(engine: Engine, client: Engine, until: Until) -> None:
    moods[:] = ["tea"]
    handle = await engine.start(moody, 1, id="moody")
    await counted(handle, 1, until)
    asked = await client.handle("moody")
    assert await asked.query("mood") == "as ever"
    moods[:] = ["coffee"]
    with pytest.raises(Incident, match=r"does not replay with this code: .*pick.* other arguments"):
        await asked.query("mood")
    assert (await asked.status()).state == "waiting", "asking opens no incident"


async def test_erased_data_answers_nothing(engine: Engine, client: Engine) -> None:
    handle = await engine.start(collects, "tea", id="basket")
    await handle.signal("add", "fail")
    with pytest.raises(RunFailed):
        await handle.result()
    await engine.erase(handle.run)
    assert any(isinstance(recorded.event, e.Erased) for recorded in await handle.history())
    for asked in (handle, await client.handle("basket")):
        with pytest.raises(CallerError, match="was erased"):
            await asked.query("so_far")
