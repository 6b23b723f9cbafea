"""The same long random sequence of operations has the same answers in both dialects, and leaves the same behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_batches import batches, everything_in, prepared
from store_kit import Owner

from segue.stores.base import Operation, Store
from segue.stores.postgres.store import PostgresStore
from segue.stores.sqlite import SqliteStore

NUMBERED = ("run", "row", "next", "replaced", "task", "attempt")
"""Fields of answers that hold numbers of the database's own; one dialect leaves gaps in them."""


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(sequence=st.lists(batches(), min_size=2, max_size=6))
def test_both_dialects_answer_alike_and_hold_the_same(
    sequence: list[list[Operation]],
    tmp_path_factory: pytest.TempPathFactory,
    postgres_database: Callable[[], str],
) -> None:
    stores: list[Store] = [
        SqliteStore.open(tmp_path_factory.mktemp("differential") / "segue.db"),
        PostgresStore.open(postgres_database()),
    ]
    try:
        owners = [prepared(store) for store in stores]
        for operations in sequence:
            theirs = [answers(owner, operations) for owner in owners]
            assert theirs[0] == theirs[1]
        assert held(stores[0]) == held(stores[1])
    finally:
        for store in stores:
            store.close()


def answers(owner: Owner, operations: Iterable[Operation]) -> list[Any]:
    return [plain(answer) for answer in owner.commit(*operations)]


def plain(answer: Any) -> Any:
    """An answer whose numbers only say whether there is one."""
    if isinstance(answer, msgspec.Struct):
        found = {name: getattr(answer, name) for name in answer.__struct_fields__}
        return type(answer).__name__, {k: bool(v) if k in NUMBERED else plain(v) for k, v in found.items()}
    return [plain(each) for each in answer] if isinstance(answer, (tuple, list)) else answer


def held(store: Store) -> dict[str, Any]:
    """Everything in the store, with runs and tasks by their place."""
    found = everything_in(store)
    place = {run.run: index for index, run in enumerate(found["runs"])}
    found["runs"] = [msgspec.structs.replace(run, run=place[run.run]) for run in found["runs"]]
    found["runs"] = [without_chain(run, place) for run in found["runs"]]
    for name in ("journals", "published"):
        found[name] = {place[run]: value for run, value in found[name].items()}
    found["inbox"] = [(place[run], *rest) for run, *rest in found["inbox"]]
    found["tasks"] = [msgspec.structs.replace(task, task=0, run=place[task.run]) for task in found["tasks"]]
    found["stats"] = msgspec.structs.replace(found["stats"], schema=0)
    return found


def without_chain(run: Any, place: dict[int, int]) -> Any:
    return msgspec.structs.replace(run, chain=None if run.chain is None else place[run.chain])
