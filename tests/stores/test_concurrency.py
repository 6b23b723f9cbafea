"""Several owners and clients of one PostgreSQL database at the same moment, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from store_kit import Owner, closed, signal, start

from segue.errors import FenceLost
from segue.stores.attempt_rows import LiveAttempt
from segue.stores.base import (
    Append,
    Batch,
    Blob,
    CompleteTask,
    Fence,
    Operation,
    Posted,
    Rejected,
    TaskRow,
    TellStep,
)
from segue.stores.owning import SLOTS, Slots
from segue.stores.postgres.store import PostgresStore

Opens = Callable[[], PostgresStore]


@pytest.fixture
def opens(postgres_database: Callable[[], str]) -> Iterator[Opens]:
    """Opens one more store on the test's database; one that waits for a lock gives up before the test does."""
    url = postgres_database() + "?options=-c%20lock_timeout%3D20s"
    stores: list[PostgresStore] = []

    def one_more() -> PostgresStore:
        stores.append(PostgresStore.open(url))
        return stores[-1]

    yield one_more
    for store in stores:
        store.close()


def at_once(*actions: Callable[[], object]) -> None:
    """Carries the actions out in threads; what one of them raises is raised."""
    errors: list[BaseException] = []

    def carry_out(action: Callable[[], object]) -> None:
        try:
            action()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=carry_out, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error


def owning(store: PostgresStore) -> Fence:
    fence = store.own("default", "test")
    assert fence is not None
    return fence


@contextmanager
def another(store: PostgresStore) -> Iterator[psycopg.Connection]:
    """A transaction of somebody else's on the same database, which is committed at the end."""
    with psycopg.connect(store.address.target) as connection:
        yield connection


def until_waiting(store: PostgresStore, done: Callable[[], bool], most: int = 1) -> None:
    """Waits until somebody waits for a lock (or as many as ``most``), or nobody will."""
    with psycopg.connect(store.address.target, autocommit=True) as connection:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        while not done() and len(connection.execute(waiting).fetchall()) < most:
            pass


# --- slots ------------------------------------------------------------------------------------------------------------


def test_no_slot_is_lost_while_owners_move_them_at_once(opens: Opens) -> None:
    stores = [opens() for _ in range(3)]
    fences = [owning(store) for store in stores]

    def move(store: PostgresStore, fence: Fence) -> None:
        for _ in range(60):
            for slots in store.tend(fence).slots[:1]:
                store.give(fence, [Slots(slots.low, slots.low)])

    at_once(*(lambda pair=pair: move(*pair) for pair in zip(stores, fences, strict=True)))

    for store, fence in zip(stores, fences, strict=True):  # whatever is free finds an owner
        store.tend(fence)
    with psycopg.connect(stores[0].address.target) as connection:
        rows = connection.execute("SELECT low, high FROM segue.slots ORDER BY low").fetchall()
    assert [slot for low, high in rows for slot in range(low, high + 1)] == list(range(SLOTS))


# --- messages ---------------------------------------------------------------------------------------------------------


def test_whoever_posts_to_a_run_does_not_wait_for_its_owner(opens: Opens) -> None:
    """Two owners that post to each other's runs would wait for each other, in every pair of batches that meet."""
    store = opens()
    run = Owner(store).start("a")
    with another(store) as owner:
        owner.execute("UPDATE segue.runs SET wake = 5, state = 'waiting' WHERE run = %s", (run,))
        (answer,) = store.commit(Batch(1, (signal("s", run),)))
    assert isinstance(answer, Posted)
    assert answer.outcome == "posted"


