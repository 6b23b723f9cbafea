"""Retention, erasure, step logs and backups. As ``stores.base`` promises it."""

from __future__ import annotations

import itertools

from store_kit import (
    EVENT,
    Owner,
    closed,
    events,
    everything,
    nothing_beside_the_journal,
    row,
    signal,
)

from segue.stores.base import Append, Appended, Blob, Ended, GoOn, Status, Store
from segue.stores.log_rows import LogLine


def test_retention_deletes_closed_runs_with_all_that_is_theirs(owner: Owner) -> None:
    store = owner.store
    run = owner.start("a", blobs=(Blob("ref", b"data"),))
    owner.commit(everything(run, 2), signal("m", run))
    owner.commit(Append(run, 3, (b"e",), status=closed(at=10)))
    store.logs.append([LogLine(run, "k", 1, 5, "INFO", "stdout", "hello")])
    kept = owner.start("kept")
    owner.commit(Append(kept, 2, (b"e",)))

    assert store.retain(10, 10) == 0, "it closed then, not before"
    assert store.retain(11, 10) == 1

    assert store.run(run) is None
    assert nothing_beside_the_journal(store, run)
    assert events(store, run) == []
    assert store.logs.read(run) == []
    assert store.state("default", "scope", "key") == b"value", "keyed state is nobody's"
    stats = store.stats()
    assert (stats.runs, stats.events, stats.payloads, stats.inbox) == ({"running": 1}, 2, 0, 0)
    assert owner.start("a", uid="again") > run


def test_retention_keeps_to_states_workflow_and_limit(owner: Owner) -> None:
    runs = {}
    for number, (state, workflow) in enumerate(itertools.product(["completed", "failed"], ["fulfil", "bill"])):
        runs[state, workflow] = run = owner.start(f"r{number}", workflow=workflow)
        owner.commit(Append(run, 2, (b"e",), status=closed(state, at=number)))
    paused = owner.start("open")
    owner.commit(Append(paused, 2, (b"e",), status=Status("paused", None, 0)))
    owner.start("newest")

    assert owner.store.retain(100, 10, Ended(states=("failed",), workflow="bill")) == 1
    assert owner.store.run(runs["failed", "bill"]) is None
    assert owner.store.retain(100, 1) == 1
    assert owner.store.run(runs["completed", "fulfil"]) is None, "longest closed first"
    assert owner.store.retain(100, 10, Ended(states=("paused", "running"))) == 0, "open runs are never deleted"
    assert owner.store.retain(100, 10) == 2
    assert owner.store.retain(100, 10) == 0


def test_retention_leaves_what_another_rule_or_another_app_is_for(owner: Owner) -> None:
    fulfil, bill = owner.start("a", workflow="fulfil"), owner.start("b", workflow="bill")
    owner.commit(*[Append(run, 2, (b"e",), status=closed(at=run)) for run in (fulfil, bill)])
    owner.start("newest")
    store = owner.store

    assert store.oldest(Ended()) == fulfil
    assert store.oldest(Ended(but_not=("fulfil",))) == bill
    assert store.oldest(Ended(app="other")) is None
    assert store.retain(100, 10, Ended(app="other")) == 0
    assert store.retain(100, 10, Ended(app="default", but_not=("bill", "x"))) == 1
    assert store.run(fulfil) is None
    assert store.oldest(Ended()) == bill


def test_retention_keeps_to_one_namespace_or_leaves_some_out(owner: Owner) -> None:
    runs = {name: owner.start(name, namespace=name) for name in ("eu", "us", "default")}
    owner.commit(*[Append(run, 2, (b"e",), status=closed(at=run)) for run in runs.values()])
    owner.start("newest")
    store = owner.store

    assert store.oldest(Ended(namespace="us")) == runs["us"]
    assert store.oldest(Ended(not_in=("eu", "us"))) == runs["default"]
    assert store.retain(100, 10, Ended(namespace="none")) == 0
    assert store.retain(100, 10, Ended(namespace="us", not_in=("us",))) == 0
    assert store.retain(100, 10, Ended(not_in=("eu", "default"))) == 1
    assert store.run(runs["us"]) is None
    assert store.retain(100, 10, Ended(namespace="eu")) == 1
    assert store.oldest(Ended()) == runs["default"]


def test_a_child_is_kept_while_its_parent_is_open(owner: Owner) -> None:
    parent = owner.start("parent")
    child = owner.start("child", parent=parent)
    owner.start("newest")
    owner.commit(Append(child, 2, (b"e",), status=closed(at=1)))
    assert (owner.store.oldest(Ended()), owner.store.retain(100, 10)) == (None, 0)
    owner.commit(Append(parent, 2, (b"e",), status=closed(at=2)))
    assert owner.store.oldest(Ended()) == 1
    assert owner.store.retain(100, 10) == 2


