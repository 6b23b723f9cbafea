"""The databases that the conformance tests run against: a dialect is one entry in ``DIALECTS``."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for store_kit: no test module can be imported otherwise

from store_kit import Owner, StoreFactory, partitioned

from segue.stores.base import Store
from segue.stores.postgres.store import PostgresStore
from segue.stores.sqlite import SqliteStore


def in_file(request: pytest.FixtureRequest) -> Callable[[], StoreFactory]:
    folder: Path = request.getfixturevalue("tmp_path")
    numbers = itertools.count()

    def new() -> StoreFactory:
        file = folder / f"database-{next(numbers)}" / "segue.db"
        return lambda: SqliteStore.open(file)

    return new


def on_server(request: pytest.FixtureRequest) -> Callable[[], StoreFactory]:
    make: Callable[[], str] = request.getfixturevalue("postgres_database")

    def new() -> StoreFactory:
        """With partitions so small that each test has to do with several of them, and with the one for all others."""
        url = make()
        PostgresStore.open(url).close()
        partitioned(url, 0, 2, 4, 7, 12)
        return lambda: PostgresStore.open(url)

    return new


DIALECTS: dict[str, Callable[[pytest.FixtureRequest], Callable[[], StoreFactory]]] = {
    "postgres": on_server,
    "sqlite": in_file,
}


@pytest.fixture(params=sorted(DIALECTS))
def new_database(request: pytest.FixtureRequest) -> Iterator[Callable[[], StoreFactory]]:
    """Makes a new database; returns what opens a store on it, each time as another process would."""
    opened: list[Store] = []
    make = DIALECTS[request.param](request)

    def new() -> StoreFactory:
        connect = make()

        def factory() -> Store:
            opened.append(connect())
            return opened[-1]

        return factory

    yield new
    for store in opened:
        store.close()


@pytest.fixture
def store_factory(new_database: Callable[[], StoreFactory]) -> StoreFactory:
    """Opens one more store on the test's database."""
    return new_database()


@pytest.fixture
def store(store_factory: StoreFactory) -> Store:
    return store_factory()


@pytest.fixture
def owner(store: Store) -> Owner:
    """The owner of app ``default`` in ``store``."""
    return Owner(store)
