"""A server of each test's own, and a fleet on it. The fleet's kit and program serve here too."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fleet"))
sys.path.insert(0, str(Path(__file__).parent))

from fleet_kit import Fleet

from postgres_kit import OwnServer, own_server


@pytest.fixture
def server() -> Iterator[OwnServer]:
    """A server of the test's own, which it may kill."""
    with own_server() as server:
        yield server


@pytest.fixture
def fleet(server: OwnServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    url = server.url(server.create())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE done (key text, what text, process integer, at timestamptz DEFAULT now())")
    monkeypatch.setattr("fleet_program.DATABASE", url)
    fleet = Fleet(url, {**os.environ, "FLEET_DATABASE": url})
    yield fleet
    fleet.close()
