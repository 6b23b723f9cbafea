"""The terms of workflows and steps as their authors write them, turned into those that the kernel knows."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from segue.authoring.python.messages import MessagePolicy
from segue.errors import InvalidArgument, NotInWorkflow
from segue.kernel.duration import Duration, microseconds
from segue.kernel.names import checked_name
from segue.kernel.retry import Retry
from segue.kernel.steps import Executor, StepSpec


def retry_of(asked: Retry | int) -> Retry:
    """The policy; a number is that of the attempts."""
    return Retry(attempts=asked) if isinstance(asked, int) else asked


def length_of(given: Duration | None) -> int | None:
    """Microseconds. Raises ``InvalidArgument``."""
    return None if given is None else microseconds(given)


def check_queue(queue: str, executor: Executor | None, at_most_once: bool, cache: object) -> None:
    """Raises ``InvalidArgument`` where a step that waits in a queue cannot have these terms."""
    checked_name(queue, "a queue's name")
    if not queue:
        raise InvalidArgument("a queue has a name; write @step(queue='payments')")
    if executor is not None:
        raise InvalidArgument(f"@step(queue={queue!r}) runs elsewhere; leave out executor={executor!r}")
    if at_most_once:
        raise InvalidArgument(
            f"@step(queue={queue!r}) cannot be at_most_once: when a lease ends, nobody knows how far its worker came"
        )
    if cache is not None:
        raise InvalidArgument(f"@step(queue={queue!r}) cannot have a cache; let the worker keep what it knows")


def executor_of(function: Any, asked: Executor | None) -> Executor:
    """Where the function runs. Raises ``InvalidArgument`` where it cannot."""
    is_async = inspect.iscoroutinefunction(function)
    if asked == "transaction":
        raise InvalidArgument(f"write @step.transaction for {function.__qualname__}, which gets a connection then")
    if asked is None:
        return "loop" if is_async else "thread"
    if (asked == "loop") != is_async:
        wanted = "an `async def`" if asked == "loop" else "a plain `def`"
        raise InvalidArgument(f"@step(executor={asked!r}) needs {wanted}; {function.__qualname__} is not one")
    return asked


def elsewhere(spec: StepSpec) -> NotInWorkflow:
    """What is said where the code of a step is called that is elsewhere."""
    return NotInWorkflow(
        f"the code of {spec.name} is with whoever serves the queue {spec.queue!r}; call it in a workflow"
    )


def checked_policy(policy: MessagePolicy) -> MessagePolicy:
    """The policy, if it is one. Raises ``InvalidArgument``."""
    try:
        return msgspec.convert(msgspec.to_builtins(policy), MessagePolicy)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"@workflow: {error}") from error
