"""Starting runs, and what becomes of an id that is taken. As ``stores.base`` promises it."""

from __future__ import annotations

import pytest
from store_kit import (
    EVENT,
    Owner,
    closed,
    events,
    row,
    signal,
    start,
)

from segue.stores.base import (
    RESIDENT,
    Append,
    Appended,
    RunRow,
    Started,
    Status,
    TaskRow,
)


def test_a_started_run_stands_there_with_its_first_event(owner: Owner) -> None:
    run = owner.start("a", tags={"team": "blue"}, version="v1", parent=7, at=123)

    assert row(owner.store, run) == RunRow(
        run=run, namespace="default", id="a", uid="uid-a", app="default", workflow="fulfil", version="v1",
        state="running", wake=RESIDENT, started_at=123, changed_at=123, closed_at=None, parent=7, error=None,
        input_hash="h", tags={"team": "blue"}, attributes={}, slot=row(owner.store, run).slot,
    )  # fmt: skip
    assert list(owner.store.journal(run)) == [(1, EVENT)]
    assert owner.store.find("default", "a") == row(owner.store, run)


def test_the_same_id_in_another_namespace_is_another_run(owner: Owner) -> None:
    run = owner.start("a")
    other = owner.start("a", namespace="staging", uid="other")

    found = owner.store.find("staging", "a")
    assert run != other
    assert found is not None
    assert found.run == other


@pytest.mark.parametrize("state", ["running", "completed"])
def test_use_existing_answers_with_the_run_open_or_closed(owner: Owner, state: str) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), status=Status(state, None, 5)))

    assert owner.commit(start("a", uid="new")) == [Started("existing", run, state)]


@pytest.mark.parametrize("difference", [{"input_hash": "other"}, {"workflow": "other"}])
def test_use_existing_refuses_other_input_and_another_workflow(owner: Owner, difference: dict[str, str]) -> None:
    run = owner.start("a")

    (answer,) = owner.commit(start("a", uid="new", **difference))

    assert isinstance(answer, Started)
    assert (answer.outcome, answer.run) == ("refused", run)
    assert answer.reason


def test_fail_refuses_a_taken_id(owner: Owner) -> None:
    run = owner.start("a")

    (answer,) = owner.commit(start("a", uid="new", on_conflict="fail"))

    assert isinstance(answer, Started)
    assert (answer.outcome, answer.run, answer.state) == ("refused", run, "running")


def test_replace_takes_the_id_of_a_closed_run_only(owner: Owner) -> None:
    run = owner.start("a")
    (refused,) = owner.commit(start("a", uid="new", on_conflict="replace"))
    owner.commit(Append(run, 2, (b"e",), status=closed()))
    (answer,) = owner.commit(start("a", uid="new", on_conflict="replace"))

    assert isinstance(refused, Started)
    assert refused.outcome == "refused"
    assert isinstance(answer, Started)
    assert (answer.outcome, answer.replaced) == ("started", run)
    found = owner.store.find("default", "a")
    assert found is not None
    assert found.run == answer.run
    assert row(owner.store, run).state == "completed", "the one before is still there by its number"


def test_terminate_if_running_ends_an_open_run_first(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), tasks=(TaskRow("k", "sign", "ann", 5),)), signal("m", run))

    (answer,) = owner.commit(
        start("a", uid="new", at=900, on_conflict="terminate-if-running", terminated_event=b"terminated")
    )

    assert isinstance(answer, Started)
    assert (answer.outcome, answer.replaced) == ("started", run)
    ended = row(owner.store, run)
    assert (ended.state, ended.closed_at, ended.wake) == ("terminated", 900, None)
    assert events(owner.store, run) == [EVENT, b"e", b"terminated"]
    assert owner.store.inbox([run]) == []
    assert [task.state for task in owner.store.tasks("default", state=None)] == ["withdrawn"]
    assert owner.commit(Append(run, 3, (b"late",))) == [Appended("lost")], "whoever has it in memory finds out"


def test_terminate_if_running_takes_the_id_of_a_closed_run(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), status=closed()))

    (answer,) = owner.commit(start("a", uid="new", on_conflict="terminate-if-running", terminated_event=b"t"))

    assert isinstance(answer, Started)
    assert (answer.outcome, answer.replaced) == ("started", run)
    assert events(owner.store, run) == [EVENT, b"e"]


def test_the_same_uid_twice_is_the_same_run_also_after_it_gave_its_id_up(owner: Owner) -> None:
    first = start("a", on_conflict="terminate-if-running", terminated_event=b"t")
    run = owner.start("a")
    assert owner.commit(first) == [Started("existing", run, "running")]

    owner.commit(start("a", uid="new", on_conflict="terminate-if-running", terminated_event=b"t"))

    assert owner.commit(first) == [Started("existing", run, "terminated")]


