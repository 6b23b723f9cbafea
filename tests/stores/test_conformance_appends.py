"""Appending to journals: places, states, vetoes, and all that goes with an append, as ``stores.base`` promises it."""

from __future__ import annotations

import pytest
from store_kit import (
    EVENT,
    Owner,
    closed,
    events,
    everything,
    nothing_beside_the_journal,
    row,
    signal,
    start,
)

from segue.stores.base import (
    Append,
    Appended,
    Blob,
    CompleteTask,
    Posted,
    RunFilter,
    Started,
    Status,
    TaskAnswered,
    TaskRow,
)


def test_events_follow_each_other(owner: Owner) -> None:
    run = owner.start("a")

    assert owner.commit(Append(run, 2, (b"b", b"c"))) == [Appended("appended")]
    assert owner.commit(Append(run, 4, (b"d",))) == [Appended("appended")]

    assert list(owner.store.journal(run)) == [(1, EVENT), (2, b"b"), (3, b"c"), (4, b"d")]


@pytest.mark.parametrize("alone", [True, False], ids=["one-event", "in-a-batch"])
@pytest.mark.parametrize("seq", [1, 2, 4, 9], ids=["first", "taken", "gap", "far"])
def test_a_journal_written_by_somebody_else_is_lost_and_the_rest_goes_in(owner: Owner, seq: int, alone: bool) -> None:
    run, other = owner.start("a"), owner.start("b")
    owner.commit(Append(run, 2, (b"theirs",)))

    rest = [] if alone else [Append(other, 2, (b"e",))]
    answers = owner.commit(Append(run, seq, (b"mine",)), *rest)

    assert answers == [Appended("lost"), *[Appended("appended") for _ in rest]]
    assert events(owner.store, run) == [EVENT, b"theirs"]
    assert events(owner.store, other) == [EVENT, *[b"e" for _ in rest]]


