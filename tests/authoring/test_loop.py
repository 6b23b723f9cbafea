"""The loop by itself: clock, timers, callbacks, futures, tasks."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from segue.authoring.python import loop as loop_module
from segue.authoring.python.loop import WorkflowLoop, WorkflowTask
from segue.errors import NotDeterministic

SECOND = 1_000_000


@pytest.fixture
def loop() -> Iterator[WorkflowLoop]:
    made = WorkflowLoop()
    yield made
    made.kill()


def run(loop: WorkflowLoop, code: Any, *, until: int = 0) -> Any:
    """Runs a coroutine function and then time, timer by timer."""
    task = loop.enter(loop.spawn, code(), "")
    loop.enter(loop.run_ready)
    while (deadline := loop.deadline) is not None and deadline.at <= until:
        loop.now = deadline.at
        loop.enter(loop.run_ready)
    return task.result() if task.done() else task


# --- timers ---------------------------------------------------------------------------------------------------


def test_timers_fire_in_order_of_deadline_then_creation(loop: WorkflowLoop) -> None:
    fired: list[str] = []
    for name, delay in (("c", 3), ("a", 1), ("b1", 2), ("b2", 2), ("now", 0), ("before", -5)):
        loop.enter(loop.call_later, delay, fired.append, name)
    loop.now = 10 * SECOND
    loop.enter(loop.run_ready)
    assert fired == ["now", "before", "a", "b1", "b2", "c"]


def test_what_is_ready_comes_before_what_is_due(loop: WorkflowLoop) -> None:
    order: list[str] = []
    loop.enter(loop.call_later, 0, order.append, "due")
    loop.enter(loop.call_soon, order.append, "ready")
    loop.enter(loop.run_ready)
    assert order == ["ready", "due"]


def test_the_deadline_is_the_earliest_timer_that_was_not_cancelled(loop: WorkflowLoop) -> None:
    assert loop.deadline is None
    first = loop.call_later(1, print)
    second = loop.call_later(2, print)
    assert loop.deadline == (SECOND, 1, None)
    first.cancel()
    first.cancel()
    assert (first.cancelled(), second.cancelled()) == (True, False)
    assert loop.deadline == (2 * SECOND, 2, None)
    second.cancel()
    assert loop.deadline is None


def test_times_are_exact_to_the_microsecond(loop: WorkflowLoop) -> None:
    loop.now = 4_102_444_800_123_457  # in the year 2100
    assert loop.call_at(loop.time(), print)._when == loop.now
    assert loop.call_later(0.000_001, print)._when == loop.now + 1
    assert loop.call_at_microsecond(loop.now + 7, print).when() == pytest.approx(loop.time())


def test_a_timer_may_wait_for_ever(loop: WorkflowLoop) -> None:
    loop.call_later(math.inf, print)
    loop.call_at(math.inf, print)
    assert loop.deadline is not None
    assert loop.deadline.at == 253_402_300_799 * SECOND


def test_many_cancelled_timers_are_not_kept(loop: WorkflowLoop) -> None:
    kept = [loop.call_later(5000 + i, print) for i in range(10)]
    for i in range(10_000):
        loop.call_later(i % 100, print).cancel()
        assert len(loop.timers) < 200
    assert loop.deadline == (5000 * SECOND, 1, None)
    fired: list[int] = []
    for i, handle in enumerate(kept):
        handle.cancel()
        loop.call_later(10 - i, fired.append, i)
    loop.now = 20 * SECOND
    loop.enter(loop.run_ready)
    assert fired == list(reversed(range(10)))


def test_a_timer_that_is_cancelled_as_it_falls_due_does_not_fire(loop: WorkflowLoop) -> None:
    fired: list[str] = []
    loop.call_later(1, lambda: second.cancel())
    second = loop.call_later(1, fired.append, "second")
    loop.now = SECOND
    loop.enter(loop.run_ready)
    assert fired == []
    assert loop._timers_cancelled == 0


# --- callbacks ------------------------------------------------------------------------------------------------


def test_callbacks_run_in_the_order_they_were_made_and_in_their_context(loop: WorkflowLoop) -> None:
    variable: ContextVar[int] = ContextVar("variable", default=0)
    seen: list[tuple[str, int]] = []

    def look(name: str) -> None:
        seen.append((name, variable.get()))

    def begin() -> None:
        variable.set(1)
        loop.call_soon(look, "a")
        handle = loop.call_soon(look, "never")
        variable.set(2)
        handle.cancel()
        loop.call_soon(look, "b", context=handle.get_context())
        loop.call_soon(look, "c")

    loop.enter(begin)
    loop.enter(loop.run_ready)
    assert seen == [("a", 1), ("b", 1), ("c", 2)]


def test_polling_without_end_is_refused(loop: WorkflowLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "_MOST_ROUNDS", 100)

    async def polling() -> None:
        while True:  # noqa: ASYNC110 (what this is about)
            await asyncio.sleep(0)

    with pytest.raises(NotDeterministic, match=r"polls with asyncio\.sleep\(0\)"):
        run(loop, polling)


def test_a_nested_run_finds_its_loop_and_leaves_the_other_in_place() -> None:
    one, other = WorkflowLoop(owner="one"), WorkflowLoop(owner="other")

    def owner() -> Any:
        return asyncio.get_running_loop().owner  # type: ignore[attr-defined]

    assert one.enter(lambda: [owner(), other.enter(owner), owner()]) == ["one", "other", "one"]
    assert not one.is_running()
    assert one.enter(one.is_running)


# --- futures and tasks ----------------------------------------------------------------------------------------


def test_futures_and_tasks_hash_by_number_and_differ_between_runs() -> None:
    hashes = []
    for salt in (0, 1, 2**40 + 1):
        loop = WorkflowLoop(salt=salt)
        future, task = loop.create_future(), loop.spawn(asyncio.sleep(0), "")
        hashes.append((hash(future), hash(task)))
        loop.kill()
    assert hashes[0] == (1, 2)
    assert hashes[1] == hashes[2] == (2**24 + 1, 2**24 + 2)


def test_paths_are_child_indices(loop: WorkflowLoop) -> None:
    async def leaf() -> str:
        task = asyncio.current_task()
        assert isinstance(task, WorkflowTask)
        return task.path

    async def branch() -> list[str]:
        return [*await asyncio.gather(leaf(), leaf()), await leaf()]

    async def root() -> list[Any]:
        found: list[Any] = [await asyncio.create_task(branch()), await asyncio.create_task(branch())]
        done = loop.create_future()
        loop.call_soon(lambda: asyncio.ensure_future(leaf()).add_done_callback(lambda t: done.set_result(t.result())))
        return [*found, await done]

    assert run(loop, root) == [["/0/0", "/0/1", "/0"], ["/1/0", "/1/1", "/1"], "/~0"]


def test_tasks_are_held_until_they_are_done(loop: WorkflowLoop) -> None:
    async def root() -> list[str]:
        seen: list[str] = []

        async def child() -> None:
            await asyncio.sleep(1)
            seen.append("done")

        asyncio.create_task(child())  # noqa: RUF006
        await asyncio.sleep(0)
        gc.collect()
        await asyncio.sleep(2)
        return seen

    assert run(loop, root, until=3 * SECOND) == ["done"]


def test_names_of_tasks_are_theirs_or_their_path(loop: WorkflowLoop) -> None:
    async def root() -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(asyncio.sleep(0)), group.create_task(asyncio.sleep(0), name="own")]
        current = asyncio.current_task()
        assert current is not None
        return [task.get_name() for task in (*tasks, current)]

    names = run(loop, root)
    assert names[1:] == ["own", "workflow/"]


def test_all_of_asyncio_that_is_supported_runs(loop: WorkflowLoop) -> None:
    async def root() -> list[Any]:
        lock, semaphore, barrier = asyncio.Lock(), asyncio.BoundedSemaphore(2), asyncio.Barrier(3)
        queue: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()
        condition = asyncio.Condition(lock)
        log: list[Any] = []

        async def worker(i: int) -> int:
            async with semaphore:
                await asyncio.sleep(i)
            await barrier.wait()
            async with condition:
                queue.put_nowait(-i)
                condition.notify_all()
            return i

        async def collector() -> None:
            async with condition:
                await condition.wait_for(lambda: queue.qsize() == 3)
            while not queue.empty():
                log.append(await queue.get())

        async with asyncio.TaskGroup() as group:
            group.create_task(collector())
            workers = [group.create_task(worker(i)) for i in range(3)]
        log.append([task.result() for task in workers])
        for first in asyncio.as_completed([asyncio.sleep(2, "slow"), asyncio.sleep(1, "fast")]):
            log.append(await first)
        log.append(await asyncio.wait_for(asyncio.shield(asyncio.sleep(1, "shielded")), 2))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(loop.time() + 1):
                await asyncio.sleep(math.inf)
        return [*log, loop.time()]

    assert run(loop, root, until=100 * SECOND) == [-2, -1, 0, [0, 1, 2], "fast", "slow", "shielded", 6.0]


# --- leaving memory -------------------------------------------------------------------------------------------


def test_a_dead_loop_takes_nothing_any_more() -> None:
    loop = WorkflowLoop()
    loop.kill()
    loop.call_soon(pytest.fail, "called")
    loop.call_later(0, pytest.fail, "called")
    future = loop.create_future()
    future.add_done_callback(pytest.fail)
    future.set_result(None)
    loop.enter(loop.run_ready)
    assert loop.is_closed()
    assert loop.deadline is None


def test_tasks_end_newest_first() -> None:
    loop = WorkflowLoop()
    ended: list[str] = []

    async def child(name: str) -> None:
        try:
            await asyncio.sleep(1)
        finally:
            current = asyncio.current_task()
            assert current is not None
            ended.append(f"{name} {current.get_name()}")

    async def root() -> None:
        tasks = [asyncio.create_task(child(name), name=name) for name in "abc"]
        await asyncio.wait(tasks)

    run(loop, root)
    loop.kill()
    assert ended == ["c c", "b b", "a a"]


def test_a_thread_cannot_halt_a_run(loop: WorkflowLoop) -> None:
    caught: list[Exception] = []

    def meddle() -> None:
        try:
            loop.call_soon_threadsafe(print)
        except NotDeterministic as error:
            caught.append(error)

    async def root() -> str:
        thread = threading.Thread(target=meddle)
        thread.start()
        thread.join()
        return "undisturbed"

    assert run(loop, root) == "undisturbed"
    assert len(caught) == 1
