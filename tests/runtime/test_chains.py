"""Continue-as-new: messages, ids, handles and parents follow the chain; a chain that never waits stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import segue
from segue import (
    Engine,
    Incident,
    RunCancelled,
    RunFailed,
    RunTerminated,
    Settings,
    saga,
    signal,
    step,
    testing,
    update,
    workflow,
)
from segue.errors import RunAlreadyExists, RunClosed
from segue.kernel import events as e
from segue.runtime.chains import RESTLESS
from segue.stores.base import RunFilter

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
done: list[str] = []


@pytest.fixture(autouse=True)
def clean() -> None:
    done.clear()


@step(name="chains.work")
async def work(n: int) -> int:
    return n * 10


@workflow(name="chains.rounds")
async def rounds(n: int, last: int) -> list[Any]:
    got = await signal("go", str)
    if n < last:
        segue.continue_as_new(n + 1, last)
    return [n, got, signal("go", str).pending()]


def _went_on(engine: Engine, run: int) -> bool:
    row = engine.store.latest(run)
    return row is not None and row.run != run


async def states(engine: Engine) -> list[str]:
    return [row.state for row in await engine.list(RunFilter(limit=1000))]


async def test_signals_go_with_the_chain_in_their_order(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        engine = world.engine
        handle = await engine.start(rounds, 0, 3, id="r", delay="1h")
        for word in ("a", "b", "c", "d", "e"):
            await handle.signal("go", word)
        assert await world.result(handle) == [3, "d", 0]
        assert await states(engine) == ["completed", "continued", "continued", "continued"]
        rows = await engine.list()
        assert {row.chain for row in rows} == {rows[-1].run}
        assert (await engine.handle("r")).run == handle.run == rows[0].run
        started = (await handle.history())[0].event
        assert isinstance(started, e.RunStarted)
        assert started.continued is not None
        assert started.continued.number == 3
        assert started.continued.uid == rows[1].uid


async def test_a_message_id_is_taken_once_in_the_whole_chain(engine: Engine, until: Until) -> None:
    handle = await engine.start(rounds, 0, 1)
    first = handle.run
    await handle.signal("go", "a", message="m1")
    await handle.signal("go", "again", message="m1")
    await until(lambda: _went_on(engine, first))
    await handle.signal("go", "again", message="m1")
    await engine.signal(first, "go", "b", message="m2")  # by the number of a run that has gone on
    assert await handle.result() == [1, "b", 0]


async def test_the_same_start_again_is_the_same_chain(engine: Engine) -> None:
    handle = await engine.start(rounds, 0, 1, id="r")
    await handle.signal("go", "a")
    again = await engine.start(rounds, 0, 1, id="r")
    await again.signal("go", "b")
    assert await again.result() == await handle.result() == [1, "b", 0]
    with pytest.raises(RunAlreadyExists):
        await engine.start(rounds, 5, 6, id="r")


@workflow(name="chains.updates", unknown_updates="keep")
async def updates(n: int) -> int:
    if n == 0:
        await signal("on")
        segue.continue_as_new(1)
    total = 0

    @update
    async def add(value: int) -> int:
        nonlocal total
        more = await work(value)
        total += more
        return total

    @segue.query
    def so_far() -> int:
        return total

    await signal("stop")
    return total


@workflow(name="chains.weeks")
async def weeks(week: int) -> int:
    taken: list[int] = []

    @update
    async def add(value: int) -> list[int]:
        taken.append(await work(value))
        return taken

    word = await signal("on", str)
    if word == "stop":
        return week
    segue.continue_as_new(week + 1)


async def _the_second_answer(engine: Engine) -> None:
    handle = await engine.handle("w")
    assert await handle.update("add", 1, id="once") == [10]
    assert await engine.with_start(weeks, 0, id="w").update("add", 1, id="once") == [10]
    assert await engine.update(handle.run, "add", (1,), id="once") == [10]


async def test_an_update_that_a_run_before_has_answered_is_answered_alike(tmp_path: Path, until: Until) -> None:
    url = f"sqlite:///{tmp_path}/w.db"
    async with Engine(url) as owner, Engine(url, own=False) as other, asyncio.timeout(20):
        handle = await owner.start(weeks, 0, id="w")
        first = handle.run
        assert await handle.update("add", 1, id="once") == [10]
        for _ in range(2):
            before = (await handle.status()).run
            await handle.signal("on", "on")
            await until(lambda before=before: _went_on(owner, before))
        for engine in (owner, other):
            await _the_second_answer(engine)
            assert await engine.update(first, "add", (1,), id="once") == [10]
        assert await handle.update("add", 2, id="another") == [20]
        await handle.signal("on", "stop")
        assert await handle.result() == 2
        for engine in (owner, other):
            assert await handle.update("add", 1, id="once") == [10]
            assert await engine.update(first, "add", (1,), id="once") == [10]
            with pytest.raises(RunClosed):
                await engine.update(first, "add", (1,), id="never")


@workflow(name="chains.words")
async def words(n: int) -> list[str]:
    said: list[str] = []
    if n == 0:
        await signal("on")
        segue.continue_as_new(1)

    @segue.signal
    def right(word: str) -> None:
        said.append(word)

    @segue.signal
    def left(word: str) -> None:
        said.append(word)

    await segue.wait_condition(lambda: len(said) == 4)
    return said


async def test_messages_of_one_moment_go_with_the_chain_in_their_order(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:  # whose clock stands still while they are sent
        handle = await world.engine.start(words, 0)
        await world.settle()
        for name, word in (("left", "a"), ("right", "b"), ("left", "c"), ("right", "d")):
            await handle.signal(name, word)
        await handle.signal("on")
        assert await world.result(handle) == ["a", "b", "c", "d"]


async def test_an_update_that_nobody_took_is_answered_by_the_next_run(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(updates, 0)
        first = handle.run
        asked = world.engine.update(first, "add", (2,))
        waiting = asyncio.create_task(asked)
        named = asyncio.create_task(world.engine.update(first, "add", (3,), id="once"))
        await world.settle()
        assert not waiting.done()
        await handle.signal("on")
        assert max([await waiting, await named]) == 50
        assert await world.engine.update(first, "add", (3,), id="once") in (30, 50)
        assert await world.engine.query(first, "so_far", ()) == 50
        assert await handle.query("so_far") == 50
        await handle.signal("stop")
        assert await world.result(handle) == 50
        assert world.engine._duty is not None
        assert world.engine._duty.conductor.updates == {}


@workflow(name="chains.cancelled")
async def endless(n: int) -> None:
    try:
        await signal("go")
    finally:
        done.append(f"left {n}")
    segue.continue_as_new(n + 1)


async def test_a_cancellation_reaches_the_run_that_is_open(engine: Engine, until: Until) -> None:
    handle = await engine.start(endless, 0)
    first = handle.run
    await handle.signal("go")
    await until(lambda: _went_on(engine, first))
    await engine.cancel(first, "enough")
    with pytest.raises(RunCancelled):
        await handle.result()
    with pytest.raises(RunClosed):
        await handle.signal("go")
    assert (await states(engine))[:2] == ["cancelled", "continued"]


@workflow(name="chains.tasks")
async def misplaced() -> str:
    async def inner() -> None:
        segue.continue_as_new()

    with pytest.raises(segue.SegueError, match="the workflow's own function"):
        await asyncio.create_task(inner())
    return "refused"


async def test_a_task_cannot_end_the_run(engine: Engine) -> None:
    assert await (await engine.start(misplaced)).result() == "refused"


@step(name="chains.undo")
async def undo(n: int, result: int | None) -> None:
    done.append("undone")


@workflow(name="chains.saga")
async def in_a_saga(n: int) -> str:
    async with saga() as s:
        await s.step(work, n, undo=undo)
        if n == 0:
            segue.continue_as_new(1)
    return "kept"


async def test_a_saga_is_left_as_by_return(engine: Engine) -> None:
    assert await (await engine.start(in_a_saga, 0)).result() == "kept"
    assert done == []


@workflow(name="chains.parent")
async def parent() -> Any:
    return await rounds.child(0, 2, id="the-child")


async def test_a_parent_awaits_the_end_of_the_chain(engine: Engine, until: Until) -> None:
    handle = await engine.start(parent)
    await until(lambda: engine.store.find("default", "the-child") is not None)
    child = await engine.handle("the-child")
    for word in "abc":
        await child.signal("go", word)
    assert await handle.result() == [2, "c", 0]


@workflow(name="chains.leaf")
async def leaf(n: int) -> str:
    return f"{n} {await signal('go', str)}"


@workflow(name="chains.relay")
async def relay(n: int, policy: str) -> str:
    if n == 0:
        await leaf.child(n, id=f"{policy}-0", on_parent_close=policy, detached=True)
        segue.continue_as_new(1, policy)
    return await leaf.child(n, id=f"{policy}-{n}")


@pytest.mark.parametrize("policy", ["cancel", "terminate", "abandon"])
async def test_the_end_of_a_child_is_told_to_the_run_that_started_it(engine: Engine, until: Until, policy: str) -> None:
    handle = await engine.start(relay, 0, policy)
    await until(lambda: engine.store.find("default", f"{policy}-1") is not None)
    first = await engine.handle(f"{policy}-0")
    if policy == "abandon":
        await first.signal("go", "first")
    with suppress(RunCancelled, RunTerminated):
        await first.result()
    await (await engine.handle(f"{policy}-1")).signal("go", "second")
    assert await handle.result() == "1 second"


@workflow(name="chains.restless")
async def restless(n: int) -> int:
    if n >= 0:
        segue.continue_as_new(n + 1)
    return n


async def test_a_chain_that_never_waits_stands_still_and_says_so(engine: Engine) -> None:
    handle = await engine.start(restless, 0, id="spins")
    with pytest.raises(Incident, match=f"continued as new {RESTLESS} times in a row") as caught:
        await handle.result()
    assert caught.value.cause == "endless-continuation"
    row = await handle.status()
    assert row.state == "incident"
    assert (await states(engine)).count("continued") == RESTLESS - 1
    await handle.terminate("a mistake")
    with pytest.raises(RunFailed):
        await handle.result()


@workflow(name="chains.long")
async def long() -> list[Any]:
    found = []
    for n in range(3):
        await work(n)
        found.append((segue.history().events, segue.should_continue(3)))
    return found


async def test_a_run_knows_how_long_it_has_become(engine: Engine) -> None:
    handle = await engine.start(long)
    assert await handle.result() == [[2, False], [3, True], [4, True]]


async def test_the_chain_outlives_its_owner_and_its_old_runs(tmp_path: Path) -> None:
    settings = Settings(cache=0)
    async with testing.engine(tmp_path, settings=settings) as world:
        handle = await world.engine.start(rounds, 0, 2, id="r")
        first = handle.run
        await handle.signal("go", "a", message="m1")
        await world.settle()
    async with testing.engine(tmp_path, settings=settings) as world:
        handle = await world.engine.handle("r")
        assert world.engine.store.retain(2**60, 10) == 1
        assert world.engine.store.run(first) is None
        await handle.signal("go", "b", message="m2")
        await handle.signal("go", "c", message="m3")
        assert await world.result(handle) == [2, "c", 0]
