"""Human tasks: what people are asked, and their answers."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.claiming import TaskNote
from segue.engine import Engine
from segue.errors import CallerError
from segue.handles import HumanTask
from segue.server.call import Call, Number
from segue.server.repairs import Bare
from segue.server.runs import LARGEST


class TaskQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which tasks: ``open``, ``completed``, ``withdrawn``, or ``all``; of one assignee, of one run."""

    state: str = "open"
    assignee: str | None = None
    run: Number | None = None


class TaskList(msgspec.Struct, frozen=True):
    """Tasks, and the server's time."""

    tasks: list[HumanTask]
    now: int


class AnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer, as the task's form asks for it."""

    answer: Any


class ClaimBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``over``: whose task it is as far as one knows, and from whom it is taken over; None for nobody."""

    over: str | None = None


class CommentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What whoever sees to the task should know."""

    text: str


async def list_tasks(call: Call[TaskQuery, None]) -> TaskList:
    return TaskList(await tasks_of(call.engine, call.query), call.engine.clock.now())


async def tasks_of(engine: Engine, query: TaskQuery) -> list[HumanTask]:
    """The tasks, as JSON can say them."""
    state = None if query.state == "all" else query.state
    tasks = await engine.tasks(assignee=query.assignee, state=state, run=query.run)
    return [_readable(engine, task) for task in tasks]


async def show_task(call: Call[Any, None]) -> HumanTask:
    return _readable(call.engine, await _task(call))


async def complete_task(call: Call[Any, AnswerBody]) -> None:
    # The form is the recorded one, never one that came with the answer.
    await call.engine.complete_task(await _task(call), call.body.answer, by=call.who.name)


async def claim_task(call: Call[Any, ClaimBody]) -> None:
    await call.engine.claim_task(await _task(call), by=call.who.name, over=call.body.over)


async def release_task(call: Call[Any, Bare]) -> None:
    await call.engine.release_task(await _task(call), by=call.who.name)


async def comment_on_task(call: Call[Any, CommentBody]) -> None:
    await call.engine.comment_on_task(await _task(call), call.body.text, by=call.who.name)


async def list_task_notes(call: Call[Any, None]) -> list[TaskNote]:
    return await call.engine.task_notes(await _task(call))


async def _task(call: Call[Any, Any]) -> HumanTask:
    number = call.path["task"]
    found = await call.engine.tasks(state=None, task=number) if number < LARGEST else []
    if not found:
        raise CallerError(f"there is no task {number}; GET /api/v1/tasks lists those that are open")
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
