"""What every other part of the product does with a large value that is outside the database; none has the loop wait for
the place."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from placing_kit import SIZE, Guard, Outside

import segue
from segue import (
    Approval,
    Cache,
    Engine,
    Ref,
    RunFailed,
    StepFailed,
    approval,
    artifact,
    bulk,
    query,
    signal,
    state,
    step,
    update,
    workflow,
)
from segue.client.handles import Handle
from segue.errors import NotDeterministic, StoreUnavailable
from segue.kernel import events as e
from segue.owner.checking import InStore, check_runs
from segue.runtime import fetching, placing, spared
from segue.stores import objects
from segue.stores.export import export

pytest.importorskip("fsspec")

Until = Callable[..., Awaitable[Any]]
ran: list[str] = []


@step(name="placed.make")
async def make(letter: str) -> str:
    ran.append(letter)
    return letter * SIZE


@step(name="placed.cached", cache=Cache())
async def cached(letter: str) -> str:
    ran.append(letter)
    return letter * SIZE


@step(name="placed.cached_in_time", cache=Cache(), schedule_to_close="5s")
async def cached_in_time(letter: str) -> str:
    ran.append(letter)
    return letter * SIZE


@step(name="placed.size")
async def size(value: Ref[str]) -> int:
    return len(await value.load())


@step(name="placed.size_elsewhere", executor="process")
def size_elsewhere(value: Ref[str]) -> int:
    return len(value.load_sync())


@step(name="placed.attach")
async def attach() -> None:
    artifact.markdown("long", "m" * SIZE)
    await state.set("shop", "long", "k" * SIZE)


@step(name="placed.breaks")
async def breaks(value: str) -> int:
    if "again" not in ran:
        raise ValueError("not yet")
    return len(value)


@step(name="placed.read")
async def read() -> int:
    return len(await state.get("shop", "long"))


@workflow(name="placed.Talks")
class Talks:
    def __init__(self) -> None:
        self.heard: list[str] = []

    async def run(self, first: str) -> list[int]:
        await signal("go")
        said = await signal("say")
        return [len(first), len(said), *map(len, self.heard)]

    @update
    async def put(self, item: str) -> str:
        self.heard.append(item)
        return item

    @query
    def all(self) -> list[int]:
        return [len(each) for each in self.heard]


@workflow(name="placed.hears")
async def hears() -> list[int]:
    return [len(await signal(name)) for name in ("say", "say", "end")]


@workflow(name="placed.child")
async def child(letter: str) -> str:
    return await make(letter)


@workflow(name="placed.parent")
async def parent(letter: str) -> int:
    found = await child(letter)
    await signal("go")
    return len(found)


@workflow(name="placed.gives")
async def gives(letter: str) -> str:
    return await make(letter)


@workflow(name="placed.refers")
async def refers(letter: str) -> list[int]:
    made = await make.by_reference()(letter)
    await signal("go")
    return [await size(made), await size_elsewhere(made)]


@workflow(name="placed.uses")
async def uses(letter: str) -> int:
    return len(await cached(letter))


@workflow(name="placed.has_no_time")
async def has_no_time(letter: str) -> int:
    return len(await cached_in_time(letter))


@workflow(name="placed.gives_up")
async def gives_up(letter: str) -> int:
    size = 0
    with suppress(TimeoutError):
        size = len(await asyncio.wait_for(cached(letter), 0.01))
    await signal("go")
    return size


@workflow(name="placed.is_asked")
async def is_asked(letter: str) -> int:
    @query
    def looks() -> str:
        return letter

    @query
    def interferes() -> None:
        segue.publish("letter", letter)

    return len(await cached(letter))


@workflow(name="placed.mends")
async def mends(letter: str) -> int:
    made = await make(letter)
    try:
        return await breaks(made)
    except StepFailed:
        await signal("go")
        raise


@workflow(name="placed.chain")
async def chain(n: int, value: str) -> int:
    if n == 0:
        await signal("go")
        segue.continue_as_new(1, value)
    await signal("on")
    return len(value)


@workflow(name="placed.keeps")
async def keeps() -> int:
    await attach()
    await signal("go")
    return await read()


@step(name="placed.measure", queue="placed")
async def measure(value: str) -> str:
    raise AssertionError("no worker in Python serves its queue")


@workflow(name="placed.measures")
async def measures(value: str) -> int:
    return len(await measure(value))


@workflow(name="placed.asks")
async def asks() -> int:
    answer = await approval("boss", form=Approval, subject={"about": "s" * SIZE})
    await signal("go")
    return len(answer.comment)


@pytest.fixture(autouse=True)
def guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    ran.clear()
    monkeypatch.setattr(placing, "PAUSE", 0.02)
    monkeypatch.setattr(fetching, "PAUSE", 0.02)
    guard = Guard()
    monkeypatch.setattr(objects, "get", guard.get)
    yield guard
    assert guard.on_loop == []
    assert guard.asked, "no value was elsewhere"


@pytest.fixture
def outside(tmp_path: Path, url: str) -> Outside:
    return Outside(tmp_path, url)


def away(place: str) -> bytes:
    raise StoreUnavailable(f"{place} does not answer")


async def moved(outside: Outside, engine: Engine, until: Until) -> None:
    await until(outside.all_out(engine))


async def again(engine: Engine, handle: Handle[Any]) -> Handle[Any]:
    """The run's handle in an engine that has just come."""
    return await engine.handle(handle.id)


