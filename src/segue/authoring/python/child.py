"""A child run as a call of its parent's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from segue.authoring.python.execution import CodeExecution, current
from segue.errors import NotInWorkflow
from segue.kernel.attempt import derive_key
from segue.kernel.commands import StartChild
from segue.kernel.duration import Duration, microseconds
from segue.kernel.names import checked_name

if TYPE_CHECKING:
    from segue.authoring.python.definitions import Workflow

ClosePolicy = Literal["cancel", "terminate", "abandon"]


def parent_of(what: str) -> CodeExecution:
    """The workflow whose code is running here. Raises ``NotInWorkflow``."""
    execution = current()
    if execution is None:
        raise NotInWorkflow(f"{what}.child(…) starts a child run and only means something inside a workflow")
    return execution


async def start_child(
    workflow: Workflow[Any, Any],
    execution: CodeExecution,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    id: str | None = None,
    on_parent_close: ClosePolicy = "cancel",
    detached: bool = False,
    delay: Duration | None = None,
    timeout: Duration | None = None,
    summary: str = "",
) -> Any:
    """Starts it, and awaits its result, or, if ``detached``, its start."""
    bound = workflow.bind(execution.encodings, execution.hash_key)
    payload, hash = bound.call_site.encode(args, kwargs)
    key = execution.calls.next_key(workflow.name, hash)
    # Derived, not drawn: whoever starts the same call again starts the same child.
    uid = derive_key(execution.uid, key)
    headers = execution.outgoing_headers()
    limit = workflow.timeout if timeout is None else microseconds(timeout)
    command = StartChild(
        key, workflow.name, id or uid, uid, payload, hash, on_parent_close, headers, microseconds(delay or 0), limit,
        checked_name(summary, "a run's summary"),
    )  # fmt: skip
    return await execution.calls.child(command, bound.decode_result, detached=detached)
