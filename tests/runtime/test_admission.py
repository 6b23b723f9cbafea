"""Many runs at once: those that have begun are brought to their end before others begin, and a backlog is taken into
memory by and by."""

from __future__ import annotations

import asyncio

import pytest

from segue import Engine, Settings, step, workflow
from segue.runtime import intake
from segue.runtime.loading import Loading, Then
from segue.runtime.writer import OPERATIONS_PER_BATCH
from segue.stores.base import RunFilter


@step
async def add(n: int) -> int:
    return n + 1


@workflow
async def three_steps(n: int) -> int:
    for _ in range(3):
        n = await add(n)
    return n


async def test_runs_end_while_others_have_not_begun(engine: Engine) -> None:
    begun: list[int] = []
    ended: list[int] = []

    async def one(number: int) -> None:
        handle = await engine.start(three_steps, number)
        begun.append(number)
        assert await handle.result() == number + 3
        ended.append(number)
        if len(ended) == OPERATIONS_PER_BATCH:
            waiting.append(runs - len(begun))

    waiting: list[int] = []
    runs = 6 * OPERATIONS_PER_BATCH
    await asyncio.gather(*[one(number) for number in range(runs)])
    assert sorted(ended) == list(range(runs))
    assert waiting[0] > 0


class Gate:
    """What the steps below wait for."""

    opened = asyncio.Event()


@step
async def pass_gate(n: int) -> int:
    await Gate.opened.wait()
    return n


@workflow
async def through_gate(n: int) -> int:
    return await pass_gate(await add(n))


@pytest.fixture
def at_most(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Few runs may be taken in at once; how many were on their way each time that one was loaded."""
    monkeypatch.setattr(intake, "MOST", 10)
    monkeypatch.setattr(intake, "AT_ONCE", 4)
    monkeypatch.setattr(intake, "SOON", 0.001)
    seen: list[int] = []
    load, begin = Loading.load, Loading._begin_some

    def counted(loading: Loading, row: int, then: Then) -> None:
        load(loading, row, then)
        seen.append(loading.count)

    def begin_later(loading: Loading) -> None:
        loading._loop.call_later(0.02, begin, loading)

    monkeypatch.setattr(Loading, "load", counted)
    monkeypatch.setattr(Loading, "_begin_some", begin_later)
    return seen


async def test_a_backlog_is_taken_in_by_and_by(url: str, settings: Settings, at_most: list[int]) -> None:
    async with Engine(url, own=False) as client:
        handles = [await client.start(three_steps, n) for n in range(60)]
        async with Engine(url, settings=settings):
            assert [await handle.result(timeout=60) for handle in handles] == [n + 3 for n in range(60)]
    assert max(at_most) == 10


async def test_what_a_predecessor_had_begun_is_taken_in_by_and_by(
    url: str, settings: Settings, at_most: list[int]
) -> None:
    Gate.opened = asyncio.Event()
    async with Engine(url, settings=settings) as engine:
        handles = [await engine.start(through_gate, n) for n in range(60)]
        while engine.store.list(RunFilter(limit=1, states=("waiting",))) or len(engine.store.begun("default")) < 60:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await engine.close(grace=0)
    at_most.clear()
    Gate.opened.set()
    async with Engine(url, settings=settings) as successor:
        for n, handle in enumerate(handles):
            assert await (await successor.handle(handle.id)).result(timeout=60) == n + 1
    assert max(at_most) == 10
