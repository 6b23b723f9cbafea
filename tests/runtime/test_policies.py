"""The five error policies of the field, as a user writes them, on virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from segue import (
    HumanTask,
    Resolution,
    Retry,
    RunFailed,
    Settings,
    StepFailed,
    attempt_number,
    escalate,
    saga,
    skip,
    step,
    testing,
    workflow,
)
from segue.errors import InvalidArgument

done: list[str] = []


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    done.clear()


@step(retry=Retry(attempts=3, initial="1h", maximum="1d", jitter=0))
async def flaky() -> str:
    done.append(f"attempt {attempt_number()}")
    if attempt_number() < 3:
        raise ConnectionError("not yet")
    return "in the end"


def _raise(error: BaseException) -> Any:
    raise error


@step(retry=Retry(attempts=3, decide=lambda error, _: error.code != 402))  # type: ignore[attr-defined]
async def looked_into() -> None:
    raise ConnectionError("not yet")


@step(retry=Retry(attempts=3, decide=lambda *_: _raise(asyncio.CancelledError())))
async def cancelled_about() -> None:
    raise ValueError("no")


@workflow
async def undecided() -> list[str]:
    said = []
    for each in (looked_into, cancelled_about):
        try:
            await each()
        except StepFailed as error:
            why = "nothing" if error.failure.cause is None else error.failure.cause.type
            said.append(f"{error.failure.type} because of {why} ({error.attempts})")
    return said


@step
async def broken(what: str) -> str:
    raise ValueError(f"no {what}")


@step(on_error=skip("nothing"))
async def dispensable(what: str) -> str:
    raise ValueError(f"no {what}")


NOBODY: Any = object()


@step(on_error=skip(["nothing"]))
async def empty() -> list[str]:
    raise ValueError("no list")


@step(on_error=skip(NOBODY))
async def unknown() -> str:
    raise ValueError("no name")


@workflow
async def collects(n: int) -> list[str]:
    found = await empty()
    found.append(str(n))
    await asyncio.sleep(60)
    return found if await unknown() is NOBODY else []


@step(on_error=escalate("ops", timeout="1d", then="boss"))
async def delicate(what: str) -> str:
    done.append(what)
    if len(done) < 3:
        raise ValueError(f"no {what}")
    return f"some {what}"


@step
async def book(what: str) -> str:
    done.append(f"book {what}")
    return f"booking of {what}"


@step
async def unbook(what: str, booking: str | None) -> None:
    done.append(f"unbook {what}: {booking}")


@workflow
async def tries_again() -> str:
    return await flaky()


@workflow
async def branches() -> str:
    try:
        return await broken("tea")
    except StepFailed as error:
        return f"{error.step}, {error.attempts}, {error.failure.type}, {error.failure.message}"


@workflow
async def goes_on_without() -> str:
    return await dispensable("tea")


@workflow
async def asks_a_person(key: str | None) -> str:
    return await delicate.using(key=key)("tea")


@workflow
async def undoes() -> None:
    async with saga() as s:
        await s.step(book, "train", undo=unbook)
        await s.step(book, "hotel", undo=unbook)
        await broken("seat")


async def test_retry_tries_again_and_waits_durably(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        began = world.clock.now()
        assert await world.result(await world.engine.start(tries_again)) == "in the end"
        assert done == ["attempt 1", "attempt 2", "attempt 3"]
        assert world.clock.now() - began == 3 * 3_600_000_000


@pytest.mark.parametrize("how", [testing.engine, None], ids=["engine", "in memory"])
async def test_an_error_of_the_policys_own_ends_the_attempts(tmp_path: Path, how: Any) -> None:
    if how is None:
        said = await undecided.local()
    else:
        async with how(tmp_path) as world:
            said = await world.result(await world.engine.start(undecided))
    assert said == [
        "AttributeError because of ConnectionError (1)",
        "asyncio.exceptions.CancelledError because of ValueError (1)",
    ]


async def test_except_branches(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        assert await world.result(await world.engine.start(branches)) == "broken, 1, ValueError, no tea"


async def test_skip_goes_on_with_a_default(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        assert await world.result(await world.engine.start(goes_on_without)) == "nothing"


@pytest.mark.parametrize("cache", [0, 1000], ids=["evicted", "kept"])
async def test_what_a_run_changes_in_a_default_is_its_own(tmp_path: Path, cache: int) -> None:
    async with testing.engine(tmp_path, settings=Settings(cache=cache)) as world:
        assert await world.result(await world.engine.start(collects, 1)) == ["nothing", "1"]
        assert await world.result(await world.engine.start(collects, 2)) == ["nothing", "2"]


async def test_undo_undoes_last_first(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        with pytest.raises(RunFailed, match="no seat"):
            await world.result(await world.engine.start(undoes))
    assert done[2:] == ["unbook hotel: booking of hotel", "unbook train: booking of train"]


@pytest.mark.parametrize("key", [None, "the-tea"], ids=["by place", "by key"])
async def test_escalate_asks_a_person_as_often_as_it_takes(tmp_path: Path, key: str | None) -> None:
    asked: list[Any] = []

    def retries(task: HumanTask) -> Resolution:
        asked.append((task.name, task.subject["error"]))
        return Resolution("retry")

    async with testing.engine(tmp_path) as world:
        world.person("ops", retries, after="2h")
        assert await world.result(await world.engine.start(asks_a_person, key)) == "some tea"
    assert asked == [("delicate failed", "delicate failed after 1 attempt: ValueError: no tea")] * 2


@pytest.mark.parametrize(
    ("answer", "what"),
    [(Resolution("skip", "coffee"), "coffee"), (Resolution("fail"), "delicate failed after 1 attempt")],
)
async def test_escalate_goes_to_the_next_person_in_time(tmp_path: Path, answer: Resolution, what: str) -> None:
    async with testing.engine(tmp_path) as world:
        world.person("ops", lambda task: None)
        world.person("boss", lambda task: answer)
        began = world.clock.now()
        handle = await world.engine.start(asks_a_person, None)
        if answer.action == "skip":
            assert await world.result(handle) == what
        else:
            with pytest.raises(RunFailed, match=what):
                await world.result(handle)
        assert world.clock.now() - began == 86_400_000_000


async def test_a_result_that_does_not_fit_is_asked_for_again(tmp_path: Path) -> None:
    problems: list[str] = []

    def answers(task: HumanTask) -> Resolution:
        problems.append(task.subject.get("problem", "none"))
        return Resolution("skip", 7 if len(problems) == 1 else "coffee")

    async with testing.engine(tmp_path) as world:
        world.person("ops", answers)
        assert await world.result(await world.engine.start(asks_a_person, None)) == "coffee"
    assert problems[0] == "none"
    assert "Expected `str`" in problems[1]


async def test_an_answer_that_does_not_fit_its_form_is_refused_whole(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(asks_a_person, None)
        await world.settle()
        (task,) = await world.engine.tasks()
        for wrong in ({"action": "wait"}, {"result": "tea"}, "skip", {"action": "skip", "because": "x"}):
            with pytest.raises(InvalidArgument, match=r"^\$"):
                await world.engine.complete_task(task, wrong)
        assert (await handle.status()).state == "waiting"
        await world.engine.complete_task(task, {"action": "skip", "result": "tea"})
        assert await world.result(handle) == "tea"
