"""The engine end to end on a real store: start, steps, results, messages, the ends of runs."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

import segue
from segue import Engine, Retry, RunFailed, StepFailed, approval, signal, step, workflow
from segue.errors import RunAlreadyExists, RunClosed, UnknownWorkflow
from segue.kernel import events as e


class Order(msgspec.Struct):
    item: str
    amount: int = 1


@step
async def twice(n: int) -> int:
    return 2 * n


@step
def shout(text: str) -> str:
    return text.upper()


@step
async def explode(text: str) -> None:
    raise ValueError(text)


attempts: dict[str, int] = {}


@pytest.fixture(autouse=True)
def no_attempts() -> None:
    attempts.clear()


@step(retry=Retry(attempts=3, initial="10ms", jitter=0))
async def third_time(name: str) -> int:
    attempts[name] = attempts.get(name, 0) + 1
    if attempts[name] < 3:
        raise ConnectionError("not yet")
    return attempts[name]


@workflow
async def chain(n: int) -> int:
    for _ in range(3):
        n = await twice(n)
    return n


@workflow
async def threads(text: str) -> str:
    return await shout(text)


@workflow
async def fan(n: int) -> list[int]:
    return await asyncio.gather(*[twice(i) for i in range(n)])


@workflow
async def buy(order: Order) -> Order:
    await asyncio.sleep(0.01)
    return Order(order.item, order.amount + 1)


@workflow
async def fails(text: str) -> None:
    await explode(text)


@workflow
async def branches(text: str) -> str:
    try:
        await explode(text)
    except StepFailed as error:
        return f"{error.step} {error.attempts} {error.failure.type}"
    return "?"


@workflow
async def retries(name: str) -> int:
    return await third_time(name)


@workflow
async def listens() -> list[int]:
    got = []
    async for n in signal("number", int):
        got.append(n)
        if n == 0:
            break
    return got


@workflow
async def parent(n: int) -> int:
    return await chain(n) + await chain(n + 1)


async def test_steps_in_a_row(engine: Engine) -> None:
    handle = await engine.start(chain, 1)
    assert await handle.result() == 8
    kinds = [type(r.event) for r in await handle.history()]
    assert kinds == [e.RunStarted, e.StepCompleted, e.StepCompleted, e.StepCompleted, e.RunCompleted]


async def test_plain_functions_run_in_threads(engine: Engine) -> None:
    assert await (await engine.start(threads, "hello")).result() == "HELLO"


async def test_fan_out_and_join(engine: Engine) -> None:
    assert await (await engine.start(fan, 20)).result() == [2 * i for i in range(20)]


async def test_arguments_and_results_come_back_as_their_types(engine: Engine) -> None:
    assert await (await engine.start(buy, Order("tea"))).result() == Order("tea", 2)


async def test_a_failed_step_fails_the_run(engine: Engine) -> None:
    handle = await engine.start(fails, "boom")
    with pytest.raises(RunFailed, match="boom") as caught:
        await handle.result()
    failure = caught.value.failure
    assert failure.type.endswith("StepFailed")
    assert failure.cause.type == "ValueError"
    assert "explode" in failure.cause.traceback
    row = await handle.status()
    assert (row.state, row.error) == ("failed", "ValueError: boom")


async def test_a_workflow_branches_on_a_failed_step(engine: Engine) -> None:
    assert await (await engine.start(branches, "x")).result() == "explode 1 ValueError"


async def test_retries_are_journaled(engine: Engine) -> None:
    handle = await engine.start(retries, "a")
    assert await handle.result() == 3
    kinds = [type(r.event).__name__ for r in await handle.history()]
    assert kinds == [
        "RunStarted",
        "StepFailed",
        "TimerFired",
        "StepFailed",
        "TimerFired",
        "StepCompleted",
        "RunCompleted",
    ]


cleaned: list[str] = []


@step
async def cleans_up() -> None:
    try:
        cleaned.append("begun")
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0.01)
        cleaned.append("cleaned up")


@workflow
async def is_broken_off() -> None:
    await cleans_up()


async def test_a_step_cleans_up_before_the_engine_closes(tmp_path: Path) -> None:
    cleaned.clear()
    async with Engine(f"sqlite:///{tmp_path}/test.db") as engine:
        await engine.start(is_broken_off)
        while not cleaned:  # noqa: ASYNC110 -- until the attempt has begun
            await asyncio.sleep(0)
    assert cleaned == ["begun", "cleaned up"]


@workflow
async def shouts_twice() -> str:
    first = await shout("a")
    await signal("go")
    return first + await shout("b")


async def test_a_step_that_would_start_while_the_engine_closes_is_left_to_the_next_owner(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    async with Engine(url) as engine:
        handle = await engine.start(shouts_twice, id="a")
        async with asyncio.timeout(10), aclosing(handle.events()) as events:
            async for recorded in events:
                if isinstance(recorded.event, e.StepCompleted):
                    break
        assert engine._duty is not None
        await engine._duty.attempts.close(0)  # the first thing that closing does
        await handle.signal("go")
        for _ in range(100):
            await asyncio.sleep(0)
        assert not any(isinstance(r.event, e.StepFailed) for r in await handle.history())
    async with Engine(url) as engine:
        assert await (await engine.handle("a")).result(timeout=10) == "AB"


async def test_signals_arrive_in_order(engine: Engine) -> None:
    handle = await engine.start(listens)
    for n in (3, 2, 1, 0):
        await handle.signal("number", n)
    assert await handle.result() == [3, 2, 1, 0]
    with pytest.raises(RunClosed):
        await handle.signal("number", 9)


class Decision(msgspec.Struct):
    granted: bool
    reason: str = ""


@workflow
async def asks(amount: int) -> Decision:
    return await approval("boss", form=Decision, name="Money", subject={"amount": amount})


async def test_a_person_sees_the_facts_and_the_form_and_answers(engine: Engine) -> None:
    handle = await engine.start(asks, 7)
    async for recorded in handle.events():
        if isinstance(recorded.event, e.TaskOpened):
            break
    tasks = await engine.tasks(assignee="boss")
    assert (tasks[0].name, tasks[0].subject, tasks[0].outcome) == ("Money", {"amount": 7}, None)
    assert "granted" in str(tasks[0].form)
    await engine.complete_task(tasks[0], Decision(True, "fine"), by="ann")
    assert await handle.result() == Decision(True, "fine")
    [closed] = await engine.tasks(state="completed")
    assert (closed.outcome, closed.closed_by) == ({"granted": True, "reason": "fine"}, "ann")


async def test_children(engine: Engine) -> None:
    handle = await engine.start(parent, 1)
    assert await handle.result() == 8 + 16
    assert len(await engine.list()) == 3


async def test_the_same_id_is_the_same_run(engine: Engine) -> None:
    one = await engine.start(chain, 1, id="a")
    two = await engine.start(chain, 1, id="a")
    assert one.run == two.run
    assert await two.result() == 8
    assert await (await engine.start(chain, 1, id="a")).result() == 8
    with pytest.raises(RunAlreadyExists):
        await engine.start(chain, 2, id="a")


async def test_an_unknown_workflow_is_refused(engine: Engine) -> None:
    with pytest.raises(UnknownWorkflow, match="known:"):
        await engine.start("nonsense")


async def test_a_step_outside_a_workflow_just_runs() -> None:
    assert await twice(4) == 8
    assert await shout("a") == "A"


def test_run_is_a_one_liner(tmp_path: Path) -> None:
    assert segue.run(chain, 2, url=f"sqlite:///{tmp_path}/one.db") == 16


async def test_runs_survive_the_engine(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    async with Engine(url) as engine:
        handle = await engine.start(listens, id="l")
        await handle.signal("number", 5)
    async with Engine(url) as engine:
        handle = await engine.handle("l")
        await handle.signal("number", 0)
        assert await handle.result() == [5, 0]
