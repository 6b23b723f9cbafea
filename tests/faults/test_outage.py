"""The store is down for a while under hundreds of runs: nothing leaves before it is on disk, nothing is done twice.

What happens meanwhile (steps end, timers pass, people ask) waits in memory and goes in with identical rows.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from fault_kit import Down, Outage, act, until

import segue
from segue import Engine, RunCancelled, signal, step, workflow
from segue.errors import QueryFailed, RunClosed, UpdateRejected
from segue.kernel import events as e
from segue.runtime.settings import Settings
from segue.runtime.writer import RETRY_FIRST
from segue.stores.base import Append, Batch, Post
from segue.stores.faults import FaultyStore, LoseAcknowledgement, Refuse
from segue.stores.sqlite.store import SqliteStore

World = Callable[[], list[str]]
RUNS = 300
gate = asyncio.Event()


@pytest.fixture
def outage() -> Outage:
    return Outage()


@pytest.fixture(params=["writing", "everything"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path, outage: Outage) -> AsyncIterator[Engine]:
    """Once with a store that reads and does not write, once with one that does neither."""
    global gate
    gate = asyncio.Event()
    real = SqliteStore.open(tmp_path / "test.db")
    store = FaultyStore(real, outage) if request.param == "writing" else Down(real, outage)
    async with Engine(store=store, settings=Settings(slow_poll=0.05)) as engine:
        yield engine
        outage.end()


@step
async def at_the_gate(n: int) -> int:
    await gate.wait()
    act("gate")
    return n


@step
async def behind_the_gate(n: int) -> int:
    act("behind")
    return n


@step
def beside_the_gate(n: int) -> int:
    act("thread")
    return n


@workflow
async def child_of_it(n: int) -> int:
    return await behind_the_gate(n)


@workflow
async def passes_the_gate(n: int) -> int:
    got = await at_the_gate(n)
    got, other = await asyncio.gather(behind_the_gate(got), beside_the_gate(got))
    await asyncio.sleep(0.01)
    assert got == other
    return await child_of_it(got)


async def met(outage: Outage, times: int = 4) -> None:
    await until(lambda: outage.refused >= times)


@pytest.mark.parametrize("fault", [Refuse(), LoseAcknowledgement()], ids=["refused", "acknowledgement-lost"])
async def test_hundreds_of_runs_go_on_where_they_stood(
    engine: Engine, outage: Outage, world: World, fault: Any
) -> None:
    if isinstance(fault, LoseAcknowledgement) and isinstance(engine.store, Down):
        return  # a store that is down as a whole carries nothing out
    handles = await asyncio.gather(*[engine.start(passes_the_gate, n, id=f"r{n}") for n in range(RUNS)])
    await until(lambda: engine.attempts_under_way == RUNS)
    outage.begin(fault)
    gate.set()
    await met(outage)
    if isinstance(fault, Refuse):
        assert Counter(line.split()[-1] for line in world()) == {"gate": RUNS}, "nothing new is dispatched"
    outage.end()
    assert await asyncio.gather(*[handle.result(timeout=60) for handle in handles]) == list(range(RUNS))
    assert Counter(line.split()[-1] for line in world()) == {"gate": RUNS, "behind": 2 * RUNS, "thread": RUNS}
    assert max(Counter(line.split()[0] for line in world()).values()) == 1


class Rows:
    """A plan that refuses a while and keeps what it was asked to write."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, tuple[Any, ...]]] = []
        self.refuse = 0

    def __call__(self, number: int, batch: Batch) -> Refuse | None:
        self.seen.append((batch.commit_id, batch.operations))
        if self.refuse and any(isinstance(operation, Append) for operation in batch.operations):
            self.refuse -= 1
            return Refuse()
        return None


async def test_the_rows_that_are_tried_again_are_the_same(tmp_path: Path, world: World) -> None:
    rows = Rows()
    async with Engine(store=FaultyStore(SqliteStore.open(tmp_path / "test.db"), rows)) as engine:
        gate.set()
        rows.refuse = 4
        handles = [await engine.start(passes_the_gate, n) for n in range(5)]
        assert [await handle.result(timeout=30) for handle in handles] == list(range(5))
    tries = Counter(number for number, _ in rows.seen)
    (kept,) = [number for number, count in tries.items() if count > 1]
    assert tries[kept] == 5
    first, *again = [operations for number, operations in rows.seen if number == kept]
    assert all(operations == first for operations in again)


@step
async def reads_state(n: int) -> int:
    await gate.wait()
    found = int(await segue.state.get("shared", "n", 5))
    return found + n


@workflow
async def reads() -> int:
    waiting = asyncio.create_task(reads_state(1))
    await signal("now")
    return await waiting


async def test_an_attempt_that_reads_keyed_state_waits_for_the_store(engine: Engine, outage: Outage) -> None:
    handle = await engine.start(reads)
    await until(lambda: engine.attempts_under_way == 1)
    outage.begin()
    told = asyncio.create_task(handle.signal("now"))
    gate.set()
    await met(outage)
    outage.end()
    await told
    assert await handle.result(timeout=10) == 6


reading = threading.Event()


@step
def reads_in_a_thread(n: int) -> int:
    reading.wait(30)
    return int(segue.state.get_sync("shared", "n", 5)) + n


@workflow
async def reads_there() -> int:
    waiting = asyncio.create_task(reads_in_a_thread(1))
    await signal("now")
    return await waiting


