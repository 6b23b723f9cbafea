"""Bringing PostgreSQL to a newer schema while others are at work on its tables."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from segue.errors import StoreUnavailable
from segue.stores.postgres import migrations
from segue.stores.postgres.connection import Address, connect
from segue.stores.postgres.migrations import MIGRATIONS, migrate, version

NEXT = "ALTER TABLE segue.runs ADD COLUMN more text; ALTER TABLE segue.owners ADD COLUMN more text;"


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The folder of a release that has one migration more."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    (folder / f"{len(list(folder.iterdir())) + 1:04}_next.sql").write_text(NEXT)
    return folder


def test_a_table_that_is_in_use_is_tried_again(
    postgres_database: Callable[[], str], newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_database()
    address = Address(url)
    monkeypatch.setattr(migrations, "PATIENCE", "50ms")
    with connect(address, patience=10) as connection, psycopg.connect(url) as busy:
        migrate(connection, address)
        before = version(connection)
        busy.execute("LOCK TABLE segue.owners IN ACCESS SHARE MODE")
        # Whoever is in the way is done while the migration waits for another try.
        monkeypatch.setattr(migrations.time, "sleep", lambda seconds: busy.rollback())

        migrate(connection, address, newer)

        assert version(connection) == before + 1
        assert connection.execute("SELECT more FROM segue.owners").fetchall() == []


def test_tables_that_stay_in_use_are_left_as_they_are(
    postgres_database: Callable[[], str], newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_database()
    address = Address(url)
    monkeypatch.setattr(migrations, "PATIENCE", "10ms")
    monkeypatch.setattr(migrations, "PAUSE", (0.0, 0.0))
    with connect(address, patience=10) as connection, psycopg.connect(url) as busy:
        migrate(connection, address)
        before = version(connection)
        busy.execute("LOCK TABLE segue.owners IN ACCESS SHARE MODE")

        with pytest.raises(StoreUnavailable, match="nothing was changed: try again when there is less to do"):
            migrate(connection, address, newer)

        assert version(connection) == before
        with pytest.raises(psycopg.errors.UndefinedColumn):
            connection.execute("SELECT more FROM segue.runs")
