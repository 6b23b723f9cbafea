"""A message that was accepted before a deadline passed or a run ended is seen first; what has been done stays done.

Another connection puts the message into the inbox at the very moment when the commit is about to decide without it.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import segue
from segue import Engine, approval, signal, step, workflow
from segue.errors import RunClosed
from segue.kernel import events as e
from segue.kernel.encoding import Encodings
from segue.runtime.settings import Settings
from segue.stores.base import Append, Batch, CompleteTask, Operation, Post, RunFilter
from segue.stores.faults import FaultyStore
from segue.stores.sqlite.store import SqliteStore

ENCODINGS = Encodings()
DECIDES = (e.TimerFired, e.RunCompleted)
ran: list[str] = []


class Intruder:
    """A second connection, which commits once, right before the first commit whose events ``when`` picks."""

    def __init__(self, path: Path) -> None:
        self._store = SqliteStore.open(path)
        self.when: Callable[[e.Event], bool] = lambda event: False
        self.make: Callable[[SqliteStore], Operation] | None = None
        self.saw: list[Operation] = []

    def __call__(self, number: int, batch: Batch) -> None:
        self.saw += batch.operations
        events = [e.decode(data) for op in batch.operations if isinstance(op, Append) for data in op.events]
        if self.make is not None and any(map(self.when, events)):
            make, self.make = self.make, None
            self._store.commit(Batch(1, (make(self._store),)))

    def close(self) -> None:
        self._store.close()


@pytest.fixture
async def intruder(tmp_path: Path) -> AsyncIterator[Intruder]:
    intruder = Intruder(tmp_path / "test.db")
    yield intruder
    intruder.close()


@pytest.fixture
async def engine(tmp_path: Path, intruder: Intruder, settings: Settings) -> AsyncIterator[Engine]:
    ran.clear()
    store = FaultyStore(SqliteStore.open(tmp_path / "test.db"), intruder)
    async with Engine(store=store, settings=settings) as engine:
        yield engine


numbers = itertools.count()


def _signal(run: int, name: str, at: int) -> Post:
    event = e.SignalReceived(at, None, None, name, ENCODINGS.encode("x"))
    return Post("signal", e.encode(event), f"message-{next(numbers)}", at, run=run)


def _kind(*kinds: type[e.Event]) -> Callable[[e.Event], bool]:
    return lambda event: isinstance(event, kinds)


async def _kinds(handle: Any) -> list[str]:
    return [type(r.event).__name__ for r in await handle.history()]


# --- before the end -------------------------------------------------------------------------------------------


@step
async def counts_itself(scope: str) -> int:
    ran.append(scope)
    n = int(segue.state.get_sync(scope, "n", 0)) + 1
    segue.state.set_sync(scope, "n", n)
    return n


@workflow
async def ends_with_its_mail() -> list[int]:
    mail = signal("late")
    n = await counts_itself("end")
    kept = await segue.state.get("end", "n")
    return [n, kept, mail.pending()]


async def test_a_run_does_not_end_over_a_message(engine: Engine, intruder: Intruder) -> None:
    handle = await engine.start(ends_with_its_mail)
    at = engine.clock.now()
    intruder.when, intruder.make = _kind(e.RunCompleted), lambda store: _signal(handle.run, "late", at)
    assert await handle.result(timeout=5) == [1, 1, 1]
    assert await _kinds(handle) == ["RunStarted", "StepCompleted", "SignalReceived", "StepCompleted", "RunCompleted"]
    assert ran == ["end"], "the step's outcome outlived the rebuild"


@workflow
async def ends_at_once() -> list[int]:
    mail = signal("late")
    return [await counts_itself("once"), mail.pending()]


async def test_an_outcome_in_the_vetoed_commit_is_kept_with_its_state(engine: Engine, intruder: Intruder) -> None:
    handle = await engine.start(ends_at_once)
    at = engine.clock.now()
    intruder.when, intruder.make = _kind(e.RunCompleted), lambda store: _signal(handle.run, "late", at)
    assert await handle.result(timeout=5) == [1, 1]
    assert await _kinds(handle) == ["RunStarted", "SignalReceived", "StepCompleted", "RunCompleted"]
    assert ran == ["once"]
    assert engine.store.state("default", "once", "n") is not None, "it is written with the outcome, whenever that is"


@workflow
async def ends_on_a_signal() -> int:
    mail = signal("late")
    await signal("end")
    return mail.pending()


async def test_a_signal_in_the_vetoed_commit_is_delivered_and_acknowledged(engine: Engine, intruder: Intruder) -> None:
    handle = await engine.start(ends_on_a_signal)
    at = engine.clock.now()
    intruder.when, intruder.make = _kind(e.RunCompleted), lambda store: _signal(handle.run, "late", at)
    async with asyncio.timeout(5):
        await handle.signal("end")
    assert await handle.result(timeout=5) == 1
    assert (await _kinds(handle))[-2:] == ["SignalReceived", "RunCompleted"]


@workflow
async def ends_on_an_update() -> int:
    mail = signal("late")
    ended = asyncio.Event()

    @segue.update
    async def end(n: int) -> int:
        ended.set()
        return n + 1

    await ended.wait()
    return mail.pending()


@pytest.mark.parametrize("id", [None, "mine"])
async def test_an_update_in_the_vetoed_commit_is_answered(engine: Engine, intruder: Intruder, id: str | None) -> None:
    handle = await engine.start(ends_on_an_update)
    at = engine.clock.now()
    intruder.when, intruder.make = _kind(e.RunCompleted), lambda store: _signal(handle.run, "late", at)
    async with asyncio.timeout(5):
        assert await handle.update("end", 1, id=id) == 2
    assert await handle.result(timeout=5) == 1


@workflow
async def answers_until_told() -> list[int]:
    answered: list[int] = []

    @segue.update
    async def add(n: int) -> int:
        answered.append(n)
        return n + 1

    await signal("enough")
    return answered


async def test_the_first_update_of_an_id_makes_no_detour_over_the_inbox(engine: Engine, intruder: Intruder) -> None:
    handle = await engine.start(answers_until_told)
    assert await handle.update("add", 7, id="u") == 8
    assert await handle.update("add", 7, id="u") == 8
    updates = [op for op in intruder.saw if isinstance(op, (Append, Post)) and b"Update" in _written(op)]
    assert [type(op) for op in updates] == [Append, Post], "one commit, and the question whether it was the first"


def _written(operation: Append | Post) -> bytes:
    return operation.body if isinstance(operation, Post) else b"".join(operation.events)


async def test_an_update_that_somebody_else_posts_in_the_same_moment_is_answered_once(
    engine: Engine, intruder: Intruder
) -> None:
    handle = await engine.start(answers_until_told)
    at = engine.clock.now()
    event = e.UpdateAccepted(at, None, None, "add", "u", ENCODINGS.encode_arguments((7,)))
    intruder.when = _kind(e.UpdateAccepted)
    intruder.make = lambda store: Post("update", e.encode(event), "update:u", at, run=handle.run)
    async with asyncio.timeout(5):
        assert await handle.update("add", 7, id="u") == 8
        assert await handle.update("add", 7, id="u") == 8
    await handle.signal("enough", None)
    assert await handle.result(timeout=5) == [7]
    assert engine.store.inbox([handle.run]) == []


async def test_a_terminated_run_ends_over_its_messages(engine: Engine, intruder: Intruder) -> None:
    handle = await engine.start(ends_on_a_signal)
    at = engine.clock.now()
    intruder.when, intruder.make = _kind(e.RunTerminated), lambda store: _signal(handle.run, "late", at)
    await handle.terminate("enough")
    with pytest.raises(segue.RunTerminated):
        await handle.result(timeout=5)
    assert await _kinds(handle) == ["RunStarted", "RunTerminated"]


# --- before a deadline ----------------------------------------------------------------------------------------


@workflow
async def waits_a_moment() -> str:
    try:
        return await asyncio.wait_for(signal("word", str), 0.05)
    except TimeoutError:
        return "too late"


async def test_a_deadline_does_not_win_over_a_message_before_it(engine: Engine, intruder: Intruder) -> None:
    handle = await engine.start(waits_a_moment)
    at = engine.clock.now()
    intruder.when, intruder.make = _kind(e.TimerFired), lambda store: _signal(handle.run, "word", at)
    assert await handle.result(timeout=5) == "x"


async def test_a_message_after_the_deadline_is_too_late(engine: Engine, intruder: Intruder) -> None:
    handle = await engine.start(waits_a_moment)
    later = engine.clock.now() + 60_000_000
    intruder.when, intruder.make = _kind(e.TimerFired), lambda store: _signal(handle.run, "word", later)
    assert await handle.result(timeout=5) == "too late"


@step
async def blocks_the_loop() -> None:
    ran.append("blocked")
    await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251 - so that the step's end comes before the timer that was due long ago


@workflow
async def waits_beside_a_step() -> str:
    blocked = asyncio.create_task(blocks_the_loop())
    try:
        word = await asyncio.wait_for(signal("word", str), 0.05)
    except TimeoutError:
        word = "too late"
    await blocked
    return word


async def test_a_deadline_that_passes_within_another_event_does_not_win_either(
    engine: Engine, intruder: Intruder
) -> None:
    handle = await engine.start(waits_beside_a_step)
    at = engine.clock.now()
    intruder.when = _kind(e.StepCompleted, e.TimerFired)
    intruder.make = lambda store: _signal(handle.run, "word", at)
    assert await handle.result(timeout=5) == "x"
    assert ran == ["blocked"]


@workflow
async def asks_for_a_moment() -> bool | str:
    try:
        return (await approval("ann", timeout="50ms")).approved
    except TimeoutError:
        return "too late"


async def test_a_deadline_does_not_win_over_the_answer_to_a_task(engine: Engine, intruder: Intruder) -> None:
    handle = await engine.start(asks_for_a_moment)

    def answer(store: SqliteStore) -> CompleteTask:
        (task,) = store.tasks("default")
        payload = ENCODINGS.encode({"approved": True})
        event = e.TaskCompleted(at, None, None, task.key, payload)
        return CompleteTask(task.task, "ann", at, engine.journal.readable(payload), e.encode(event))

    at = engine.clock.now()
    intruder.when, intruder.make = _kind(e.TimerFired), answer
    assert await handle.result(timeout=5) is True
    assert [t.state for t in await engine.tasks(state=None)] == ["completed"]


# --- a run whose journal leads to its end by itself ---------------------------------------------------------------


@workflow
async def has_nothing_to_do() -> int:
    return 7


@workflow
async def goes_on_and_ends(more: bool) -> int:
    if more:
        segue.continue_as_new(False)
    return 7


async def test_a_message_to_a_run_that_has_nothing_to_do_does_not_keep_it_from_its_end(engine: Engine) -> None:
    handle = await engine.with_start(has_nothing_to_do, id="quick").signal("news", 1)
    assert await handle.result(timeout=5) == 7
    with pytest.raises(RunClosed):
        await engine.with_start(has_nothing_to_do, id="quick-too").update("ask", 1, id="u")
    assert await (await engine.handle("quick-too")).result(timeout=5) == 7
    assert engine.store.inbox_runs(engine.app, 10) == []


async def test_nor_does_one_to_a_run_that_has_gone_on_as_one_that_has_nothing_to_do(
    engine: Engine, intruder: Intruder
) -> None:
    intruder.when = _kind(e.RunCompleted)
    intruder.make = lambda store: _signal(store.list(RunFilter())[0].run, "news", 1)
    handle = await engine.start(goes_on_and_ends, True, id="chain")
    assert await handle.result(timeout=5) == 7
    assert engine.store.inbox_runs(engine.app, 10) == []
