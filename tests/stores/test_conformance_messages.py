"""Messages into inboxes, and human tasks. As ``stores.base`` promises it."""

from __future__ import annotations

import pytest
from store_kit import (
    Owner,
    StoreFactory,
    closed,
    signal,
    start,
)

from segue.errors import InvalidArgument
from segue.stores.base import (
    Append,
    Appended,
    Batch,
    Blob,
    CompleteTask,
    GoOn,
    Posted,
    RunFilter,
    Started,
    TaskAnswered,
    TaskRow,
)


# --- messages ---------------------------------------------------------------------------------------------------------
def test_a_message_is_for_a_run_by_number_or_by_id(owner: Owner) -> None:
    run = owner.start("a")
    other = owner.start("a", namespace="staging", uid="other")

    answers = owner.commit(signal("m1", run), signal("m2", id="a"), signal("m3", namespace="staging", id="a"))

    assert [answer.run for answer in answers if isinstance(answer, Posted)] == [run, run, other]
    waiting = owner.store.inbox([other, run])
    assert [(message.run, message.message) for message in waiting] == [(run, "m1"), (run, "m2"), (other, "m3")]
    assert [message.row for message in waiting] == [answer.row for answer in answers if isinstance(answer, Posted)]
    first = waiting[0]
    assert (first.kind, first.at, first.body) == ("signal", 200, b"body of m1")


def test_a_message_by_id_is_for_the_current_run(owner: Owner) -> None:
    owner.start("a")
    (new,) = owner.commit(start("a", uid="new", on_conflict="terminate-if-running", terminated_event=b"t"))

    (answer,) = owner.commit(signal("m", id="a"))

    assert isinstance(new, Started)
    assert isinstance(answer, Posted)
    assert answer.run == new.run


