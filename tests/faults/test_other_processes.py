"""Other processes on the same file: stopped and continued, killed while they take over, taken down by a step."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_kit import until
from fault_program import counting, crashing, crowded, settings, waiting

from segue import Engine, Incident
from segue.kernel import events as e
from segue.stores.sqlite.ownership import lock_path

HERE = Path(__file__).parent
SOURCE = HERE.parent.parent / "src"
World = Callable[[], list[str]]


class Process:
    """An engine in a process of its own."""

    def __init__(self, path: Path, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "fault_program.py"), str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), str(HERE)]), **environment},
        )  # fmt: skip

    async def line(self) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            return (await asyncio.to_thread(self._process.stdout.readline)).strip()

    def tell(self, signal: signal.Signals) -> None:
        self._process.send_signal(signal)

    async def wait(self) -> int:
        async with asyncio.timeout(30):
            return await asyncio.to_thread(self._process.wait)

    async def kill(self) -> None:
        self.tell(signal.SIGKILL)
        await self.wait()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture
def process(path: Path) -> Iterator[Callable[..., Process]]:
    processes: list[Process] = []

    def start(**environment: str) -> Process:
        processes.append(Process(path, **environment))
        return processes[-1]

    yield start
    for process in processes:
        process.close()


def engine_on(path: Path, **more: Any) -> Engine:
    return Engine(f"sqlite:///{path}", settings=settings(), **more)


def effects(world: World, what: str) -> list[str]:
    """Idempotency key and attempt of each effect of a kind."""
    return [" ".join(line.split()[:4:3]) for line in world() if line.endswith(what)]


# --- stopped and continued ------------------------------------------------------------------------------------


async def test_work_waits_for_an_owner_that_is_stopped_and_goes_on_with_it(
    path: Path, process: Callable[..., Process], world: World
) -> None:
    owner = process()
    assert await owner.line() == "owner"
    async with engine_on(path) as engine:
        assert not engine.owner
        owner.tell(signal.SIGSTOP)
        handles = await asyncio.gather(*[engine.start(counting, 3) for _ in range(10)])
        with pytest.raises(TimeoutError):
            await handles[0].result(timeout=0.2)
        assert not engine.owner, "it is alive, and nobody else may write"
        assert world() == []
        owner.tell(signal.SIGCONT)
        assert [await handle.result(timeout=30) for handle in handles] == [4] * 10
    assert max(Counter(effects(world, "")).values()) == 1


async def test_an_owner_that_was_stopped_past_its_time_writes_nothing(
    path: Path, tmp_path: Path, process: Callable[..., Process], world: World
) -> None:
    """Its lock is taken away as no operating system would: what holds then is the epoch in the database."""
    go = tmp_path / "go"
    owner = process()
    assert await owner.line() == "owner"
    async with engine_on(path, own=False) as client:
        handles = await asyncio.gather(*[client.start(waiting, str(go), id=f"r{n}") for n in range(20)])
        await until(lambda: len(effects(world, "begun")) == 20)
        owner.tell(signal.SIGSTOP)
        os.unlink(lock_path(str(path), "default"))
        async with engine_on(path) as second:
            assert second.owner
            await until(lambda: len(effects(world, "begun")) == 40)
            go.touch()
            assert [await handle.result(timeout=30) for handle in handles] == [2] * 20
            before = [await handle.history() for handle in handles]
            owner.tell(signal.SIGCONT)
            assert await owner.line() == "client", "it has learnt of it"
            assert [await handle.history() for handle in handles] == before
            late = await client.start(counting, 2)
            assert await late.result(timeout=30) == 3
    for history in before:
        outcomes = [r.event for r in history if isinstance(r.event, e.StepCompleted)]
        assert [(x.name, x.attempt) for x in outcomes] == [("waits_for", 2), ("one_more", 1)]
    assert max(Counter(effects(world, "done")).values()) == 1, "each attempt takes effect at most once"


async def test_a_successor_goes_on_at_once_when_an_owner_is_killed(
    path: Path, process: Callable[..., Process], world: World
) -> None:
    owner = process()
    assert await owner.line() == "owner"
    async with engine_on(path) as engine:
        handles = await asyncio.gather(*[engine.start(counting, 50) for _ in range(20)])
        await until(lambda: len(world()) > 100)
        await owner.kill()
        assert [await handle.result(timeout=30) for handle in handles] == [51] * 20
        assert engine.owner


# --- killed while taking over -----------------------------------------------------------------------------------


@pytest.mark.slow
async def test_killed_again_and_again_while_taking_over(
    path: Path, process: Callable[..., Process], world: World, long: bool
) -> None:
    chance = random.Random(7)
    async with engine_on(path, own=False) as client:
        first = process(SEGUE_TEST_LOST_LIMIT="1000")
        assert await first.line() == "owner"
        handles = await asyncio.gather(*[client.start(counting, 20, id=f"r{n}") for n in range(150)])
        await first.kill()
        before = [await handle.history() for handle in handles]
        for _ in range(60 if long else 12):
            successor = process(SEGUE_TEST_LOST_LIMIT="1000")
            assert await successor.line() == "owner"
            await asyncio.sleep(chance.uniform(0, 0.05))
            await successor.kill()
            now = [await handle.history() for handle in handles]
            assert all(new[: len(old)] == old for old, new in zip(before, now, strict=True)), "no record changes"
            before = now
        process(SEGUE_TEST_LOST_LIMIT="1000")
        assert [await handle.result(timeout=60) for handle in handles] == [21] * 150
        for handle in handles:
            outcomes = Counter(x.event.key for x in await handle.history() if isinstance(x.event, e.StepCompleted))
            assert len(outcomes) == 21
            assert max(outcomes.values()) == 1


# --- taken down by a step ---------------------------------------------------------------------------------------


async def test_a_step_that_takes_its_engine_down_again_and_again_stands_still(
    path: Path, tmp_path: Path, process: Callable[..., Process], world: World
) -> None:
    mended = tmp_path / "mended"
    async with engine_on(path, own=False) as client:
        handle = await client.start(crashing, str(mended))
        for _ in range(3):
            victim = process()
            assert await victim.line() == "owner"
            assert await victim.wait() == -signal.SIGSEGV
        survivor = process()
        assert await survivor.line() == "owner"
        with pytest.raises(Incident, match=r"3 processes ended while they ran it.*memory.*segue retry") as caught:
            await handle.result(timeout=30)
        assert caught.value.cause == "process-lost"
        assert [attempt.split()[1] for attempt in effects(world, "")] == ["1", "2", "3"]
        mended.touch()
        await handle.retry()
        assert await handle.result(timeout=30, through_incidents=True) == "survived"


# --- what waits for its turn has not begun ----------------------------------------------------------------------

STEPS, KILLS, AT_A_TIME = 32, 3, 4
"""At a time: two that run, and as many whose outcome is on its way."""


@pytest.mark.parametrize("kind", ["thread", "process", "transaction"])
async def test_what_waits_for_its_turn_is_not_lost_with_its_process(
    path: Path, process: Callable[..., Process], world: World, kind: str
) -> None:
    async with engine_on(path, own=False) as client:
        handle = await client.start(crowded, kind, STEPS)

        async def done() -> int:
            return sum(isinstance(r.event, e.StepCompleted) for r in await handle.history())

        async def more_than(before: int) -> bool:
            return await done() >= before + AT_A_TIME

        for _ in range(KILLS):
            before = await done()
            victim = process()
            assert await victim.line() == "owner"
            await until(lambda before=before: more_than(before))
            await victim.kill()
        process()
        assert await handle.result(timeout=60) == STEPS
        begun = sum(isinstance(r.event, e.StepStarted) for r in await handle.history())
        assert begun <= STEPS + KILLS * AT_A_TIME, "each at its turn, and once more what was under way at a kill"


async def test_what_waits_to_run_at_most_once_runs_after_all(
    path: Path, process: Callable[..., Process], world: World
) -> None:
    async with engine_on(path, own=False) as client:
        handle = await client.start(crowded, "once", 10)
        victim = process()
        assert await victim.line() == "owner"
        await until(lambda: len(world()) == 2)
        await victim.kill()
        process()
        await until(lambda: len(world()) == 10)
        assert max(Counter(effects(world, "begun")).values()) == 1
        with pytest.raises(Incident, match="at_most_once forbids to run it again"):
            await handle.result(timeout=30)
        history = [r.event for r in await handle.history()]
        assert sum(isinstance(event, e.IncidentOpened) for event in history) <= 2