async def test_arguments_signals_updates_and_queries(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        handle = await engine.start(Talks, "a" * SIZE)
        assert await handle.update("put", "b" * SIZE, id="b") == "b" * SIZE
        await moved(outside, engine, until)
        assert await handle.update("put", "b" * SIZE, id="b") == "b" * SIZE, "the same once more"
        assert await handle.query("all") == [SIZE]
    async with outside.engine() as engine, outside.engine(own=False) as client:
        there = await again(client, handle)
        assert await there.query("all") == [SIZE]
        assert await there.update("put", "b" * SIZE, id="b") == "b" * SIZE
        here = await again(engine, handle)
        assert await here.query("all") == [SIZE]
        await here.signal("go")
        await here.signal("say", "c" * SIZE)
        assert await here.result() == [SIZE, SIZE, SIZE]


async def test_a_message_that_moved_before_its_run_had_it_keeps_its_turn(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        handle = await engine.start(hears)
    async with outside.engine(own=False) as client:
        there = await again(client, handle)
        await there.signal("say", "c" * SIZE)
        await there.signal("say", "after it")
    async with outside.engine(app="other") as other:  # moves what it finds, and has no such run
        await moved(outside, other, until)
    async with outside.engine() as engine:
        here = await again(engine, handle)
        await until(lambda: not engine.store.inbox([handle.run]))
        await here.signal("end", "end")
        assert await here.result() == [SIZE, len("after it"), len("end")]


async def test_children_forks_and_repairs(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        with_child = await engine.start(parent, "a")
        broken = await engine.start(mends, "b")
        await until(lambda: ran == ["a", "b"] or ran == ["b", "a"])
        await moved(outside, engine, until)
        await with_child.signal("go")
        assert await with_child.result() == SIZE
        await broken.signal("go")
        with pytest.raises(segue.errors.RunFailed):
            await broken.result()
        ran.append("again")
        fork = await engine.fork(broken.run, step="placed.breaks")
        assert await fork.result() == SIZE
        retried = await engine.retry_from(broken.run)
        assert await retried.result() == SIZE
        assert ran.count("b") == 1


async def test_a_chain_takes_its_input_along(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        handle = await engine.start(chain, 0, "a" * SIZE)
        await moved(outside, engine, until)
    async with outside.engine() as engine:
        handle = await again(engine, handle)
        await handle.signal("go")
        await handle.signal("on")
        assert await handle.result() == SIZE


async def test_references_artifacts_and_keyed_state(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        reference = await engine.start(refers, "a")
        attached = await engine.start(keeps)
        await until(
            lambda: len(engine.store.places.of_run(attached.run) + engine.store.places.of_run(reference.run)) == 2
        )
        await reference.signal("go")
        assert await reference.result() == [SIZE, SIZE]
        (found,) = await attached.artifacts()
        assert "m" * SIZE in json.dumps(found.value)
        await attached.signal("go")
        assert await attached.result() == SIZE


async def test_a_cached_result_is_fetched_once_it_is_asked_for(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with outside.engine() as engine:
        assert await (await engine.start(uses, "a")).result() == SIZE
        await moved(outside, engine, until)
        assert await (await engine.start(uses, "a")).result() == SIZE
        assert ran == ["a"]
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(objects, "get", away)
            assert await (await engine.start(uses, "a")).result() == SIZE
        assert ran == ["a", "a"], "it is run where its result cannot be had"


async def test_a_call_that_is_given_up_while_its_cached_result_is_fetched(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, let_go = threading.Event(), threading.Event()

    def gone(place: str) -> None:
        asked.set()
        let_go.wait()
        away(place)

    async with outside.engine() as engine:
        assert await (await engine.start(uses, "a")).result() == SIZE
        await moved(outside, engine, until)
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(objects, "get", gone)
            handle = await engine.start(gives_up, "a")

            async def goes_on() -> bool:
                return (await handle.status()).awaits == ("go",)

            try:
                await until(asked.is_set)
                await until(goes_on)  # the place has not answered yet
            finally:
                let_go.set()
            assert engine._duty is not None
            fetching = engine._duty.conductor.fetching
            await until(lambda: not fetching._under_way)
        await handle.signal("go")
        assert await handle.result() == 0
        kinds = [type(found.event) for found in await handle.history()]
        assert kinds == [e.RunStarted, e.TimerFired, e.StepFailed, e.SignalReceived, e.RunCompleted]
        assert ran == ["a"], "nothing is begun for it when the place has answered"
        assert await (await engine.start(uses, "a")).result() == SIZE


@pytest.mark.parametrize(
    ("workflow", "patience", "ended"), [("placed.uses", 0.2, ["a", "a"]), ("placed.has_no_time", 60.0, ["a"])]
)
async def test_a_place_that_never_answers_is_not_waited_for_without_end(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch, workflow: str, patience: float, ended: list[str]
) -> None:
    let_go = threading.Event()

    def hangs(place: str) -> None:
        let_go.wait()
        away(place)

    async with outside.engine() as engine:
        assert await (await engine.start(workflow, "a")).result() == SIZE
        await moved(outside, engine, until)
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(spared, "PATIENCE", patience)
            meanwhile.setattr(objects, "get", hangs)
            try:
                handle = await engine.start(workflow, "a")
                if workflow == "placed.uses":
                    assert await handle.result(timeout=30) == SIZE
                else:
                    with pytest.raises(RunFailed, match=r"StepTimeout.*schedule_to_close"):
                        await handle.result(timeout=30)
            finally:
                let_go.set()
        assert ran == ended
        await moved(outside, engine, until)
        assert await (await engine.start(workflow, "a")).result() == SIZE
        assert ran == ended, "the place answers again"


async def test_a_run_that_is_brought_back_while_a_cached_result_is_fetched(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, let_go, get = threading.Event(), threading.Event(), objects.get

    def slow(place: str) -> bytes | None:
        asked.set()
        let_go.wait()
        return get(place)

    async with outside.engine() as engine:
        assert await (await engine.start(uses, "a")).result() == SIZE
        await moved(outside, engine, until)
        monkeypatch.setattr(objects, "get", slow)
        handle = await engine.start(is_asked, "a")
        try:
            await until(asked.is_set)
            with pytest.raises(NotDeterministic):
                await handle.query("interferes")
            assert await handle.query("looks") == "a", "it is back"
        finally:
            let_go.set()
        async with asyncio.timeout(10):
            assert await handle.result() == SIZE
        assert ran == ["a"]


async def test_attempts_that_others_activate(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        handle = await engine.start(measures, "a" * SIZE)
        await moved(outside, engine, until)
        await until(lambda: engine.store.waits_in("default", "default", "placed", engine.clock.now()))
        (activated,) = await engine.activate("placed", worker="ann")
        assert activated.arguments == {"value": "a" * SIZE}
        await engine.complete_step(activated.token, "b" * SIZE)
        assert await handle.result() == SIZE


async def test_pauses_and_previews(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        handle = await engine.start(parent, "a")
        await until(lambda: ran == ["a"])
        await moved(outside, engine, until)
        await engine.pause(handle.run)
        await until(lambda: engine.store.run(handle.run).state == "paused")
        row = engine.store.run(handle.run)
        assert row is not None
        assert (await bulk.Resume().preview(engine, row)).refused
        await engine.resume(handle.run)
        await handle.signal("go")
        assert await handle.result() == SIZE


async def test_human_tasks(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        handle = await engine.start(asks)
        await until(lambda: bool(engine.store.tasks("default")))
        (task,) = await engine.tasks()
        await engine.complete_task(task, Approval(True, "c" * SIZE))
        await moved(outside, engine, until)
    async with outside.engine() as engine:
        handle = await again(engine, handle)
        await handle.signal("go")
        assert await handle.result() == SIZE


async def test_exports_checks_and_histories(outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    async with outside.engine() as engine:
        waits = await engine.start(parent, "a")
        gave = await engine.start(gives, "b")
        await gave.result()
        await until(lambda: len(ran) == 2)
        await moved(outside, engine, until)
        lines = [json.loads(line) for line in await asyncio.to_thread(lambda: list(export(engine.store, gave.run)))]
        assert [len(line["payload"][1]) > SIZE for line in lines if "payload" in line] == [True]
        journals = InStore(engine.store, engine.journal, "default", "default")
        verdicts = await asyncio.to_thread(lambda: list(check_runs(engine.definitions, journals)))
        assert [(each.run, each.cause) for each in verdicts] == [(waits.run, "")]
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(objects, "get", away)
            with pytest.raises(StoreUnavailable):  # which says nothing of the run
                await asyncio.to_thread(lambda: list(check_runs(engine.definitions, journals)))
        for events in (await gave.history(), [each async for each in gave.events()]):
            last = events[-1].event
            assert isinstance(last, e.RunCompleted)
            assert len(last.result.data) > SIZE
        await waits.signal("go")
        assert await waits.result() == SIZE
