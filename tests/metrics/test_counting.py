"""What is counted of runs: each outcome once, and only once it is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from segue import Engine, NonRetryable, Retry, approval, signal, step, workflow
from segue.metrics.counting import DISTINCT, THE_OTHERS, Counts, Histogram, Named
from segue.runtime.witness import Witness
from segue.stores.faults import Fault, FaultyStore, LoseAcknowledgement, Refuse
from segue.stores.sqlite import SqliteStore

Until = Callable[[Callable[[], bool]], Awaitable[None]]
tries: list[int] = []


@step(retry=Retry(attempts=3, initial="1ms"))
async def shaky(fails: int) -> int:
    tries.append(1)
    if len(tries) <= fails:
        raise ValueError("not yet")
    return len(tries)


@step(on_exhausted="incident")
async def care() -> None:
    raise NonRetryable("no paper")


@workflow
async def tries_hard(fails: int) -> int:
    return await shaky(fails)


@workflow
async def needs_a_person() -> None:
    await care()


@workflow
async def asks() -> bool:
    return (await approval("boss")).approved


@workflow
async def sleeps_and_waits() -> str:
    await asyncio.sleep(0.001)
    return await signal("go", str)


def total(histogram: Histogram) -> int:
    return sum(histogram.counts)


def attempts(counts: Counts) -> tuple[int, int, int]:
    """Completed, retried, failed."""
    found = counts.steps["default", "shaky"]
    return found.completed, found.retried, found.failed


@pytest.fixture
def counts() -> Counts:
    tries.clear()
    return Counts()


@pytest.fixture
async def engine(tmp_path: Path, counts: Counts) -> AsyncIterator[Engine]:
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}") as engine:
        engine.witness(counts)
        yield engine


async def test_attempts_are_told_apart_by_what_became_of_them(engine: Engine, counts: Counts) -> None:
    assert await (await engine.start(tries_hard, 2)).result() == 3
    runs = counts.workflows["default", "tries_hard"]
    assert (runs.started, runs.ended, total(runs.lengths)) == (1, {"completed": 1}, 1)
    assert attempts(counts) == (1, 2, 0)
    assert total(counts.steps["default", "shaky"].lengths) == 3
    assert total(counts.commits) > 0
    assert total(counts.lateness) >= 2  # the retries' timers


async def test_a_step_that_fails_for_good_fails_its_run(engine: Engine, counts: Counts) -> None:
    with pytest.raises(Exception, match="not yet"):
        await (await engine.start(tries_hard, 9)).result()
    assert attempts(counts) == (0, 2, 1)
    assert counts.workflows["default", "tries_hard"].ended == {"failed": 1}


async def test_incidents_and_tasks_are_counted(engine: Engine, counts: Counts, until: Until) -> None:
    run = await engine.start(needs_a_person)
    with pytest.raises(Exception, match="stands still"):
        await run.result()
    assert counts.workflows["default", "needs_a_person"].incidents == {"step-exhausted": 1}
    asking = await engine.start(asks)
    await until(lambda: counts.tasks["default", ""].opened == 1)
    (task,) = await engine.tasks()
    await engine.complete_task(task, {"approved": True})
    assert await asking.result()
    tasks = counts.tasks["default", ""]
    assert (tasks.opened, tasks.completed) == (1, 1)


async def test_a_replay_counts_nothing_again(tmp_path: Path, counts: Counts, until: Until) -> None:
    url = f"sqlite:///{tmp_path / 'segue.db'}"
    async with Engine(url) as engine:
        engine.witness(counts)
        handle = await engine.start(sleeps_and_waits, id="a")
        await until(lambda: total(counts.lateness) > 0)
    again = Counts()
    async with Engine(url) as engine:
        engine.witness(again)
        handle = await engine.handle("a", str)
        await handle.signal("go", "on")
        assert await handle.result() == "on"
    first, second = counts.workflows["default", "sleeps_and_waits"], again.workflows["default", "sleeps_and_waits"]
    assert (first.started, first.ended) == (1, {})
    assert (second.started, second.ended) == (0, {"completed": 1})


@pytest.mark.parametrize("fault", [Refuse(), LoseAcknowledgement()])
async def test_a_commit_that_is_tried_again_counts_once(tmp_path: Path, counts: Counts, fault: Fault) -> None:
    store = FaultyStore(SqliteStore.open(tmp_path / "segue.db"), {2: fault})
    async with Engine(store=store) as engine:
        engine.witness(counts)
        assert await (await engine.start(tries_hard, 0)).result() == 1
        assert engine.duty is not None
        assert engine.duty.conductor.writer.failures == 1
    assert (attempts(counts), counts.workflows["default", "tries_hard"].ended) == ((1, 0, 0), {"completed": 1})


async def test_a_witness_that_fails_keeps_nobody_from_going_on(
    engine: Engine, counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    class Fails(Witness):
        def recorded(self, run: object, seq: int, since: int, events: object) -> None:
            raise ZeroDivisionError

    engine.witness(Fails())
    assert await (await engine.start(tries_hard, 0)).result() == 1
    assert "Fails failed at something that is on disk" in caplog.text


def test_a_histogram_counts_up_to_and_including_its_bounds() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 7.0):
        histogram.add(value)
    assert (histogram.buckets(), histogram.sum) == ([("1.0", 2), ("2.0", 3), ("+Inf", 4)], 10.0)


def test_names_beyond_the_first_hundreds_are_counted_together() -> None:
    named: Named[list[int]] = Named(list)
    for number in range(DISTINCT + 5):
        named["default", f"n{number}"].append(number)
    assert named["default", "n1"] == [1]
    assert named[THE_OTHERS] == [DISTINCT + number for number in range(5)]
    assert len(named) == DISTINCT + 1
