"""The terms of workflows and steps as their authors write them, turned into those that the kernel knows."""

from __future__ import annotations

import inspect
from typing import Any

from segue.errors import InvalidArgument
from segue.kernel.duration import Duration, microseconds
from segue.kernel.retry import Retry
from segue.kernel.steps import Executor


def retry_of(asked: Retry | int) -> Retry:
    """The policy; a number is that of the attempts."""
    return Retry(attempts=asked) if isinstance(asked, int) else asked


def length_of(given: Duration | None) -> int | None:
    """Microseconds. Raises ``InvalidArgument``."""
    return None if given is None else microseconds(given)


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