def test_a_uid_is_known_also_if_its_run_gave_its_id_up_in_the_same_batch(owner: Owner) -> None:
    terminate = {"on_conflict": "terminate-if-running", "terminated_event": b"t"}
    first = owner.start("a")

    answers = owner.commit(
        start("a", uid="2", **terminate), start("a"), start("a", uid="3", **terminate), start("a", uid="2")
    )

    numbers = [answer.run for answer in answers if isinstance(answer, Started)]
    assert answers[1] == Started("existing", first, "terminated")
    assert answers[3] == Started("existing", numbers[0], "terminated")


def test_starts_of_one_batch_see_each_other(owner: Owner) -> None:
    terminate = {"on_conflict": "terminate-if-running", "terminated_event": b"t"}
    one, same, fail, new = owner.commit(
        start("a"), start("a", uid="2"), start("a", uid="3", on_conflict="fail"), start("a", uid="4", **terminate)
    )

    assert isinstance(one, Started)
    assert same == Started("existing", one.run, "running")
    assert isinstance(fail, Started)
    assert fail.outcome == "refused"
    assert isinstance(new, Started)
    assert (new.outcome, new.replaced) == ("started", one.run)
    assert row(owner.store, one.run).state == "terminated"


def test_a_run_number_is_never_given_out_twice(owner: Owner) -> None:
    numbers = []
    for id in "abc":
        numbers.append(owner.start(id))
        owner.commit(Append(numbers[-1], 2, (b"e",), status=closed(at=1)))
        owner.store.retain(10, 10)

    assert len(set(numbers)) == 3


def test_a_parent_that_is_closed_starts_no_more_children(owner: Owner) -> None:
    parent = owner.start("parent")
    last = Append(parent, 2, (b"e",), Status("terminated", None, 9))
    _, child = owner.commit(last, start("child", parent=parent))
    (later,) = owner.commit(start("later", parent=parent))

    assert isinstance(child, Started)
    assert isinstance(later, Started)
    assert (child.outcome, later.outcome) == ("refused", "refused")
    assert "parent" in child.reason
    assert owner.store.find("default", "child") is None


def test_a_run_whose_journal_does_not_begin_here_brings_it_along(owner: Owner) -> None:
    """A fork: the rest of its journal and all that belongs to it are there with its start, or not at all."""
    rest = Append(
        0, 2, (b"second", b"third"), tasks=(TaskRow("/sign", "sign", "ann", 5),), attributes={"city": "Lyon"}
    )  # fmt: skip
    run = owner.start("fork", rest=rest)
    assert events(owner.store, run) == [EVENT, b"second", b"third"]
    assert [(task.run, task.key, task.state) for task in owner.store.tasks("default")] == [(run, "/sign", "open")]
    assert row(owner.store, run).attributes == {"city": "Lyon"}
    assert owner.commit(start("fork", rest=rest)) == [Started("existing", run)]
    assert events(owner.store, run) == [EVENT, b"second", b"third"]
    assert owner.commit(Append(run, 4, (b"fourth",))) == [Appended("appended")]


# --- with a message -------------------------------------------------------------------------------------------


def test_a_message_comes_with_the_start_or_goes_to_the_run_that_is_there(owner: Owner) -> None:
    (first,) = owner.commit(start("a", post=signal("m")))
    (again,) = owner.commit(start("a", uid="new", post=signal("n")))
    (third,) = owner.commit(start("a", uid="other", post=signal("n")))

    assert isinstance(first, Started)
    assert isinstance(again, Started)
    assert isinstance(third, Started)
    assert (first.outcome, again.outcome) == ("started", "existing")
    assert again.run == first.run
    assert [a.posted.outcome for a in (first, again, third) if a.posted] == ["posted", "posted", "duplicate"]
    assert [message.message for message in owner.store.inbox([first.run])] == ["m", "n"]


def test_a_start_that_is_refused_sends_nothing(owner: Owner) -> None:
    run = owner.start("a")

    (answer,) = owner.commit(start("a", uid="new", on_conflict="fail", post=signal("m")))

    assert isinstance(answer, Started)
    assert (answer.outcome, answer.posted) == ("refused", None)
    assert owner.store.inbox([run]) == []


def test_a_closed_run_takes_no_message_with_a_start(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"e",), status=closed()))

    (answer,) = owner.commit(start("a", uid="new", post=signal("m")))

    assert isinstance(answer, Started)
    assert answer.posted is not None
    assert (answer.outcome, answer.posted.outcome, answer.posted.state) == ("existing", "closed", "completed")


def test_use_open_takes_an_open_run_whatever_its_input_and_replaces_a_closed_one(owner: Owner) -> None:
    run = owner.start("a")

    assert owner.commit(start("a", uid="new", on_conflict="use-open", input_hash="other")) == [
        Started("existing", run, "running")
    ]
    (refused,) = owner.commit(start("a", uid="new", on_conflict="use-open", workflow="other"))
    owner.commit(Append(run, 2, (b"e",), status=closed()))
    (new,) = owner.commit(start("a", uid="new", on_conflict="use-open", post=signal("m")))

    assert isinstance(refused, Started)
    assert (refused.outcome, refused.reason) == ("refused", "it is a run of fulfil")
    assert isinstance(new, Started)
    assert (new.outcome, new.replaced) == ("started", run)
    assert new.posted is not None
    assert new.posted.run == new.run
