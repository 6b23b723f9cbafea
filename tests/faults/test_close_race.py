"""Messages while a run closes, in order per sender; children of a parent that closes; thousands of cancellations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from fault_kit import act, until

import segue
from segue import Engine, RunCancelled, RunFailed, RunTerminated, saga, signal, step, workflow
from segue.errors import RunClosed, RunNotFound, StoreUnavailable
from segue.kernel import events as e
from segue.runtime.settings import Settings
from segue.stores.base import InboxRow
from segue.stores.faults import FaultyStore
from segue.stores.sqlite.store import SqliteStore

World = Callable[[], list[str]]
LARGE = "x" * 300_000


@pytest.fixture(params=[1000, 0], ids=["kept", "evicted"])
def settings(request: pytest.FixtureRequest) -> Settings:
    return Settings(cache=request.param, slow_poll=0.05)


@pytest.fixture
async def engine(url: str, settings: Settings) -> AsyncIterator[Engine]:
    async with Engine(url, settings=settings) as engine:
        yield engine


@pytest.fixture(params=["owner", "client"])
async def sender(request: pytest.FixtureRequest, url: str, engine: Engine) -> AsyncIterator[Engine]:
    """Whoever sends: the owner itself, or another process."""
    if request.param == "owner":
        yield engine
        return
    async with Engine(url, own=False) as client:
        yield client


# --- order per sender -----------------------------------------------------------------------------------------


@workflow
async def takes_down(count: int) -> list[Any]:
    words = signal("word", Any)
    return [await words for _ in range(count)]


async def test_messages_of_a_sender_arrive_in_order_whatever_way_they_take(sender: Engine) -> None:
    handle = await sender.start(takes_down, 40)
    sent = []
    for n in range(40):
        value = f"{n}{LARGE}" if n % 5 == 2 else f"{n}"
        await handle.signal("word", value, message=f"m{n}" if n % 3 == 0 else None)
        sent.append(value)
    assert await handle.result(timeout=30) == sent


async def test_senders_do_not_disturb_each_others_order(sender: Engine) -> None:
    handle = await sender.start(takes_down, 100)

    async def send(who: int) -> None:
        for n in range(20):
            await handle.signal("word", [who, n], message=f"{who}-{n}" if n % 2 else None)

    await asyncio.gather(*[send(who) for who in range(5)])
    got = await handle.result(timeout=30)
    for who in range(5):
        assert [n for sender, n in got if sender == who] == list(range(20))


async def test_a_large_signal_reaches_a_run_in_memory(engine: Engine) -> None:
    handle = await engine.start(takes_down, 1)
    await handle.signal("word", LARGE)
    assert await handle.result(timeout=10) == [LARGE]


class Blind(FaultyStore):
    """A store that now and then cannot read an inbox."""

    blind = 0

    def inbox(self, runs: Any) -> list[InboxRow]:
        if self.blind:
            self.blind -= 1
            raise StoreUnavailable("the test says that it cannot be read")
        return super().inbox(runs)


async def test_nobody_overtakes_mail_that_could_not_be_read(tmp_path: Path, settings: Settings) -> None:
    store = Blind(SqliteStore.open(tmp_path / "test.db"))
    async with Engine(store=store, settings=settings) as engine:
        handle = await engine.start(takes_down, 3)
        await handle.signal("word", 1)
        store.blind = 1
        await handle.signal("word", 2, message="under an id it goes through the inbox")
        await handle.signal("word", 3)
        assert await handle.result(timeout=10) == [1, 2, 3]


async def test_a_message_that_is_not_news_keeps_no_run_in_memory(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/test.db", settings=Settings(cache=1)) as engine:
        first, second = [await engine.start(takes_down, 2) for _ in range(2)]
        assert engine._duty is not None
        residents = engine._duty.conductor.residents
        for _ in range(2):
            await first.signal("word", 1, message="once")
        await until(lambda: len(residents) == 1)
        await second.signal("word", 1)
        await until(lambda: set(residents) == {second.run})


# --- messages to a run that closes ------------------------------------------------------------------------------


@step
async def a_moment(n: int) -> int:
    act()
    return n


@workflow
async def ends_by_itself(n: int) -> list[Any]:
    mail = signal("word", Any)
    await a_moment(n)
    return [await mail for _ in range(mail.pending())]


async def test_what_a_closing_run_accepted_it_has_seen(sender: Engine) -> None:
    handles = await asyncio.gather(*[sender.start(ends_by_itself, n) for n in range(60)])

    async def send(handle: Any) -> list[int]:
        accepted = []
        try:
            while True:
                await handle.signal("word", len(accepted))
                accepted.append(len(accepted))
        except RunClosed:
            return accepted

    accepted = await asyncio.gather(*map(send, handles))
    for handle, numbers in zip(handles, accepted, strict=True):
        recorded = [r.event for r in await handle.history() if isinstance(r.event, e.SignalReceived)]
        assert len(recorded) == len(numbers), "acknowledged is on disk, refused is not"
        assert isinstance((await handle.history())[-1].event, e.RunCompleted)


# --- cancellation -----------------------------------------------------------------------------------------------


@step
async def undo(n: int, done: int | None) -> None:
    act(f"undo {n}")


@step
async def lasts(n: int) -> int:
    act(f"do {n}")
    await asyncio.Event().wait()
    return n


@workflow
async def is_called_off(n: int) -> None:
    async with saga() as s:
        await s.step(lasts, n, undo=undo)


async def test_thousands_of_cancellations_undo_once(sender: Engine, world: World) -> None:
    handles = await asyncio.gather(*[sender.start(is_called_off, n) for n in range(20)])
    await until(lambda: len(world()) == 20)
    answers = await asyncio.gather(
        *[handle.cancel("enough") for handle in handles for _ in range(100)], return_exceptions=True
    )
    assert {type(answer) for answer in answers} <= {type(None), RunClosed}
    for handle in handles:
        with pytest.raises(RunCancelled, match="enough"):
            await handle.result(timeout=30)
    undone = [line.rpartition("undo ")[2] for line in world() if "undo" in line]
    assert sorted(map(int, undone)) == list(range(20))


# --- parents and children ---------------------------------------------------------------------------------------


@workflow
async def waits_to_be_told() -> str:
    return await signal("word", str)


@workflow
async def leads(how: str) -> str:
    for policy in ("cancel", "terminate", "abandon"):
        await waits_to_be_told.child(id=f"{how}-{policy}", detached=True, on_parent_close=policy)
    if how == "fails":
        raise ValueError("it fails")
    if how == "returns":
        return how
    return await signal("never", str)


@pytest.mark.parametrize("how", ["returns", "fails", "is cancelled", "is terminated"])
async def test_each_child_follows_its_policy_however_its_parent_ends(sender: Engine, how: str) -> None:
    handle = await sender.start(leads, how)

    async def all_there() -> bool:
        return len([x for x in await handle.history() if isinstance(x.event, e.ChildStarted)]) == 3

    await until(all_there)
    if how == "is cancelled":
        await handle.cancel()
    elif how == "is terminated":
        await handle.terminate()
    ends = {"returns": (), "fails": RunFailed, "is cancelled": RunCancelled, "is terminated": RunTerminated}
    try:
        assert await handle.result(timeout=10) == how
    except ends[how]:  # type: ignore[misc]
        pass
    with pytest.raises(RunCancelled, match="its parent has ended"):
        await (await sender.handle(f"{how}-cancel")).result(timeout=10)
    with pytest.raises(RunTerminated, match="its parent has ended"):
        await (await sender.handle(f"{how}-terminate")).result(timeout=10)
    left = await sender.handle(f"{how}-abandon")
    await left.signal("word", "still here")
    assert await left.result(timeout=10) == "still here"


@workflow
async def wants_a_taken_id() -> str:
    try:
        await waits_to_be_told.child(id="taken")
    except RunFailed as error:
        return str(error)
    return "?"


async def test_a_child_whose_id_is_taken_is_told_to_its_parent_and_the_other_goes_on(sender: Engine) -> None:
    other = await sender.start(waits_to_be_told, id="taken")
    said = await (await sender.start(wants_a_taken_id)).result(timeout=10)
    assert said == "child run 'taken' was not started: its id is taken by a run that is waiting"
    await other.signal("word", "mine")
    assert await other.result(timeout=10) == "mine"


# --- namespaces -------------------------------------------------------------------------------------------------


@workflow
async def keeps_a_count() -> int:
    n = int(await segue.state.get("counter", "n", 0)) + 1
    await segue.state.set("counter", "n", n)
    await child_there.child(id="child")
    return n


@workflow
async def child_there() -> None: ...


async def test_namespaces_share_an_owner_and_nothing_else(url: str, settings: Settings) -> None:
    async with Engine(url, settings=settings) as one, Engine(url, namespace="two", settings=settings) as two:
        assert one.owner
        assert not two.owner
        for engine in (one, two):
            handle = await engine.start(keeps_a_count, id="same")
            assert await handle.result(timeout=10) == 1, "state is kept apart"
            assert sorted(run.id for run in await engine.list()) == ["child", "same"]
        first, second = await one.handle("same"), await two.handle("same")
        assert first.run != second.run
        assert {run.namespace for run in await two.list()} == {"two"}
    async with Engine(url, namespace="three", own=False) as three:
        assert await three.list() == []
        with pytest.raises(RunNotFound, match="no run 'child' in namespace 'three'"):
            await three.handle("child")
