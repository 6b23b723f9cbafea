"""Limits of attempts, heartbeats, delayed starts and runs that take too long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import segue
from segue import AttemptOver, Engine, Retry, RunFailed, Settings, StepFailed, signal, step, testing, workflow
from segue.errors import InvalidArgument
from segue.kernel import events as e
from segue.stores.base import RESIDENT

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
released = threading.Event()
seen: list[object] = []


@pytest.fixture(autouse=True)
def clean() -> None:
    released.clear()
    seen.clear()


async def failure(engine: Engine, workflow: object, *args: object) -> str:
    with pytest.raises(RunFailed) as caught:
        await (await engine.start(workflow, *args)).result()  # type: ignore[call-overload]
    cause = caught.value.failure.cause or caught.value.failure
    return f"{cause.type}: {cause.message}"


# --- limits of attempts ---------------------------------------------------------------------------------------


@step(name="limits.holds")
def holds() -> None:
    seen.append("held")
    released.wait(20)


@step(name="limits.behind", schedule_to_start="20ms")
def behind() -> None:
    seen.append("begun")


@workflow(name="limits.one")
async def one_holds() -> None:
    await holds()


@workflow(name="limits.other")
async def other_waits() -> None:
    await behind()


async def test_an_attempt_that_no_thread_is_free_for_fails(url: str, until: Until) -> None:
    async with Engine(url, settings=Settings(threads=1)) as engine:
        first = await engine.start(one_holds)
        await until(lambda: seen == ["held"])
        told = await failure(engine, other_waits)
        assert "not begun within its schedule_to_start of 0.02 s" in told
        released.set()
        await first.result()
    assert seen == ["held"]


@step(name="limits.never", retry=Retry(attempts=0, initial="1m", backoff=1, jitter=0), schedule_to_close="5m")
async def never_works() -> None:
    raise ConnectionError("no")


@workflow(name="limits.attempts")
async def tries_for_a_while() -> None:
    await never_works()


async def test_attempts_end_with_the_time_for_all_of_them(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(tries_for_a_while)
        with pytest.raises(RunFailed) as caught:
            await world.result(handle)
        failed = [x.event for x in await handle.history() if isinstance(x.event, e.StepFailed)]
    assert [event.attempt for event in failed] == [1, 2, 3, 4, 5]
    assert failed[-1].failure.type == "segue.errors.StepTimeout"
    assert failed[-1].failure.cause is not None
    assert failed[-1].failure.cause.message == "no"
    assert "not done within its schedule_to_close of 300 s" in caught.value.failure.message


# --- heartbeats -----------------------------------------------------------------------------------------------


@step(name="limits.silent", heartbeat_timeout="30ms")
async def silent() -> None:
    segue.heartbeat("alive")
    await asyncio.sleep(3600)


@workflow(name="limits.silent_flow")
async def one_is_silent() -> None:
    await silent()


async def test_an_attempt_that_gives_no_heartbeat_fails(engine: Engine) -> None:
    assert "gave no heartbeat for 0.03 s, its heartbeat_timeout" in await failure(engine, one_is_silent)


@step(name="limits.late", heartbeat_timeout="20ms", grace="10ms")
def beats_too_late() -> None:
    released.wait(20)
    try:
        segue.heartbeat("too late")
    except AttemptOver as error:
        seen.append(str(error))


@workflow(name="limits.late_flow")
async def one_is_late() -> None:
    await beats_too_late()


async def test_a_heartbeat_after_its_timeout_is_refused(engine: Engine, until: Until) -> None:
    await failure(engine, one_is_late)
    released.set()
    await until(lambda: len(seen) == 1)
    assert "gave no heartbeat for 0.02 s" in str(seen[0])
    assert "is over for its run" in str(seen[0])


@step(name="limits.resumes", retry=Retry(attempts=3, initial="1ms", jitter=0))
async def resumes(rows: int) -> list[int]:
    done = segue.last_heartbeat(list[int]) or []
    for row in range(len(done), rows):
        done.append(row)
        segue.heartbeat(done)
        if row % 2 == 1 and row + 1 < rows:
            raise ConnectionError(f"broken off after {row}")
    seen.append(segue.attempt_number())
    return done


@workflow(name="limits.resumes_flow")
async def resumed(rows: int) -> list[int]:
    return await resumes(rows)


async def test_the_next_attempt_goes_on_from_the_last_heartbeat(engine: Engine) -> None:
    handle = await engine.start(resumed, 5)
    assert await handle.result() == [0, 1, 2, 3, 4]
    assert seen == [3]
    kinds = [type(x.event).__name__ for x in await handle.history()]
    assert kinds.count("StepFailed") == 2
    assert len(kinds) == 7, "heartbeats leave no events of their own"
    assert engine.store.attempts(handle.run) == []


def test_a_step_alone_beats_too() -> None:
    with testing.attempt(last_heartbeat=[0, 1]) as lone:
        assert asyncio.run(resumes(3)) == [0, 1, 2]
    assert lone.beats == [[0, 1, 2]]


@step(name="limits.dies", heartbeat_timeout="1h")
async def dies_once() -> str:
    before = segue.last_heartbeat(str)
    if before is not None:
        return before
    segue.heartbeat("half way")
    await asyncio.sleep(3600)
    return "?"


@workflow(name="limits.dies_flow")
async def one_dies() -> str:
    return await dies_once()


async def test_a_successor_finds_what_the_last_heartbeat_said(url: str, until: Until) -> None:
    async with Engine(url) as engine:
        handle = await engine.start(one_dies)
        await until(lambda: [row.details is not None for row in engine.store.attempts(handle.run)] == [True])
    async with Engine(url) as engine:
        assert await (await engine.handle(handle.id)).result() == "half way"


# --- runs -----------------------------------------------------------------------------------------------------


@workflow(name="limits.plain")
async def plain(value: str) -> str:
    seen.append(segue.now())
    return value


async def test_a_delayed_start_costs_nothing_until_it_is_due(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        at = world.clock.now()
        handle = await world.engine.start(plain, "late", delay="2h", summary="the late one")
        await world.settle()
        row = await handle.status()
        assert (row.state, row.wake, row.summary) == ("waiting", at + 7_200_000_000, "the late one")
        assert world.engine._duty is not None
        assert world.engine._duty.conductor.residents == {}
        assert await world.result(handle) == "late"
        assert world.clock.now() == at + 7_200_000_000
        assert len(seen) == 1


async def test_a_run_that_is_cancelled_before_it_begins_never_does(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(plain, "never", delay="2h")
        await handle.cancel("not needed")
        await world.settle()
        assert (await handle.status()).state == "cancelled"
        await world.advance("3h")
    assert seen == []


@step(name="limits.undo")
async def undone(what: str) -> None:
    seen.append(f"undone {what}")


@workflow(name="limits.slow", timeout="1h")
async def slow() -> None:
    try:
        await signal("never")
    finally:
        await undone("it")


async def test_a_run_that_takes_too_long_is_stopped_and_fails(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        at = world.clock.now()
        handle = await world.engine.start(slow, delay="30m")
        with pytest.raises(RunFailed) as caught:
            await world.result(handle)
        assert caught.value.failure.type == "segue.errors.RunTimeout"
        assert "took longer than its timeout of 3600 s" in caught.value.failure.message
        assert world.clock.now() == at + 90 * 60_000_000
        assert seen == ["undone it"]
        shorter = await world.engine.start(slow, timeout="1s")
        with pytest.raises(RunFailed):
            await world.result(shorter)


@pytest.mark.parametrize("terms", [{"delay": "soon"}, {"timeout": -1}, {"summary": "\0"}])
async def test_terms_that_are_none_are_refused(engine: Engine, terms: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        await engine.start(plain, "x", **terms)  # type: ignore[call-overload]
    assert await engine.list() == []


@workflow(name="limits.parent")
async def parent() -> str:
    return str(await plain.child("child", delay="1h", summary="a child to come"))


async def test_a_child_may_begin_later(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(parent)
        await world.settle()
        (child,) = [row for row in await world.engine.list() if row.parent == handle.run]
        assert (child.state, child.summary) == ("waiting", "a child to come")
        assert await world.result(handle) == "child"


# --- words ----------------------------------------------------------------------------------------------------


@step(name="limits.named")
async def named(n: int) -> int:
    return n


@workflow(name="limits.told")
async def told() -> int:
    segue.set_summary("on its way")
    await segue.sleep("1d", summary="cooling off")
    return await named.using(summary="the seventh")(7)


async def test_summaries_stand_in_the_row_and_in_the_journal(tmp_path: Path) -> None:
    async with testing.engine(tmp_path, settings=Settings(cache=0)) as world:
        handle = await world.engine.start(told, summary="begun")
        await world.settle()
        row = await handle.status()
        assert (row.summary, row.timer) == ("on its way", "cooling off")
        assert row.wake is not None
        assert row.wake > RESIDENT
        assert await world.result(handle) == 7
        events = [x.event for x in await handle.history()]
        assert [x.summary for x in events if isinstance(x, e.TimerFired)] == ["cooling off"]
        assert [x.summary for x in events if isinstance(x, e.StepCompleted)] == ["the seventh"]
        assert (await handle.status()).timer is None


@workflow(name="limits.awaits")
async def awaits() -> str:
    first = await segue.signal("first", str)
    found = await asyncio.gather(segue.signal("second", str), segue.signal("third", str))
    await named(7)
    return first + "".join(found)


async def test_a_row_says_which_signals_its_run_waits_for(tmp_path: Path) -> None:
    async with testing.engine(tmp_path, settings=Settings(cache=0)) as world:
        handle = await world.engine.start(awaits)
        await world.settle()
        assert (await handle.status()).awaits == ("first",)
        await handle.signal("first", "a")
        await world.settle()
        assert (await handle.status()).awaits == ("second", "third")
        await handle.signal("third", "c")
        await world.settle()
        assert (await handle.status()).awaits == ("second",)
        await handle.signal("second", "b")
        assert await world.result(handle) == "abc"
        assert (await handle.status()).awaits == ()


async def test_a_step_that_failed_by_a_limit_can_be_branched_on(engine: Engine) -> None:
    @workflow(name="limits.branch")
    async def branch() -> str:
        try:
            await silent()
        except StepFailed as error:
            return str(error.failure.type)
        return "?"

    assert await (await engine.start(branch)).result() == "segue.errors.StepTimeout"
