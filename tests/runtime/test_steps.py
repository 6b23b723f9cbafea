"""Steps in every executor: how they end, time limits, requests to stop, and what may not leave them."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import segue
from segue import (
    Engine,
    Retry,
    RunCancelled,
    RunFailed,
    SecretRef,
    StepFailed,
    Transaction,
    publish,
    signal,
    step,
    workflow,
)
from segue.kernel import events as e
from segue.runtime.settings import Settings

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
ran: list[str] = []


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    ran.clear()


async def _events(engine: Engine, id: str, kind: type[e.Event]) -> list[Any]:
    return [r.event for r in await (await engine.handle(id)).history() if isinstance(r.event, kind)]


# --- at most once ---------------------------------------------------------------------------------------------


@step(at_most_once=True)
async def launch(n: int) -> int:
    return n + 1


@workflow
async def launches(n: int) -> int:
    return await launch(n) + sum(await asyncio.gather(launch(n), launch(n)))


async def test_the_start_of_a_step_that_runs_at_most_once_is_journaled(engine: Engine) -> None:
    assert await (await engine.start(launches, 1, id="a")).result() == 6
    started = await _events(engine, "a", e.StepStarted)
    assert [event.key for event in started] == ["/launch", "/0/launch", "/1/launch"]


# --- what no future takes -------------------------------------------------------------------------------------


@step
def first_above(least: int) -> int:
    return next(n for n in range(3) if n > least)


@step.transaction
def first_row(db: Transaction, least: int) -> int:
    return next(n for n in range(3) if n > least)


@workflow
async def looks(least: int, transacted: bool) -> int:
    return await (first_row if transacted else first_above)(least)


@pytest.mark.parametrize("transacted", [False, True])
async def test_a_plain_step_that_raises_stop_iteration_has_failed(engine: Engine, transacted: bool) -> None:
    handle = await engine.start(looks, 7, transacted)
    with pytest.raises(RunFailed, match="RuntimeError: the function raised StopIteration") as caught:
        await asyncio.wait_for(handle.result(), 20)
    step_failed = caught.value.failure.cause
    assert "next(n for n in range(3)" in step_failed.cause.traceback
    for alone in (first_above(7), looks.local(7, False)):
        if not transacted:
            with pytest.raises((RuntimeError, RunFailed), match="the function raised StopIteration"):
                await asyncio.wait_for(alone, 20)
        alone.close()


# --- what may not leave a step ----------------------------------------------------------------------------------


class Vault:
    def get(self, name: str) -> str:
        return "sesame-opens-it"


@step(retry=Retry(attempts=2, initial=0, jitter=0))
async def blabs() -> str:
    return "the word is " + SecretRef("door").value()


@workflow
async def trusts() -> str:
    return await blabs()


async def test_a_result_with_a_secret_fails_the_step(url: str, settings: Settings) -> None:
    async with Engine(url, settings=settings, secrets=Vault()) as engine:
        handle = await engine.start(trusts)
        with pytest.raises(RunFailed, match="contains the value of a secret") as caught:
            await handle.result(timeout=5)
        assert "sesame" not in str(caught.value.failure)


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@step
async def breaks(how: str) -> object:
    if how == "half a character":
        raise ValueError("\ud800")
    if how == "no words":
        raise Silent
    if how == "no result":
        return {"a": [1, object()]}
    raise StopAsyncIteration("a step is no generator")


@workflow
async def broken(how: str) -> object:
    return await breaks(how)


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("half a character", "ValueError"),
        ("no words", "Silent"),
        ("no result", r"\$.*a.*\[1\]"),
        ("generator", "StopAsyncIteration"),
    ],
)
async def test_whatever_goes_wrong_in_a_step_is_its_outcome(engine: Engine, how: str, what: str) -> None:
    with pytest.raises(RunFailed, match=what):
        await (await engine.start(broken, how)).result(timeout=5)


# --- time limits ------------------------------------------------------------------------------------------------


@step(timeout="30ms", grace="30ms")
async def sleeps() -> None:
    await asyncio.sleep(60)


@step(timeout="30ms", grace="30ms")
async def clings() -> None:
    ran.append("began")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        ran.append("was asked to stop")
        await asyncio.sleep(0.5)


@step(timeout="30ms", grace="5s")
def polite() -> None:
    while not segue.cancelled():
        time.sleep(0.002)
    ran.append("was asked to stop")


@step(timeout="30ms", grace="30ms")
def deaf() -> None:
    time.sleep(0.5)


@step(timeout="30ms", executor="process")
def apart() -> None:
    time.sleep(60)


SLOW = {s.name: s for s in (sleeps, clings, polite, deaf, apart)}


@workflow
async def limited(name: str) -> str:
    try:
        await SLOW[name]()
    except StepFailed as error:
        return str(error.failure.type)
    return "ended"


@pytest.mark.parametrize("name", list(SLOW))
async def test_a_step_that_takes_too_long_is_stopped(engine: Engine, name: str) -> None:
    began = time.monotonic()
    assert await (await engine.start(limited, name)).result() == "segue.errors.StepTimeout"
    assert time.monotonic() - began < 10
    if name in ("clings", "polite"):
        assert "was asked to stop" in ran


async def test_waiting_for_a_free_thread_takes_nothing_from_the_time(url: str, until: Until) -> None:
    async with Engine(url, settings=Settings(threads=1)) as engine:
        released.clear()
        first = await engine.start(holds)
        await until(lambda: ran == ["first"])
        second = await engine.start(limited_behind_others)
        await until(lambda: len(engine._duty.attempts.running) == 2)  # type: ignore[union-attr]
        (waiting,) = [r for r in engine._duty.attempts.running if r.attempt.name == "brief"]  # type: ignore[union-attr]
        assert not waiting.timers, "its time has not begun"
        released.set()
        assert (await first.result(timeout=10), await second.result(timeout=10)) == ("first", "timed")


# --- stopping a running step ------------------------------------------------------------------------------------


@step
async def awaits() -> None:
    ran.append("began")
    try:
        await asyncio.sleep(60)
    finally:
        ran.append("stopped")


@step
def loops() -> None:
    ran.append("began")
    while not segue.cancelled():
        time.sleep(0.002)
    ran.append("stopped")


@step(executor="process")
def hangs(file: str) -> None:
    with open(file, "w") as out:
        out.write("began")
    time.sleep(60)


LONG = {s.name: s for s in (awaits, loops)}


@workflow
async def runs_long(name: str, file: str) -> str:
    try:
        await (hangs(file) if name == "hangs" else LONG[name]())
    finally:
        ran.append("finally")
    return "ended"


@pytest.mark.parametrize("name", ["awaits", "loops", "hangs"])
async def test_cancelling_a_run_stops_its_step(engine: Engine, until: Until, tmp_path: Any, name: str) -> None:
    file = tmp_path / "began"
    handle = await engine.start(runs_long, name, str(file))
    await until(lambda: "began" in ran or file.exists())
    await handle.cancel("enough")
    with pytest.raises(RunCancelled, match="enough"):
        await handle.result(timeout=5)
    assert ran[-1] == "finally"
    if name != "hangs":
        assert ran[:2] == ["began", "stopped"]


@step(executor="process")
def says_its_number(file: str) -> None:
    with open(file, "w") as out:
        out.write(str(os.getpid()))
    time.sleep(60)


@workflow
async def runs_apart(file: str) -> None:
    await says_its_number(file)


async def test_the_process_of_a_cancelled_step_is_killed(engine: Engine, until: Until, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    handle = await engine.start(runs_apart, str(file))
    await until(lambda: file.exists() and file.read_text() != "")
    await handle.cancel()
    with pytest.raises(RunCancelled):
        await handle.result(timeout=10)

    def gone() -> bool:
        try:
            os.kill(int(file.read_text()), 0)
        except ProcessLookupError:
            return True
        return False

    await until(gone)


released = threading.Event()


@step(grace="20ms")
def hears_nothing() -> None:
    ran.append("began")
    released.wait(60)


@step(grace="20ms")
async def does_not_let_go() -> None:
    ran.append("began")
    while not released.is_set():
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.005)


STUBBORN = {s.name: s for s in (hears_nothing, does_not_let_go)}


@workflow
async def waits_in_vain(name: str) -> None:
    await STUBBORN[name]()


@pytest.mark.parametrize("name", list(STUBBORN))
async def test_a_step_that_does_not_stop_is_left_behind_when_its_grace_is_over(
    url: str, until: Until, name: str
) -> None:
    released.clear()
    async with Engine(url) as engine:
        handle = await engine.start(waits_in_vain, name)
        await until(lambda: ran == ["began"])
        await handle.cancel("enough")
        try:
            with pytest.raises(RunCancelled, match="enough"):
                await handle.result(timeout=10)
            assert not released.is_set()
        finally:
            released.set()


@step
def holds_a_thread(what: str) -> str:
    ran.append(what)
    released.wait(60)
    return what


@step(timeout="10s")
def brief() -> str:
    ran.append("brief")
    return "timed"


@workflow
async def holds() -> str:
    return await holds_a_thread("first")


@workflow
async def limited_behind_others() -> str:
    return await brief()


@workflow
async def stops_before_its_turn() -> list[str]:
    first = asyncio.create_task(holds_a_thread("first"))
    second = asyncio.create_task(holds_a_thread("second"))
    await signal("stop the second")
    second.cancel()
    await asyncio.wait([second])
    publish("cancelled", second.cancelled())
    return [await first]


async def test_a_step_that_is_cancelled_before_its_turn_never_runs(url: str, until: Until) -> None:
    released.clear()
    async with Engine(url, settings=Settings(threads=1)) as engine:
        handle = await engine.start(stops_before_its_turn)
        await until(lambda: len(engine._duty.attempts.running) == 2 and ran == ["first"])  # type: ignore[union-attr]
        await handle.signal("stop the second")
        await until(lambda: engine.published(handle.run) == {"cancelled": True})
        released.set()
        assert await handle.result(timeout=10) == ["first"]
        assert ran == ["first"]


@step
def waits_for_its_callback() -> str:
    called = threading.Event()
    segue.on_cancel(called.set)
    ran.append("began")
    return "called back" if called.wait(60) else "forgotten"


@workflow
async def interrupts() -> str:
    task = asyncio.create_task(waits_for_its_callback())
    await signal("stop")
    task.cancel()
    await asyncio.wait([task])
    return "stopped"


async def test_a_callback_tells_a_thread_to_stop(engine: Engine, until: Until) -> None:
    handle = await engine.start(interrupts)
    await until(lambda: ran == ["began"])
    await handle.signal("stop")
    assert await handle.result(timeout=10) == "stopped"


@workflow
async def gives_up(name: str, file: str) -> str:
    try:
        await asyncio.wait_for(hangs(file) if name == "hangs" else LONG[name](), 0.05)
    except TimeoutError:
        return "gave up"
    return "ended"


@pytest.mark.parametrize("name", ["awaits", "loops", "hangs"])
async def test_a_workflow_stops_its_own_step(engine: Engine, tmp_path: Any, name: str) -> None:
    handle = await engine.start(gives_up, name, str(tmp_path / "began"))
    assert await handle.result(timeout=10) == "gave up"