async def test_a_plain_function_that_reads_it_waits_too(engine: Engine, outage: Outage) -> None:
    reading.clear()
    handle = await engine.start(reads_there)
    await until(lambda: engine.attempts_under_way == 1)
    outage.begin()
    told = asyncio.create_task(handle.signal("now"))
    reading.set()
    await met(outage)
    outage.end()
    await told
    assert await handle.result(timeout=10) == 6


# --- timers, cancellation -------------------------------------------------------------------------------------


@workflow
async def sleeps_and_acts(n: int) -> int:
    await asyncio.sleep(0.5)
    return await behind_the_gate(n)


async def test_a_timer_that_passes_meanwhile_leads_to_nothing_before_it_is_recorded(
    engine: Engine, outage: Outage, world: World
) -> None:
    handles = await asyncio.gather(*[engine.start(sleeps_and_acts, n) for n in range(50)])
    outage.begin()
    await met(outage)
    assert world() == []
    outage.end()
    assert await asyncio.gather(*[handle.result(timeout=30) for handle in handles]) == list(range(50))
    assert len(world()) == 50


async def test_a_step_goes_on_until_the_request_to_stop_it_is_recorded(
    engine: Engine, outage: Outage, world: World
) -> None:
    handle = await engine.start(passes_the_gate, 1)
    await until(lambda: engine.attempts_under_way == 1)
    outage.begin()
    cancelling = asyncio.create_task(handle.cancel("enough"))
    await met(outage)
    assert engine.attempts_under_way == 1
    assert not cancelling.done()
    outage.end()
    await cancelling
    with pytest.raises(RunCancelled):
        await handle.result(timeout=10)
    assert world() == []


# --- answers --------------------------------------------------------------------------------------------------


@workflow
async def counts() -> int:
    total = 0

    @segue.update
    async def add(n: int) -> int:
        nonlocal total
        total += n
        return total

    @add.validator
    def not_too_much(n: int) -> None:
        if total + n > 10:
            raise ValueError(f"{total} and {n} are too much")

    @segue.query
    def so_far() -> int:
        if total == 7:
            raise ValueError("seven is no number")
        return total

    @signal
    def more(n: int) -> None:
        nonlocal total
        total += n

    await signal("end")
    return total


async def test_no_answer_tells_of_what_is_not_on_disk(engine: Engine, outage: Outage) -> None:
    handle = await engine.start(counts, id="a")
    assert await handle.query("so_far") == 0
    outage.begin()
    asked: dict[str, asyncio.Task[Any]] = {}
    told = asyncio.create_task(handle.signal("more", 7))
    await met(outage, 1)
    asked["query that raises"] = asyncio.create_task(handle.query("so_far"))
    asked["update that is refused"] = asyncio.create_task(handle.update("add", 9))
    asked["update that is refused, under an id"] = asyncio.create_task(handle.update("add", 9, id="mine"))
    asked["update"] = asyncio.create_task(handle.update("add", 1))
    await met(outage)
    assert [what for what, task in asked.items() if task.done()] == []
    assert not told.done()
    outage.end()
    await told
    with pytest.raises(QueryFailed, match="seven"):
        await asked["query that raises"]
    for what in ("update that is refused", "update that is refused, under an id"):
        with pytest.raises(UpdateRejected, match=r"[78] and 9 are too much"):
            await asked[what]
    assert await asked["update"] == 8
    await handle.signal("end")
    assert await handle.result(timeout=10) == 8


async def test_a_run_is_closed_for_nobody_before_its_end_is_on_disk(engine: Engine, outage: Outage) -> None:
    handle = await engine.start(counts, id="a")
    assert await handle.query("so_far") == 0
    outage.begin()
    told = asyncio.create_task(handle.signal("end"))
    await met(outage, 1)
    query = asyncio.create_task(handle.query("so_far"))
    asked = [
        asyncio.create_task(handle.update("add", 1)),
        asyncio.create_task(handle.update("add", 1, id="mine")),
        asyncio.create_task(handle.signal("more", 1)),
        asyncio.create_task(handle.cancel()),
    ]
    ended = asyncio.create_task(handle.result())
    await met(outage)
    assert [task for task in (*asked, query, told, ended) if task.done()] == []
    outage.end()
    await told
    assert await ended == 0
    assert await query == 0, "by replay of what is on disk"
    for task in asked:
        with pytest.raises(RunClosed, match="is completed and takes no more messages"):
            await task
    assert type((await handle.history())[-1].event) is e.RunCompleted


async def test_retries_back_off(engine: Engine, outage: Outage) -> None:
    handle = await engine.start(counts, id="a")
    outage.begin()
    told = asyncio.create_task(handle.signal("end"))
    await met(outage, 3)
    assert engine._duty is not None
    assert engine._duty.conductor.writer._pause >= 4 * RETRY_FIRST
    outage.end()
    await told


@workflow
async def hears_one_word() -> str:
    return await signal("word", str)


async def test_a_signal_whose_acknowledgement_is_lost_waits_for_no_look_at_the_inbox(tmp_path: Path) -> None:
    def lose_the_first_post(number: int, batch: Batch) -> LoseAcknowledgement | None:
        if posts or not any(isinstance(operation, Post) for operation in batch.operations):
            return None
        posts.append(number)
        return LoseAcknowledgement()

    posts: list[int] = []
    faulty = FaultyStore(SqliteStore.open(tmp_path / "test.db"), lose_the_first_post)
    async with Engine(store=faulty, settings=Settings(slow_poll=3600, poll=3600)) as engine:
        handle = await engine.start(hears_one_word)
        await handle.signal("word", "hello", message="once")
        assert await handle.result(timeout=20) == "hello"
    assert len(posts) == 1
