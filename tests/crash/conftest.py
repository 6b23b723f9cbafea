"""What the sweeps share. Lets their modules be imported: in this folder they are no tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sweep_games as games


@pytest.fixture(scope="module")
def players() -> Iterator[games.Players]:
    with games.players() as players:
        yield players


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the games of a module are played."""
    return tmp_path_factory.mktemp(request.module.__name__.rpartition(".")[2])
