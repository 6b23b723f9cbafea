"""The cycle collector's thresholds while engines own runs, and what is left of them afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue import Engine
from segue.runtime.collector import RELAXED


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield (700, 10, 10)
    gc.set_threshold(*before)


async def test_the_last_engine_puts_the_thresholds_back(tmp_path: Path, thresholds: tuple[int, int, int]) -> None:
    async with Engine(f"sqlite:///{tmp_path / 'a.db'}"):
        assert gc.get_threshold() == RELAXED
        async with Engine(f"sqlite:///{tmp_path / 'b.db'}"):
            assert gc.get_threshold() == RELAXED
        assert gc.get_threshold() == RELAXED
    assert gc.get_threshold() == thresholds


async def test_a_client_changes_nothing(tmp_path: Path, thresholds: tuple[int, int, int]) -> None:
    async with Engine(f"sqlite:///{tmp_path / 'a.db'}", own=False):
        assert gc.get_threshold() == thresholds


@pytest.mark.parametrize("own", [(100_000, 20, 20), (0, 10, 10)])
async def test_a_program_with_thresholds_of_its_own_keeps_them(tmp_path: Path, own: tuple[int, int, int]) -> None:
    gc.set_threshold(*own)
    async with Engine(f"sqlite:///{tmp_path / 'a.db'}"):
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own


async def test_what_was_set_meanwhile_stays(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path / 'a.db'}"):
        gc.set_threshold(9_000, 10, 10)
    assert gc.get_threshold() == (9_000, 10, 10)
