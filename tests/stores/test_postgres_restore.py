"""A database that a backup was restored into, under the hands of workers that were not ended: their fences are void."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from store_kit import EVENT, Owner, events, start

from postgres_kit import PostgresServer, Rewound
from segue.errors import FenceLost
from segue.kernel.transactions import Transaction
from segue.stores.base import Append, Appended, Batch, Fence, RunFilter, RunRow, Started
from segue.stores.postgres.store import PostgresStore
from segue.stores.transacting import Transact, Transacted, Written


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


def test_of_two_restores_at_once_each_voids_the_fences_of_the_other(postgres: PostgresServer) -> None:
    kept = postgres.create()
    first = PostgresStore.open(postgres.url(kept))
    run = Owner(first).start("a")
    first.close()
    given: list[Fence] = []
    for _ in range(3):
        name = postgres.create()
        postgres.drop(name)
        postgres.execute(f"CREATE DATABASE {name} TEMPLATE {kept}")
        store = PostgresStore.open(postgres.url(name))
        owner = Owner(store)
        for late in given:
            with pytest.raises(FenceLost):
                store.commit(Batch(9, (Append(run, 2, (b"late",)),), late))
        given.append(owner.fence)
        store.close(clean=False)
        postgres.drop(name)
    postgres.drop(kept)
    assert len(set(given)) == 3


def test_a_worker_that_the_backup_knows_is_thrown_out_as_it_goes_on_with_its_lease(rewound: Rewound) -> None:
    store = PostgresStore.open(rewound.url)
    owner = Owner(store)
    store.tend(owner.fence)
    rewound.keep()
    store.tend(owner.fence)
    rewound.go_back()
    with pytest.raises(FenceLost):
        store.tend(owner.fence)
    store.close()


def test_a_clock_of_the_server_that_is_set_back_gives_nobody_a_longer_lease(
    postgres_database: Callable[[], str],
) -> None:
    url = postgres_database()
    lives, looks, dead = (PostgresStore.open(url, lease=lease) for lease in (60, 10, 20))
    owners = [Owner(store) for store in (lives, looks, dead)]
    for owner in owners:
        owner.store.tend(owner.fence)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("UPDATE segue.owners SET expires = expires + interval '1 hour'")  # as if by an hour earlier now
        looks.tend(owners[1].fence)
        left = server.execute(
            "SELECT extract(epoch FROM expires - clock_timestamp()) FROM segue.owners ORDER BY epoch"
        ).fetchall()
    assert [float(seconds) <= lease for (seconds,), lease in zip(left, (60, 10, 20), strict=True)] == [True] * 3
    lives.tend(owners[0].fence)  # whoever lives has lost nothing
    lives.commit(owners[0].batch(start("a")))
    for store in (lives, looks, dead):
        store.close()


@pytest.mark.parametrize("written", [(b"one",), (b"one", b"two")], ids=["the short way", "a batch"])
def test_a_commit_that_builds_on_one_that_was_lost_writes_nothing(rewound: Rewound, written: tuple[bytes, ...]) -> None:
    worker, client = PostgresStore.open(rewound.url, lease=3600), PostgresStore.open(rewound.url)
    owner = Owner(worker)
    worker.tend(owner.fence)
    owner.start("before")
    rewound.keep()
    lost = owner.start("lost")
    rewound.go_back()
    (answer,) = client.commit(Batch(1, (start("other"),)))
    assert isinstance(answer, Started)
    assert answer.run == lost, "the count goes back too"
    with pytest.raises(FenceLost):
        owner.commit(Append(lost, 2, written))
    assert len(list(client.journal(lost))) == 1
    assert client.workers() == [], "nobody has to wait for the end of its lease"
    with pytest.raises(FenceLost):
        worker.tend(owner.fence)
    for store in (worker, client):
        store.close()


def test_a_batch_whose_acknowledgement_was_lost_is_in_once_where_the_successor_has_it(rewound: Rewound) -> None:
    """What another store writes under the worker's fence is what the worker has not heard of."""
    worker, silent = PostgresStore.open(rewound.url, lease=3600), PostgresStore.open(rewound.url)
    owner = Owner(worker)
    run = owner.start("a")
    batch = owner.batch(Append(run, 2, (b"one", b"two")), start("b"))
    silent.commit(batch)
    rewound.keep()
    rewound.go_back()
    assert worker.landed(batch)
    owner.commit(Append(run, 4, (b"three", b"four")))
    assert events(worker, run) == [EVENT, b"one", b"two", b"three", b"four"]
    assert [row.id for row in worker.list(RunFilter())] == ["b", "a"]
    worker.tend(owner.fence)
    for store in (worker, silent):
        store.close()


