"""Steps that are completed from outside: by their token, once, from any process, also after a restart."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

import segue
from segue import AttemptOver, Engine, Retry, RunFailed, Settings, StepFailed, signal, step, testing, workflow
from segue.authoring.python.definitions import STEPS
from segue.errors import InvalidArgument, PayloadError
from segue.kernel import events as e

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
tokens: list[str] = []


@pytest.fixture(autouse=True)
def clean() -> None:
    tokens.clear()


@pytest.fixture(params=[0, 1000], ids=["evicted", "kept"])
def cache(request: pytest.FixtureRequest) -> Settings:
    return Settings(cache=request.param)


@step(
    name="outside.print",
    retry=Retry(attempts=2, initial="1m", jitter=0),
    heartbeat_timeout="1h",
    schedule_to_close="5h",
)
async def print_at_shop(pages: int) -> int:
    tokens.append(segue.complete_later())
    assert segue.last_heartbeat(int) in (None, 7)
    return -1


@step(name="outside.thread")
def in_thread() -> str:
    tokens.append(segue.complete_later())
    return "ignored"


@step(name="outside.raises", retry=2)
async def raises_afterwards() -> int:
    tokens.append(segue.complete_later())
    if segue.attempt_number() == 1:
        raise ConnectionError("could not submit")
    return 0


@step(name="outside.particular", retry=Retry(attempts=2, initial="1m", decide=lambda error, _: error.code != 402))  # type: ignore[attr-defined]
async def looks_into_it() -> int:
    tokens.append(segue.complete_later())
    return -1


@workflow(name="outside.is_particular")
async def particular() -> int:
    return await looks_into_it()


@workflow(name="outside.prints")
async def prints() -> int:
    return await print_at_shop(3)


@workflow(name="outside.threads")
async def threads() -> str:
    return await in_thread()


@workflow(name="outside.flaky")
async def flaky() -> int:
    return await raises_afterwards()


async def test_a_step_is_completed_by_its_token(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(prints)
        await world.settle()
        assert (await handle.status()).state == "waiting"
        assert [type(x.event).__name__ for x in await handle.history()] == ["RunStarted", "StepScheduled"]
        await world.engine.complete_step(tokens[0], 12)
        assert await world.result(handle) == 12
        with pytest.raises(AttemptOver, match="its run has ended"):
            await world.engine.complete_step(tokens[0], 13)
        assert world.engine.store.attempts(handle.run) == []


async def test_it_survives_restarts_and_another_process_completes_it(url: str, until: Until) -> None:
    async with Engine(url) as engine:
        handle = await engine.start(threads, id="t")
        await until(lambda: len(engine.store.tail(handle.run, 9)) == 2)
    async with Engine(url, own=False) as client:
        await client.complete_step(tokens[0], "from afar")
    async with Engine(url) as engine:
        assert await (await engine.handle("t")).result() == "from afar"
        assert len(tokens) == 1, "its code did not run again"


async def test_a_failure_from_outside_says_when_to_try_again(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(prints)
        await world.settle()
        await world.engine.fail_step(tokens[0], "closed for lunch", retry_after="90m")
        await world.advance("89m")
        assert len(tokens) == 1
        await world.advance("1m")
        assert len(tokens) == 2
        await world.engine.fail_step(tokens[1], "closed for good", retry_after="1m")
        with pytest.raises(RunFailed, match="closed for good"):
            await world.result(handle)  # it was the last attempt, whatever was said of another one


async def test_a_failure_from_outside_is_not_tried_again_when_all_time_is_over(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(prints)
        await world.settle()
        await world.engine.fail_step(tokens[0], "closed for the week", retry_after="5h")
        with pytest.raises(RunFailed, match="closed for the week"):
            await world.result(handle)


async def test_an_old_token_is_refused(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(prints)
        await world.settle()
        await world.advance("50m")
        await world.engine.heartbeat_step(tokens[0], 7)
        await world.advance("50m")
        assert len(tokens) == 1, "the heartbeat has extended its time"
        await world.advance("12m")
        assert len(tokens) == 2
        failed = [x.event for x in await handle.history() if isinstance(x.event, e.StepFailed)]
        assert "gave no heartbeat for 3600 s" in failed[0].failure.message
        for refused in (world.engine.complete_step(tokens[0], 1), world.engine.heartbeat_step(tokens[0])):
            with pytest.raises(AttemptOver, match="attempt 2 is waited for now"):
                await refused
        assert len(await handle.history()) == 5, "nothing was changed"
        await world.engine.complete_step(tokens[1], 2)
        assert await world.result(handle) == 2


async def test_a_failure_from_outside_is_retried_by_the_steps_policy(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(prints)
        await world.settle()
        with pytest.raises(InvalidArgument, match="not a length of time"):
            await world.engine.fail_step(tokens[0], "out of paper", retry_after="soon")
        await world.engine.fail_step(tokens[0], ConnectionError("out of paper"))
        await world.advance("2m")
        assert len(tokens) == 2
        await world.engine.fail_step(tokens[1], "burnt down", retryable=False)
        with pytest.raises(RunFailed) as caught:
            await world.result(handle)
        assert "burnt down" in str(caught.value)


async def test_a_policy_that_looks_for_more_than_names_does_not_count_what_was_told(
    tmp_path: Path, cache: Settings
) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(particular)
        await world.settle()
        await world.engine.fail_step(tokens[0], ConnectionError("out of paper"))
        await world.advance("2m")
        await world.engine.complete_step(tokens[1], 5)
        assert await world.result(handle) == 5
        said = [line.text for line in world.engine.logs(handle.run)]
        assert len(said) == 1
        assert said[0].startswith("decide= of outside.particular was left out of account: AttributeError(")


async def test_all_attempts_together_have_a_limit(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(prints)
        for _ in range(9):
            await world.advance("33m")
            await world.engine.heartbeat_step(tokens[-1], 7)
        with pytest.raises(RunFailed, match="not done within its schedule_to_close of 18000 s"):
            await world.result(handle)


async def test_an_attempt_that_raised_after_taking_its_token_has_failed(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(flaky)
        await world.advance("10s")
        assert len(tokens) == 2
        with pytest.raises(AttemptOver):
            await world.engine.complete_step(tokens[0], 1)
        await world.engine.complete_step(tokens[1], 5)
        assert await world.result(handle) == 5


async def test_what_is_no_token_and_no_result_of_the_step_is_refused(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(prints)
        await world.settle()
        for text in ("", "nonsense", tokens[0][:-8], 7):
            with pytest.raises((InvalidArgument, AttemptOver)):
                await world.engine.complete_step(text, 1)  # type: ignore[arg-type]
        with pytest.raises((InvalidArgument, PayloadError)):
            await world.engine.complete_step(tokens[0], "twelve")
        assert len(await handle.history()) == 2
        await world.engine.complete_step(tokens[0], 12)
        assert await world.result(handle) == 12


@workflow(name="outside.gives_up")
async def gives_up() -> str:
    try:
        await asyncio.wait_for(print_at_shop(1), 60)
    except TimeoutError:
        return "given up"
    except StepFailed:
        return "failed"
    return "?"


async def test_a_step_that_the_workflow_gave_up_takes_no_outcome(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(gives_up)
        assert await world.result(handle) == "given up"
        with pytest.raises(AttemptOver):
            await world.engine.complete_step(tokens[0], 1)


let_go = threading.Event()


@step(name="outside.late", grace="1h")
def hands_over_late() -> int:
    assert let_go.wait(30)
    tokens.append(segue.complete_later())
    return 0


@workflow(name="outside.does_not_wait")
async def does_not_wait() -> str:
    with suppress(TimeoutError):
        await asyncio.wait_for(hands_over_late(), 0.02)
    return await signal("end", str)


async def test_a_step_that_hands_over_after_it_was_given_up_is_not_waited_for(url: str, until: Until) -> None:
    let_go.clear()
    async with Engine(url) as engine:
        handle = await engine.start(does_not_wait)

        async def kinds() -> list[str]:
            return [type(x.event).__name__ for x in await handle.history()]

        async def given_up() -> bool:
            return "TimerFired" in await kinds()

        async def goes_on() -> bool:
            return (await handle.status()).awaits == ("end",)

        await until(given_up)
        let_go.set()
        await until(goes_on)
        with pytest.raises(AttemptOver):
            await engine.complete_step(tokens[0], 1)
        await handle.signal("end", "given up")
        assert await handle.result() == "given up"
        assert await kinds() == ["RunStarted", "TimerFired", "StepScheduled", "SignalReceived", "RunCompleted"]


# --- given up in the moment in which it is called -------------------------------------------------------------


@step(name="outside.queued", queue="elsewhere")
def queued() -> int: ...


@step(name="outside.paused")
async def paused() -> int:
    raise AssertionError("it is paused")


@step(name="outside.gone")
async def gone() -> int:
    raise AssertionError("nobody knows it")


@workflow(name="outside.changes_its_mind")
async def changes_its_mind(what: str) -> str:
    task = asyncio.ensure_future({"queued": queued, "paused": paused, "gone": gone}[what]())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return await signal("end", str)


@pytest.mark.parametrize("what", ["queued", "paused", "gone"])
async def test_what_is_given_up_as_it_is_called_and_does_not_begin_is_not_waited_for(
    what: str, tmp_path: Path, cache: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        engine = world.engine
        await engine.pause_step("outside.paused")
        monkeypatch.delitem(STEPS._by_name, "outside.gone")
        handle = await engine.start(changes_its_mind, what)
        await world.settle()
        status = await handle.status()
        assert (status.state, status.awaits) == ("waiting", ("end",))
        assert not await engine.activate("elsewhere", worker="w", limit=10)
        await handle.signal("end", "otherwise")
        assert await world.result(handle) == "otherwise"
        assert not any(isinstance(x.event, e.TimerFired) for x in await handle.history())
