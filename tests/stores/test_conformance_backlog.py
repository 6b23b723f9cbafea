"""Figures of every store: what is open, due, waiting and overdue, up to a limit."""

from __future__ import annotations

from store_kit import Owner, closed, signal, start

from segue.stores.backlog import Backlog, OpenWork
from segue.stores.base import RESIDENT, Append, Status, TaskRow


def test_an_empty_store_has_nothing(owner: Owner) -> None:
    assert owner.store.backlog("default", 1_000) == Backlog(due=0, messages=0, oldest=None)
    assert owner.store.open_work("default", 1_000) == OpenWork(runs={}, tasks=0, overdue=0)


def test_open_runs_are_counted_by_state_and_workflow(owner: Owner) -> None:
    owner.start("a")
    owner.start("b", workflow="ship")
    waiting = owner.start("c", workflow="ship")
    over = owner.start("d")
    owner.start("elsewhere", namespace="other")
    owner.commit(Append(waiting, 2, (b"e",), Status("waiting", 700, 5)), Append(over, 2, (b"e",), closed()))
    assert owner.store.open_work("default", 100).runs == {
        ("running", "fulfil"): 1, ("running", "ship"): 1, ("waiting", "ship"): 1,
    }  # fmt: skip
    assert owner.store.open_work("other", 100).runs == {("running", "fulfil"): 1}


def test_a_run_is_due_from_its_time_on_unless_it_is_in_memory(owner: Owner) -> None:
    owner.start("resident", wake=RESIDENT)
    owner.start("new", wake=RESIDENT + 1)
    owner.start("later", wake=500)
    assert [owner.store.backlog("default", now).due for now in (499, 500)] == [1, 2]
    assert owner.store.backlog("other", 500).due == 0


def test_messages_wait_from_when_they_came(owner: Owner) -> None:
    run = owner.start("a")
    owner.commit(signal("one", run), signal("two", run))
    found = owner.store.backlog("default", 1_000)
    assert (found.messages, found.oldest) == (2, 200)
    assert owner.store.backlog("other", 1_000).messages == 0


def test_tasks_are_overdue_after_their_time(owner: Owner) -> None:
    run = owner.start("a")
    tasks = (TaskRow("k1", "sign", "ann", 5), TaskRow("k2", "sign", "ann", 5, due=50), TaskRow("k3", "sign", "bo", 5))
    owner.commit(Append(run, 2, (b"e",), tasks=tasks))
    owner.commit(Append(run, 3, (b"e",), closed_tasks=("k3",)))
    found = [owner.store.open_work("default", now) for now in (50, 51)]
    assert [(each.tasks, each.overdue) for each in found] == [(2, 0), (2, 1)]


def test_counting_ends_at_the_limit(owner: Owner) -> None:
    owner.commit(*[start(f"r{number}", wake=5) for number in range(9)])
    assert sum(owner.store.open_work("default", 1_000, 4).runs.values()) == 4
    assert owner.store.backlog("default", 1_000, 4).due == 4
