"""Cached results of steps: what counts as the same call, how long, whose they are, and how they go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue import Cache, Engine, Handle, step, workflow
from segue.authoring.python.definitions import STEPS
from segue.errors import InvalidArgument
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.replay import Replay
from segue.stores.base import Ended
from segue.testing import VirtualClock

calls: list[Any] = []


class Day(msgspec.Struct):
    date: str
    note: str = ""


@pytest.fixture(autouse=True)
def afresh() -> None:
    calls.clear()


@step(cache=Cache())
async def add(a: int, b: int = 1) -> int:
    calls.append((a, b))
    return a + b


@step(cache=Cache(expires="1h"))
def hourly(n: int) -> int:
    calls.append(n)
    return n


@step(cache=Cache(key=lambda day, **rest: day.date))
async def extract(day: Day, tries: int = 1) -> str:
    calls.append(day.note)
    return day.note


@step(cache=Cache())
async def large(n: int) -> str:
    calls.append(n)
    return "x" * n


@step(cache=Cache())
async def fails(n: int) -> None:
    calls.append(n)
    raise ValueError("not cached")


@step
async def plain(n: int) -> int:
    calls.append(n)
    return n


@workflow
async def adds(a: int, b: int) -> int:
    return await add(a, b=b)


@workflow
async def refreshes(a: int, b: int) -> int:
    return await add.using(refresh=True)(a, b)


@workflow
async def every_hour(n: int) -> int:
    return await hourly(n)


@workflow
async def extracts(day: Day) -> str:
    return await extract(day)


@workflow
async def much(n: int) -> int:
    return len(await large(n))


@workflow
async def failing(n: int) -> None:
    await fails(n)


@workflow
async def using(n: int) -> int:
    return await plain.using(cache=Cache(key="always"))(n)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def engine(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Engine]:
    async with Engine(f"sqlite:///{tmp_path}/test.db", clock=clock) as engine:
        yield engine


async def result(engine: Engine, workflow: Any, *args: Any) -> Any:
    return await (await engine.start(workflow, *args)).result()


async def test_the_same_call_in_another_run_is_a_hit_and_is_journaled_as_one(engine: Engine) -> None:
    first = await engine.start(adds, 1, 2, id="first")
    assert await first.result() == 3
    second = await engine.start(adds, 1, 2)
    assert await second.result() == 3

    assert calls == [(1, 2)]
    made, hit = [(await handle.history())[1] for handle in (first, second)]
    assert type(made.event) is e.StepCompleted
    assert isinstance(hit.event, e.StepCached)
    assert (hit.event.source, hit.event.source_run, hit.event.source_seq) == ("first", first.run, made.seq)
    assert hit.event.made_at == made.event.at
    assert bytes(hit.event.result.data) == b"3"


async def test_defaults_count_as_given_and_other_arguments_as_others(engine: Engine) -> None:
    await result(engine, adds, 1, 1)
    await result(engine, adds, 1, 1)
    await result(engine, adds, 2, 1)
    assert calls == [(1, 1), (2, 1)]


async def test_a_hit_replays(engine: Engine, tmp_path: Path) -> None:
    await result(engine, adds, 1, 2)
    handle = await engine.start(adds, 1, 2, id="hit")
    await handle.result()
    assert await _replayed(engine, handle.run) == 3


async def _replayed(engine: Engine, run: int) -> Any:
    execution = engine.definitions.newest("adds")
    assert execution is not None
    replay = Replay(execution)
    events = [event for _, event in engine.events_of(run)]
    replay.feed_all(events[:-1])
    replay.finish()
    (command,) = replay.awaited
    assert isinstance(command, c.Complete)
    return engine.encodings.decode(command.result)


async def test_a_result_expires(engine: Engine, clock: VirtualClock) -> None:
    await result(engine, every_hour, 1)
    clock.jump(clock.now() + 59 * 60_000_000)
    await result(engine, every_hour, 1)
    assert calls == [1]
    clock.jump(clock.now() + 2 * 60_000_000)
    await result(engine, every_hour, 1)
    assert calls == [1, 1]


async def test_a_key_of_ones_own_decides_alone(engine: Engine) -> None:
    assert await result(engine, extracts, Day("monday", "first")) == "first"
    assert await result(engine, extracts, Day("monday", "second")) == "first"
    assert await result(engine, extracts, Day("tuesday", "third")) == "third"
    assert await result(engine, using, 1) == await result(engine, using, 2) == 1


async def test_refreshing_replaces_what_is_there(engine: Engine) -> None:
    await result(engine, adds, 1, 2)
    await result(engine, refreshes, 1, 2)
    handle = await engine.start(adds, 1, 2)
    await handle.result()
    assert len(calls) == 2
    hit = (await handle.history())[1].event
    assert isinstance(hit, e.StepCached)
    assert hit.source_run == 2


async def test_by_code_other_code_is_no_hit(engine: Engine) -> None:
    def first(n: int) -> int:
        return n

    def second(n: int) -> int:
        return n + 1

    for function, expected in ((first, 1), (first, 1), (second, 2)):
        STEPS._by_name.pop("changing", None)
        made = step(name="changing", cache=Cache(by="code"))(function)

        @workflow(name=f"wf-{function.__name__}")
        async def calling(n: int) -> int:
            return await made(n)  # noqa: B023 - called within the turn

        assert await result(engine, calling, 1) == expected
    kinds = [type(x.event) for run in (1, 2, 3) for x in await _history(engine, run)]
    assert kinds.count(e.StepCached) == 1


async def _history(engine: Engine, run: int) -> Any:
    return await Handle[Any](engine, run, "").history()


async def test_failures_are_not_cached(engine: Engine) -> None:
    for _ in range(2):
        with pytest.raises(Exception, match="not cached"):
            await result(engine, failing, 1)
    assert calls == [1, 1]


async def test_invalidating_has_the_step_run_again(engine: Engine) -> None:
    for n in (1, 2):
        await result(engine, adds, n, 0)
    await result(engine, extracts, Day("monday", "a"))
    assert await engine.invalidate(add) == 2
    assert await engine.invalidate("extract", "tuesday") == 0
    assert await engine.invalidate("extract", "monday") == 1
    await result(engine, adds, 1, 0)
    await result(engine, extracts, Day("monday", "b"))
    assert calls == [(1, 0), (2, 0), "a", (1, 0), "b"]


async def test_a_large_result_is_kept_by_both_runs(engine: Engine, clock: VirtualClock) -> None:
    await result(engine, much, 300_000)
    handle = await engine.start(much, 300_000)
    assert await handle.result() == 300_000
    assert calls == [300_000]
    assert len(engine.store.refs(handle.run)) == 1
    assert engine.store.stats().payloads == 1


async def test_a_result_goes_with_the_run_that_made_it(engine: Engine, clock: VirtualClock) -> None:
    await result(engine, adds, 1, 2)
    await result(engine, adds, 5, 5)
    clock.jump(clock.now() + 1_000)
    assert engine.store.retain(clock.now(), 1, Ended()) == 1
    assert engine.store.cached("default", "add", _key(engine, 1, 2)) is None
    assert engine.store.cached("default", "add", _key(engine, 5, 5)) is not None


def _key(engine: Engine, *args: int) -> str:
    return add.bind(engine.encodings).call_site.encode(args, {})[1]


async def test_erasing_the_run_that_made_it_leaves_nothing_to_find(engine: Engine) -> None:
    first = await engine.start(extracts, Day("ann", "personal"))
    await first.result()
    second = await engine.start(extracts, Day("ann", "x"))
    assert await second.result() == "personal"

    await engine.erase(first.run)

    assert engine.store.cached("default", "extract", "ann") is None
    assert await result(engine, extracts, Day("ann", "y")) == "y"


@pytest.mark.parametrize("wrong", [{"by": "luck"}, {"key": 3}, {"expires": "0s"}, {"expires": "soon"}])
def test_a_policy_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        Cache(**wrong)