def test_a_message_twice_is_stored_once_also_after_it_was_consumed(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")
    again = Posted("duplicate", None, run, "running")

    first, second = owner.commit(signal("m", run), signal("m", run))
    assert isinstance(first, Posted)
    assert (first.outcome, second) == ("posted", again)
    assert owner.commit(signal("m", run)) == [again]
    assert first.row is not None
    owner.commit(Append(run, 2, (b"s",), consumed=(first.row,)))
    assert owner.store.inbox([run]) == []
    assert owner.commit(signal("m", run)) == [again]
    (elsewhere,) = owner.commit(signal("m", other))
    assert isinstance(elsewhere, Posted)
    assert elsewhere.outcome == "posted", "unique per run"


def test_a_message_that_came_without_the_inbox_is_known_as_well(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")
    assert not owner.store.knows_message(run, "m")

    owner.commit(Append(run, 2, (b"u",), remembered=("m",)))

    assert owner.store.inbox([run]) == []
    assert owner.store.knows_message(run, "m")
    assert owner.store.runs_since_message(run, "m") == [], "it has no chain"
    assert not owner.store.knows_message(run, "another")
    assert not owner.store.knows_message(other, "m")
    assert owner.commit(signal("m", run)) == [Posted("duplicate", None, run, "running")]


def test_a_message_that_was_posted_meanwhile_is_remembered_once(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(signal("m", run))
    assert owner.store.knows_message(run, "m")

    assert owner.commit(Append(run, 2, (b"u",), remembered=("m", "n"))) == [Appended("appended")]

    assert [message.message for message in owner.store.inbox([run])] == ["m"]
    assert owner.store.knows_message(run, "n")


def test_a_message_in_the_batch_that_remembers_it_is_a_duplicate(owner: Owner) -> None:
    run = owner.start("a")
    appended, posted = owner.commit(Append(run, 2, (b"u",), remembered=("m",)), signal("m", run))
    assert (appended, posted) == (Appended("appended"), Posted("duplicate", None, run, "running"))


def test_the_next_run_of_a_chain_knows_what_the_one_before_remembers(owner: Owner) -> None:
    run = owner.start("a")
    goes_on = GoOn("second", 500, b"first")
    (answer,) = owner.commit(Append(run, 2, (b"u",), closed("continued"), remembered=("m",), goes_on=goes_on))
    assert isinstance(answer, Appended)
    assert owner.store.knows_message(answer.next, "m")
    assert owner.store.runs_since_message(answer.next, "m") == [run, answer.next]
    assert [row.run for row in owner.store.list(RunFilter(chain=run))] == [answer.next, run]
    assert owner.store.runs_since_message(run, "another") == []
    assert owner.commit(signal("m", run)) == [Posted("duplicate", None, answer.next, "running")]


def test_a_row_number_of_the_inbox_never_means_another_message(owner: Owner) -> None:
    run = owner.start("a")
    rows = []
    for number in range(3):
        (answer,) = owner.commit(signal(f"m{number}", run))
        assert isinstance(answer, Posted)
        assert answer.row is not None
        rows.append(answer.row)
        owner.commit(Append(run, 2 + number, (b"s",), consumed=(answer.row,)))

    assert len(set(rows)) == 3


def test_a_closed_run_and_an_unknown_one_take_no_messages(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), status=closed("failed")))

    answers = owner.commit(signal("m", run), signal("m", id="a"), signal("m", 12345), signal("m", id="nobody"))

    refused = Posted("closed", None, run, "failed")
    assert answers == [refused, refused, Posted("unknown"), Posted("unknown")]


def test_a_run_that_closes_in_the_batch_is_closed_for_its_messages(owner: Owner) -> None:
    run, other = owner.start("a"), owner.start("b")

    answers = owner.commit(
        signal("m1", run),
        Append(other, 2, (b"e",), posts=(signal("m2", run),)),
        Append(run, 2, (b"e",), status=closed(), check_inbox=True),
    )

    refused = Posted("closed", None, run, "completed")
    assert answers == [refused, Appended("appended", (refused,)), Appended("appended")]
    assert owner.store.inbox([run]) == []


def test_a_client_that_owns_nothing_starts_and_posts_but_never_appends(
    owner: Owner, store_factory: StoreFactory
) -> None:
    client = store_factory()

    started, posted = client.commit(Batch(1, (start("a"), signal("m", id="a"))))

    assert isinstance(started, Started)
    assert isinstance(posted, Posted)
    assert (started.outcome, posted.outcome) == ("started", "posted")
    assert [message.message for message in owner.store.inbox([started.run])] == ["m"]
    with pytest.raises(InvalidArgument, match="fence"):
        client.commit(Batch(2, (Append(started.run, 2, (b"e",)),)))
    with pytest.raises(InvalidArgument, match="fence"):
        client.landed(Batch(1, (start("a"),)))


# --- human tasks ------------------------------------------------------------------------------------------------------
def test_a_task_is_offered_reassigned_and_completed_once(owner: Owner) -> None:
    run = owner.start("a", namespace="staging")
    row_of_task = TaskRow("k", "sign", "ann", 5, due=9, form=b"{}", subject=b"s")
    owner.commit(Append(run, 2, (b"e",), tasks=(row_of_task,)))
    (offered,) = owner.store.tasks("staging")
    assert (offered.run, offered.run_id, offered.namespace, offered.key, offered.name) == (
        run,
        "a",
        "staging",
        "k",
        "sign",
    )
    assert (offered.assignee, offered.state, offered.opened_at, offered.due) == ("ann", "open", 5, 9)
    assert (offered.form, offered.subject, offered.outcome) == (b"{}", b"s", None)

    owner.commit(Append(run, 3, (b"e",), reassigned={"k": "bob"}))
    done = CompleteTask(offered.task, "bob", 20, b'"yes"', b"TaskCompleted", (Blob("ref", b"bytes"),))
    late = CompleteTask(offered.task, "ann", 21, b'"no"', b"TaskCompleted")
    first, again, second = owner.commit(done, done, late)

    assert isinstance(first, TaskAnswered)
    assert (first.outcome, first.run) == ("completed", run)
    assert again == TaskAnswered("completed", run), "a client whose acknowledgement was lost asks once more"
    assert second == TaskAnswered("not-open", run)
    (task,) = owner.store.tasks("staging", state="completed")
    assert (task.assignee, task.closed_by, task.closed_at, task.outcome) == ("bob", "bob", 20, b'"yes"')
    (message,) = owner.store.inbox([run])
    assert (message.row, message.kind, message.body) == (first.row, "task", b"TaskCompleted")
    assert (owner.store.refs(run), owner.store.blobs(["ref"])) == (["ref"], {"ref": b"bytes"})
    assert owner.store.tasks("staging") == []


def test_a_task_that_is_withdrawn_or_unknown_refuses_an_answer(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), tasks=(TaskRow("k", "sign", "ann", 5),)))
    (task,) = owner.store.tasks("default")
    owner.commit(Append(run, 3, (b"e",), closed_tasks=("k",)))

    answers = owner.commit(CompleteTask(task.task, "ann", 6, b"1", b"b"), CompleteTask(999, "ann", 6, b"1", b"b"))

    assert answers == [TaskAnswered("not-open", run), TaskAnswered("unknown")]
    assert owner.store.inbox([run]) == []


def test_a_completed_task_vetoes_a_run_that_would_close(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), tasks=(TaskRow("k", "sign", "ann", 5),)))
    (task,) = owner.store.tasks("default")
    owner.commit(CompleteTask(task.task, "ann", 6, b"1", b"b"))

    assert owner.commit(Append(run, 3, (b"e",), status=closed(), check_inbox=True)) == [Appended("vetoed")]


def test_tasks_are_listed_by_what_is_asked_for(owner: Owner) -> None:
    runs = [owner.start("a"), owner.start("b")]
    tasks = (TaskRow("k", "sign", "ann", 5), TaskRow("l", "count", "bob", 6))
    owner.commit(*[Append(run, 2, (b"e",), tasks=tasks) for run in runs])
    owner.commit(Append(runs[0], 3, (b"e",), closed_tasks=("l",)))

    listed = [(task.run, task.key) for task in owner.store.tasks("default")]
    anns = [(task.run, task.key) for task in owner.store.tasks("default", assignee="ann")]
    firsts = [(task.key, task.state) for task in owner.store.tasks("default", state=None, run=runs[0])]

    assert listed == [(runs[0], "k"), (runs[1], "k"), (runs[1], "l")]
    assert anns == [(runs[0], "k"), (runs[1], "k")]
    assert firsts == [("k", "open"), ("l", "withdrawn")]
    assert owner.store.tasks("staging") == []
