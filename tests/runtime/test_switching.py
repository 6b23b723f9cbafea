"""How soon Python's threads take turns while a batch is committed or steps run in threads, and what is left of it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from segue import Engine, step, workflow
from segue.errors import RunFailed, StoreUnavailable
from segue.runtime import switching
from segue.stores.base import Answer, Batch
from segue.stores.sqlite.store import SqliteStore

USUAL = 0.004

Until = Callable[[Callable[[], bool]], Awaitable[None]]


@step
async def double_it(n: int) -> int:
    return 2 * n


@workflow
async def doubling(n: int) -> int:
    return await double_it(n)


BEGUN, GO_ON = threading.Event(), threading.Event()


@step
def look() -> float:
    return sys.getswitchinterval()


@workflow
async def looking() -> float:
    return await look()


@step(grace=0.1)
def wait() -> None:
    BEGUN.set()
    GO_ON.wait(30)


@workflow
async def waiting(limit: float) -> None:
    await wait.using(timeout=limit)()


@pytest.fixture(autouse=True)
def a_new_wait() -> Iterator[None]:
    BEGUN.clear()
    GO_ON.clear()
    yield
    GO_ON.set()


@pytest.fixture(autouse=True)
def usual() -> Iterator[float]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(USUAL)
    yield sys.getswitchinterval()
    sys.setswitchinterval(before)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How short turns were during each commit of more than a few operations, the first of which fails."""
    intervals: list[float] = []
    commit = SqliteStore.commit

    def watched(self: SqliteStore, batch: Batch) -> list[Answer]:
        if len(batch.operations) > 100:
            intervals.append(sys.getswitchinterval())
            if len(intervals) == 1:
                raise StoreUnavailable("once")
        return commit(self, batch)

    monkeypatch.setattr(SqliteStore, "commit", watched)
    return intervals


async def two_hundred(engine: Engine) -> None:
    handles = await asyncio.gather(*[engine.start(doubling, n) for n in range(200)])
    assert await asyncio.gather(*[handle.result() for handle in handles]) == [2 * n for n in range(200)]


async def test_turns_are_short_during_a_commit_beside_the_loop(tmp_path: Path, usual: float, seen: list[float]) -> None:
    async with Engine(f"sqlite:///{tmp_path / 'a.db'}") as engine:
        assert sys.getswitchinterval() == usual
        await two_hundred(engine)
    assert len(seen) > 2
    assert max(seen) < 2 * switching.COMMITTING
    assert sys.getswitchinterval() == usual


@pytest.mark.parametrize("own", [0.00005, switching.COMMITTING])
async def test_a_program_whose_turns_are_as_short_keeps_them(tmp_path: Path, own: float, seen: list[float]) -> None:
    sys.setswitchinterval(own)
    kept = sys.getswitchinterval()
    async with Engine(f"sqlite:///{tmp_path / 'a.db'}") as engine:
        await two_hundred(engine)
    assert set(seen) == {kept}
    assert sys.getswitchinterval() == kept


async def test_turns_are_shorter_while_a_step_runs_in_a_thread(engine: Engine, usual: float, until: Until) -> None:
    handle = await engine.start(looking)
    assert await handle.result() < 2 * switching.COMPUTING  # shorter still, if something is being committed
    await until(lambda: sys.getswitchinterval() == usual)


async def test_a_step_that_does_not_stop_is_not_waited_for(engine: Engine, usual: float, until: Until) -> None:
    handle = await engine.start(waiting, 0.1)
    await until(BEGUN.is_set)
    with pytest.raises(RunFailed, match="took longer than its timeout"):
        await handle.result()
    await until(lambda: sys.getswitchinterval() == usual)
    assert not GO_ON.is_set()


async def test_an_engine_that_is_closed_puts_back_what_was(tmp_path: Path, usual: float, until: Until) -> None:
    async with Engine(f"sqlite:///{tmp_path / 'a.db'}") as engine:
        await engine.start(waiting, 60)
        await until(BEGUN.is_set)
        assert sys.getswitchinterval() < 2 * switching.COMPUTING
    assert not GO_ON.is_set()
    assert sys.getswitchinterval() == usual


def test_the_shortest_turn_that_somebody_wants_is_taken(usual: float) -> None:
    switching.shorten(0.001)
    switching.shorten(0.0002)
    switching.shorten(0.0002)
    switching.restore(0.0002)
    assert sys.getswitchinterval() == pytest.approx(0.0002)
    switching.restore(0.0002)
    assert sys.getswitchinterval() == pytest.approx(0.001)
    switching.restore(0.001)
    assert sys.getswitchinterval() == usual


def test_what_was_set_meanwhile_stays() -> None:
    switching.shorten(0.001)
    sys.setswitchinterval(0.002)
    other = sys.getswitchinterval()
    switching.shorten(0.0001)
    switching.restore(0.0001)
    switching.restore(0.001)
    assert sys.getswitchinterval() == other
