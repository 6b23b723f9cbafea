"""The terms of workflows and steps as their authors write them, turned into those that the kernel knows."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import msgspec

from segue.authoring.python.messages import MessagePolicy
from segue.authoring.python.registry import default_name
from segue.errors import InvalidArgument, NotInWorkflow
from segue.kernel.caching import Cache
from segue.kernel.duration import Duration, microseconds
from segue.kernel.names import checked_name
from segue.kernel.retry import OnExhausted, Retry
from segue.kernel.steps import Executor, StepSpec


def retry_of(asked: Retry | int) -> Retry:
    """The policy; a number is that of the attempts. Raises ``InvalidArgument``."""
    if isinstance(asked, Retry):
        return asked
    if not isinstance(asked, int):
        raise InvalidArgument(f"retry=… is a Retry(…), or the number of attempts; {asked!r} is neither")
    return Retry(attempts=asked)


def check_step(
    queue: str | None, executor: Executor | None, at_most_once: bool, cache: object, on_error: object, on_exhausted: str
) -> None:
    """Raises ``InvalidArgument`` where a step cannot have these terms: here, and not at the first call that fails."""
    if on_exhausted not in get_args(OnExhausted):
        raise InvalidArgument(f"on_exhausted=… is 'raise' or 'incident'; it is {on_exhausted!r}")
    if on_error is not None and not hasattr(on_error, "handle"):
        raise InvalidArgument(f"on_error=… is skip(default) or escalate(to); {on_error!r} is neither")
    if cache is not None and not isinstance(cache, Cache):
        raise InvalidArgument(f"cache=… is a Cache(…); {cache!r} is none")
    if queue is not None:
        check_queue(queue, executor, at_most_once, cache)


def known_as(name: str | None, function: Any, what: str) -> str:
    """What a definition is called. Raises ``InvalidArgument``."""
    if name is None:
        return default_name(function)
    if not checked_name(name, f"the name of a {what}"):
        raise InvalidArgument(f"the name of a {what} has a character at least; leave out name= for the function's own")
    return name


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
    if asked not in ("loop", "thread", "process"):
        raise InvalidArgument(f"executor=… is 'process', 'thread' or 'loop'; it is {asked!r}")
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
