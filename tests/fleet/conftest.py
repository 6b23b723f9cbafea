"""A database for a fleet, and workers of it in processes of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the program beside this file

from fleet_kit import Fleet


@pytest.fixture
def fleet(postgres_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    url = postgres_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE done (key text, what text, process integer, at timestamptz DEFAULT now())")
    monkeypatch.setenv("FLEET_DATABASE", url)
    monkeypatch.setattr("fleet_program.DATABASE", url)
    fleet = Fleet(url, {**os.environ, "FLEET_DATABASE": url})
    yield fleet
    print(fleet.query("SELECT epoch, worker, expires - clock_timestamp() FROM segue.owners"), fleet.shares())
    fleet.close()
