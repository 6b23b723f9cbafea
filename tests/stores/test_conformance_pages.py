"""Pages of human tasks and of schedules, as ``stores.task_rows`` and ``stores.schedule_rows`` promise."""

from __future__ import annotations

import msgspec
import pytest
from store_kit import Owner, closed

from segue.stores.base import Append, CompleteTask, Store, Task, TaskRow
from segue.stores.schedule_rows import LAST, SchedulePage, ScheduleRow, WriteSchedule
from segue.stores.task_rows import NEVER, Place, TaskCounts, TaskFilter

OPEN = TaskFilter("default")


def asked(owner: Owner, *tasks: TaskRow, id: str = "a") -> int:
    run = owner.start(id)
    owner.commit(Append(run, 2, (b"e",), tasks=tasks))
    return run


def task(name: str, due: int | None = None, assignee: str = "manager") -> TaskRow:
    return TaskRow(name, name, assignee, 5, due)


def names(tasks: list[Task]) -> list[str]:
    return [each.name for each in tasks]


def place(found: Task) -> Place:
    return Place(next(at for at in (found.closed_at, found.due, NEVER + found.task) if at is not None), found.task)


def pages(store: Store, where: TaskFilter, size: int) -> list[list[str]]:
    """The names on each page, from one cursor to the next."""
    found: list[list[str]] = []
    while page := store.task_page(msgspec.structs.replace(where, limit=size)):
        found.append(names(page))
        where = msgspec.structs.replace(where, after=place(page[-1]))
    return found


def test_open_tasks_come_by_what_is_due_first_and_what_never_is_comes_last(owner: Owner) -> None:
    asked(owner, task("calm"), task("late", 30), task("early", 10), task("idle"), task("also late", 30))
    assert pages(owner.store, OPEN, 2) == [["early", "late"], ["also late", "calm"], ["idle"]]
    assert names(owner.store.task_page(OPEN)) == ["early", "late", "also late", "calm", "idle"]


def test_closed_tasks_come_by_what_was_closed_last_and_all_by_number(owner: Owner) -> None:
    run = asked(owner, *(task(name, due) for name, due in (("a", 1), ("b", 2), ("c", None), ("d", 3), ("e", None))))
    number = {each.name: each.task for each in owner.store.tasks("default", run=run)}
    for at, name in enumerate("dabc", 100):
        owner.commit(CompleteTask(number[name], "bob", min(at, 102), b"1", b"event"))
    completed = msgspec.structs.replace(OPEN, state="completed")
    assert pages(owner.store, completed, 3) == [["c", "b", "a"], ["d"]], "of two at one time the later number is first"
    assert pages(owner.store, msgspec.structs.replace(OPEN, state=None), 2) == [["e", "d"], ["c", "b"], ["a"]]


def test_what_is_answered_between_two_pages_hides_nothing_that_is_open(owner: Owner) -> None:
    run = asked(owner, *(task(name, 10 * n) for n, name in enumerate("abcd", 1)))
    first = owner.store.task_page(msgspec.structs.replace(OPEN, limit=2))
    owner.commit(*(CompleteTask(each.task, "bob", 5, b"1", b"event") for each in first))
    assert names(owner.store.task_page(msgspec.structs.replace(OPEN, after=place(first[-1])))) == ["c", "d"]
    assert len(owner.store.tasks("default", state=None, run=run)) == 4


def test_tasks_are_narrowed_by_all_that_is_said(owner: Owner) -> None:
    store = owner.store
    run = asked(owner, task("a", 10, "boss"), task("b", 20), task("c", None, "boss"))
    asked(owner, task("d", 15, "boss"), id="b")
    found = {each.name: each.task for each in store.task_page(OPEN)}
    assert store.people.claim(found["c"], "ann", 7, over=None, actor="ann")
    assert store.people.claim(found["d"], "ann", 7, over=None, actor="ann")
    for given, expected in (
        ({"assignee": "boss"}, ["a", "d", "c"]),
        ({"claimed_by": "ann"}, ["d", "c"]),
        ({"run": run}, ["a", "b", "c"]),
        ({"task": found["b"]}, ["b"]),
        ({"due_before": 15}, ["a"]),
        ({"due_before": 16, "assignee": "boss", "claimed_by": "ann"}, ["d"]),
        ({"namespace": "elsewhere"}, []),
    ):
        assert names(store.task_page(msgspec.structs.replace(OPEN, **given))) == expected, given  # type: ignore[arg-type]
    assert store.count_tasks("default", now=16, by="ann", most=10) == TaskCounts(4, 2, 2)
    assert store.count_tasks("default", now=16, by="ann", most=1) == TaskCounts(1, 1, 1)
    assert store.count_tasks("elsewhere", now=16, by="ann", most=10) == TaskCounts(0, 0, 0)


def test_open_tasks_of_some_runs_are_read_and_no_others(owner: Owner) -> None:
    first, second = asked(owner, task("a")), asked(owner, task("b"), task("c", 1), id="b")
    third = asked(owner, task("d"), id="c")
    owner.commit(Append(third, 3, (b"e",), status=closed(at=9)))
    assert names(owner.store.open_tasks_of([third, second])) == ["b", "c"]
    assert names(owner.store.open_tasks_of([first])) == ["a"]
    assert owner.store.open_tasks_of([]) == []


# --- schedules ------------------------------------------------------------------------------------------------


def scheduled(owner: Owner, name: str, wake: int | None, workflow: str = "load", backfill: str = "") -> None:
    owner.commit(WriteSchedule(ScheduleRow("default", name, backfill, "default", workflow, 0, wake, False, b"p", b"s")))


@pytest.fixture
def rows(owner: Owner) -> Store:
    for name, wake, workflow in (("e", 30, "load"), ("b", 10, "Clean"), ("a", None, "load"), ("d", 10, "load")):
        scheduled(owner, name, wake, workflow)
    scheduled(owner, "b", 5, "Clean", "refill")
    return owner.store


def shown(store: Store, where: SchedulePage) -> list[str]:
    return [f"{row.name}/{row.backfill}" if row.backfill else row.name for row in store.schedule_page("default", where)]


def test_schedules_come_by_name_each_before_its_backfills(rows: Store) -> None:
    assert shown(rows, SchedulePage(9)) == ["a", "b", "b/refill", "d", "e"]
    assert shown(rows, SchedulePage(2)) == ["a", "b", "b/refill"], "a backfill is none of the two"
    assert shown(rows, SchedulePage(2, "b")) == ["d", "e"]
    assert shown(rows, SchedulePage(2, "e")) == []
    assert rows.schedule_page("elsewhere", SchedulePage(9)) == []


def test_schedules_come_by_what_is_looked_at_next(rows: Store) -> None:
    turns = SchedulePage(2, by_turn=True)
    assert shown(rows, turns) == ["b", "b/refill", "d"]
    assert shown(rows, msgspec.structs.replace(turns, after="b", turn=10)) == ["d", "e"]
    assert shown(rows, msgspec.structs.replace(turns, after="e", turn=30)) == ["a"], "nothing is due: it is the last"
    assert shown(rows, msgspec.structs.replace(turns, after="a", turn=LAST)) == []


def test_schedules_are_found_by_a_part_of_name_or_workflow(rows: Store) -> None:
    assert shown(rows, SchedulePage(9, find="CLEA")) == ["b", "b/refill"]
    assert shown(rows, SchedulePage(9, find="load", by_turn=True)) == ["d", "e", "a"]
    assert shown(rows, SchedulePage(9, find="%")) == []
