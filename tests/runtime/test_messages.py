"""Signals, updates and starts with a message, through a whole engine: across crashes, owners and processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import segue
from segue import (
    Engine,
    Incident,
    SignalRefused,
    UpdateFailed,
    UpdateRejected,
    other_run,
    query,
    signal,
    step,
    update,
    workflow,
)
from segue.configuration.settings import read_settings
from segue.errors import InvalidArgument, NotDeterministic, RunAlreadyExists, RunClosed, RunFailed, RunNotFound
from segue.kernel import events as e

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
gates: dict[str, asyncio.Event] = {}
ran: list[str] = []


class OutOfStock(Exception):
    def __init__(self, item: str, left: int) -> None:
        super().__init__(f"{item} is sold out")
        self.details = {"item": item, "left": left}


@step
async def reserve(item: str) -> str:
    ran.append(item)
    if item in gates:
        await gates[item].wait()
    return f"reserved {item}"


@workflow(name="test_messages.Basket")
class Basket:
    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.items: list[str] = []

    async def run(self, owner: str) -> list[str]:
        await signal("close")
        return self.items

    @signal
    def note(self, item: str) -> None:
        self.items.append(item)

    @query
    def all(self) -> list[str]:
        return self.items

    @query
    def meddle(self) -> None:
        self.owner = "nobody"

    @query
    def whose(self) -> str:
        return self.owner

    @update
    async def put(self, item: str) -> int:
        if item == "gold":
            raise OutOfStock(item, 0)
        self.items.append(await reserve(item))
        return len(self.items)

    @put.validator
    def once(self, item: str) -> None:
        if f"reserved {item}" in self.items:
            raise OutOfStock(item, 1)


@pytest.fixture(autouse=True)
def clean() -> None:
    gates.clear()
    ran.clear()


@pytest.fixture
async def client(engine: Engine, url: str) -> AsyncIterator[Engine]:
    async with Engine(url, own=False) as client:
        yield client


def kinds(history: list[Any]) -> list[str]:
    return [type(recorded.event).__name__ for recorded in history]


# --- updates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [True, False], ids=["owner", "client"])
async def test_an_error_carries_its_type_and_its_data(engine: Engine, client: Engine, own: bool) -> None:
    await engine.start(Basket, "ann", id="b")
    handle = await (engine if own else client).handle("b")
    with pytest.raises(UpdateFailed, match="OutOfStock: gold is sold out") as failed:
        await handle.update(Basket.put, "gold")
    assert failed.value.type.endswith("test_messages.OutOfStock")
    assert failed.value.details == {"item": "gold", "left": 0}
    assert await handle.update(Basket.put, "tea") == 1
    with pytest.raises(UpdateRejected, match="OutOfStock: tea is sold out") as rejected:
        await handle.update(Basket.put, "tea")
    assert rejected.value.type.endswith("test_messages.OutOfStock")
    assert rejected.value.details == {"item": "tea", "left": 1}


async def test_what_is_refused_leaves_no_trace(engine: Engine) -> None:
    handle = await engine.start(Basket, "ann")
    await handle.update(Basket.put, "tea")
    before = await handle.history()
    refused: list[tuple[type[Exception], str, Callable[[], Awaitable[Any]]]] = [
        (UpdateRejected, "tea is sold out", lambda: handle.update("put", "tea")),
        (UpdateRejected, "tea is sold out", lambda: handle.update("put", "tea", id="again")),
        (UpdateRejected, r"answers no update 'give' \(it answers: put\)", lambda: handle.update("give", 1)),
        (UpdateRejected, "does not take these arguments.*item", lambda: handle.update("put", 7)),
        (InvalidArgument, "item", lambda: handle.update(Basket.put, 7)),  # type: ignore[call-overload]
        (SignalRefused, r"signal 'note' does not fit what run .*str.*nothing was", lambda: handle.signal("note", 7)),
        (SignalRefused, "does not fit", lambda: handle.signal("note", 7, message="m")),
        (InvalidArgument, "item", lambda: handle.signal(Basket.note, 7)),  # type: ignore[call-overload]
        (InvalidArgument, "takes no updates", lambda: handle.update(Basket.note, "tea")),
        (InvalidArgument, "prefix|takes 0|called wrongly", lambda: handle.query("all", "tea")),
    ]
    for error, why, request in refused:
        with pytest.raises(error, match=why):
            await request()
    assert await handle.history() == before


async def test_a_query_that_writes_changes_nothing(engine: Engine) -> None:
    handle = await engine.start(Basket, "ann")
    with pytest.raises(NotDeterministic, match=r"must not set self\.owner"):
        await handle.query(Basket.meddle)
    assert await handle.query(Basket.whose) == "ann"


@workflow
async def stained() -> int:
    event = asyncio.Event()

    @query
    def stain() -> None:
        event.set()

    await event.wait()
    return 1


async def test_a_run_that_a_query_has_touched_comes_back_from_its_journal(engine: Engine) -> None:
    handle = await engine.start(stained)
    with pytest.raises(NotDeterministic):
        await handle.query("stain")
    await handle.signal("other")  # with what the query did in memory, it would go on now
    assert (await handle.status()).state != "completed"
    await handle.terminate()


async def test_who_asks_again_with_the_same_id_gets_the_same_answer(
    engine: Engine, client: Engine, until: Until
) -> None:
    gates["tea"] = asyncio.Event()
    handle = await engine.start(Basket, "ann", id="b")
    first = asyncio.create_task(handle.update(Basket.put, "tea", id="u"))
    await until(lambda: ran == ["tea"])
    first.cancel()  # whoever asked is gone
    again = asyncio.create_task(handle.update(Basket.put, "tea", id="u"))
    there = asyncio.create_task((await client.handle("b")).update(Basket.put, "tea", id="u"))
    gates["tea"].set()
    assert [await again, await there] == [1, 1]
    # The validator would refuse it by now, but it was asked when the update came.
    assert await handle.update(Basket.put, "tea", id="u") == 1
    await handle.signal("close")
    assert await handle.result() == ["reserved tea"]
    for asked in (handle, await client.handle("b")):
        assert await asked.update("put", "tea", id="u") == 1, "also after the run has ended"
        with pytest.raises(RunClosed):
            await asked.update("put", "milk", id="new")
        with pytest.raises(RunClosed):
            await asked.update("put", "milk")
    assert ran == ["tea"]


async def test_updates_at_once_interleave_as_asyncio_does(engine: Engine, until: Until) -> None:
    gates["tea"] = asyncio.Event()
    handle = await engine.start(Basket, "ann")
    slow = asyncio.create_task(handle.update(Basket.put, "tea"))
    await until(lambda: ran == ["tea"])
    assert await handle.update(Basket.put, "milk") == 1
    gates["tea"].set()
    assert await slow == 2
    assert await handle.query(Basket.all) == ["reserved milk", "reserved tea"]


@pytest.mark.parametrize("id", [None, "u"])
async def test_an_update_outlives_its_owner(url: str, id: str | None, until: Until) -> None:
    gates["tea"] = asyncio.Event()
    async with Engine(url) as first:
        handle = await first.start(Basket, "ann", id="b")
        async with Engine(url, settings=read_settings(poll=0.01)) as second:
            asked = asyncio.create_task(handle.update(Basket.put, "tea", id=id))
            await until(lambda: ran == ["tea"])
            # The first one loses its runs, as if another had taken them over; its caller is handed on.
            duty = first._duty
            assert duty is not None
            first.dispossessed(segue.errors.FenceLost("the test says so"))
            await until(lambda: first.owner or second.owner)
            gates["tea"].set()
            assert await asked == 1
            handle = await second.handle("b")
            assert kinds(await handle.history()).count("UpdateCompleted") == 1
            assert await handle.query(Basket.all) == ["reserved tea"]


async def test_who_awaits_an_update_learns_of_an_incident(engine: Engine, client: Engine, until: Until) -> None:
    @workflow(name="test_messages.falls")
    async def falls() -> None:
        @update
        async def wait(n: int) -> int:
            await asyncio.Event().wait()
            return n

        await signal("go")
        asyncio.get_running_loop().run_in_executor(None, print)

    handle = await engine.start(falls, id="f")
    asked = [
        asyncio.create_task(h.update("wait", 1, id=id))
        for h in (handle, await client.handle("f"))
        for id in (None, "u")
    ]

    async def accepted() -> bool:
        return kinds(await handle.history()).count("UpdateAccepted") >= 3

    await until(accepted)
    await handle.signal("go")
    for task in asked:
        with pytest.raises(Incident, match=r"run 'f' stands still \(not-deterministic\).*segue retry f"):
            await task
    for h in (handle, await client.handle("f")):
        with pytest.raises(Incident):
            await h.update("wait", 1, id="later")
    await handle.terminate()


@step(on_exhausted="incident")
async def breaks(n: int) -> int:
    if not gates:
        raise OSError("down")
    return n


@workflow
async def leans() -> int:
    @update
    async def lean(n: int) -> int:
        return await asyncio.create_task(breaks(n))  # type: ignore[arg-type]

    @update
    async def stand(n: int) -> int:
        return n

    await signal("end")
    return 0


async def test_and_of_a_step_that_it_waits_for(engine: Engine) -> None:
    handle = await engine.start(leans, id="l")
    for id in ("u", "u", None):
        with pytest.raises(Incident, match="run 'l' stands still"):
            await handle.update("lean", 1, id=id)
    with pytest.raises(Incident, match="stands still"):
        await engine.with_start(leans, id="l").update("lean", 1, id="u")
    assert await handle.update("stand", 2) == 2, "others are answered meanwhile"
    gates["up"] = asyncio.Event()
    await handle.retry()
    async with asyncio.timeout(10):
        while True:
            try:
                assert await handle.update("lean", 1, id="u") == 1
                break
            except Incident:  # the repair is under way
                await asyncio.sleep(0)
    await handle.signal("end")
    assert await handle.result(timeout=10) == 0


# --- names that a run does not know ---------------------------------------------------------------------------


@workflow(unknown_signals="refuse")
async def picky() -> list[int]:
    return [await signal("word", int), await signal("word", int)]


@workflow(unknown_signals="fail", unknown_updates="fail")
async def strict() -> None:
    await signal("word")


async def test_a_signal_of_an_unknown_name_is_refused_or_set_aside(engine: Engine, client: Engine) -> None:
    handle = await engine.start(picky, id="p")
    with pytest.raises(SignalRefused, match=r"run 'p' takes no signal 'wrod' \(it takes: word\)"):
        await handle.signal("wrod", 1)
    there = await client.handle("p")
    await there.signal("wrod", 2)  # nobody could tell
    await there.signal("word", 3)
    await handle.signal("word", 4)
    assert sorted(await handle.result(timeout=10)) == [3, 4]
    assert [line.text for line in engine.logs(handle.run)] == [
        "set aside: run 'p' takes no signal 'wrod' (it takes: word)"
    ]


@pytest.mark.parametrize("kind", ["signal", "update"])
async def test_or_it_fails_the_run(engine: Engine, kind: str) -> None:
    handle = await engine.start(strict, id="s")
    if kind == "signal":
        await handle.signal("wrod")
    else:
        with pytest.raises(UpdateRejected, match=r"answers no update 'wrod' \(it answers: none\)"):
            await handle.update("wrod")
    with pytest.raises(RunFailed, match=r"UnknownMessage: run 's' .* 'wrod'"):
        await handle.result(timeout=10)


# --- starts with a message ------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [True, False], ids=["owner", "client"])
async def test_the_message_comes_with_the_start_or_to_the_run_that_is_there(
    engine: Engine, client: Engine, own: bool
) -> None:
    asker = engine if own else client
    start = asker.with_start(Basket, "ann", id="b")
    assert await start.update(Basket.put, "tea", id="u") == 1
    assert start.handle is not None
    assert await start.update(Basket.put, "tea", id="u") == 1, "asked again"
    handle = await asker.with_start(Basket, "bob", id="b").signal(Basket.note, "milk", message="m")
    await asker.with_start(Basket, "bob", id="b").signal(Basket.note, "milk", message="m")
    assert handle.run == start.handle.run, "an open run takes it, whatever its input"
    assert await handle.update(Basket.put, "bread") == 3
    assert await handle.query(Basket.all) == ["reserved tea", "milk", "reserved bread"]
    await handle.signal("close")
    assert await handle.result() == ["reserved tea", "milk", "reserved bread"]

    second = asker.with_start(Basket, "bob", id="b")
    assert await second.update(Basket.put, "tea") == 1, "a closed one gives its id up"
    assert second.handle is not None
    assert second.handle.run != handle.run
    await second.handle.terminate()
    with pytest.raises(segue.RunTerminated):
        await second.handle.result(timeout=10)
    closed = asker.with_start(Basket, "bob", id="b", on_conflict="use-existing")
    with pytest.raises(RunClosed):
        await closed.signal(Basket.note, "milk")


async def test_what_is_refused_starts_and_sends_nothing(engine: Engine) -> None:
    handle = await engine.start(Basket, "ann", id="b")
    await handle.update(Basket.put, "tea")
    before = await handle.history()
    with pytest.raises(UpdateRejected, match="sold out"):
        await engine.with_start(Basket, "ann", id="b").update(Basket.put, "tea")
    with pytest.raises(SignalRefused):
        await engine.with_start(Basket, "ann", id="b").signal("note", 7)
    with pytest.raises(RunAlreadyExists):
        await engine.with_start(Basket, "ann", id="b", on_conflict="fail").signal("note", "milk")
    with pytest.raises(RunAlreadyExists, match=r"it is a run of test_messages\.Basket"):
        await engine.with_start(picky, id="b").signal("word", 1)
    with pytest.raises(InvalidArgument):
        await engine.with_start(Basket, 7, id="new").signal("note", "milk")  # type: ignore[call-overload]
    assert await handle.history() == before
    assert [row.id for row in await engine.list()] == ["b"]


# --- to other runs --------------------------------------------------------------------------------------------


@workflow
async def tells(id: str, how: str) -> str:
    other = other_run(id)
    try:
        await (other.cancel("enough") if how == "cancel" else other.signal(Basket.note, "from afar"))
    except RunNotFound as error:
        return f"no {error.run_id}"
    except RunClosed as error:
        return f"{error.run_id} is {error.state}"
    return "told"


async def test_a_workflow_signals_and_stops_another_run(engine: Engine, until: Until) -> None:
    basket = await engine.start(Basket, "ann", id="b")
    assert await (await engine.start(tells, "b", "signal")).result(timeout=10) == "told"

    async def heard() -> bool:
        return await basket.query(Basket.all) == ["from afar"]

    await until(heard)
    received = [r.event for r in await basket.history() if isinstance(r.event, e.SignalReceived)]
    assert [event.actor for event in received] == [f"run:{row.id}" for row in await engine.list() if row.id != "b"]
    assert await (await engine.start(tells, "b", "cancel")).result(timeout=10) == "told"
    with pytest.raises(segue.RunCancelled, match="enough"):
        await basket.result(timeout=10)
    assert await (await engine.start(tells, "b", "signal")).result(timeout=10) == "b is cancelled"
    assert await (await engine.start(tells, "nobody", "cancel")).result(timeout=10) == "no nobody"
