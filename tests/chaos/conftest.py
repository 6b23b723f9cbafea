"""A server of each test's own, and a fleet on it. The fleet's kit and program serve here too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fleet"))
sys.path.insert(0, str(Path(__file__).parent))

from chaos_kit import a_fleet
from fleet_kit import Fleet

from postgres_kit import OwnServer, own_server


@pytest.fixture
def server() -> Iterator[OwnServer]:
    """A server of the test's own, which it may kill."""
    with own_server() as server:
        yield server


@pytest.fixture
def fleet(server: OwnServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    with a_fleet(server, monkeypatch) as fleet:
        yield fleet