def test_what_goes_with_a_lost_journal_is_left_out(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")

    owner.commit(everything(run, 7, posts=(signal("m", other),)))

    assert row(owner.store, run).state == "running"
    assert nothing_beside_the_journal(owner.store, run)
    assert owner.store.inbox([other]) == []


def test_a_run_may_append_several_times_in_a_batch(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")

    answers = owner.commit(
        Append(run, 2, (b"b",)),
        Append(other, 2, (b"e",)),
        Append(run, 3, (b"c",), status=closed()),
        Append(run, 9, (b"x",)),
    )

    assert [answer.outcome for answer in answers if isinstance(answer, Appended)] == ["appended"] * 3 + ["lost"]
    assert events(owner.store, run) == [EVENT, b"b", b"c"]
    assert row(owner.store, run).state == "completed"


def test_what_builds_on_a_refused_append_is_refused_too(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(signal("m", run))

    answers = owner.commit(Append(run, 2, (b"b",), check_inbox=True), Append(run, 3, (b"c",)))

    assert answers == [Appended("vetoed"), Appended("vetoed")]
    assert events(owner.store, run) == [EVENT]


def test_status_is_the_whole_state(owner: Owner) -> None:
    run = owner.start("a")

    owner.commit(Append(run, 2, (b"e",), status=Status("incident", None, 300, error="it broke")))
    broken = row(owner.store, run)
    owner.commit(Append(run, 3, (b"e",), status=Status("waiting", 9_000, 400, awaits=("a", "b"))))
    mended = row(owner.store, run)
    owner.commit(Append(run, 4, (b"e",), status=closed("failed", 500)))
    ended = row(owner.store, run)

    assert (broken.state, broken.wake, broken.error, broken.changed_at) == ("incident", None, "it broke", 300)
    assert (mended.state, mended.wake, mended.error, mended.closed_at) == ("waiting", 9_000, None, None)
    assert (ended.state, ended.wake, ended.changed_at, ended.closed_at) == ("failed", None, 500, 500)
    assert [each.awaits for each in (broken, mended, ended)] == [(), ("a", "b"), ()]


def test_a_run_is_vetoed_while_a_message_is_unseen(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")
    (posted,) = owner.commit(signal("m", run))
    assert isinstance(posted, Posted)
    assert posted.row is not None

    answers = owner.commit(
        everything(run, 2, status=closed(), check_inbox=True, posts=(signal("n", other),)), Append(other, 2, (b"e",))
    )

    assert answers == [Appended("vetoed"), Appended("appended")]
    assert events(owner.store, run) == [EVENT]
    assert nothing_beside_the_journal(owner.store, run)
    assert [message.message for message in owner.store.inbox([run, other])] == ["m"]

    (answer,) = owner.commit(Append(run, 2, (b"s", b"e"), status=closed(), check_inbox=True, consumed=(posted.row,)))
    assert answer == Appended("appended")
    assert row(owner.store, run).state == "completed"


def test_a_run_that_does_not_ask_is_not_vetoed(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(signal("m", run))

    assert owner.commit(Append(run, 2, (b"e",), status=Status("waiting", 9, 5))) == [Appended("appended")]
    assert len(owner.store.inbox([run])) == 1


def test_a_run_that_closes_leaves_no_messages_and_no_open_tasks(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")
    task = TaskRow("k", "sign", "ann", 5)
    owner.commit(Append(run, 2, (b"e",), tasks=(task,)), Append(other, 2, (b"e",), tasks=(task,)))
    owner.commit(signal("m", run), signal("m", other))

    owner.commit(Append(run, 3, (b"e",), status=closed("cancelled", 700)))

    assert [message.run for message in owner.store.inbox([run, other])] == [other]
    tasks = owner.store.tasks("default", state=None)
    assert [(task.run, task.state, task.closed_at) for task in tasks] == [
        (run, "withdrawn", 700),
        (other, "open", None),
    ]


def test_answers_come_in_the_order_of_the_operations(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")

    answers = owner.commit(
        signal("m1", other),
        CompleteTask(99, "ann", 5, b"1", b"body"),
        Append(run, 2, (b"e",), posts=(signal("m2", other), signal("m2", other))),
        start("c"),
        Append(other, 7, (b"e",)),
        signal("m3", 12345),
    )

    assert [type(answer) for answer in answers] == [Posted, TaskAnswered, Appended, Started, Appended, Posted]
    assert answers[2] == Appended("appended", (answers[2].posted[0], Posted("duplicate", None, other, "running")))  # type: ignore[union-attr]
    assert answers[4] == Appended("lost")
    assert [message.message for message in owner.store.inbox([other])] == ["m2", "m1"]


def test_everything_of_an_append_becomes_true_together(owner: Owner) -> None:
    run = owner.start("a")

    owner.commit(everything(run, 2))

    assert len(owner.store.tasks("default", run=run)) == 1
    assert row(owner.store, run).attributes == {"a": 1}
    assert owner.store.published(run) == {"p": b"1"}
    assert owner.store.state("default", "scope", "key") == b"value"
    assert owner.store.blobs([f"blob-{run}"]) == {f"blob-{run}": b"large"}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9, 64, 100, 513, 1_500, 5_000])
def test_a_batch_of_any_size_goes_in_whole(owner: Owner, size: int, caplog: pytest.LogCaptureFixture) -> None:
    started = owner.commit(*[start(f"r{number}", blobs=(Blob(f"b{number}", b"x"),)) for number in range(size)])
    runs = [answer.run for answer in started if isinstance(answer, Started)]
    posted = owner.commit(*[signal(f"m{number}", run) for number, run in enumerate(runs)])
    rows = {answer.run: answer.row for answer in posted if isinstance(answer, Posted) and answer.row is not None}

    answers = owner.commit(
        *[
            Append(run, 2, (f"e{run}".encode(), b"f"), status=closed(at=run), consumed=(rows[run],), check_inbox=True)
            for run in runs
        ]
    )

    assert len(set(runs)) == size
    assert answers == [Appended("appended")] * size
    assert owner.store.inbox(runs) == []
    assert owner.store.stats().runs == {"completed": size}
    assert owner.store.stats().events == 3 * size
    assert all(events(owner.store, run) == [EVENT, f"e{run}".encode(), b"f"] for run in runs[:: max(1, size // 20)])
    assert [found.closed_at for found in owner.store.list(RunFilter(limit=3))] == sorted(runs, reverse=True)[:3]
    assert owner.store.stats().payloads == size
    assert caplog.messages == [], "not one by one"
