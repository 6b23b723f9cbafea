"""How soon Python's threads take turns while a batch is committed beside the loop, and what of that is left."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue import Engine, step, workflow
from segue.errors import StoreUnavailable
from segue.runtime import switching
from segue.stores.base import Answer, Batch
from segue.stores.sqlite.store import SqliteStore

USUAL = 0.004


@step
async def double_it(n: int) -> int:
    return 2 * n


@workflow
async def doubling(n: int) -> int:
    return await double_it(n)


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
    assert max(seen) < 2 * switching.SHORT
    assert sys.getswitchinterval() == usual


@pytest.mark.parametrize("own", [0.00005, switching.SHORT])
async def test_a_program_whose_turns_are_as_short_keeps_them(tmp_path: Path, own: float, seen: list[float]) -> None:
    sys.setswitchinterval(own)
    kept = sys.getswitchinterval()
    async with Engine(f"sqlite:///{tmp_path / 'a.db'}") as engine:
        await two_hundred(engine)
    assert set(seen) == {kept}
    assert sys.getswitchinterval() == kept


def test_the_last_of_several_puts_back_what_was(usual: float) -> None:
    switching.shorten()
    switching.shorten()
    switching.restore()
    assert sys.getswitchinterval() < usual
    switching.restore()
    assert sys.getswitchinterval() == usual


def test_what_was_set_meanwhile_stays() -> None:
    switching.shorten()
    sys.setswitchinterval(0.002)
    other = sys.getswitchinterval()
    switching.restore()
    assert sys.getswitchinterval() == other
