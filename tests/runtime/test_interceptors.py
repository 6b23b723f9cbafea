"""Interceptors around starts, messages, workflows and steps; and the headers that travel along."""

from __future__ import annotations

import asyncio
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

import segue
from segue import Engine, Interceptor, RunCall, SendCall, StartCall, StepCall, signal, step, update, workflow
from segue.configuration.settings import read_settings
from segue.errors import RunFailed

seen: list[str] = []
span: ContextVar[str] = ContextVar("span", default="none")


@step
async def where(what: str) -> str:
    return f"{what} {segue.headers().get('trace')} in {span.get()}"


@step
def threaded() -> str:
    return f"{segue.headers().get('trace')} in {span.get()}"


@workflow
async def inner() -> str:
    return await where("child")


@workflow
async def outer() -> list[Any]:
    found: list[Any] = []

    @signal
    async def tell(what: str) -> None:
        found.append([segue.headers(), await where(what)])

    @update
    async def ask(what: str) -> str:
        return await where(what)

    found += [segue.headers(), await where("step"), await threaded(), await inner()]
    await segue.other_run("listener").signal("heard")
    await signal("end")
    await segue.wait_condition(segue.all_handlers_finished)
    return found


@workflow
async def listener() -> dict[str, str]:
    await signal("heard")
    return segue.headers()


class Tracing(Interceptor):
    async def start(self, call: StartCall, proceed: Any) -> Any:
        call.headers["trace"] = f"of {call.id}"
        seen.append(f"start {call.workflow} {call.id}")
        handle = await proceed(call)
        seen.append(f"started {handle.id}")
        return handle

    async def send(self, call: SendCall, proceed: Any) -> Any:
        if call.kind != "query":
            call.headers["trace"] = f"of {call.kind}"
        seen.append(f"{call.kind} {call.name} {call.args}")
        return await proceed(call)

    async def run(self, call: RunCall, proceed: Any) -> Any:
        result = await proceed(call)
        seen.append(f"ran {call.workflow} {call.headers.get('trace')}")
        return result

    async def step(self, call: StepCall, proceed: Any) -> Any:
        span.set(f"span of {call.step}")
        seen.append(f"step {call.step} {call.attempt} of {call.workflow} {call.headers.get('trace')}")
        return await proceed(call)


class Loud(Interceptor):
    async def step(self, call: StepCall, proceed: Any) -> Any:
        result = await proceed(call)
        return result.upper() if isinstance(result, str) else result


async def test_headers_travel_from_the_start_to_all_that_is_called(tmp_path: Path) -> None:
    seen.clear()
    async with Engine(f"sqlite:///{tmp_path}/a.db", interceptors=[Tracing()]) as engine:
        listening = await engine.start(listener, id="listener")
        handle = await engine.start(outer, id="o")
        assert await listening.result(timeout=10) == {"trace": "of listener"}
        assert await handle.update("ask", "asked") == "asked of update in span of where"
        await handle.signal("tell", "told")
        await handle.signal("end")
        assert await handle.result(timeout=10) == [
            {"trace": "of o"},
            "step of o in span of where",
            "of o in span of threaded",
            "child of o in span of where",
            [{"trace": "of signal"}, "told of signal in span of where"],
        ]
        sent = [r.event for r in await listening.history() if isinstance(r.event, segue.kernel.events.SignalReceived)]
        assert [event.headers for event in sent] == [{"trace": "of o"}]
    assert {"start outer o", "started o", "update ask ('asked',)", "signal end (None,)"} <= set(seen)
    assert {"step where 1 of outer of o", "step where 1 of inner of o", "ran inner of o", "ran outer of o"} <= set(seen)


async def test_the_first_is_outermost_and_may_change_a_result(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/a.db", interceptors=[Loud(), Tracing()]) as engine:
        assert await (await engine.start(inner, id="i")).result(timeout=10) == "CHILD OF I IN SPAN OF WHERE"


@step(timeout=0.05, grace=0.01)
async def slow() -> None:
    await asyncio.Event().wait()


@step(retry=2)
async def once() -> int:
    return segue.attempt_number()


@workflow
async def hurried() -> int:
    try:
        await slow()
    except segue.StepFailed as error:
        return await once() if error.failure.type.endswith("StepTimeout") else 0
    return 0


class Refusing(Interceptor):
    async def step(self, call: StepCall, proceed: Any) -> Any:
        if call.step == "once" and call.attempt == 1:
            raise PermissionError("not yet")
        return await proceed(call)

    async def run(self, call: RunCall, proceed: Any) -> Any:
        if call.id == "forbidden":
            raise PermissionError("not this one")
        return await proceed(call)


@pytest.mark.parametrize("cache", [1000, 0])
async def test_limits_hold_and_what_is_raised_is_the_failure(tmp_path: Path, cache: int) -> None:
    settings = read_settings(cache=cache)
    async with Engine(f"sqlite:///{tmp_path}/a.db", interceptors=[Refusing()], settings=settings) as engine:
        assert await (await engine.start(hurried)).result(timeout=10) == 2
        with pytest.raises(RunFailed, match="PermissionError: not this one"):
            await (await engine.start(inner, id="forbidden")).result(timeout=10)


@step
def leaves() -> None:
    sys.exit(3)


@step.transaction
def leaves_in_between(db: segue.Transaction) -> None:
    sys.exit(3)


@workflow
async def is_left() -> None:
    await leaves()


@workflow
async def is_left_in_between() -> None:
    await leaves_in_between()


@pytest.mark.parametrize("what", [is_left, is_left_in_between])
async def test_what_ends_nothing_in_a_thread_ends_nothing_around_it(tmp_path: Path, what: Any) -> None:
    async with Engine(f"sqlite:///{tmp_path}/test.db", interceptors=[Loud()]) as engine:
        with pytest.raises(RunFailed, match=r"the step raised SystemExit\(3\)"):
            await (await engine.start(what)).result(timeout=30)
