"""Functions of users, called so that whatever they raise reaches whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from segue.kernel.failures import message_of, qualified_name

ENDS_THE_PROGRAM = (KeyboardInterrupt, SystemExit)
"""What the loop of the program takes for itself, whoever raises it."""


def called(function: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any]) -> Any:
    """Calls a user's function whose outcome goes through a future.

    Raises:
        RuntimeError: it raised ``StopIteration``, which no future takes: whoever waits for it would wait for ever. In
            a coroutine Python does the same (PEP 479).
    """
    try:
        return function(*args, **kwargs)
    except StopIteration as error:
        raise RuntimeError("the function raised StopIteration") from error


def asked(function: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any]) -> Any:
    """``called`` for a function whose caller stands outside of the run.

    Raises:
        RuntimeError: it raised what is no ``Exception``: a ``CancelledError``, say, would cancel whoever asks.
    """
    try:
        return called(function, args, kwargs)
    except (Exception, *ENDS_THE_PROGRAM):
        raise
    except BaseException as error:
        raise RuntimeError(f"the function raised {qualified_name(type(error))}: {message_of(error)}") from error