@pytest.mark.parametrize("written", [(b"one",), (b"one", b"two")], ids=["the short way", "a batch"])
def test_a_batch_whose_acknowledgement_was_lost_goes_in_once_where_the_successor_has_it_not(
    rewound: Rewound, written: tuple[bytes, ...]
) -> None:
    worker, silent = PostgresStore.open(rewound.url, lease=3600), PostgresStore.open(rewound.url)
    owner = Owner(worker)
    run = owner.start("a")
    rewound.keep()
    batch = owner.batch(Append(run, 2, written))
    silent.commit(batch)
    rewound.go_back()
    assert not worker.landed(batch)
    worker.commit(batch)
    assert events(worker, run) == [EVENT, *written]
    assert worker.landed(batch)
    worker.tend(owner.fence)
    for store in (worker, silent):
        store.close()


def test_a_batch_that_was_found_in_and_is_lost_then_voids_the_fence(rewound: Rewound) -> None:
    """Whoever was waiting for it has been answered."""
    worker, silent = PostgresStore.open(rewound.url, lease=3600), PostgresStore.open(rewound.url)
    owner = Owner(worker)
    run = owner.start("a")
    rewound.keep()
    batch = owner.batch(Append(run, 2, (b"one", b"two")))
    silent.commit(batch)
    assert worker.landed(batch)
    rewound.go_back()
    with pytest.raises(FenceLost):
        owner.commit(start("b"))
    assert events(worker, run) == [EVENT]
    assert worker.find("default", "b") is None
    for store in (worker, silent):
        store.close()


def test_a_worker_that_knows_of_a_batch_that_was_lost_does_not_go_on_with_its_lease(rewound: Rewound) -> None:
    worker = PostgresStore.open(rewound.url, lease=3600)
    owner = Owner(worker)
    worker.tend(owner.fence)
    rewound.keep()
    owner.start("lost")
    rewound.go_back()
    with pytest.raises(FenceLost):
        worker.tend(owner.fence)
    assert worker.workers() == [], "nobody has to wait for the end of its lease"
    worker.close()


@pytest.mark.parametrize("written", [(b"two",), (b"two", b"three")], ids=["the short way", "a batch"])
def test_an_event_is_not_written_after_one_that_was_lost(rewound: Rewound, written: tuple[bytes, ...]) -> None:
    """What goes in the short way leaves no number: the place of the next event tells."""
    worker = PostgresStore.open(rewound.url, lease=3600)
    owner = Owner(worker)
    run = owner.start("a")
    rewound.keep()
    owner.commit(Append(run, 2, (b"one",)))
    rewound.go_back()
    (answer,) = owner.commit(Append(run, 3, written))
    assert isinstance(answer, Appended)
    assert answer.outcome != "appended"
    assert events(worker, run) == [EVENT]
    worker.close()


Taken = tuple[Owner, PostgresStore, RunRow, RunRow]


@pytest.fixture
def taken_anew(rewound: Rewound) -> Iterator[Taken]:
    """A worker, a client, and two runs of one number: the first one was lost, and the second one was given it.

    Nothing of the worker's own was lost that would tell it: it had only read the run, which the client started.
    """
    worker, client = PostgresStore.open(rewound.url, lease=3600), PostgresStore.open(rewound.url)
    owner = Owner(worker)
    rewound.keep()
    client.commit(Batch(1, (start("lost"),)))
    read = worker.find("default", "lost")
    assert read is not None
    rewound.go_back()
    client.commit(Batch(1, (start("other"),)))
    other = client.find("default", "other")
    assert other is not None
    assert other.run == read.run
    yield owner, client, read, other
    for store in (worker, client):
        store.close()


@pytest.mark.parametrize("written", [(b"one",), (b"one", b"two")], ids=["one event", "two events"])
def test_nothing_is_written_for_a_run_that_was_read_and_whose_number_is_another_ones(
    taken_anew: Taken, written: tuple[bytes, ...]
) -> None:
    owner, client, read, other = taken_anew
    with pytest.raises(FenceLost):
        owner.commit(Append(read.run, 2, written, uid=read.uid))
    assert events(client, other.run) == [EVENT]
    assert client.workers() == []
    new = Owner(owner.store)
    new.commit(Append(other.run, 2, written, uid=other.uid))
    assert events(client, other.run) == [EVENT, *written]


def test_no_step_runs_in_a_transaction_for_a_run_that_was_read_and_whose_number_is_another_ones(
    taken_anew: Taken,
) -> None:
    ran: list[Transaction] = []

    def call(transaction: Transaction) -> Written:
        ran.append(transaction)
        return Written(b"done")

    owner, client, read, other = taken_anew
    with pytest.raises(FenceLost):
        owner.commit(Transact(read.run, "outcome", 300, call, 60_000_000, uid=read.uid))
    assert ran == []
    assert client.inbox([other.run]) == []
    (done,) = Owner(owner.store).commit(Transact(other.run, "outcome", 300, call, 60_000_000, uid=other.uid))
    assert isinstance(done, Transacted)
    assert done.outcome == "committed"
    assert len(ran) == 1
