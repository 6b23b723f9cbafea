"""Ownership, fences and lost acknowledgements. As ``stores.base`` promises it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from store_kit import (
    EVENT,
    Owner,
    StoreFactory,
    closed,
    die,
    events,
    start,
)

from segue.errors import FenceLost
from segue.kernel.ramp import Ramp
from segue.stores.base import Append, Batch, Fence, Operation, Store
from segue.stores.owning import SLOTS, Holding, Slots
from segue.stores.owning import Owner as WhoOwns

# --- ownership --------------------------------------------------------------------------------------------------------
ALL = (0, SLOTS - 1)


def extent(holding: Holding) -> list[tuple[int, int]]:
    return [(slots.low, slots.high) for slots in holding.slots]


def test_one_owner_at_a_time_and_each_with_a_higher_epoch(store_factory: StoreFactory) -> None:
    first, second = store_factory(), store_factory()
    fence = first.own("default", "one")
    assert fence is not None
    assert first.tend(fence).slots == (Slots(*ALL, clean=True),)
    successor = second.own("default", "two")  # where there may be several, they share
    assert successor is None or second.tend(successor).slots == ()
    assert successor is not None or first.own("default", "one again") is None

    first.release(fence)
    successor = successor or second.own("default", "two")

    assert successor is not None
    assert successor.epoch > fence.epoch
    assert second.tend(successor).slots == (Slots(*ALL, clean=True),)


def test_apps_are_owned_apart(store_factory: StoreFactory) -> None:
    first, second = store_factory(), store_factory()

    fences = [first.own("billing", "one"), second.own("shop/eu", "two")]

    assert [fence.app for fence in fences if fence is not None] == ["billing", "shop/eu"]


def test_the_successor_of_a_dead_owner_is_told_so(store_factory: StoreFactory) -> None:
    first, second = store_factory(), store_factory()
    fence = first.own("default", "one")
    assert fence is not None
    first.tend(fence)
    die(first)

    successor = second.own("default", "two")

    assert successor is not None
    assert successor.epoch > fence.epoch
    assert second.tend(successor).slots == (Slots(*ALL, clean=False),)


def test_closing_gives_ownership_back(store_factory: StoreFactory) -> None:
    first, second = store_factory(), store_factory()
    fence = first.own("default", "one")
    assert fence is not None
    first.tend(fence)
    first.close()
    first.close()

    successor = second.own("default", "two")

    assert successor is not None
    assert second.tend(successor).slots == (Slots(*ALL, clean=True),)


VOID: dict[str, Callable[[int], tuple[Operation, ...]]] = {
    "one-event": lambda run: (Append(run, 2, (b"e",)),),
    "append": lambda run: (Append(run, 2, (b"e",), status=closed()),),
    "start": lambda run: (start("b"),),
    "nothing": lambda run: (),
}


@pytest.mark.parametrize("kind", VOID)
@pytest.mark.parametrize("clean", [True, False])
def test_nothing_is_written_behind_a_void_fence(store_factory: StoreFactory, kind: str, clean: bool) -> None:
    paused, successor = store_factory(), store_factory()
    owner = Owner(paused)
    run = owner.start("a")
    if clean:
        paused.release(owner.fence)
    else:
        store = store_factory()
        die(paused)
        owner.store = store
    fence = successor.own("default", "two")
    assert fence is not None
    assert extent(successor.tend(fence)) == [ALL]

    with pytest.raises(FenceLost):
        owner.commit(*VOID[kind](run))

    assert events(successor, run) == [EVENT]
    assert successor.find("default", "b") is None


def test_a_fence_is_void_as_soon_as_it_was_given_back(owner: Owner) -> None:
    run = owner.start("a")
    owner.store.release(owner.fence)
    owner.store.release(owner.fence)

    with pytest.raises(FenceLost):
        owner.commit(Append(run, 2, (b"e",)))


# --- lost acknowledgements --------------------------------------------------------------------------------------------
LANDING: dict[str, Callable[[int], tuple[Operation, ...]]] = {
    "one-event": lambda run: (Append(run, 2, (b"e",)),),
    "append": lambda run: (Append(run, 2, (b"e", b"f"), status=closed()),),
    "start": lambda run: (start("b"), start("c")),
    "nothing": lambda run: (),
}


@pytest.mark.parametrize("kind", LANDING)
def test_whether_a_batch_landed_can_be_looked_up(owner: Owner, kind: str) -> None:
    batch = owner.batch(*LANDING[kind](owner.start("a")))
    assert not owner.store.landed(batch)

    owner.store.commit(batch)

    assert owner.store.landed(batch)
    assert not owner.store.landed(owner.batch(start("d")))


def test_another_event_in_the_place_is_not_the_batch(owner: Owner) -> None:
    run = owner.start("a")
    batch = owner.batch(Append(run, 2, (b"mine",)))
    before = Batch(batch.commit_id - 1, (Append(run, 2, (b"theirs",)),), owner.fence)
    owner.store.commit(before)

    assert not owner.store.landed(batch)


def test_a_batch_of_the_predecessor_has_not_landed_for_the_successor(store_factory: StoreFactory) -> None:
    first, second = store_factory(), store_factory()
    owner = Owner(first)
    for id in "abc":
        owner.start(id)
    first.release(owner.fence)
    successor = Owner(second)

    assert not second.landed(successor.batch(start("d")))


def test_the_owner_says_what_it_serves(store_factory: StoreFactory) -> None:
    first, second = store_factory(), store_factory()
    assert second.owner("default") is None
    fence = first.own("default", "one", {"order": "v1"})
    assert fence is not None
    assert second.owner("default") == first.owner("default") == WhoOwns("one", {"order": "v1"})
    first.advertise(fence, {"order": "v2", "loan": "v1"})
    assert second.owner("default") == WhoOwns("one", {"order": "v2", "loan": "v1"})
    ramp = Ramp("2/ab", 12.5)
    first.advertise(fence, {"order": "1/cd", "loan": "v1"}, {"order": ramp})
    assert second.owner("default") == WhoOwns("one", {"order": "1/cd", "loan": "v1"}, {"order": ramp})
    assert second.workers("default")[0].serves == {"order": "1/cd", "loan": "v1"}
    assert second.owner("other") is None
    first.release(fence)
    assert second.owner("default") is None
    assert second.own("default", "two") is not None
    first.advertise(fence, {"order": "v1"})  # nobody speaks for its successor
    assert first.owner("default") == WhoOwns("two", {})


def test_an_owner_that_died_is_no_owner(store_factory: StoreFactory) -> None:
    first, second = store_factory(), store_factory()
    first.own("default", "one", {"order": "v1"})
    die(first)
    assert second.owner("default") is None


def test_slots_are_moved_by_one_at_a_time(store_factory: StoreFactory) -> None:
    """Many owners tend at once: together they have all slots, and none twice."""
    stores = [store_factory() for _ in range(6)]
    owners = [(store, fence) for store in stores if (fence := store.own("default", "worker")) is not None]

    def tend(store: Store, fence: Fence) -> None:
        for _ in range(30):
            holding = store.tend(fence)
            if holding.surplus:
                store.give(fence, holding.surplus)

    with ThreadPoolExecutor(len(owners)) as threads:
        for done in [threads.submit(tend, *owner) for owner in owners]:
            done.result()

    owned = [slot for store, fence in owners for s in store.tend(fence).slots for slot in range(s.low, s.high + 1)]
    assert sorted(owned) == list(range(SLOTS))
