"""Human tasks: what people are asked, and their answers."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.errors import CallerError
from segue.handles import HumanTask
from segue.server.call import Call, Number


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


async def list_tasks(call: Call[TaskQuery, None]) -> TaskList:
    query = call.query
    state = None if query.state == "all" else query.state
    tasks = await call.engine.tasks(assignee=query.assignee, state=state, run=query.run)
    return TaskList([_readable(call, task) for task in tasks], call.engine.clock.now())


async def show_task(call: Call[Any, None]) -> HumanTask:
    return _readable(call, await _task(call))


async def complete_task(call: Call[Any, AnswerBody]) -> None:
    # The form is the recorded one, never one that came with the answer.
    await call.engine.complete_task(await _task(call), call.body.answer, by=call.who.name)


async def _task(call: Call[Any, Any]) -> HumanTask:
    number = call.path["task"]
    for task in await call.engine.tasks(state=None):
        if task.task == number:
            return task
    raise CallerError(f"there is no task {number}; GET /api/v1/tasks lists those that are open")


def _readable(call: Call[Any, Any], task: HumanTask) -> HumanTask:
    """Facts and answers as JSON can say them."""
    encode = call.engine.encodings.encode
    plain = {
        name: msgspec.json.decode(encode(getattr(task, name)).data)
        for name in ("subject", "outcome")
        if getattr(task, name) is not None
    }
    return msgspec.structs.replace(task, **plain)
