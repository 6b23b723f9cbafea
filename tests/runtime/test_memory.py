"""Idle runs leave memory when the process holds too much: by a real process's size, and by figures that are given."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segue import Engine, Settings, signal, step, workflow
from segue.configuration.settings import read_settings
from segue.errors import InvalidArgument
from segue.runtime import memory
from segue.runtime.memory import MIB, Shedding, budget, container_limit, resident_memory

SIZE = 2 * MIB
Until = Callable[[Callable[[], bool]], Awaitable[None]]


@step
async def large() -> bytes:
    return os.urandom(SIZE)


@workflow
async def holds() -> int:
    value = await large()
    await signal("go", str)
    return len(value)


@workflow
async def waits() -> str:
    return await signal("go", str)


# --- what may be set --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "bytes"),
    [("750M", 750 * MIB), ("750 MiB", 750 * MIB), ("1.5g", 1536 * MIB), ("2GB", 2048 * MIB), ("1048576", MIB)],
)
def test_a_size_is_what_it_says(text: str, bytes: int) -> None:
    assert budget(text) == bytes


@pytest.mark.parametrize("text", ["", "much", "-1M", "12", "0", "1 parsec", "1e9", "80%"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="memory"):
        Settings(memory=text)


def test_the_environment_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_MEMORY", "300M")
    assert read_settings().memory == "300M"
    monkeypatch.setenv("SEGUE_MEMORY", "lots")
    with pytest.raises(InvalidArgument, match="lots"):
        read_settings()


def test_by_default_it_is_a_part_of_what_the_container_may_have() -> None:
    assert budget("auto", lambda: 1000 * MIB) == 800 * MIB
    assert budget("auto", lambda: None) is None
    assert budget("off", lambda: 1000 * MIB) is None


@pytest.mark.parametrize(
    ("group", "limits", "found"),
    [
        ("0::/a/b", {"a/memory.max": "3000", "a/b/memory.max": "max"}, 3000),
        ("0::/a/b", {"a/memory.max": "3000", "a/b/memory.max": "2000"}, 2000),
        ("0::/", {"memory.max": "5000"}, 5000),
        ("0::/outside/this/container", {"memory.max": "5000"}, 5000),
        ("0::/a", {"a/memory.max": "max"}, None),
        ("4:memory:/a\n1:cpu:/", {"memory/a/memory.limit_in_bytes": "7000"}, 7000),
        ("4:memory:/a", {"memory/a/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("", {}, None),
    ],
)
def test_the_limit_of_a_container_is_the_least_around_it(
    tmp_path: Path, group: str, limits: dict[str, str], found: int | None
) -> None:
    for name, text in ({"proc/self/cgroup": group} | {f"sys/fs/cgroup/{at}": n for at, n in limits.items()}).items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    assert container_limit(tmp_path) == found


# --- what leaves ------------------------------------------------------------------------------------------------------


async def test_large_runs_leave_however_few_they_are_and_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    monkeypatch.setattr(memory, "EVERY", 0.02)
    memory._trim()  # what tests before have let go of is not to be had once more
    before = resident_memory()
    assert before is not None
    allowed = before + 60 * MIB
    settings = Settings(memory=f"{allowed // MIB}M")
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", settings=settings) as engine:
        handles = [await engine.start(holds) for _ in range(60)]
        duty = engine.duty
        assert duty is not None
        await until(lambda: duty.memory.shed > 0)
        await until(lambda: len(duty.conductor.idle) == len(duty.conductor.residents))
        await until(lambda: (resident_memory() or 0) <= allowed)
        assert len(duty.conductor.idle) < 60
        for handle in handles:
            await handle.signal("go", "on")
        assert [await handle.result(timeout=60) for handle in handles] == [SIZE] * 60


class Figures:
    """A process of which this says what it holds: so much, and so much more for each run in memory."""

    def __init__(self, engine: Engine, rest: int, each: int = 0) -> None:
        assert engine.duty is not None
        self.conductor = engine.duty.conductor
        self.rest, self.each = rest, each

    def __call__(self) -> int:
        return self.rest + self.each * len(self.conductor.residents)


@pytest.fixture
async def engine(tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """With a hundred idle runs."""
    monkeypatch.setattr(memory, "EVERY", 3600)
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", settings=Settings(memory="off")) as engine:
        for n in range(100):
            await engine.start(waits, id=f"w{n}")
        duty = engine.duty
        assert duty is not None
        await until(lambda: len(duty.conductor.idle) == 100)
        yield engine


@pytest.fixture
def shedding(engine: Engine) -> Iterator[Callable[[Callable[[], int]], Shedding]]:
    made: list[Shedding] = []

    def make(used: Callable[[], int]) -> Shedding:
        assert engine.duty is not None
        made.append(Shedding(engine.duty.conductor, 100 * MIB, used=used))
        return made[-1]

    yield make
    for each in made:
        each.close()


def turns(shedding: Shedding, count: int) -> list[int]:
    """How many runs had left after each of so many looks."""
    found = []
    for _ in range(count):
        shedding.close()
        shedding._turn()
        found.append(shedding.shed)
    return found


async def test_those_that_rested_longest_leave_and_no_more_than_it_takes(engine: Engine, shedding: Any) -> None:
    figures = Figures(engine, 60 * MIB, MIB // 2)
    assert turns(shedding(figures), 4) == [25, 25, 25, 25]  # 110 MiB, then 97
    assert {run.id for run in figures.conductor.residents.values()} == {f"w{n}" for n in range(25, 100)}
    handle = await engine.handle("w3")
    await handle.signal("go", "on")
    assert await handle.result(timeout=30) == "on"


async def test_runs_that_do_not_hold_the_memory_are_not_had_come_and_go(
    engine: Engine, shedding: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "segue.memory")
    figures = Figures(engine, 500 * MIB, 1024)
    shed = turns(shedding(figures), 130)
    acted = [n for n in range(1, 130) if shed[n] > shed[n - 1]]
    assert acted == [2, 6, 14, 30, 62, 126], "each time later"
    assert figures.conductor.idle, "some are left"
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert "give it less to do" in caplog.text


async def test_once_it_helps_again_it_looks_as_often_as_before(
    engine: Engine, shedding: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "segue.memory")
    figures = Figures(engine, 500 * MIB)
    shed = shedding(figures)
    turns(shed, 20)
    figures.rest = 0
    turns(shed, 20)
    assert caplog.records.pop().levelname == "WARNING"
    caplog.clear()
    figures.rest, figures.each = 95 * MIB, MIB
    before = len(figures.conductor.residents)
    turns(shed, 1)
    assert len(figures.conductor.residents) < before
    assert [record.levelname for record in caplog.records] == ["INFO"], "it is news again"


async def test_many_leave_in_several_turns_of_the_loop(
    engine: Engine, shedding: Any, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    monkeypatch.setattr(memory, "AT_ONCE", 10)
    shed = shedding(Figures(engine, 60 * MIB, MIB // 2))
    assert turns(shed, 1) == [10]
    order: list[int] = []
    asyncio.get_running_loop().call_soon(lambda: order.append(shed.shed))
    await until(lambda: shed.shed == 25)
    assert order == [20], "others had their turn in between"
