"""A database that a backup was restored into, under the hands of workers that were not ended: their fences are void."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from store_kit import Owner, events

from segue.errors import FenceLost
from segue.stores.base import Append
from segue.stores.postgres.store import PostgresStore


def test_a_worker_that_came_after_the_backup_shares_its_fence_with_nobody(postgres_database: Callable[[], str]) -> None:
    url = postgres_database()
    before, after, successor = (PostgresStore.open(url) for _ in range(3))
    run = Owner(before).start("a")
    before.close()
    with psycopg.connect(url, autocommit=True) as server:
        ((joined, called),) = server.execute("SELECT last_value, is_called FROM segue.epochs").fetchall()
        late = Owner(after)
        # What the backup knows of: the workers and the count of that time.
        server.execute("DELETE FROM segue.owners")
        server.execute("SELECT setval('segue.epochs', %s, %s)", (joined, called))
    new = Owner(successor)
    assert new.fence.epoch != late.fence.epoch
    with pytest.raises(FenceLost):
        late.commit(Append(run, 2, (b"late",)))
    assert b"late" not in events(successor, run)
    for store in (after, successor):
        store.close()


def test_a_worker_that_the_backup_knows_is_thrown_out_as_it_goes_on_with_its_lease(
    postgres_database: Callable[[], str],
) -> None:
    url = postgres_database()
    store = PostgresStore.open(url)
    owner = Owner(store)
    with psycopg.connect(url, autocommit=True) as server:
        ((expires,),) = server.execute("SELECT expires FROM segue.owners").fetchall()
        store.tend(owner.fence)
        store.tend(owner.fence)
        server.execute("UPDATE segue.owners SET expires = %s", (expires,))
    with pytest.raises(FenceLost):
        store.tend(owner.fence)
    store.close()
