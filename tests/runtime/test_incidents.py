"""Runs that stand still: what is told, how they go on after repair, and that nothing spins or is lost meanwhile."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import segue
from segue import (
    Engine,
    Incident,
    Retry,
    RunCancelled,
    RunFailed,
    RunTerminated,
    approval,
    saga,
    signal,
    step,
    workflow,
)
from segue.authoring.python.definitions import STEPS, WORKFLOWS
from segue.kernel import events as e
from segue.runtime.settings import Settings
from segue.stores.base import RunFilter

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
broken: set[str] = set()
did: list[str] = []


@pytest.fixture(autouse=True)
def all_is_well() -> None:
    broken.clear()
    did.clear()


async def _stands_still(handle: Any) -> Incident:
    with pytest.raises(Incident) as caught:
        await handle.result(timeout=5)
    return caught.value


def _kinds(recorded: list[Any]) -> list[str]:
    return [type(r.event).__name__ for r in recorded]


# --- a step that fails for good -----------------------------------------------------------------------------------


@step(on_exhausted="incident", retry=Retry(attempts=2, initial=0, jitter=0))
async def drill(hole: str) -> str:
    did.append(hole)
    if hole in broken:
        raise OSError(f"{hole} is blunt")
    return hole


@workflow
async def drills(*holes: str) -> list[str]:
    return await asyncio.gather(*map(drill, holes))


async def test_the_remedy_names_a_namespace_that_is_not_the_usual_one(tmp_path: Path) -> None:
    broken.add("b")
    async with Engine(f"sqlite:///{tmp_path}/n.db", namespace="berlin") as engine:
        told = await _stands_still(await engine.start(drills, "b", id="d"))
    assert "`segue retry d --namespace berlin`" in told.remedy


async def test_an_exhausted_step_stands_still_until_it_is_retried(engine: Engine) -> None:
    broken.add("b")
    handle = await engine.start(drills, "a", "b", id="d")
    told = await _stands_still(handle)
    assert "step 'drill' failed for good at attempt 2: OSError: b is blunt" in str(told)
    assert "segue retry d" in told.remedy
    row = await handle.status()
    assert (row.state, row.wake) == ("incident", None)

    await handle.retry()
    await _stands_still(handle)
    broken.clear()
    await handle.retry()
    assert await handle.result(timeout=5) == ["a", "b"]
    assert did == ["a", *"bb", *"bb", "b"], "two attempts each time, and what had succeeded was left alone"
    failed = [r.event.attempt for r in await handle.history() if isinstance(r.event, e.StepFailed)]
    assert failed == [1, 2, 3, 4]


@pytest.mark.parametrize("asks", ["owner", "client"])
@pytest.mark.parametrize("act", ["retry", "terminate"])
async def test_who_has_acted_on_an_incident_is_not_told_of_it_again(
    engine: Engine, url: str, asks: str, act: str
) -> None:
    async with Engine(url, own=False) as client:
        for n in range(10):
            broken.add("a")
            asker = engine if asks == "owner" else client
            handle = await asker.start(drills, "a", id=f"d{n}")
            await _stands_still(handle)
            broken.clear()
            await getattr(handle, act)()
            if act == "retry":
                assert await handle.result(timeout=5) == ["a"]
            else:
                with pytest.raises(RunTerminated):
                    await handle.result(timeout=5)


async def test_one_of_several_steps_is_retried(engine: Engine, until: Until) -> None:
    broken.update("bc")
    handle = await engine.start(drills, "b", "c", id="d")
    await until(lambda: sorted(did) == ["b", "b", "c", "c"])
    await _stands_still(handle)
    broken.discard("b")
    await handle.retry("/0/drill")
    await until(lambda: did.count("b") == 3)
    await _stands_still(handle)
    assert did.count("c") == 2
    broken.clear()
    await handle.retry("/1/drill")
    assert await handle.result(timeout=5) == ["b", "c"]


@workflow
async def loses_patience(hole: str) -> str:
    try:
        return await asyncio.wait_for(drill(hole), 0.3)
    except TimeoutError:
        await signal("go on")
        return "never mind"


async def test_a_workflow_gives_up_a_step_that_stands_still(engine: Engine, until: Until) -> None:
    broken.add("b")
    handle = await engine.start(loses_patience, "b")
    await _stands_still(handle)

    async def waits() -> bool:
        return (await handle.status()).state == "waiting"

    await until(waits)
    await handle.signal("go on")
    assert await handle.result(timeout=5) == "never mind"
    assert [r.event.action for r in await handle.history() if isinstance(r.event, e.IncidentResolved)] == ["withdrawn"]


async def test_cancelling_gives_up_a_step_that_stands_still(engine: Engine) -> None:
    broken.add("b")
    handle = await engine.start(drills, "b")
    await _stands_still(handle)
    await handle.cancel("scrap it")
    with pytest.raises(RunCancelled, match="scrap it"):
        await handle.result(timeout=5, through_incidents=True)


@step
async def refill(hole: str, result: str | None) -> None:
    did.append(f"refill {hole}")
    if "shovel" in broken:
        raise OSError("no shovel")


@workflow
async def regrets() -> None:
    async with saga() as s:
        await s.step(drill, "x", undo=refill)
        await s.step(drill, "y", undo=refill)
        raise ValueError("wrong wall")


async def test_a_failing_compensation_holds_the_remaining_list(engine: Engine) -> None:
    broken.add("shovel")
    handle = await engine.start(regrets)
    await _stands_still(handle)
    await handle.cancel("do not bother")
    assert (await handle.status()).state == "incident", "compensation is shielded"
    assert did == ["x", "y", "refill y"]

    broken.clear()
    await handle.retry()
    with pytest.raises(RunCancelled, match="do not bother"):
        await handle.result(timeout=5, through_incidents=True)
    assert did == ["x", "y", "refill y", "refill y", "refill x"]


@workflow
async def put_back(hole: str) -> None:
    await refill(hole, None)
    if "shop" in broken:
        raise OSError("the shop is closed")


async def put_back_elsewhere(hole: str) -> None:
    try:
        await put_back(hole)
    except RunFailed:
        if "code" in broken:
            raise


@workflow
async def regrets_in_another_run() -> None:
    async with saga() as s:
        await s.step(drill, "x", undo=refill)
        s.undo(put_back_elsewhere, "y")
        raise ValueError("wrong wall")


async def test_an_undo_that_raises_is_mended_in_the_code_and_no_defect_of_segue_s(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    broken.update(("shop", "code"))
    handle = await engine.start(regrets_in_another_run)
    told = await _stands_still(handle)
    assert told.cause == "compensation-failed"
    assert "undo put_back_elsewhere raised RunFailed: child run" in str(told)
    assert "OSError: the shop is closed" in str(told)
    assert "change its code" in told.remedy
    await handle.retry()
    assert (await _stands_still(handle)).cause == "compensation-failed", "its code is as it was"
    assert not [record for record in caplog.records if record.exc_info], "where segue was is of no interest"

    broken.discard("code")
    await handle.retry()
    with pytest.raises(RunFailed, match="wrong wall"):
        await handle.result(timeout=5, through_incidents=True)
    assert did == ["x", "refill y", "refill x"]


@workflow
async def says_a_name_twice() -> None:
    await drill.using(key="the")("a")
    await drill.using(key="the")("b")


async def test_two_calls_of_one_key_are_to_be_told_apart_in_the_code(engine: Engine) -> None:
    told = await _stands_still(await engine.start(says_a_name_twice))
    assert told.cause == "not-deterministic"
    assert "two calls of this run carry key='the', one of them to 'drill': give each its own" in str(told)
    assert "change the workflow's code as the message says" in told.remedy


# --- a workflow that is not the same each time it runs --------------------------------------------------------------


@step
async def stamp(value: float) -> float:
    return value


@workflow
async def looks_at_the_clock() -> float:
    first = await stamp(time.time())
    await signal("go on")
    return first


@workflow
async def throws_dice() -> float:
    first = await stamp(random.random())
    await signal("go on")
    return first


@pytest.mark.parametrize("flow", [looks_at_the_clock, throws_dice], ids=lambda flow: flow.name)
async def test_chance_in_a_workflow_is_caught_at_replay(url: str, flow: Any) -> None:
    async with Engine(url) as engine:
        handle = await engine.start(flow, id="c")
        await _has_stamped(handle)
    async with Engine(url) as engine:
        handle = await engine.handle("c")
        await handle.signal("go on")
        told = await _stands_still(handle)
        assert told.cause == "non-determinism"
        assert "step 'stamp'" in str(told)
        assert "segue.now" in str(told)
        assert "segue.random" in str(told)
        assert "segue retry c" in told.remedy
        await handle.terminate()


async def _has_stamped(handle: Any) -> None:
    async for recorded in handle.events():
        if isinstance(recorded.event, e.StepCompleted):
            return


# --- definitions that go and come back ------------------------------------------------------------------------------


def _passing(name: str, body: Callable[[], Any]) -> Any:
    """Defines a workflow of this name anew, as a reloaded module does."""

    async def passing() -> Any:
        return await body()

    WORKFLOWS._by_name.pop(name, None)
    return workflow(name=name)(passing)


@pytest.mark.on_file  # where there may be other workers, it waits for one first
async def test_a_workflow_that_is_gone_stands_still_until_it_is_back(url: str, settings: Settings) -> None:
    async def waits() -> str:
        return str(await signal("word", str))

    made = _passing("here and gone", waits)
    async with Engine(url, settings=settings) as engine:
        await engine.start(made, id="h")
    WORKFLOWS._by_name.pop("here and gone")
    async with Engine(url, settings=settings) as engine:
        handle = await engine.handle("h")
        await handle.signal("word", "x")
        told = await _stands_still(handle)
        assert told.cause == "definition-missing"
        assert "'here and gone'" in str(told)
        assert "start a worker whose code has it" in told.remedy
        _passing("here and gone", waits)
        await handle.retry()
        assert await handle.result(timeout=5, through_incidents=True) == "x"


async def test_a_workflow_whose_annotations_do_not_hold_stands_still(url: str) -> None:
    async def waits() -> str:
        return str(await signal("word", str))

    async with Engine(url) as engine:
        await engine.start(_passing("annotated", waits), id="h")
    spoiled = _passing("annotated", waits)
    spoiled.function.__annotations__["return"] = "NoSuchType"
    async with Engine(url) as engine:
        handle = await engine.handle("h", returns=str)
        await handle.signal("word", "x")
        assert "NoSuchType" in str(await _stands_still(handle))
        _passing("annotated", waits)
        await handle.retry()
        assert await handle.result(timeout=5, through_incidents=True) == "x"


@step
async def vanishing(n: int) -> int:
    return n + 1


@workflow
async def calls_a_step() -> int:
    await signal("go on")
    return await vanishing(1)


async def test_a_step_that_is_gone_stands_still_until_it_is_back(engine: Engine) -> None:
    handle = await engine.start(calls_a_step)
    gone = STEPS._by_name.pop("vanishing")
    await handle.signal("go on")
    told = await _stands_still(handle)
    assert told.cause == "definition-missing"
    assert "no step named 'vanishing'" in str(told)
    STEPS.add(gone)
    await handle.retry()
    assert await handle.result(timeout=5, through_incidents=True) == 2


# --- the run as a whole ---------------------------------------------------------------------------------------------


async def test_what_was_dropped_with_an_incident_is_made_good_after_repair(url: str, settings: Settings) -> None:
    async def asks(stop: Callable[[], Any]) -> Any:
        asked = asyncio.create_task(approval("ann", name="sign"))
        await signal("go on")
        asked.cancel()
        segue.publish("stage", "withdrawn")
        segue.set_attributes(stage="withdrawn")
        segue.patched("once")
        await asyncio.sleep(0)
        return stop()

    def misbehave() -> None:
        asyncio.get_running_loop().run_in_executor(None, print)

    made = _passing("asks", lambda: asks(misbehave))
    async with Engine(url, settings=settings) as engine:
        handle = await engine.start(made, id="a")
        await handle.signal("go on")
        told = await _stands_still(handle)
        assert told.cause == "not-deterministic"
        assert "run_in_executor" in str(told)
        assert [t.state for t in await engine.tasks(state=None)] == ["open"], "the run undoes nothing"

        _passing("asks", lambda: asks(lambda: "done"))
        await handle.retry()
        assert await handle.result(timeout=5, through_incidents=True) == "done"
        assert [t.state for t in await engine.tasks(state=None)] == ["withdrawn"]
        assert await handle.published() == {"stage": "withdrawn"}
        assert (await handle.status()).attributes == {"stage": "withdrawn"}


@step
async def outlives(n: int) -> int:
    await asyncio.sleep(0.1)
    did.append("outlived")
    return n


@workflow(name="forks")
async def forks() -> int:
    slow = asyncio.create_task(outlives(1))
    await signal("go on")
    if "wall" in broken:
        asyncio.get_running_loop().run_in_executor(None, print)
    return await slow


async def test_a_step_that_ends_while_its_run_stands_still_is_not_run_again(engine: Engine, until: Until) -> None:
    broken.add("wall")
    handle = await engine.start(forks)
    await handle.signal("go on")
    await _stands_still(handle)
    await until(lambda: did == ["outlived"])
    broken.clear()
    await handle.retry()
    assert await handle.result(timeout=5, through_incidents=True) == 1
    assert did == ["outlived"]


async def test_mail_waits_while_a_run_stands_still(engine: Engine) -> None:
    broken.add("wall")
    handle = await engine.start(forks)
    await handle.signal("go on")
    await _stands_still(handle)
    for n in range(3):
        await handle.signal("more", n)
    with pytest.raises(Incident, match="stands still"):
        await handle.query("anything")
    assert engine.store.stats().inbox == 3
    broken.clear()
    await handle.retry()
    assert await handle.result(timeout=5, through_incidents=True) == 1


async def test_runs_that_stand_still_do_not_hide_the_mail_of_others(url: str) -> None:
    many = 210  # more than are looked at at once
    broken.add("wall")
    async with Engine(url, settings=Settings(slow_poll=0.1)) as engine, Engine(url, own=False) as client:
        handles = [await engine.start(forks, id=str(n)) for n in range(many)]
        for handle in handles:
            await handle.signal("go on")
        for handle in handles:
            await _stands_still(handle)
            await handle.signal("more", 1)
        broken.clear()
        other = await client.start(forks)
        await other.signal("go on")
        assert await other.result(timeout=5) == 1
        assert len(await engine.list(RunFilter(states=("incident",), limit=1000))) == many
