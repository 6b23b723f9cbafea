"""Functions of users: which ones can be a definition, and how they are called so that what they raise reaches whoever
waits for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from segue.errors import InvalidArgument, NotDeterministic

if TYPE_CHECKING:
    from segue.authoring.python.execution import CodeExecution

STOPPED = "the function raised StopIteration"


def checked_function(function: Any, decorator: str, execution: CodeExecution | None) -> None:
    """Refuses what cannot be defined as ``@decorator``, here; ``execution``: of the workflow whose code is running.

    Raises:
        InvalidArgument: it is no function, such as what ``functools.partial`` makes.
        NotDeterministic: a step of one run, with values of that run's in it, would stand in for that of all others.
    """
    if isinstance(function, (staticmethod, classmethod)):
        kind = type(function).__name__
        turn = "swap the two lines" if kind == "staticmethod" else "make it a function, or a @staticmethod"
        raise InvalidArgument(
            f"@{decorator} stands above @{kind} at {function.__qualname__}, and takes a function: {turn}"
        )
    if hasattr(function, "function") and hasattr(function, "bind"):
        raise InvalidArgument(f"{function.name} is a {type(function).__name__.lower()} already; take @{decorator} away")
    if not hasattr(function, "__qualname__"):  # a callable object has neither a name nor annotations of its own
        raise InvalidArgument(f"@{decorator} needs a function; {function!r:.200} is none: call it in a `def`")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidArgument(
            f"@{decorator} stands above {function.__qualname__}, which yields: collect that, and return a list"
        )
    if (first := _object_of(function)) is not None:
        raise InvalidArgument(
            f"@{decorator} stands above {function.__qualname__}, a method, and is called without an object: make it a "
            f"function, or a @staticmethod, and pass it what it needs of {first}"
        )
    if execution is not None and "<locals>" in function.__qualname__ and getattr(function, "__closure__", None):
        captured = ", ".join(function.__code__.co_freevars)
        execution.loop.halt(
            NotDeterministic(
                f"@{decorator} {function.__name__} is defined inside a running workflow and captures {captured}: there "
                f"is one {function.__name__} for all runs; define it outside, and pass it what it needs"
            )
        )


def _object_of(function: Any) -> str | None:
    """The parameter that takes the object or the class, if the function is written as a method."""
    within, _, _ = function.__qualname__.rpartition(".")
    if not within or within.endswith("<locals>") or inspect.isclass(function) or inspect.ismethod(function):
        return None
    first = next(iter(inspect.signature(function).parameters), None)
    return first if first in ("self", "cls") else None


def called(function: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any]) -> Any:
    """Calls a user's function whose outcome goes through a future.

    Raises:
        RuntimeError: it raised ``StopIteration``, which no future takes: whoever waits for it would wait for ever. In
            a coroutine Python does the same (PEP 479).
    """
    try:
        return function(*args, **kwargs)
    except StopIteration as error:
        raise RuntimeError(STOPPED) from error
