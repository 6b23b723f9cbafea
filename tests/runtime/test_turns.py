"""An attempt of which the journal has to say that it was begun: it says so when it is its turn, and not before."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from segue import Engine, Interceptor, StepCall, StepFailed, publish, signal, step, workflow
from segue.kernel import events as e
from segue.runtime.settings import Settings
from segue.stores.owning import SLOTS, Slots

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
ran: list[str] = []
free = threading.Event()


@pytest.fixture(autouse=True)
def nothing_ran() -> Iterator[None]:
    ran.clear()
    free.clear()
    yield
    free.set()


@pytest.fixture
def settings() -> Settings:
    return Settings(threads=1, processes=1)


@step(at_most_once=True, name="turns.held")
def held(name: str) -> str:
    ran.append(name)
    assert free.wait(30)
    return name


@step(at_most_once=True, schedule_to_start="50ms", name="turns.impatient")
def impatient(name: str) -> str:
    ran.append(name)
    return name


@step(at_most_once=True, timeout="20s", name="turns.on_loop")
async def on_loop(name: str) -> str:
    ran.append(name)
    return name


@step(at_most_once=True, timeout="20s", executor="process", name="turns.apart")
def apart(name: str) -> str:
    return name


EACH = {"thread": held, "loop": on_loop, "process": apart}


async def started(engine: Engine, id: str) -> list[str]:
    history = await (await engine.handle(id)).history()
    return [r.event.key for r in history if isinstance(r.event, e.StepStarted)]


@workflow
async def several(kind: str, n: int) -> list[str]:
    return await asyncio.gather(*[EACH[kind](str(i)) for i in range(n)])


async def test_what_waits_for_a_thread_is_not_said_to_have_begun(engine: Engine, until: Until) -> None:
    handle = await engine.start(several, "thread", 3, id="a")
    await until(lambda: ran == ["0"])
    assert await started(engine, "a") == ["/0/turns.held"]

    free.set()

    assert await handle.result(timeout=20) == ["0", "1", "2"]
    assert await started(engine, "a") == ["/0/turns.held", "/1/turns.held", "/2/turns.held"]


class Around(Interceptor):
    async def step(self, call: StepCall, proceed: Any) -> Any:
        return await proceed(call)


@pytest.mark.parametrize("around", [[], [Around()]], ids=["bare", "intercepted"])
@pytest.mark.parametrize("kind", list(EACH))
async def test_it_is_said_before_it_begins_wherever_it_runs(
    url: str, settings: Settings, kind: str, around: list[Interceptor]
) -> None:
    free.set()
    async with Engine(url, settings=settings, interceptors=around) as engine:
        handle = await engine.start(several, kind, 3)
        assert await handle.result(timeout=30) == ["0", "1", "2"]
        kinds: dict[str, list[str]] = {}
        for recorded in await handle.history():
            if isinstance(recorded.event, e.StepStarted | e.StepCompleted):
                kinds.setdefault(recorded.event.key, []).append(type(recorded.event).__name__)
    assert list(kinds.values()) == [["StepStarted", "StepCompleted"]] * 3


@workflow
async def gives_up_what_waits() -> list[str]:
    first, second = asyncio.create_task(held("first")), asyncio.create_task(held("second"))
    await signal("stop the second")
    second.cancel()
    await asyncio.wait([second])
    publish("cancelled", second.cancelled())
    return [await first]


async def test_one_that_is_cancelled_before_its_turn_never_runs(engine: Engine, until: Until) -> None:
    handle = await engine.start(gives_up_what_waits, id="a")
    await until(lambda: ran == ["first"])
    await handle.signal("stop the second")
    await until(lambda: engine.published(handle.run) == {"cancelled": True})
    free.set()
    assert await handle.result(timeout=20) == ["first"]
    assert ran == ["first"]
    assert await started(engine, "a") == ["/0/turns.held"]


@workflow
async def too_late() -> str:
    first = asyncio.create_task(held("first"))
    await asyncio.sleep(0)  # it comes first
    try:
        await impatient("second")
    except StepFailed as error:
        told = str(error)
    publish("told", told)
    await first
    return told


async def test_one_whose_turn_does_not_come_in_time_has_not_begun(engine: Engine, until: Until) -> None:
    handle = await engine.start(too_late, id="a")
    await until(lambda: bool(engine.published(handle.run)))
    free.set()
    assert "was not begun within its schedule_to_start" in await handle.result(timeout=20)
    assert ran == ["first"]
    assert await started(engine, "a") == ["/0/turns.held"]


async def test_a_closing_engine_does_not_wait_for_turns(url: str, settings: Settings, until: Until) -> None:
    async with Engine(url, settings=settings) as engine:
        await engine.start(several, "thread", 3, id="a")
        await until(lambda: ran == ["0"])
    free.set()
    async with Engine(url, settings=settings) as engine:
        assert await started(engine, "a") == ["/0/turns.held"]
        await until(lambda: ran == ["0", "1", "2"])


def owned(slots: tuple[Slots, ...]) -> int:
    return sum(each.high - each.low + 1 for each in slots)


@step(name="turns.plain")
def plain(n: int) -> int:
    return n


@workflow
async def of_one(n: int) -> int:
    return await plain(n)


@pytest.mark.parametrize("clean", [True, False], ids=["given back", "died"])
async def test_what_is_started_elsewhere_is_not_taken_for_what_a_predecessor_began(
    url: str, clean: bool, until: Until
) -> None:
    async with Engine(url, settings=Settings(lease=1)) as before:
        assert await (await before.start(of_one, 1, id="a")).result() == 1
        before.store.close(clean=clean)
    settings = Settings(lease=1, lost_limit=1)
    async with Engine(url, settings=settings) as owner, Engine(url, own=False) as client:
        # Until a lease has run out, what is started may be in slots of the one who died.
        await until(lambda: owner.duty is not None and owned(owner.duty.conductor.slots) == SLOTS)
        handle = await client.start(of_one, 2, id="b")
        assert await handle.result(timeout=30) == 2
        events = [recorded.event for recorded in await handle.history()]
    assert [type(event).__name__ for event in events] == ["RunStarted", "StepCompleted", "RunCompleted"]
    assert events[1].attempt == 1