def test_the_number_of_a_chain_s_first_run_names_it_when_that_run_is_gone(owner: Owner) -> None:
    run = first = owner.start("a")
    for number, uid in enumerate(("second", "third"), 1):
        goes_on = GoOn(uid, number, b"first")
        (answer,) = owner.commit(Append(run, 2, (b"e",), closed("continued", at=number), goes_on=goes_on))
        assert isinstance(answer, Appended)
        run = answer.next
    assert owner.store.retain(10, 10) == 2
    assert owner.store.run(first) is None
    latest = owner.store.latest(first)
    assert latest is not None
    assert (latest.run, latest.chain) == (run, first)
    assert owner.start("b") > run
    assert owner.store.latest(first) == latest
    assert owner.store.latest(first + 1) is None, "of a run between, nobody knows the chain any more"


def test_a_long_journal_is_deleted_whole(owner: Owner) -> None:
    run, other = owner.start("long"), owner.start("other")
    for first in range(2, 6002, 1000):
        owner.commit(Append(run, first, (b"e",) * 1000))
    owner.commit(Append(run, 6002, (b"e",), status=closed(at=1)))
    assert owner.store.retain(100, 10) == 1
    assert (events(owner.store, run), len(events(owner.store, other))) == ([], 1)


def test_erasure_leaves_no_personal_data(owner: Owner) -> None:
    store = owner.store
    run = owner.start("a", tags={"name": "ann"}, blobs=(Blob("mine", b"ann"), Blob("shared", b"all")))
    other = owner.start("b", blobs=(Blob("shared", None),))
    owner.commit(everything(run, 2, status=Status("failed", None, 5, error="ann failed")))
    owner.commit(everything(other, 2, published={"p": b"1"}))
    store.logs.append([LogLine(run, "k", 1, 5, "INFO", "stdout", "ann")])

    assert store.redact(run, [(1, b"erased-1"), (2, b"erased-2")], b"told", ["mine", "shared"])

    assert events(store, run) == [b"erased-1", b"erased-2", b"told"]
    erased = row(store, run)
    assert (erased.attributes, erased.tags, erased.error, erased.input_hash) == ({}, {}, None, "")
    assert store.published(run) == {}
    assert store.logs.read(run) == []
    (task,) = store.tasks("default", state=None, run=run)
    assert (task.form, task.subject, task.outcome) == (None, None, None)
    assert store.blobs(["mine", "shared"]) == {"shared": b"all"}
    assert store.published(other) == {"p": b"1"}


def test_only_a_closed_run_is_erased(owner: Owner) -> None:
    run = owner.start("a")
    before = events(owner.store, run)

    assert not owner.store.redact(run, [(1, b"erased")], b"told")
    assert not owner.store.redact(12345, [(1, b"erased")], b"told")
    assert events(owner.store, run) == before

    assert events(owner.store, run) == [EVENT]


def test_log_lines_are_chosen_by_call_and_level(store: Store) -> None:
    said = [("a", "DEBUG"), ("b", "INFO"), ("a", "ERROR"), ("a", "INFO"), ("", "WARNING")]
    assert store.logs.append([LogLine(1, key, 1, 5, level, "log", f"{key} {level}") for key, level in said])
    assert [line.text for line in store.logs.read(1, key="a")] == ["a DEBUG", "a ERROR", "a INFO"]
    assert [line.text for line in store.logs.read(1, key="")] == [" WARNING"]
    found = store.logs.read(1, without=("DEBUG", "INFO"), limit=1)
    assert [line.text for line in found] == ["a ERROR"]
    rest = store.logs.read(1, without=("DEBUG", "INFO"), after=found[0].row)
    assert [line.text for line in rest] == [" WARNING"]


def test_log_lines_are_read_in_order_and_in_pages(store: Store) -> None:
    lines = [LogLine(1 + number % 2, "k", 1, number, "INFO", "stdout", f"line {number}") for number in range(10)]
    assert store.logs.append(lines)
    assert store.logs.append([])

    first = store.logs.read(1, limit=3)
    rest = store.logs.read(1, after=first[-1].row)

    assert [line.text for line in first] == ["line 0", "line 2", "line 4"]
    assert [line.text for line in rest] == ["line 6", "line 8"]
    assert (first[0].run, first[0].key, first[0].attempt, first[0].at) == (1, "k", 1, 0)
    store.logs.erase([1])
    assert store.logs.read(1) == []
    assert len(store.logs.read(2)) == 5
    assert store.logs.trouble is None


def test_a_line_that_does_not_fit_is_told_and_nothing_is_raised(store: Store) -> None:
    assert not store.logs.append([LogLine(1, "k", 1, 5, "INFO", "stdout", "\ud800")])
    assert store.logs.trouble
    assert store.logs.append([LogLine(1, "k", 1, 5, "INFO", "stdout", "fine")])
    assert store.logs.trouble is None


def test_what_steps_report_of_their_progress_is_read_apart(owner: Owner) -> None:
    logs = owner.store.logs
    logs.append([LogLine(1, "/a", 1, 5, "PROGRESS", "progress", "1"), LogLine(1, "/a", 1, 6, "INFO", "stdout", "x")])

    assert [line.text for line in logs.read(1)] == ["x"]
    assert [line.text for line in logs.read(1, progress=True)] == ["1"]
