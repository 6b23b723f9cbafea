"""Paused runs and paused steps: nothing is lost meanwhile, and everything goes on in its order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import segue
from segue import Engine, RunTerminated, Settings, continue_as_new, signal, step, testing, update, workflow
from segue.errors import CallerError, RunClosed, UpdateRejected
from segue.kernel import events as e
from segue.runtime.resident import Resident, Segment

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
said: list[str] = []
gate = threading.Event()


@pytest.fixture(autouse=True)
def clean() -> None:
    said.clear()
    gate.clear()


@pytest.fixture(params=[0, 1000], ids=["evicted", "kept"])
def cache(request: pytest.FixtureRequest) -> Settings:
    return Settings(cache=request.param)


@step(name="pauses.work")
async def work(what: str) -> str:
    said.append(what)
    return what


@step(name="pauses.gated")
def gated() -> str:
    gate.wait(20)
    return "through"


@workflow(name="pauses.timers")
async def timers() -> list[str]:
    order: list[str] = []

    async def nap(name: str, seconds: int) -> None:
        await asyncio.sleep(seconds)
        order.append(name)

    async def listen() -> None:
        order.append(await signal("word", str))

    await asyncio.gather(nap("third", 50), nap("first", 20), listen(), nap("second", 30))
    return order


async def test_what_became_due_fires_in_order_when_the_run_goes_on(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(timers, id="t")
        await world.advance("10s")
        await handle.pause("a look at it", by="ann")
        await world.advance("15s")
        await handle.signal("word", "said at 25")
        await world.advance("1h")
        row = await handle.status()
        assert (row.state, row.wake, row.error) == ("paused", None, "paused by ann: a look at it")
        kinds = [type(x.event).__name__ for x in await handle.history()]
        assert kinds == ["RunStarted", "Paused", "SignalReceived"]
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.handle("t")
        await world.advance("1h")
        await handle.resume(by="bob")
        assert await world.result(handle) == ["first", "said at 25", "second", "third"]
        resumed = [x.event for x in await handle.history() if isinstance(x.event, e.Resumed)]
        assert [event.actor for event in resumed] == ["user:bob"]
        assert (await handle.status()).error is None


@workflow(name="pauses.under_way")
async def under_way() -> str:
    found = await gated()
    return found + await work("after")


async def test_an_attempt_under_way_ends_and_what_follows_waits(engine: Engine, until: Until) -> None:
    handle = await engine.start(under_way)
    await until(lambda: engine.attempts_under_way == 1)
    await handle.pause()
    gate.set()
    await until(lambda: _has(handle, e.StepCompleted))
    assert said == []
    assert (await handle.status()).state == "paused"
    await handle.resume()
    assert await handle.result() == "throughafter"


async def _has(handle: segue.Handle[str], kind: type[e.Event]) -> bool:
    return any(isinstance(x.event, kind) for x in await handle.history())


async def test_work_of_a_dead_owner_is_begun_again_only_after_the_pause(url: str, until: Until) -> None:
    async with Engine(url) as engine:
        handle = await engine.start(under_way, id="u")
        await until(lambda: engine.attempts_under_way == 1)
        await handle.pause()
        await until(lambda: _has(handle, e.Paused))
    gate.set()
    async with Engine(url) as engine:
        handle = await engine.handle("u")
        await until(lambda: bool(engine._duty and engine._duty.conductor.residents))
        assert engine.attempts_under_way == 0
        await handle.resume()
        assert await handle.result() == "throughafter"


async def test_who_resumes_second_is_told_that_somebody_was_first(url: str, until: Until) -> None:
    async with Engine(url) as engine:
        handle = await engine.start(timers, id="t")
        await handle.pause()
        await until(lambda: _has(handle, e.Paused))
    async with Engine(url, own=False) as client:  # while nobody takes up what is said
        handle = await client.handle("t")
        await handle.resume()
        with pytest.raises(CallerError, match="is paused, and somebody has resumed it already"):
            await handle.resume()


async def test_a_paused_run_can_be_terminated_and_nothing_else_is_resumed(engine: Engine) -> None:
    handle = await engine.start(timers)
    with pytest.raises(CallerError, match="nobody has paused it"):
        await handle.resume()
    await handle.pause("one", by="ann")
    await handle.pause("two", by="bob")
    await handle.terminate("enough")
    with pytest.raises(RunTerminated):
        await handle.result()
    paused = [x.event for x in await handle.history() if isinstance(x.event, e.Paused)]
    assert [event.reason for event in paused] == ["one"]
    with pytest.raises(RunClosed):
        await handle.pause()


# --- steps ----------------------------------------------------------------------------------------------------


@workflow(name="pauses.works")
async def works(what: str) -> str:
    return await work(what)


async def test_a_paused_step_holds_every_run_and_lets_all_of_them_go(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        await world.engine.pause_step("pauses.work", "the bank is down", by="ann")
        (paused,) = await world.engine.paused_steps()
        assert (paused.step, paused.by, paused.reason) == ("pauses.work", "ann", "the bank is down")
        for n in range(5):
            await world.engine.start(works, f"{n}", id=f"w{n}")
        await world.settle()
        assert {row.state for row in await world.engine.list()} == {"paused"}
        assert {row.wake for row in await world.engine.list()} == {None}
        assert said == []
    async with testing.engine(tmp_path, settings=cache) as world:
        await world.settle()
        assert said == []
        cancelled = await world.engine.handle("w0")
        await cancelled.cancel()
        await world.settle()
        assert (await cancelled.status()).state == "cancelled"
        await world.engine.resume_step("pauses.work", by="bob")
        for n in range(1, 5):
            assert await world.result(await world.engine.handle(f"w{n}")) == f"{n}"
        assert sorted(said) == ["1", "2", "3", "4"]
        events = [x.event for x in await (await world.engine.handle("w1")).history()]
        assert [type(event).__name__ for event in events if isinstance(event, (e.Paused, e.Resumed))] == [
            "Paused", "Resumed",
        ]  # fmt: skip
        assert world.engine.store.held("default") == []
        with pytest.raises(CallerError, match="is not paused"):
            await world.engine.resume_step("pauses.work")


async def test_another_process_pauses_a_step(url: str, until: Until) -> None:
    async with Engine(url) as owner, Engine(url, own=False) as client:
        await client.pause_step("pauses.work")
        await until(lambda: bool(owner._duty and owner._duty.conductor.held))
        handle = await client.start(works, "x")
        await until(lambda: _is(handle, "paused"))
        await client.resume_step("pauses.work")
        assert await handle.result() == "x"


async def _is(handle: segue.Handle[str], state: str) -> bool:
    return (await handle.status()).state == state


@workflow(name="pauses.held")
async def held() -> str:
    return await work("after all")


async def test_a_run_that_was_told_to_go_on_and_left_memory_before_that_was_on_disk_goes_on(
    engine: Engine, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.pause_step("pauses.work")
    handle = await engine.start(held)
    assert engine._duty is not None
    conductor = engine._duty.conductor

    async def is_held() -> bool:
        return any(isinstance(x.event, e.Paused) for x in await handle.history())

    await until(is_held)
    apply = conductor.apply
    lost = []

    def loses_the_first(run: Resident, event: e.Event) -> Segment:
        segment = apply(run, event)
        if isinstance(event, e.Resumed) and not lost:
            lost.append(event)
            conductor.rebuild(run)
        return segment

    monkeypatch.setattr(conductor, "apply", loses_the_first)
    await engine.resume_step("pauses.work")
    assert await handle.result(timeout=10) == "after all"
    assert lost


@workflow(name="pauses.chain")
async def chain(rest: int, so_far: str) -> str:
    so_far += await signal("word", str)
    if rest:
        continue_as_new(rest - 1, so_far)
    return so_far


async def test_what_is_held_back_behind_the_end_of_a_run_is_for_the_one_that_follows(
    tmp_path: Path, cache: Settings
) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(chain, 2, "", id="chain")
        first = handle.run
        await handle.pause("a look at it")
        for letter in "abc":
            await handle.signal("word", letter)
        await handle.resume()
        assert await world.result(handle) == "abc"
        ends = [type(each).__name__ for _, each in world.engine.events_of(first) if isinstance(each, e.CLOSING)]
        assert ends == ["RunContinued"]


@workflow(name="pauses.answering")
async def answering() -> str:
    @update
    async def say(word: str) -> str:
        return word

    return await signal("word", str)


async def test_an_update_that_is_held_back_behind_the_end_of_a_run_is_answered_before_it(
    tmp_path: Path, cache: Settings, until: Until
) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(answering, id="answering")
        await handle.pause("a look at it")
        await handle.signal("word", "last")
        asking = asyncio.create_task(handle.update("say", "more"))
        accepted = lambda: any(isinstance(each, e.UpdateAccepted) for _, each in world.engine.events_of(handle.run))  # noqa: E731
        await until(accepted)
        await handle.resume()
        assert await world.result(handle) == "last"
        with pytest.raises(UpdateRejected, match="about to end"):
            await asking
        recorded = [type(each.event).__name__ for each in await handle.history()]
        assert recorded[-2:] == ["UpdateCompleted", "RunCompleted"]
        await handle.fork(id="again")  # its journal replays
