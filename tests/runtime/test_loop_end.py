"""An engine that is open when its event loop ends: its runs are handed over, and nothing is recorded of what ended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from process_steps import wait_forever

from segue import Engine, Interceptor, StepCall, signal, step, workflow
from segue.errors import CallerError, StoreClosed

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
begun: list[str] = []


@step(name="loop_end.waits")
async def waits(run: str) -> str:
    begun.append(run)
    if begun.count(run) == 1:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
    return "done"


@step(name="loop_end.gives_up")
async def gives_up(run: str) -> str:
    """Makes something else of its cancellation."""
    begun.append(run)
    try:
        if begun.count(run) == 1:
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        return "cancelled"
    return "done"


@workflow(name="loop_end.careful")
async def careful(run: str) -> list[str]:
    return list(await asyncio.gather(waits(run), gives_up(f"{run}'")))


@workflow(name="loop_end.remote")
async def remote() -> None:
    await wait_forever()


@workflow(name="loop_end.waiting")
async def waiting() -> str:
    return await signal("go", str)


class Around(Interceptor):
    async def step(self, call: StepCall, proceed: Callable[[StepCall], Awaitable[object]]) -> object:
        return await proceed(call)


def address(path: Path) -> str:
    return f"sqlite:///{path / 'runs.db'}"


async def goes_on(url: str, run: str) -> None:
    async with Engine(url) as engine:
        handle = await engine.handle(run, list[str])
        assert await handle.result() == ["done", "done"]
    assert begun.count(run) == 2


@pytest.mark.parametrize("interceptors", [(), (Around(),)], ids=["alone", "intercepted"])
def test_a_step_that_ends_with_its_loop_has_not_failed(
    tmp_path: Path, until: Until, interceptors: tuple[Interceptor, ...], caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engine(address(tmp_path), interceptors=interceptors)
    run = str(tmp_path)[-100:]

    async def left_open() -> None:
        await engine.open()
        await engine.start(careful, run, id=run)
        await until(lambda: run in begun and f"{run}'" in begun)

    asyncio.run(left_open())
    assert "the event loop ends while the engine of app 'default' is open" in caplog.text
    asyncio.run(goes_on(address(tmp_path), run))
    asyncio.run(engine.close())


def test_whoever_cancels_all_tasks_may_close_the_engine_too(tmp_path: Path, until: Until) -> None:
    run = str(tmp_path)[-100:]

    async def cancelled() -> None:
        async with Engine(address(tmp_path)) as engine:
            await engine.start(careful, run, id=run)
            await until(lambda: run in begun and f"{run}'" in begun)
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(CallerError, match="this engine is closed"):
            await engine.start(waiting)

    asyncio.run(cancelled())
    asyncio.run(goes_on(address(tmp_path), run))


def test_an_engine_whose_loop_was_closed_gives_its_runs_back(tmp_path: Path, until: Until) -> None:
    engine = Engine(address(tmp_path))
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)  # tasks that nobody has ended

    async def begin() -> None:
        await engine.open()
        handle = await engine.start(waiting, id="waits")
        await engine.start(remote)
        await until(lambda: engine.attempts_under_way == 1)
        left.append(loop.create_task(handle.result()))

    left: list[asyncio.Task[str]] = []
    loop.run_until_complete(begin())
    loop.close()
    asyncio.run(engine.close())

    async def the_next_one() -> str:
        async with Engine(address(tmp_path)) as other:
            assert other.owner
            handle = await other.handle("waits", str)
            await handle.signal("go", "on")
            return await handle.result()

    assert asyncio.run(the_next_one()) == "on"


async def test_an_engine_is_closed_on_its_own_loop(tmp_path: Path) -> None:
    async with Engine(address(tmp_path)) as engine:
        with pytest.raises(CallerError, match=r"opened on another event loop.*run_coroutine_threadsafe"):
            await asyncio.to_thread(asyncio.run, engine.close())
        handle = await engine.start(waiting)
        await handle.signal("go", "on")
        assert await handle.result() == "on"


async def test_an_engine_that_is_closed_says_so(tmp_path: Path) -> None:
    async with Engine(address(tmp_path)) as engine:
        handle = await engine.start(waiting)
        threads = threading.active_count()
    for attempt in (
        engine.start(waiting),
        handle.signal("go", "on"),
        handle.cancel(),
        handle.query("q"),
        handle.update("u"),
        handle.result(),
    ):
        with pytest.raises(CallerError, match="this engine is closed"):
            await asyncio.wait_for(attempt, 10)
    for look in (handle.status(), handle.history(), engine.handle(handle.id), engine.tasks()):
        with pytest.raises(StoreClosed, match=r"inside `async with Engine\(…\) as engine:`"):
            await look
    await engine.close()
    assert threading.active_count() <= threads
