"""The next release has brought the database to its schema while this one is at work: this one goes on under load, comes
back, and joins anew, for as long as the next one says that it may."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from fleet_kit import Fleet
from oracle import Oracle

from segue import Engine
from segue.stores.postgres.connection import Address, connect
from segue.stores.postgres.migrations import MIGRATIONS, migrate

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.timeout(1200)]
GROWN = "runs", "journal", "inbox", "tasks", "attempts", "owners", "slots", "schedules", "payloads", "attributes"
"""Tables to which the next release adds a column that it can do without."""


def migrations_of_the_next_release(folder: Path) -> Path:
    """Those of this release, and one that says that code of the one before may work with the database."""
    shutil.copytree(MIGRATIONS, folder)
    number = len(list(folder.iterdir())) + 1
    grow = [f"ALTER TABLE segue.{table} ADD COLUMN of_the_next_release text DEFAULT 'new';" for table in GROWN]
    confine = f"UPDATE segue.meta SET value = '{number - 1}' WHERE name = 'oldest_code';"
    (folder / f"{number:04}_the_next_release.sql").write_text("\n".join([*grow, confine]))
    return folder


def bring_up(url: str, migrations: Path) -> None:
    """What the first process of the next release does."""
    address = Address(url)
    with connect(address, patience=10) as connection:
        migrate(connection, address, migrations)


async def test_workers_of_this_release_go_on_under_the_schema_of_the_next_one(
    fleet: Fleet, tmp_path: Path, long: bool
) -> None:
    migrations = migrations_of_the_next_release(tmp_path / "migrations")
    share = 80 if long else 12
    workers = [await fleet.worker() for _ in range(2)]
    async with Engine(fleet.url, own=False) as engine:
        oracle = Oracle(engine)
        await oracle.start_many(range(share))
        await asyncio.gather(
            asyncio.to_thread(bring_up, fleet.url, migrations), oracle.start_many(range(share, 2 * share))
        )
        await workers[0].kill()
        await fleet.worker()
        await workers[1].leave()
        await oracle.start_many(range(2 * share, 3 * share))
        await oracle.check()
    assert fleet.query("SELECT DISTINCT of_the_next_release FROM segue.runs") == [("new",)]
