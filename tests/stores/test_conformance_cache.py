"""Where cached results stand. As ``stores.base`` promises it."""

from __future__ import annotations

from store_kit import Owner, closed

from segue.stores.base import Append, Appended
from segue.stores.cache_rows import CacheEntry


def entry(key: str, run: int, seq: int = 2, *, at: int = 100, expires: int | None = None, **more: str) -> CacheEntry:
    return CacheEntry(more.get("namespace", "default"), more.get("step", "add"), key, run, seq, at, expires)


def test_an_entry_is_found_by_namespace_step_and_key(owner: Owner) -> None:
    run = owner.start("a")
    mine, other = entry("k", run, expires=900), entry("k", run, namespace="staging")
    assert owner.commit(Append(run, 2, (b"e",), cached=(mine, other))) == [Appended("appended")]

    assert owner.store.cached("default", "add", "k") == mine
    assert owner.store.cached("staging", "add", "k") == other
    assert owner.store.cached("default", "add", "l") is None
    assert owner.store.cached("default", "subtract", "k") is None


def test_the_latest_counts_also_within_a_batch(owner: Owner) -> None:
    first, second = owner.start("a"), owner.start("b")
    owner.commit(
        Append(first, 2, (b"e",), cached=(entry("k", first), entry("k", first, 3))),
        Append(second, 2, (b"e",), cached=(entry("l", second),)),
    )
    assert owner.store.cached("default", "add", "k") == entry("k", first, 3)
    owner.commit(Append(second, 3, (b"e",), cached=(entry("k", second, 3),)))
    assert owner.store.cached("default", "add", "k") == entry("k", second, 3)


def test_entries_that_have_expired_go_when_others_come(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), cached=(entry("old", run, expires=150), entry("lasting", run))))
    assert owner.store.cached("default", "add", "old") is not None

    owner.commit(Append(run, 3, (b"e",), cached=(entry("new", run, 3, at=150, expires=151),)))

    assert owner.store.cached("default", "add", "old") is None
    assert owner.store.cached("default", "add", "lasting") is not None
    assert owner.store.cached("default", "add", "new") is not None


def test_entries_are_dropped_by_step_or_by_key(owner: Owner) -> None:
    run = owner.start("a")
    entries = (entry("k", run), entry("l", run), entry("k", run, step="other"))
    owner.commit(Append(run, 2, (b"e",), cached=entries))

    assert owner.store.drop_cached("default", "add", "k") == 1
    assert owner.store.drop_cached("staging", "add") == 0
    assert owner.store.cached("default", "add", "l") is not None
    assert owner.store.drop_cached("default", "add") == 1
    assert owner.store.cached("default", "other", "k") is not None


def test_entries_go_with_their_run_and_with_its_erasure(owner: Owner) -> None:
    first, second = owner.start("a"), owner.start("b")
    for run in (first, second):
        owner.commit(Append(run, 2, (b"e",), cached=(entry(f"k{run}", run),), status=closed(at=run)))
    owner.start("newest")

    assert owner.store.retain(first + 1, 10) == 1
    assert owner.store.cached("default", "add", f"k{first}") is None
    assert owner.store.cached("default", "add", f"k{second}") is not None
    assert owner.store.redact(second, [], b"told")
    assert owner.store.cached("default", "add", f"k{second}") is None