@pytest.mark.parametrize("state", ["completed", "terminated"])
def test_a_run_that_closes_waits_for_whoever_posts_to_it(opens: Opens, state: str) -> None:
    """Or the message would be acknowledged, and stay in an inbox that nobody reads any more."""
    store = opens()
    owner = Owner(store)
    run = owner.start("a")
    end = Append(run, 2, (b"e",), closed(state), check_inbox=state == "completed")
    with ThreadPoolExecutor() as pool:
        with another(store) as poster:
            poster.execute("SELECT 1 FROM segue.runs WHERE run = %s FOR KEY SHARE", (run,))
            poster.execute(
                "INSERT INTO segue.inbox (run, kind, message, at, body) VALUES (%s, 's', 'm', 1, '')", (run,)
            )
            ending = pool.submit(owner.commit, end)
            until_waiting(store, ending.done)
        (answer,) = ending.result()
    assert getattr(answer, "outcome", None) == ("vetoed" if state == "completed" else "appended")
    assert len(store.inbox([run])) == (1 if state == "completed" else 0)


@pytest.mark.parametrize("by", ["row", "id"])
def test_two_batches_that_close_each_others_addressees_do_not_wait_for_each_other(opens: Opens, by: str) -> None:
    """The server would notice after a second, and turn one of them back: here it never does."""
    with another(opens()) as admin:
        admin.execute("ALTER ROLE postgres SET deadlock_timeout = '1h'")
    try:
        one, other = Owner(opens()), Owner(opens())
        first, second = one.start("first"), other.start("second")
        at = {"row": ({"run": second}, {"run": first}), "id": ({"id": "second"}, {"id": "first"})}[by]
        ends = [
            (one, Append(first, 2, (b"e",), closed(), check_inbox=True, posts=(signal("a", **at[0]),))),
            (other, Append(second, 2, (b"e",), closed(), check_inbox=True, posts=(signal("b", **at[1]),))),
        ]
        with ThreadPoolExecutor() as pool:
            with another(one.store) as holds:  # both past their first locks, if these are not taken in one order
                holds.execute("INSERT INTO segue.journal VALUES (%s, 2, ''), (%s, 2, '')", (first, second))
                ending = [pool.submit(owner.commit, end) for owner, end in ends]
                until_waiting(one.store, lambda: all(each.done() for each in ending), 2)
                holds.rollback()
            answers = [answer for each in ending for answer in each.result()]
        assert sorted(answer.outcome for answer in answers) == ["appended", "vetoed"]
    finally:
        with another(opens()) as admin:
            admin.execute("ALTER ROLE postgres RESET deadlock_timeout")


def test_a_message_that_has_met_its_double_is_not_taken_for_one_that_cannot_be_stored(opens: Opens) -> None:
    store = opens()
    run = Owner(store).start("a")
    batch = Batch(1, (start("zero \0 byte"), signal("m", run)))
    with ThreadPoolExecutor() as pool:
        with another(store) as poster:
            poster.execute(
                "INSERT INTO segue.messages (chain, message, run) VALUES (%(run)s, 'm', %(run)s)", {"run": run}
            )
            posting = pool.submit(store.commit, batch)
            until_waiting(store, posting.done)
        refused, answer = posting.result()
    assert isinstance(refused, Rejected)
    assert isinstance(answer, Posted)
    assert answer.outcome == "duplicate"


@pytest.mark.parametrize("what", ["task", "attempt"])
def test_whoever_answers_waits_for_the_end_of_a_run_with_nothing_in_hand_that_the_end_needs(
    opens: Opens, what: str
) -> None:
    """Or the two would wait for each other."""
    store = opens()
    owner = Owner(store)
    run = owner.start("a")
    step = LiveAttempt(run, "k", "s", 1, 5, None, True)
    owner.commit(Append(run, 2, (b"e",), tasks=(TaskRow("k", "sign", "ann", 5),), attempts=(step,)))
    (task,) = store.tasks("default")
    answers: dict[str, Operation] = {
        "task": CompleteTask(task.task, "ann", 6, b"yes", b"body"),
        "attempt": TellStep(run, "k", 1, 6, "m", b"body"),
    }
    with ThreadPoolExecutor() as pool:
        with another(store) as end:
            end.execute("SET lock_timeout = '300ms'")
            end.execute("SELECT 1 FROM segue.runs WHERE run = %s FOR UPDATE", (run,))
            end.execute("UPDATE segue.runs SET closed_at = 7, state = 'completed' WHERE run = %s", (run,))
            answering = pool.submit(store.commit, Batch(1, (answers[what],)))
            until_waiting(store, answering.done)
            end.execute("UPDATE segue.tasks SET state = 'withdrawn' WHERE run = %s", (run,))
            end.execute("DELETE FROM segue.attempts WHERE run = %s", (run,))
        (answer,) = answering.result()
    assert getattr(answer, "outcome", None) in ("not-open", "not-awaited")


