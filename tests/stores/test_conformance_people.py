"""Claims of tasks and comments on them, as ``stores.people_rows`` promises."""

from __future__ import annotations

from store_kit import Owner, closed

from segue.stores.base import Append, CompleteTask, Store, Task, TaskRow
from segue.stores.people_rows import NoteRow


def asked(owner: Owner, id: str = "a") -> Task:
    run = owner.start(id)
    owner.commit(Append(run, 2, (b"e",), tasks=(TaskRow("sign", "sign", "manager", 5),)))
    return the_task(owner.store, run)


def the_task(store: Store, run: int) -> Task:
    (task,) = store.tasks("default", state=None, run=run)
    return task


def said(store: Store, task: Task) -> list[tuple[str, str, str]]:
    return [(note.actor, note.kind, note.text) for note in store.people.notes(task.run, task.task)]


def test_one_of_two_has_a_task_until_it_is_taken_over_or_released(owner: Owner) -> None:
    store, people = owner.store, owner.store.people
    task = asked(owner)
    assert (task.claimed_by, task.claimed_at) == (None, None)
    assert people.claim(task.task, "bob", 10, over=None, actor="bob")
    assert not people.claim(task.task, "ann", 11, over=None, actor="ann"), "it is bob's"
    assert not people.claim(task.task, "ann", 12, over="eve", actor="ann"), "it is not eve's"
    assert (the_task(store, task.run).claimed_by, the_task(store, task.run).claimed_at) == ("bob", 10)
    assert people.claim(task.task, "ann", 13, over="bob", actor="ann")
    assert not people.claim(task.task, None, 14, over="bob", actor="bob")
    assert people.claim(task.task, None, 15, over="ann", actor="ann")
    assert (the_task(store, task.run).claimed_by, the_task(store, task.run).claimed_at) == (None, None)
    assert people.notes(task.run, task.task) == [
        NoteRow(1, 10, "bob", "claimed", ""),
        NoteRow(2, 13, "ann", "claimed", ""),
        NoteRow(3, 15, "ann", "released", ""),
    ]


def test_whoever_gives_a_task_to_another_has_handed_it(owner: Owner) -> None:
    store, people = owner.store, owner.store.people
    task = asked(owner)
    assert people.claim(task.task, "bob", 10, over=None, actor="ann")
    assert not people.claim(task.task, "eve", 11, over="ann", actor="ann"), "it is bob's by now"
    assert people.claim(task.task, "eve", 12, over="bob", actor="bob")
    assert (the_task(store, task.run).claimed_by, the_task(store, task.run).claimed_at) == ("eve", 12)
    assert said(store, task) == [("ann", "handed", "bob"), ("bob", "handed", "eve")]


def test_a_claim_lapses_where_the_task_is_handed_on(owner: Owner) -> None:
    task = asked(owner)
    owner.store.people.claim(task.task, "bob", 10, over=None, actor="bob")
    owner.commit(Append(task.run, 3, (b"e",), reassigned={"sign": "director"}))
    now = the_task(owner.store, task.run)
    assert (now.assignee, now.claimed_by, now.claimed_at) == ("director", None, None)


def test_what_is_not_open_is_nobodys_to_claim_and_takes_no_comment(owner: Owner) -> None:
    people = owner.store.people
    answered, withdrawn = asked(owner, "a"), asked(owner, "b")
    assert people.claim(answered.task, "bob", 10, over=None, actor="bob")
    assert people.comment(answered.task, "call first", 11, "ann")
    owner.commit(CompleteTask(answered.task, "bob", 12, b"1", b"event"))
    owner.commit(Append(withdrawn.run, 3, (b"e",), status=closed(at=12)))
    for task in (answered.task, withdrawn.task, 10**6):
        assert not people.claim(task, None, 13, over="bob", actor="bob")
        assert not people.claim(task, "ann", 13, over=None, actor="ann")
        assert not people.comment(task, "too late", 13, "ann")
    assert the_task(owner.store, answered.run).claimed_by == "bob", "who had it is kept"
    assert said(owner.store, answered) == [("bob", "claimed", ""), ("ann", "commented", "call first")]
    assert said(owner.store, withdrawn) == []


def test_one_task_is_found_by_its_number_in_its_namespace(owner: Owner) -> None:
    first, second = asked(owner, "a"), asked(owner, "b")
    assert [task.task for task in owner.store.tasks("default", task=second.task)] == [second.task]
    assert owner.store.tasks("elsewhere", state=None, task=first.task) == []


def test_what_was_said_goes_with_the_run(owner: Owner) -> None:
    people = owner.store.people
    erased, expired = asked(owner, "a"), asked(owner, "b")
    for task in (erased, expired):
        assert people.comment(task.task, "about a person", 10, "ann")
    owner.commit(Append(erased.run, 3, (b"e",), status=closed(at=20)))
    owner.commit(Append(expired.run, 3, (b"e",), status=closed(at=11)))
    assert owner.store.redact(erased.run, [], b"told")
    assert said(owner.store, erased) == []
    assert said(owner.store, expired) == [("ann", "commented", "about a person")]
    owner.start("newest")
    assert owner.store.retain(12, 10) == 1
    assert said(owner.store, expired) == []
