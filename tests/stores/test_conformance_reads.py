"""Hints, and what the engine and screens read. As ``stores.base`` promises it."""

from __future__ import annotations

from typing import Any

from store_kit import (
    EVENT,
    Owner,
    StoreFactory,
    closed,
    row,
    signal,
    start,
)

from segue.stores.base import (
    RESIDENT,
    Append,
    Batch,
    RunFilter,
    Status,
    Store,
    TaskRow,
)


def test_commits_of_others_are_noticed_and_own_ones_are_not(store_factory: StoreFactory) -> None:
    mine, theirs = store_factory(), store_factory()
    mine.changed()
    assert not mine.changed()

    theirs.commit(Batch(1, (start("a"),)))
    assert any(mine.changed() for _ in range(10_000)), "a server passes the word on in its own time"
    assert not mine.changed()

    mine.commit(Batch(1, (start("b"),)))
    assert not mine.changed()


def test_due_runs_come_earliest_first_and_those_begun_by_themselves(owner: Owner) -> None:
    wakes = {"resident": RESIDENT, "late": 300, "early": 200, "future": 900, "never": None, "paused": 100}
    runs = {id: owner.start(id) for id in wakes}
    owner.commit(*[Append(runs[id], 2, (b"e",), status=Status("waiting", wake, 5)) for id, wake in wakes.items()])

    def due(*args: Any, **options: Any) -> list[str]:
        return [found.id for found in owner.store.due("default", *args, **options)]

    assert due(300, 10) == ["paused", "early", "late"]
    assert due(300, 2) == ["paused", "early"]
    assert due(99, 10) == []
    assert due(300, 10, only=["fulfil"]) == ["paused", "early", "late"]
    assert due(300, 10, only=["another", "third"]) == []
    assert due(300, 10, only=[]) == []
    assert owner.store.due("other", 300, 10) == []
    assert owner.store.begun("default") == owner.store.begun("default", only=["fulfil"]) == [runs["resident"]]
    assert owner.store.begun("default", only=["another"]) == owner.store.begun("other") == []
    assert owner.store.next_wake("default", RESIDENT) == 100
    assert owner.store.next_wake("default", 300) == 900
    assert owner.store.next_wake("default", 900) is None
    assert owner.store.next_wake("other", RESIDENT) is None


def test_runs_with_messages_come_longest_waiting_first(owner: Owner) -> None:
    runs = [owner.start(id) for id in "abc"]
    for number, run in enumerate((runs[1], runs[0], runs[1])):
        owner.commit(signal(f"m{number}", run))

    assert owner.store.inbox_runs("default", 10) == [runs[1], runs[0]]
    assert owner.store.inbox_runs("default", 1) == [runs[1]]
    assert owner.store.inbox_runs("default", 10, only=["fulfil"]) == [runs[1], runs[0]]
    assert owner.store.inbox_runs("default", 10, only=["another"]) == []
    assert owner.store.inbox_runs("other", 10) == []