# --- what a batch that was turned back leaves behind ------------------------------------------------------------------


@pytest.mark.parametrize("good", range(6))
def test_what_was_prepared_in_a_batch_that_was_turned_back_is_not_taken_for_prepared(opens: Opens, good: int) -> None:
    """The driver prepares a statement that it has sent a few times; the server has not seen it if one before failed."""
    owner = Owner(opens())
    run, store = owner.start("a"), opens()

    def post(message: str) -> str:
        (answer,) = store.commit(Batch(1, (signal(message, run),)))
        assert isinstance(answer, Posted)
        return answer.outcome

    def post_what_somebody_posts(message: str) -> str:
        with ThreadPoolExecutor() as pool:
            with another(store) as poster:
                row = {"run": run, "message": message}
                poster.execute(
                    "INSERT INTO segue.messages (chain, message, run) VALUES (%(run)s, %(message)s, %(run)s)", row
                )
                posting = pool.submit(post, message)
                until_waiting(store, posting.done)
            return posting.result()

    assert post_what_somebody_posts("first") == "duplicate"
    assert [post(f"good {n}") for n in range(good)] == ["posted"] * good
    assert post_what_somebody_posts("second") == "duplicate"
    assert [post(f"after {n}") for n in range(8)] == ["posted"] * 8


# --- leases -----------------------------------------------------------------------------------------------------------


def test_a_commit_that_hangs_keeps_nobody_else_from_going_on_with_a_lease(opens: Opens) -> None:
    """Or the leases of all who live would run out behind it."""
    hangs, lives = opens(), opens()
    fence, other = owning(hangs), owning(lives)
    with another(hangs) as commit:
        commit.execute(
            "UPDATE segue.owners SET commit_id = 7, expires = clock_timestamp() WHERE epoch = %s", (fence.epoch,)
        )
        commit.commit()
        commit.execute("UPDATE segue.owners SET commit_id = 8 WHERE epoch = %s", (fence.epoch,))
        assert len(lives.tend(other).others) == 1
    assert lives.tend(other).others == ()


def test_a_commit_that_never_ends_is_ended_by_who_goes_on_with_the_runs(opens: Opens) -> None:
    """A network that swallows packets tells the server nothing: it waits for the rest of the batch for hours."""
    cut_off, lives = opens(), opens()
    fence, other = owning(cut_off), owning(lives)
    (begun,) = lives.commit(Batch(1, (start("a"),)))
    run = getattr(begun, "run", 0)
    with psycopg.connect(cut_off.address.target) as commit:
        commit.execute("UPDATE segue.owners SET expires = '-infinity' WHERE epoch = %s", (fence.epoch,))
        commit.commit()
        commit.execute("UPDATE segue.owners SET commit_id = 8 WHERE epoch = %s", (fence.epoch,))
        commit.execute("INSERT INTO segue.journal VALUES (%s, 2, 'stale')", (run,))
        while lives.tend(other).others:
            pass
        with pytest.raises(psycopg.OperationalError):
            commit.commit()
    with pytest.raises(FenceLost):
        cut_off.tend(fence)
    assert len(list(lives.journal(run))) == 1


