"""Which namespaces there are, how much is open in each, and what is said of them. As ``stores.base`` promises it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from store_kit import Owner, StoreFactory, closed
from test_conformance_schedules import NIGHTLY, changed, written

from segue.stores.base import Append, Store
from segue.stores.namespace_rows import NamespaceRow


def test_a_namespace_is_there_once_a_run_or_a_schedule_is_in_it(owner: Owner) -> None:
    assert owner.store.namespaces(most=10) == []
    for n in range(3):
        owner.start(f"a-{n}", namespace="staging")
    owner.start("b")
    over = owner.start("c", namespace="Eu.1")
    owner.commit(Append(over, 2, (b"e",), status=closed()))
    written(owner, changed(NIGHTLY, namespace="nightly"))
    written(owner, changed(NIGHTLY, namespace="staging"))
    assert owner.store.namespaces(most=10) == ["Eu.1", "default", "nightly", "staging"]
    assert owner.store.namespaces(most=2) == ["Eu.1", "default"]


def test_open_runs_are_counted_in_each_of_some_namespaces_as_far_as_a_limit(owner: Owner) -> None:
    for n in range(4):
        owner.start(f"a-{n}", namespace="staging")
    owner.start("b", namespace="staging", state="incident", wake=None)
    owner.start("c", state="waiting", wake=None)
    over = owner.start("d")
    owner.commit(Append(over, 2, (b"e",), status=closed()))
    found = owner.store.count_open_in(["default", "staging", "none"], most=3)
    assert {name: {state: n for state, n in by.items() if n} for name, by in found.items()} == {
        "default": {"waiting": 1}, "staging": {"running": 3, "incident": 1}, "none": {},
    }  # fmt: skip
    assert set(found["none"]) == {"running", "waiting", "paused", "incident"}
    assert owner.store.count_open_in([], most=3) == {}


RULES = '[{"keep":"30d"}]'


def test_what_is_said_of_a_namespace_is_there_for_everybody_part_by_part(store_factory: StoreFactory) -> None:
    store, other = store_factory(), store_factory()
    assert (store.described.list(), store.described.get("eu")) == ([], NamespaceRow("eu"))
    assert store.described.change("eu", description="Europe") == NamespaceRow("eu", "Europe")
    assert other.described.change("eu", retention=RULES) == NamespaceRow("eu", "Europe", RULES)
    other.described.change("Asia.1", retention=RULES)
    assert store.described.get("eu") == NamespaceRow("eu", "Europe", RULES)
    assert store.described.list() == [NamespaceRow("Asia.1", "", RULES), NamespaceRow("eu", "Europe", RULES)]
    assert other.described.change("eu", description="", retention="[]") == NamespaceRow("eu", "", "[]")
    assert other.described.change("eu", retention="") == NamespaceRow("eu")
    assert store.described.list() == [NamespaceRow("Asia.1", "", RULES)], "nothing is said of it any more"


def test_what_is_said_of_a_namespace_is_not_written_over_unseen(store_factory: StoreFactory) -> None:
    store, other = store_factory(), store_factory()
    seen: list[NamespaceRow] = []

    def refuse(row: NamespaceRow) -> None:
        seen.append(row)
        raise LookupError(row.name)

    with pytest.raises(LookupError):
        store.described.change("eu", description="mine", check=refuse)
    assert (seen, other.described.list()) == ([NamespaceRow("eu")], [])
    other.described.change("eu", retention=RULES)
    with pytest.raises(LookupError):
        store.described.change("eu", description="mine", check=refuse)
    assert (seen[1:], store.described.list()) == ([NamespaceRow("eu", "", RULES)], [NamespaceRow("eu", "", RULES)])
    changed = store.described.change("eu", description="mine", check=seen.append)
    assert (changed, len(seen)) == (NamespaceRow("eu", "mine", RULES), 3)


def test_of_two_who_have_seen_the_same_one_changes_it(store_factory: StoreFactory) -> None:
    stores = [store_factory(), store_factory()]
    both = threading.Barrier(2)

    def change(store: Store, text: str) -> str:
        def unsaid(row: NamespaceRow) -> None:
            if row != NamespaceRow("eu"):
                raise ValueError

        both.wait(20)
        try:
            return store.described.change("eu", description=text, check=unsaid).description
        except ValueError:
            return ""

    for _ in range(20):
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(change, stores, ("one", "two"))
        assert sorted((first, second)) in (["", "one"], ["", "two"])
        assert stores[0].described.get("eu").description == first + second
        stores[1].described.change("eu", description="")


def test_a_namespace_of_which_something_is_said_is_there_and_so_is_one_that_only_has_runs(owner: Owner) -> None:
    store: Store = owner.store
    owner.start("a", namespace="runs")
    for name in ("said", "Also", "runs"):
        store.described.change(name, description="x")
    assert store.namespaces(most=10) == ["Also", "runs", "said"]
    assert store.namespaces(most=1) == ["Also"]
    for name in ("said", "runs"):
        store.described.change(name, description="")
    assert store.namespaces(most=10) == ["Also", "runs"]
