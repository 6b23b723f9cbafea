"""The next release has brought the database to its schema while this one is at work: this one goes on under load, comes
back, and joins anew, for as long as the next one says that it may."""

from __future__ import annotations

import psycopg
import pytest
from fleet_kit import Fleet
from oracle import Oracle

from segue import Engine

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.timeout(1200)]
GROWN = "runs", "journal", "inbox", "tasks", "attempts", "owners", "slots", "schedules", "payloads", "attributes"
"""Tables to which the next release adds a column that it can do without."""


def migrated_by_the_next_release(fleet: Fleet) -> None:
    """One schema on, which says that code of the one before may work with it."""
    with psycopg.connect(fleet.url) as connection:
        for table in GROWN:
            connection.execute(f"ALTER TABLE segue.{table} ADD COLUMN of_the_next_release text DEFAULT 'new'".encode())
        connection.execute("UPDATE segue.meta SET value = (value::integer + 1)::text WHERE name = 'schema'")
        connection.execute(
            "UPDATE segue.meta SET value = ((SELECT value::integer FROM segue.meta WHERE name = 'schema') - 1)::text "
            "WHERE name = 'oldest_code'"
        )


async def test_workers_of_this_release_go_on_under_the_schema_of_the_next_one(fleet: Fleet, long: bool) -> None:
    share = 80 if long else 12
    workers = [await fleet.worker() for _ in range(2)]
    async with Engine(fleet.url, own=False) as engine:
        oracle = Oracle(engine)
        await oracle.start_many(range(share))
        migrated_by_the_next_release(fleet)
        await oracle.start_many(range(share, 2 * share))
        await workers[0].kill()
        await fleet.worker()
        await workers[1].leave()
        await oracle.start_many(range(2 * share, 3 * share))
        await oracle.check()
    assert fleet.query("SELECT DISTINCT of_the_next_release FROM segue.runs") == [("new",)]