def test_an_owner_that_waits_for_its_own_commit_keeps_nobody_else_waiting(opens: Opens) -> None:
    busy, other = opens(), opens()
    fence, others = owning(busy), owning(other)
    with ThreadPoolExecutor() as pool:
        with another(busy) as commit:
            commit.execute("UPDATE segue.owners SET commit_id = 8 WHERE epoch = %s", (fence.epoch,))
            waits = [pool.submit(busy.tend, fence)]
            until_waiting(busy, waits[0].done)
            assert len(other.tend(others).others) == 1
            waits.append(pool.submit(busy.release, fence))
            assert len(other.tend(others).others) == 1
        assert [done.exception() for done in waits] == [None, None]
    assert other.tend(others).others == ()


def test_a_lease_lasts_from_the_end_of_the_commit_that_was_waited_for(opens: Opens) -> None:
    busy = PostgresStore.open(opens().address.target, lease=2)
    fence = owning(busy)
    with ThreadPoolExecutor() as pool:
        with another(busy) as commit:
            commit.execute("UPDATE segue.owners SET commit_id = 8 WHERE epoch = %s", (fence.epoch,))
            waits = pool.submit(busy.tend, fence)
            until_waiting(busy, waits.done)
            commit.execute("SELECT pg_sleep(2)")
            commit.rollback()
        assert waits.result().slots == (Slots(0, SLOTS - 1),)
    busy.close()


# --- retention --------------------------------------------------------------------------------------------------------


def ended(owner: Owner, id: str, events: int = 1, **fields: object) -> int:
    run = owner.start(id, **fields)
    owner.commit(Append(run, 2, (b"e",) * events, closed(at=10)))
    return run


def test_two_that_delete_the_same_run_leave_nothing_of_it(opens: Opens) -> None:
    store = opens()
    owner = Owner(store)
    run, _ = ended(owner, "a", events=2_500), owner.start("newest")
    with ThreadPoolExecutor() as pool:
        with another(store) as other:  # which dies after its first part
            other.execute("SELECT 1 FROM segue.runs WHERE run = %s FOR UPDATE", (run,))
            other.execute("DELETE FROM segue.journal WHERE run = %s AND seq <= 2000", (run,))
            deleting = pool.submit(store.retain, 11, 10)
            until_waiting(store, deleting.done)
        assert deleting.result() == 1
    assert store.run(run) is None
    assert list(store.journal(run)) == []


def test_a_large_value_that_somebody_begins_to_refer_to_outlives_the_run_that_is_deleted(opens: Opens) -> None:
    store = opens()
    owner = Owner(store)
    ended(owner, "a", blobs=(Blob("ref", b"data"),))
    heir = owner.start("newest")
    with ThreadPoolExecutor() as pool:
        with another(store) as other:
            other.execute("INSERT INTO segue.payload_refs (run, ref) VALUES (%s, 'ref')", (heir,))
            deleting = pool.submit(store.retain, 11, 10)
            until_waiting(store, deleting.done)
        assert deleting.result() == 1
    assert store.blobs(["ref"]) == {"ref": b"data"}


# --- retention --------------------------------------------------------------------------------------------------------


def test_of_two_workers_each_deletes_the_runs_in_its_own_slots(opens: Opens) -> None:
    one, other = opens(), opens()
    owner, another_owner = Owner(one), Owner(other)
    # Each takes half: the first lets go of what is too much, the second claims it.
    given = one.tend(owner.fence)
    other.tend(another_owner.fence)
    one.give(owner.fence, one.tend(owner.fence).surplus or given.surplus)
    for store, fence in ((other, another_owner.fence), (one, owner.fence)):
        store.tend(fence)
    runs = {
        worker: [worker.start(f"{name}-{n}") for n in range(20)]
        for name, worker in (("one", owner), ("other", another_owner))
    }
    for worker, started in runs.items():
        worker.commit(*[Append(run, 2, (b"end",), closed(at=500)) for run in started])
    another_owner.start("the newest of all, which stays")

    assert one.retain(1_000, 100) == 20
    assert [run for run in runs[owner] if one.run(run)] == []
    assert len(other.runs(runs[another_owner])) == 20
    assert other.retain(1_000, 100) == 20
