"""A coroutine as an execution: the order of things, how a run ends, how it leaves memory."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import pytest
from world import BEGIN, ENCODINGS, SECOND, UID, Begin, World, flow, step_named

from segue.authoring.python.handlers import signal
from segue.authoring.python.inside import log, patched, publish, set_attributes
from segue.errors import NonDeterminism, NotDeterministic
from segue.kernel import commands as c
from segue.kernel import events as e

charge, ship = step_named("charge"), step_named("ship")


# --- beginning and order --------------------------------------------------------------------------------------


def test_a_journal_begins_with_the_start_of_the_run() -> None:
    world = World(flow(charge_once))
    with pytest.raises(NonDeterminism, match="begins with RunStarted, this one with CancelRequested"):
        world.execution.apply(e.CancelRequested(1, None, None))


async def charge_once() -> Any:
    return await charge(1)


def test_what_was_due_before_an_event_comes_before_it_however_late_it_is_noticed(begin: Begin) -> None:
    order: list[str] = []

    async def racing() -> Any:
        order.clear()
        for coroutine in (charge(1), asyncio.sleep(10), asyncio.sleep(5), asyncio.sleep(10)):
            task = asyncio.create_task(coroutine)  # type: ignore[arg-type]
            task.add_done_callback(lambda task: order.append(task.path))  # type: ignore[attr-defined]
        await asyncio.sleep(60)
        return list(order)

    world = begin(flow(racing))
    world.wait(30)
    world.complete("/0/charge")
    world.advance(60)
    assert world.result == ["/2", "/1", "/3", "/0"]


def test_the_clock_is_the_time_of_the_last_event(begin: Begin) -> None:
    async def timing() -> list[float]:
        loop = asyncio.get_running_loop()
        times = [loop.time()]
        await charge(1)
        times.append(loop.time())
        await asyncio.sleep(1)
        return [*times, loop.time()]

    world = begin(flow(timing))
    world.wait(7)
    world.complete("/charge")
    world.wait(5)  # late: the timer was due after one second
    world.fire()
    start = BEGIN / SECOND
    assert world.result == [start, start + 7, start + 12]


def test_the_context_of_the_caller_does_not_leak_in(begin: Begin) -> None:
    variable: ContextVar[str] = ContextVar("variable", default="none")

    async def looking() -> list[str]:
        @signal
        def look() -> None:
            seen.append(variable.get())

        seen = [variable.get()]
        await asyncio.create_task(charge(1))  # type: ignore[arg-type]
        variable.set("the run's")
        seen.append(variable.get())
        await ship(1)
        return [*seen, variable.get()]

    variable.set("the caller's")
    world = begin(flow(looking))
    world.complete("/0/charge")
    world.signal("look")
    world.complete("/ship")
    assert world.result == ["none", "the run's", "none", "the run's"]
    assert variable.get() == "the caller's"


def test_the_caller_s_loop_and_generators_are_left_as_they_were(begin: Begin) -> None:
    async def outer() -> None:
        loop = asyncio.get_running_loop()
        hooks = sys.get_asyncgen_hooks()
        begin(flow(charge_once)).complete("/charge", 1)
        assert asyncio.get_running_loop() is loop
        assert sys.get_asyncgen_hooks() == hooks

    asyncio.run(outer())


# --- the end --------------------------------------------------------------------------------------------------


def test_a_result_completes_the_run(begin: Begin) -> None:
    async def result() -> Any:
        return {"a": [1]}

    assert begin(flow(result)).result == {"a": [1]}


def test_a_result_that_does_not_encode_fails_the_run(begin: Begin) -> None:
    async def result() -> Any:
        return {"a": object()}

    failure = begin(flow(result)).failure
    assert failure.type == "segue.errors.PayloadError"
    assert "$.a" in failure.message


def test_an_exception_fails_the_run(begin: Begin) -> None:
    async def failing() -> None:
        raise LookupError("lost")

    failure = begin(flow(failing)).failure
    assert (failure.type, failure.message) == ("LookupError", "lost")
    assert "in failing" in failure.traceback


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, BaseException])
def test_no_exception_of_a_workflow_gets_out(begin: Begin, error: type[BaseException]) -> None:
    async def exiting() -> None:
        await charge(1)
        raise error

    world = begin(flow(exiting))
    world.complete("/charge")
    assert world.failure.type == error.__name__


def test_an_interrupt_is_the_process_s() -> None:
    async def interrupted() -> None:
        raise KeyboardInterrupt

    with World(flow(interrupted)) as world, pytest.raises(KeyboardInterrupt):
        world.start()


def test_a_workflow_that_cancels_itself_has_failed(begin: Begin) -> None:
    async def cancelling() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await charge(1)

    world = begin(flow(cancelling))
    assert world.asked == ["RunStep", "CancelStep"]
    world.complete("/charge")
    assert world.failure.type == "asyncio.exceptions.CancelledError"


def test_an_error_on_the_way_out_of_a_cancelled_run_is_its_end(begin: Begin) -> None:
    async def failing() -> None:
        try:
            await charge(1)
        finally:
            raise LookupError("lost")

    world = begin(flow(failing))
    world.cancel()
    world.complete("/charge")
    assert world.failure.type == "LookupError"


def test_the_reason_of_a_cancellation_reaches_the_code(begin: Begin) -> None:
    async def asking() -> str:
        try:
            await charge(1)
        except asyncio.CancelledError as error:
            return str(error)
        return ""

    world = begin(flow(asking))
    world.cancel("no stock")
    world.complete("/charge")
    assert world.result == "no stock"


def test_tasks_that_are_left_over_are_cancelled_and_waited_for(begin: Begin) -> None:
    async def leaving() -> str:
        async def cleaning() -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                await ship(1)

        asyncio.create_task(cleaning())  # noqa: RUF006
        asyncio.create_task(charge(1))  # type: ignore[arg-type] # noqa: RUF006
        await asyncio.sleep(0)
        return "done"

    world = begin(flow(leaving))
    assert world.asked == ["RunStep", "CancelStep", "RunStep"]
    world.complete("/1/charge")
    assert world.end is None
    world.signal("anything")
    assert world.asked == [], "what winds up is cancelled once"
    world.complete("/0/ship")
    assert world.result == "done"


def test_tasks_that_are_made_while_winding_up_are_ended_too(begin: Begin) -> None:
    async def leaving() -> str:
        async def reproducing() -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                asyncio.create_task(charge(1))  # type: ignore[arg-type] # noqa: RUF006

        asyncio.create_task(reproducing())  # noqa: RUF006
        await asyncio.sleep(0)
        return "done"

    world = begin(flow(leaving))
    assert world.asked == ["RunStep", "CancelStep"]
    world.complete("/0/0/charge")
    assert world.result == "done"


def test_async_generators_that_are_left_open_are_closed_newest_first(begin: Begin) -> None:
    closed = []

    async def counting(name: str) -> AsyncIterator[int]:
        try:
            for i in range(9):
                yield i
        finally:
            await charge(name)
            closed.append(name)

    async def leaving() -> str:
        closed.clear()
        for name in "ab":
            async for _ in counting(name):
                break
        async for _ in counting("exhausted"):
            pass
        return "done"

    world = begin(flow(leaving))
    names = []
    while world.steps:
        (key,) = world.steps
        names.append(key)
        world.complete(key)
    assert closed == ["exhausted", "b", "a"]
    assert names == ["/charge", "/~end/charge", "/~end/charge#1"]
    assert world.result == "done"


def test_a_forgotten_generator_is_not_closed_by_the_garbage_collector(begin: Begin) -> None:
    async def forgetting() -> str:
        async def stream() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                set_attributes(closed=True)

        async for _ in stream():
            break
        await charge(1)
        return "done"

    world = begin(flow(forgetting))
    assert world.asked == ["RunStep"]
    world.complete("/charge")
    assert world.asked == ["SetAttributes", "Complete"]


def test_many_generators_and_tasks_are_not_kept_for_ever(begin: Begin) -> None:
    async def counting() -> AsyncIterator[int]:
        yield 1

    async def many() -> list[int]:
        loop: Any = asyncio.get_running_loop()
        for _ in range(500):
            async for _ in counting():
                pass
            await asyncio.create_task(asyncio.sleep(0))
        return [len(loop._generators), len(loop.tasks)]

    assert all(kept < 150 for kept in begin(flow(many)).result)


def test_a_task_that_failed_and_was_not_awaited_is_told_of(begin: Begin) -> None:
    async def careless() -> str:
        async def failing() -> None:
            raise LookupError("lost")

        asyncio.create_task(failing(), name="careless one")  # noqa: RUF006
        await charge(1)
        for _ in range(200):
            await asyncio.create_task(asyncio.sleep(0))
        return "done"

    world = begin(flow(careless))
    world.complete("/charge")
    message = "careless one failed, and nobody awaited it: LookupError('lost')"
    assert world.answers[-1][0] == c.Log("ERROR", message)
    assert world.result == "done"


# --- callbacks ------------------------------------------------------------------------------------------------


def test_a_callback_that_raises_fails_the_run_at_once(begin: Begin) -> None:
    async def calling_back() -> None:
        asyncio.get_running_loop().call_later(5, {}.__getitem__, "missing")
        try:
            await charge(1)
        finally:
            set_attributes(cleaned=True)

    world = begin(flow(calling_back))
    assert world.advance(5) == [c.CancelStep("/charge")]
    world.complete("/charge")
    assert world.asked == ["SetAttributes", "Fail"]
    assert world.failure.type == "KeyError"


def test_a_callback_that_raises_fails_even_a_run_that_goes_on(begin: Begin) -> None:
    async def calling_back() -> str:
        asyncio.get_running_loop().call_soon({}.__getitem__, "missing")
        try:
            await charge(1)
        except asyncio.CancelledError:
            await ship(1)
        return "all is well"

    world = begin(flow(calling_back))
    world.fail("/charge")
    world.complete("/ship")
    assert world.failure.type == "KeyError"


@pytest.mark.parametrize("error", [NonDeterminism("x"), NotDeterministic("x")])
def test_a_callback_that_cannot_be_replayed_stands_still(begin: Begin, error: Exception) -> None:
    def raise_it() -> None:
        raise error

    async def calling_back() -> None:
        asyncio.get_running_loop().call_soon(raise_it)
        await charge(1)

    with pytest.raises(type(error)):
        begin(flow(calling_back))


def test_what_cannot_be_replayed_stands_still_whatever_the_code_does_with_it(begin: Begin) -> None:
    async def swallowing() -> str:
        set_attributes(step="before")
        try:
            await asyncio.to_thread(print)
        except Exception:
            await charge(1)
        return "swallowed"

    with pytest.raises(NotDeterministic, match="run_in_executor"):
        begin(flow(swallowing))


# --- leaving memory -------------------------------------------------------------------------------------------


def close_now(world: World) -> None:
    """Drops the run; it must not have asked for anything more."""
    world.execution.close()
    assert world.execution.commands == []
    world.execution = world.replay()


async def acting() -> None:
    """Everything that could leave a run."""
    set_attributes(acted=True)
    publish("acted", True)
    log.error("acted")
    patched("acted")
    asyncio.create_task(charge(2))  # type: ignore[arg-type] # noqa: RUF006
    asyncio.get_running_loop().call_soon(set_attributes)
    await charge(3)


async def in_finally() -> None:
    try:
        await charge(1)
    finally:
        await acting()


async def in_except() -> None:
    try:
        await charge(1)
    except BaseException:
        await acting()
        raise


async def swallowing() -> None:
    while True:
        try:
            await charge(1)
        except BaseException:
            set_attributes(acted=True)


async def nested() -> None:
    async def inner() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(in_finally())
            group.create_task(in_except())

    async with asyncio.timeout(3600), asyncio.Lock():
        await asyncio.gather(inner(), asyncio.shield(in_finally()))


async def streaming() -> None:
    async def stream() -> AsyncIterator[int]:
        try:
            yield 1
            await in_finally()
        finally:
            await acting()

    async def through() -> AsyncIterator[int]:
        async for i in stream():
            yield i

    async for _ in stream():
        break
    async for _ in through():
        pass


async def primitives() -> None:
    condition, queue, barrier = asyncio.Condition(), asyncio.Queue[int](), asyncio.Barrier(2)

    async def waiting() -> None:
        async with condition:
            await condition.wait()

    coroutines = (waiting(), waiting(), queue.get(), barrier.wait(), asyncio.Event().wait(), in_finally())
    await asyncio.wait([asyncio.create_task(x) for x in coroutines])  # type: ignore[arg-type]


async def not_yet_awaited() -> None:
    later = [charge(2), in_finally(), asyncio.sleep(5)]
    try:
        raise LookupError
    except LookupError as error:
        kept = error
    await charge(1)
    for coroutine in later:
        await coroutine
    del kept


WAITING = [in_finally, in_except, nested, streaming, primitives, not_yet_awaited]


@pytest.mark.parametrize("code", WAITING, ids=lambda code: code.__name__)
def test_a_dropped_run_does_not_act_and_makes_no_noise(begin: Begin, code: Any) -> None:
    world = begin(flow(code))
    assert world.steps
    close_now(world)


async def asleep() -> None:
    await asyncio.sleep(3600)


async def in_a_step() -> None:
    await charge(1)


async def in_a_task() -> None:
    async with asyncio.timeout(3600):
        await asyncio.create_task(asleep())


async def fan_out() -> None:
    await asyncio.gather(charge(1), charge(2), asleep())


@pytest.mark.parametrize("code", [asleep, in_a_step, in_a_task, fan_out], ids=lambda code: code.__name__)
def test_a_dropped_run_is_gone_before_the_garbage_collector_comes(code: Any) -> None:
    world = World(flow(code))
    world.start()
    gc.collect()
    gc.disable()
    try:
        execution = weakref.ref(world.execution.loop)
        task = weakref.ref(world.execution.loop.tasks[0])
        world.execution.close()
        assert (execution(), task()) == (None, None)
        world.execution.close()  # once more, and nothing happens
    finally:
        gc.enable()


def test_code_that_cannot_be_ended_does_not_hold_up_others(begin: Begin) -> None:
    world = begin(flow(swallowing))
    close_now(world)


def test_a_run_that_stands_still_is_dropped_like_any_other(begin: Begin) -> None:
    async def halting() -> None:
        tasks = [asyncio.create_task(in_finally()) for _ in range(3)]
        await asyncio.sleep(0)
        asyncio.create_task(in_finally())  # noqa: RUF006
        asyncio.get_running_loop().run_in_executor(None, print)
        await asyncio.wait(tasks)

    with pytest.raises(NotDeterministic):
        begin(flow(halting))


def test_a_run_that_was_never_begun_is_dropped() -> None:
    World(flow(charge_once)).execution.close()


def test_a_closed_run_has_no_deadline(begin: Begin) -> None:
    async def leaving() -> None:
        asyncio.get_running_loop().call_later(60, print)

    world = begin(flow(leaving))
    assert world.execution.closed
    assert world.execution.deadline is None


def test_the_end_of_a_run_from_outside_is_no_business_of_its_code(begin: Begin) -> None:
    world = begin(flow(charge_once))
    assert world.apply(e.RunTerminated(world.now, None, None, "by hand")) == []


def test_two_runs_of_one_workflow_do_not_share_anything(begin: Begin) -> None:
    one, other = (begin(flow(charge_once), uid=uid) for uid in (UID, "f" * 32))
    one.complete("/charge", 1)
    other.complete("/charge", 2)
    assert (one.result, other.result) == (1, 2)


def test_a_journal_s_bytes_lead_to_the_same_place(begin: Begin) -> None:
    world = begin(flow(in_finally))
    world.complete("/charge", {"a": [1, None]})
    events = [e.decode(e.encode(event)) for event in world.journal]
    again = world.replay(events=events)
    assert again.outstanding() == world.execution.outstanding()
    again.close()
    assert ENCODINGS.encode({"a": [1, None]}) == world.journal[1].result  # type: ignore[attr-defined]
