"""Large values that move out of the database, where several workers share runs and not all of them move values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import until

from segue import Engine, Settings, signal, step, workflow
from segue.runtime import placing
from segue.stores.owning import SLOTS

pytest.importorskip("fsspec")

SIZE = 300_000


@step(name="placing.fleet.make")
async def make(letter: str) -> str:
    return letter * SIZE


@workflow(name="placing.fleet.keeps")
async def keeps(letter: str) -> int:
    made = await make(letter)
    await signal("go")
    return len(made)


def share(engine: Engine) -> int:
    """How many slots an engine has."""
    return 0 if engine._duty is None else sum(each.high - each.low + 1 for each in engine._duty.conductor.slots)


def files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


@pytest.fixture
def values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(placing, "PAUSE", 0.02)
    folder = tmp_path / "values"
    folder.mkdir()
    return folder


def settings(**fields: Any) -> Settings:
    return Settings(lease=5.0, poll=0.02, slow_poll=0.1, cache=0, **fields)


async def test_a_worker_without_the_setting_reads_and_clears_what_another_has_moved(
    values: Path, postgres_database: Callable[[], str]
) -> None:
    url = postgres_database()
    moving = Engine(url, settings=settings(large_values=values.as_uri()))
    await moving.open()
    async with Engine(url, settings=settings()) as plain:
        await until(lambda: share(plain) == share(moving) == SLOTS // 2)
        handles = [await moving.start(keeps, letter) for letter in "abcdefgh"]
        await until(lambda: len(files(values)) == 8 and not moving.store.places.large(0, 1))
        for handle in handles:
            await handle.signal("go")
        assert [await handle.result(timeout=30) for handle in handles] == [SIZE] * 8
        await moving.close()
        await until(lambda: share(plain) == SLOTS)
        await plain.erase(*[handle.run for handle in handles])
        await until(lambda: not files(values))


async def test_two_owners_that_move_at_once_leave_one_copy(values: Path, postgres_database: Callable[[], str]) -> None:
    """Owners of two apps, neither of which knows of the other."""
    url = postgres_database()
    said = settings(large_values=values.as_uri())
    async with Engine(url, settings=said) as one, Engine(url, app="other", settings=said) as other:
        handles = []
        for n in range(20):
            handles.append(await (one, other)[n % 2].start(keeps, chr(ord("a") + n)))
        await until(lambda: not one.store.places.large(0, 1) and not one.store.places.leftovers(2**60, 1))
        for handle in handles:
            await handle.signal("go")
            assert await handle.result(timeout=30) == SIZE
        assert len(files(values)) == 20
