"""Human tasks: a question to a person that waits for days and costs nothing meanwhile."""

from __future__ import annotations

from typing import Any, TypeVar, overload

import msgspec

from segue.authoring.python.call import TaskCall
from segue.authoring.python.execution import require
from segue.kernel import commands as c
from segue.kernel.canonical import digest
from segue.kernel.duration import Duration, microseconds
from segue.kernel.names import checked_name
from segue.kernel.schemas import schema_of

F = TypeVar("F")


class Approval(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to an ``approval`` that asks nothing more than yes or no."""

    approved: bool
    comment: str = ""
    by: str = ""
    """Who has answered, as far as that is known: the account, or what ``by=`` and ``--by`` say. It is no field of the
    form, nor of one that derives from it."""


@overload
async def approval(
    assignee: str,
    *,
    form: type[F],
    name: str | None = None,
    subject: Any = None,
    timeout: Duration | None = None,
    escalate: str | None = None,
) -> F: ...
@overload
async def approval(
    assignee: str,
    *,
    name: str | None = None,
    subject: Any = None,
    timeout: Duration | None = None,
    escalate: str | None = None,
) -> Approval: ...
async def approval(
    assignee: str,
    *,
    form: Any = Approval,
    name: str | None = None,
    subject: Any = None,
    timeout: Duration | None = None,
    escalate: str | None = None,
) -> Any:
    """Asks a person, and waits for the answer.

    Args:
        assignee: a person, group or role.
        form: type of the answer; its JSON Schema becomes the form.
        name: what the task is called; by default ``approval``.
        subject: facts that the person needs to decide.
        timeout: when it is over, the task goes to ``escalate`` (and stays open), or is withdrawn.
        escalate: whom to ask then.

    Raises:
        TimeoutError: nobody answered in time and there is nobody to escalate to.
    """
    execution = require("approval()")
    title = checked_name(name or "approval", "a task's name")
    assignee = checked_name(assignee, "a task's assignee")
    if escalate is not None:
        escalate = checked_name(escalate, "whom a task is escalated to")
    limit = None if timeout is None else microseconds(timeout)
    about, canonical = (None, b"") if subject is None else execution.encodings.encode_canonical(subject)
    hash = digest(canonical, execution.hash_key)
    command = c.OpenTask(
        key=execution.calls.next_key(title, hash),
        name=title,
        assignee=assignee,
        form=_asked(form),
        due=None if limit is None else execution.loop.now + limit,
        subject=about,
        hash=hash,
    )
    call = execution.calls.task(command, lambda payload: execution.encodings.decode(payload, form))
    if command.due is not None:
        call.timer = execution.loop.call_at_microsecond(command.due, _overdue, call, escalate)
    answer = await call
    return msgspec.structs.replace(answer, by=call.by) if isinstance(answer, Approval) else answer


def _asked(form: Any) -> dict[str, Any]:
    """The form as a JSON Schema, without who fills it in."""
    schema = schema_of(form)
    if isinstance(form, type) and issubclass(form, Approval):
        del schema["$defs"][form.__name__]["properties"]["by"]
    return schema


def _overdue(call: TaskCall, escalate: str | None) -> None:
    if escalate is not None:
        call.calls.execution.issue(c.Reassign(call.key, escalate))
    else:
        call.withdraw(TimeoutError(f"nobody answered {call.name!r} in time"))
