"""Attributes, published values, keyed state, payloads, and what cannot be stored, as ``stores.base`` promises it."""

from __future__ import annotations

import pytest
from store_kit import (
    EVENT,
    Owner,
    closed,
    events,
    nothing_beside_the_journal,
    row,
    signal,
    start,
)

from segue.stores.base import (
    Append,
    Appended,
    Blob,
    Posted,
    Rejected,
    RunFilter,
    Started,
    StateWrite,
    Status,
    TaskRow,
)


# --- values -----------------------------------------------------------------------------------------------------------
def test_attributes_are_set_removed_and_searched(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")
    values = {"text": "x", "number": 5, "float": 1.5, "flag": True, "list": ["b", "a"], "nested": {"b": 1, "a": None}}
    owner.commit(Append(run, 2, (b"e",), attributes=values), Append(other, 2, (b"e",), attributes={"number": 6}))

    assert row(owner.store, run).attributes == values
    for name, value in values.items():
        assert [found.run for found in owner.store.list(RunFilter(attributes={name: value}))] == [run]
    assert owner.store.list(RunFilter(attributes={"flag": 1})) == []
    assert len(owner.store.list(RunFilter(attributes={"nested": {"a": None, "b": 1}}))) == 1, "in whatever order"

    owner.commit(Append(run, 3, (b"e",), attributes={"text": None, "number": 7, "unknown": None}))
    assert row(owner.store, run).attributes == {k: v for k, v in values.items() if k != "text"} | {"number": 7}


def test_published_values_are_set_and_removed(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")
    owner.commit(Append(run, 2, (b"e",), published={"p": b"1", "q": b"2", "r": b"3"}))

    owner.commit(Append(run, 3, (b"e",), published={"p": b"9", "q": None}))

    assert owner.store.published(run) == {"p": b"9", "r": b"3"}
    assert owner.store.published(other) == {}


def test_keyed_state_outlives_its_writer_and_the_last_write_stands(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")
    elsewhere = StateWrite("s", "k", b"staging", namespace="staging")
    owner.commit(
        Append(run, 2, (b"e",), state=(StateWrite("s", "k", b"1"), StateWrite("s", "gone", b"1"), elsewhere)),
        Append(other, 2, (b"e",), state=(StateWrite("s", "k", b"2"), StateWrite("s", "gone", None))),
    )

    assert owner.store.state("default", "s", "k") == b"2"
    assert owner.store.state("staging", "s", "k") == b"staging"
    assert owner.store.state("default", "s", "gone") is None
    assert owner.store.state("default", "t", "k") is None
    owner.commit(Append(run, 3, (b"e",), state=(StateWrite("s", "k", None), StateWrite("s", "gone", b"back"))))
    assert owner.store.state("default", "s", "k") is None
    assert owner.store.state("default", "s", "gone") == b"back"


def test_a_payload_is_kept_once_and_until_the_last_run_that_refers_to_it_goes(owner: Owner) -> None:
    shared, lone = Blob("ref-1", b"large"), Blob("ref-2", b"larger")
    first = owner.start("a", blobs=(shared,))
    second = owner.start("b")
    owner.commit(
        Append(first, 2, (b"e",), blobs=(shared, lone), status=closed(at=10)),
        signal("m", second, blobs=(Blob("ref-1", None),)),
    )
    owner.start("newest")
    assert owner.store.blobs(["ref-1", "ref-2", "ref-3"]) == {"ref-1": b"large", "ref-2": b"larger"}
    assert owner.store.stats().payloads == 2
    assert (owner.store.refs(first), owner.store.refs(second)) == (["ref-1", "ref-2"], ["ref-1"])

    assert owner.store.retain(11, 10) == 1
    assert owner.store.blobs(["ref-1", "ref-2"]) == {"ref-1": b"large"}

    owner.commit(Append(second, 2, (b"e",), status=closed(at=20)))
    assert owner.store.retain(21, 10) == 1
    assert owner.store.stats().payloads == 0


def test_artifacts_are_kept_in_the_order_of_their_names_and_go_with_their_run(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")
    owner.commit(Append(run, 2, (b"e",), artifacts={"z": b"1", "a": b"2"}), Append(other, 2, (b"e",)))
    owner.commit(Append(run, 3, (b"e",), artifacts={"z": b"3", "m": b"4"}, status=closed(at=10)))

    assert list(owner.store.artifacts(run).items()) == [("z", b"3"), ("a", b"2"), ("m", b"4")]
    assert owner.store.artifacts(other) == {}
    assert owner.store.redact(run, [], b"told")
    assert owner.store.artifacts(run) == {}


# --- what cannot be stored --------------------------------------------------------------------------------------------
UNFIT = {
    "number": lambda run: Append(run, 2, (b"e",), status=Status("running", 2**70, 5)),
    "text": lambda run: Append(run, 2, (b"e",), attributes={"a": "x"}, reassigned={"k": "\ud800"}),
    "value": lambda run: Append(run, 2, (b"e",), attributes={"a": object()}),
    "type": lambda run: Append(run, 2, (3.5,)),  # type: ignore[arg-type]
    "missing": lambda run: Append(run, 2, (b"e",), tasks=(TaskRow("k", "sign", None, 5),)),  # type: ignore[arg-type]
    "twice": lambda run: Append(run, 2, (b"e",), tasks=(TaskRow("k", "sign", "ann", 5),) * 2),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_an_operation_that_cannot_be_stored_is_left_out_alone(owner: Owner, kind: str) -> None:
    run, other = owner.start("a"), owner.start("b")

    answers = owner.commit(
        signal("m", other), UNFIT[kind](run), start("c"), Append(other, 2, (b"e",)), start("d", at=2**70)
    )

    posted, rejected, started, appended, refused = answers
    assert isinstance(posted, Posted)
    assert posted.outcome == "posted"
    assert isinstance(rejected, Rejected)
    assert rejected.run == run
    assert rejected.reason
    assert isinstance(started, Started)
    assert appended == Appended("appended")
    assert isinstance(refused, Rejected)
    assert events(owner.store, run) == [EVENT]
    assert nothing_beside_the_journal(owner.store, run)
    assert owner.store.find("default", "d") is None
    assert owner.commit(Append(run, 2, (b"mended",))) == [Appended("appended")]
