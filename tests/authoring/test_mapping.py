"""``step.map``: how many run at a time, what came of each item, and what is tried again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from segue import Engine, MapFailure, Mapped, StepFailed, skip, step, workflow
from segue.errors import InvalidArgument, PayloadError, RunFailed
from segue.kernel import events as e
from segue.kernel.encoding import Encodings
from segue.runtime.settings import Settings

under_way = 0
most = 0
healed: set[int] = set()
ended: list[int] = []


@pytest.fixture(autouse=True)
def afresh() -> None:
    global under_way, most
    under_way = most = 0
    healed.clear()
    ended.clear()


@step
async def double(n: int) -> int:
    global under_way, most
    under_way += 1
    most = max(most, under_way)
    await asyncio.sleep(0)
    under_way -= 1
    return 2 * n


@step
async def picky(n: int) -> int:
    ended.append(n)
    if n % 3 == 0 and n not in healed:
        raise ValueError(f"{n} is ill")
    return n


@step
async def patient(n: int) -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        ended.append(n)


@workflow
async def doubled(n: int, concurrency: int) -> list[int]:
    return (await double.map(range(n), concurrency=concurrency)).all()


@workflow
async def picked(n: int) -> dict[str, Any]:
    mapped = await picky.map(range(n))
    healed.update((0, 3))
    again = await mapped.retry()
    return {
        "first": [mapped.results, [failure.index for failure in mapped.failures]],
        "then": [again.results, [(failure.index, failure.item) for failure in again.failures]],
        "one": again[3],
        "of": len(again),
    }


@workflow
async def all_or_nothing(n: int) -> list[int]:
    return (await picky.map(range(n))).all()


@workflow
async def skipping(n: int) -> list[int]:
    return (await picky.using(on_error=skip(-1)).map(range(n))).all()


@workflow
async def impatient() -> str:
    try:
        await asyncio.wait_for(patient.map(range(5), concurrency=3), 0.01)
    except TimeoutError:
        return f"stopped {len(ended)}"
    return "?"


@workflow
async def wrong() -> str:
    try:
        await double.map([1, "x", 3])  # type: ignore[list-item]
    except InvalidArgument:
        return "refused"
    return "?"


@pytest.fixture(params=[1000, 0], ids=["kept", "evicted"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    async with Engine(f"sqlite:///{tmp_path}/test.db", settings=Settings(cache=request.param)) as engine:
        yield engine


@pytest.mark.parametrize(("concurrency", "expected"), [(1, 1), (4, 4), (1000, 30)])
async def test_so_many_are_under_way_and_no_more(engine: Engine, concurrency: int, expected: int) -> None:
    assert await (await engine.start(doubled, 30, concurrency)).result() == [2 * n for n in range(30)]
    assert most == expected


async def test_the_number_in_a_steps_key_is_the_items(engine: Engine) -> None:
    handle = await engine.start(doubled, 12, 5)
    await handle.result()
    done = [x.event for x in await handle.history() if isinstance(x.event, e.StepCompleted)]
    assert {event.key: event.input and bytes(event.input.data) for event in done} == {
        f"/{n}/double": b'{"n":%d}' % n for n in range(12)
    }


async def test_what_failed_is_told_apart_and_tried_again_alone(engine: Engine) -> None:
    assert await (await engine.start(picked, 7)).result() == {
        "first": [[1, 2, 4, 5], [0, 3, 6]],
        "then": [[0, 1, 2, 3, 4, 5], [[6, 6]]],
        "one": 3,
        "of": 7,
    }
    assert sorted(ended) == [0, 0, 1, 2, 3, 3, 4, 5, 6, 6]


async def test_all_raises_the_first_failure(engine: Engine) -> None:
    with pytest.raises(RunFailed, match="0 is ill"):
        await (await engine.start(all_or_nothing, 7)).result()


async def test_an_error_policy_holds_for_each_item(engine: Engine) -> None:
    assert await (await engine.start(skipping, 5)).result() == [-1, 1, 2, -1, 4]


async def test_cancelling_waits_for_those_under_way_and_starts_no_more(engine: Engine) -> None:
    assert await (await engine.start(impatient)).result() == "stopped 3"
    assert sorted(ended) == [0, 1, 2]


async def test_an_item_that_does_not_fit_the_step_is_an_error_of_the_call(engine: Engine) -> None:
    assert await (await engine.start(wrong)).result() == "refused"


async def test_outside_a_workflow_it_just_runs() -> None:
    assert (await double.map([1, 2, 3], concurrency=2)).all() == [2, 4, 6]
    assert most == 2
    with pytest.raises(ValueError, match="0 is ill"):
        await picky.map(range(3))
    with pytest.raises(InvalidArgument, match="at least 1"):
        await double.map([1], concurrency=0)


def test_a_result_that_is_missing_raises_when_it_is_asked_for() -> None:
    mapped = Mapped(double, [1, 2], [2, MapFailure(1, 2, StepFailed("ill"))])
    assert mapped[0] == 2
    with pytest.raises(StepFailed, match="ill"):
        mapped[1]
    assert repr(mapped) == "<1 results, 1 failures>"
    assert repr(mapped.failures[0]) == "<item 1: ill>"


def test_what_came_of_all_is_no_value_and_says_what_is() -> None:
    async def nothing(item: int) -> None: ...

    with pytest.raises(PayloadError, match=r"\$\[0\]: what step.map\(\) gives does not encode; pass its .all\(\), or"):
        Encodings().encode([Mapped(nothing, [], [])])
