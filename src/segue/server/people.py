"""Human tasks: what people are asked, and their answers."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from segue.client.claiming import TaskNote, place_of
from segue.client.handles import HumanTask
from segue.engine import Engine
from segue.errors import InvalidArgument, TaskNotFound
from segue.runtime.beside import beside
from segue.server.call import Call, Limit, Number
from segue.server.repairs import Bare
from segue.server.runs import LARGEST, MOST
from segue.stores.task_rows import Place, TaskFilter

COUNTED = 10_000
"""How far tasks are counted."""
_CURSOR = re.compile(r"[0-9]{1,19}\.[0-9]{1,19}")


class TaskQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which tasks: ``open``, ``completed``, ``withdrawn``, or ``all``; of one assignee, of one run, claimed by one
    person, past their time; and which page of them: at most ``limit`` behind the cursor ``after``, 500 in any case."""

    state: str = "open"
    assignee: str | None = None
    run: Number | None = None
    claimed_by: str | None = None
    overdue: bool = False
    after: str | None = None
    limit: Limit = 50


class CountedTasks(msgspec.Struct, frozen=True):
    """Open tasks of the namespace, those past their time, and those that whoever asks has claimed. Counts end at
    ``most``."""

    open: int
    overdue: int
    mine: int
    most: int


class TaskList(msgspec.Struct, frozen=True):
    """Open tasks by what is due first, closed ones by what was closed last, of any state the newest first.

    Attributes:
        now: the server's time.
        next: the cursor of the page behind it, None at the end.
        counts: with a first page only.
    """

    tasks: list[HumanTask]
    now: int
    next: str | None = None
    counts: CountedTasks | None = None


class AnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer, as the task's form asks for it."""

    answer: Any


class ClaimBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``over``: whose task it is as far as one knows, and from whom it is taken over; None for nobody."""

    over: str | None = None


class HandBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``to``: who is to see to the task. ``over``: whose it is as far as one knows; None for nobody."""

    to: str
    over: str | None = None


class CommentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What whoever sees to the task should know."""

    text: str


async def list_tasks(call: Call[TaskQuery, None]) -> TaskList:
    engine, query = call.engine, call.query
    tasks, next = await tasks_of(engine, query)
    counts = None if query.after is not None else await counted(engine, call.who.person)
    return TaskList(tasks, engine.clock.now(), next, counts)


async def tasks_of(engine: Engine, query: TaskQuery) -> tuple[list[HumanTask], str | None]:
    """A page of tasks, as JSON can say them, and the cursor of the next one.

    Raises:
        InvalidArgument: no page has ended with that cursor.
    """
    limit = min(query.limit, MOST)
    where = TaskFilter(
        engine.namespace, None if query.state == "all" else query.state, query.assignee, query.claimed_by, query.run,
        due_before=engine.clock.now() if query.overdue else None,
        after=None if query.after is None else _place(query.after), limit=limit + 1,
    )  # fmt: skip
    found = await engine.task_page(where)
    last = place_of(found[limit - 1]) if len(found) > limit else None
    tasks = [_readable(engine, task) for task in found[:limit]]
    return tasks, None if last is None else f"{last.turn}.{last.task}"


async def counted(engine: Engine, name: str, most: int = COUNTED) -> CountedTasks:
    """How many are open, and how many of these somebody of this name has claimed."""
    now = engine.clock.now()
    found = await beside(engine.store.count_tasks, engine.namespace, now=now, by=name, most=most)
    return CountedTasks(found.open, found.overdue, found.claimed, most)


def _place(cursor: str) -> Place:
    turn, _, task = cursor.partition(".")
    if not _CURSOR.fullmatch(cursor) or int(turn) >= LARGEST or int(task) >= LARGEST:
        raise InvalidArgument(f"no page of tasks has ended at {cursor!r}; pass the next of its answer", path="$.after")
    return Place(int(turn), int(task))


async def show_task(call: Call[Any, None]) -> HumanTask:
    return _readable(call.engine, await _task(call))


async def complete_task(call: Call[Any, AnswerBody]) -> None:
    # The form is the recorded one, never one that came with the answer.
    await call.engine.complete_task(await _task(call), call.body.answer, by=call.who.person)


async def claim_task(call: Call[Any, ClaimBody]) -> None:
    await call.engine.claim_task(await _task(call), by=call.who.person, over=call.body.over)


async def release_task(call: Call[Any, Bare]) -> None:
    await call.engine.release_task(await _task(call), by=call.who.person)


async def hand_task(call: Call[Any, HandBody]) -> None:
    await call.engine.hand_task(await _task(call), call.body.to, by=call.who.person, over=call.body.over)


async def comment_on_task(call: Call[Any, CommentBody]) -> None:
    await call.engine.comment_on_task(await _task(call), call.body.text, by=call.who.person)


async def list_task_notes(call: Call[Any, None]) -> list[TaskNote]:
    return await call.engine.task_notes(await _task(call))


async def _task(call: Call[Any, Any]) -> HumanTask:
    number = call.path["task"]
    found = await call.engine.tasks(state=None, task=number) if number < LARGEST else []
    if not found:
        raise TaskNotFound(number)
    return found[0]


def _readable(engine: Engine, task: HumanTask) -> HumanTask:
    """Facts and answers as JSON can say them."""
    encode = engine.encodings.encode
    plain = {
        name: msgspec.json.decode(encode(getattr(task, name)).data)
        for name in ("subject", "outcome")
        if getattr(task, name) is not None
    }
    return msgspec.structs.replace(task, **plain)
