"""Each fault does to a commit what it says, and to nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest
from store_kit import EVENT, Owner, StoreFactory, closed, die, events, signal, start

from segue.errors import StoreUnavailable
from segue.stores.base import Append, Appended, Batch, Started, Store
from segue.stores.faults import (
    Crash,
    CrashAfter,
    CrashBefore,
    Delay,
    FaultyStore,
    LoseAcknowledgement,
    Plan,
    Refuse,
    crash,
)


def faulty(store: Store, plan: Plan) -> Owner:
    return Owner(FaultyStore(store, plan))


def test_without_a_plan_nothing_happens(store: Store) -> None:
    owner = faulty(store, {})

    run = owner.start("a")

    assert events(owner.store, run) == [EVENT]
    assert isinstance(owner.store, FaultyStore)
    assert owner.store.commits == 1


def test_a_refused_commit_is_not_in_and_goes_through_when_it_is_tried_again(store: Store) -> None:
    owner = faulty(store, {2: Refuse("the disk is full")})
    run = owner.start("a")
    batch = owner.batch(Append(run, 2, (b"e",), status=closed()))

    with pytest.raises(StoreUnavailable, match="the disk is full"):
        owner.store.commit(batch)
    assert not owner.store.landed(batch)

    assert owner.store.commit(batch) == [Appended("appended")]
    assert events(owner.store, run) == [EVENT, b"e"]


@pytest.mark.parametrize("count", [1, 2], ids=["one-event", "several"])
def test_a_lost_acknowledgement_is_found_out_by_looking(store: Store, count: int) -> None:
    owner = faulty(store, {2: LoseAcknowledgement()})
    run = owner.start("a")
    batch = owner.batch(Append(run, 2, (b"e",) * count))

    with pytest.raises(StoreUnavailable):
        owner.store.commit(batch)

    assert owner.store.landed(batch)
    assert events(owner.store, run) == [EVENT, *[b"e"] * count]


def test_a_client_whose_acknowledgement_was_lost_sends_the_same_again(store: Store) -> None:
    client = FaultyStore(store, {1: LoseAcknowledgement()})
    batch = Batch(1, (start("a"), signal("m", id="a")))
    with pytest.raises(StoreUnavailable):
        client.commit(batch)

    started, posted = client.commit(batch)

    assert isinstance(started, Started)
    assert started.outcome == "existing"
    assert posted == type(posted)("duplicate", None, started.run, "running")  # type: ignore[arg-type,call-arg]
    assert len(store.inbox([started.run])) == 1


@pytest.mark.parametrize(("fault", "landed"), [(CrashBefore(crash), False), (CrashAfter(crash), True)])
def test_after_a_crash_the_store_is_dead_and_its_successor_goes_on(
    store_factory: StoreFactory, fault: CrashBefore | CrashAfter, landed: bool
) -> None:
    owner = faulty(store_factory(), {2: fault})
    run = owner.start("a")
    owner.store.tend(owner.fence)

    with pytest.raises(Crash):
        owner.commit(Append(run, 2, (b"e",)))
    for call in (lambda: owner.commit(Append(run, 2, (b"e",))), lambda: owner.store.run(run)):
        with pytest.raises(Crash):
            call()
    owner.store.close()
    die(owner.store._store)  # type: ignore[attr-defined]

    successor = Owner(store_factory())
    assert not successor.store.tend(successor.fence).slots[0].clean, "the dead give nothing back"
    assert events(successor.store, run) == ([EVENT, b"e"] if landed else [EVENT])


def test_a_crash_ends_the_process_unless_told_otherwise() -> None:
    program = "from segue.stores.faults import CrashBefore; CrashBefore().strike(list)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 137


def test_a_delay_waits_on_the_clock_it_is_given(store: Store) -> None:
    waited: list[float] = []
    owner = faulty(store, {1: Delay(30, waited.append)})

    owner.start("a")

    assert waited == [30]


def test_a_plan_may_look_at_the_batch(store: Store) -> None:
    owner = faulty(store, lambda number, batch: Refuse() if len(batch.operations) > 1 else None)
    owner.start("a")

    with pytest.raises(StoreUnavailable):
        owner.commit(start("b"), start("c"))

    assert owner.store.find("default", "b") is None