def test_a_long_journal_is_read_from_anywhere(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")
    long = tuple(f"e{number}".encode() for number in range(2, 5_001))
    owner.commit(Append(run, 2, long), Append(other, 2, (b"x",)))

    assert list(owner.store.journal(run)) == [(1, EVENT), *enumerate(long, start=2)]
    assert list(owner.store.journal(run, after=4_998)) == [(4_999, b"e4999"), (5_000, b"e5000")]
    assert list(owner.store.journal(run, after=5_000)) == []
    assert owner.store.tail(run, 2) == [(5_000, b"e5000"), (4_999, b"e4999")]
    assert (owner.store.event(run, 4_999), owner.store.event(run, 5_001)) == (b"e4999", None)
    assert list(owner.store.journal(999)) == []


def test_a_journal_of_large_events_is_read_to_its_end(owner: Owner) -> None:
    run = owner.start("a")
    large = tuple(bytes([number]) * 1_500_000 for number in range(8))
    owner.commit(Append(run, 2, large))

    assert [event for _, event in owner.store.journal(run, after=1)] == list(large)


def test_a_journal_may_grow_while_it_is_read(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",) * 1_999))
    reading = owner.store.journal(run)
    next(reading)

    owner.commit(Append(run, 2_001, (b"late",)))

    assert len(list(reading)) == 2_000


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.run(1) is None
    assert store.find("default", "a") is None
    assert store.list(RunFilter()) == []
    assert store.inbox([1, 2]) == []
    assert store.blobs(["x"]) == {}


def test_runs_are_listed_newest_first_by_conditions_that_all_hold(owner: Owner) -> None:
    a = owner.start("order-1", at=10, tags={"team": "blue", "x": "1"})
    b = owner.start("order-2", at=20, workflow="bill", tags={"team": "blue"}, parent=a)
    c = owner.start("other", at=30)
    d = owner.start("order-1", namespace="staging", uid="s")
    owner.commit(
        Append(a, 2, (b"e",), status=closed("failed")), Append(b, 2, (b"e",), status=Status("waiting", None, 5))
    )

    def listed(**conditions: Any) -> list[int]:
        return [found.run for found in owner.store.list(RunFilter(**conditions))]

    assert listed() == [c, b, a]
    assert listed(namespace=None) == [d, c, b, a]
    assert listed(namespace="staging") == [d]
    assert listed(states=("failed", "waiting")) == [b, a]
    assert listed(workflow="fulfil") == [c, a]
    assert listed(id="order-1") == [a]
    assert listed(namespace=None, id="order-1") == [d, a]
    assert listed(id="order-") == []
    assert listed(id_prefix="order-") == [b, a]
    assert listed(id_prefix="order_") == []
    assert listed(tags={"team": "blue"}) == [b, a]
    assert listed(tags={"team": "blue", "x": "1"}) == [a]
    assert listed(started_from=20) == [c, b]
    assert listed(started_until=20) == [a]
    assert listed(parent=a) == [b]
    assert listed(limit=2) == [c, b]
    assert listed(limit=2, after=b) == [a]
    assert listed(states=("failed",), workflow="bill") == []


def test_the_store_counts_what_it_holds(owner: Owner) -> None:
    runs = [owner.start(id) for id in "abc"]
    owner.commit(Append(runs[0], 2, (b"e",), status=closed()), signal("m", runs[1]))
    owner.commit(Append(runs[1], 2, (b"e",), tasks=(TaskRow("k", "sign", "ann", 5),)))

    stats = owner.store.stats()

    assert stats.runs == {"completed": 1, "running": 2}
    assert (stats.events, stats.inbox, stats.tasks, stats.payloads) == (5, 1, 1, 0)
    assert stats.bytes > 0
    assert stats.schema >= 1


def test_runs_are_read_together_by_their_numbers(owner: Owner) -> None:
    first, second = owner.start("a", tags={"customer": "ann"}), owner.start("b")
    assert owner.store.runs([second, first, 12345]) == {
        first: row(owner.store, first),
        second: row(owner.store, second),
    }
    assert owner.store.runs([]) == {}


def test_the_first_events_of_several_runs_are_read_together(owner: Owner) -> None:
    short, long = owner.start("short"), owner.start("long")
    owner.commit(Append(long, 2, (b"2", b"3", b"4")))
    heads = owner.store.heads([long, short, 12345], 3)
    assert {run: head.events for run, head in heads.items()} == {
        short: [(1, EVENT)],
        long: [(1, EVENT), (2, b"2"), (3, b"3")],
    }
    assert all(head.attempts == [] for head in heads.values())
    assert owner.store.heads([], 3) == {}


def test_the_last_events_of_runs_are_told_at_once(owner: Owner) -> None:
    a, b = owner.start("a"), owner.start("b")
    owner.commit(Append(a, 2, (b"e", b"f")))
    assert owner.store.last_events([a, b, b + 1]) == {a: 3, b: 1}
    assert owner.store.last_events([]) == {}
