"""Several owners and clients of one PostgreSQL database at the same moment, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest

from segue.stores.base import Fence
from segue.stores.owning import SLOTS, Slots
from segue.stores.postgres.store import PostgresStore

Opens = Callable[[], PostgresStore]


@pytest.fixture
def opens(postgres_database: Callable[[], str]) -> Iterator[Opens]:
    """Opens one more store on the test's database."""
    url = postgres_database()
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
