"""Exceptions as they are kept: type, message, the user's frames, the cause; never an object that could run."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any, Protocol

import msgspec

from segue.errors import DecisionFailed, RunFailed, SegueError, StepFailed
from segue.kernel.events import Failure
from segue.kernel.payload import Payload

_DEEPEST_CAUSE = 8
_LONGEST_MESSAGE = 16_384
_MOST_MEMBERS = 20
"""Of a group of exceptions, how many are told one by one."""
_OWN = str(Path(__file__).parent.parent)
_CALLING = tuple(str(Path(traceback.__file__).parent / name) for name in ("asyncio", "concurrent"))
"""Where the standard library awaits a coroutine, or calls a function in a thread: above the user's first frame, it says
nothing."""


class Encoder(Protocol):
    def encode(self, value: Any) -> Payload: ...


def describe(error: BaseException, encoder: Encoder | None = None, *, retryable: bool = True) -> Failure:
    """The record of ``error``. A ``StepFailed`` keeps the step's own failure as its cause, a ``RunFailed`` the child
    run's, a ``DecisionFailed`` what was in its way.

    An exception may carry a value for the workflow in its attribute ``details``.
    """
    return _describe(error, encoder, retryable, 0, own=not isinstance(error, SegueError))


def _describe(error: BaseException, encoder: Encoder | None, retryable: bool, depth: int, *, own: bool) -> Failure:
    cause: Failure | None = None
    if isinstance(error, (StepFailed, RunFailed, DecisionFailed)) and isinstance(error.failure, Failure):
        cause = _no_deeper(error.failure, depth + 1)
    elif (inner := _cause(error)) is not None and depth < _DEEPEST_CAUSE:
        cause = _describe(inner, encoder, True, depth + 1, own=own and not isinstance(inner, SegueError))
    return Failure(
        type=qualified_name(type(error)),
        message=message_of(error),
        traceback=users_traceback(error, own=own),
        retryable=retryable,
        cause=cause,
        details=_details(error, encoder),
    )


def _no_deeper(failure: Failure, depth: int) -> Failure | None:
    """A recorded failure as a cause: each run has a child's in its own, and the innermost may be any number deep."""
    if depth > _DEEPEST_CAUSE:
        return None
    if failure.cause is None:
        return failure
    return msgspec.structs.replace(failure, cause=_no_deeper(failure.cause, depth + 1))


def qualified_name(cls: type) -> str:
    """``module.Class``; built-in exceptions go by their bare name."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def summary(failure: Failure) -> str:
    """One line for lists: the innermost cause's type and message."""
    while failure.cause is not None and failure.type.endswith(("StepFailed", "DecisionFailed")):
        failure = failure.cause
    first = failure.message.split("\n", 1)[0]
    kind = failure.type.rsplit(".", 1)[-1]
    return f"{kind}: {first}"[:500] if first else kind


def users_traceback(error: BaseException, *, own: bool = True) -> str:
    """The traceback without the frames of segue itself. ``own``: with them, if nothing else is there, because then it
    is a defect of segue's that has to be found by them."""
    return _unicode(_traceback(error, own=own, told=_cause(error)))


def _traceback(error: BaseException, *, own: bool, told: BaseException | None) -> str:
    """``told``: an exception of a group that is told elsewhere."""
    frames = traceback.extract_tb(error.__traceback__)
    users = [frame for frame in frames if not frame.filename.startswith(_OWN)]
    while users and users[0].filename.startswith(_CALLING):
        del users[0]
    if not users and own:
        users = list(frames)
    others = list(_others(error, own=own, told=told))
    if not users and not others:
        return ""
    return "".join(
        [
            *(["Traceback (most recent call last):\n", *traceback.format_list(users)] if users else ()),
            *traceback.format_exception_only(error),
            *others,
        ]
    )


def _others(error: BaseException, *, own: bool, told: BaseException | None) -> Iterator[str]:
    """Of a group, what is in it and not told elsewhere."""
    if not isinstance(error, BaseExceptionGroup):
        return
    others = [member for member in error.exceptions if member is not told]
    for member in others[:_MOST_MEMBERS]:
        own_too = own and not isinstance(member, SegueError)
        text = _traceback(member, own=own_too, told=None) or "".join(traceback.format_exception_only(member))
        yield indent(f"in the group:\n{text}", "  ")
    if len(others) > _MOST_MEMBERS:
        yield f"  and {len(others) - _MOST_MEMBERS} more in the group\n"


def _cause(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    if isinstance(error, BaseExceptionGroup):
        return error.exceptions[0]
    return None if error.__suppress_context__ else error.__context__


def message_of(error: BaseException) -> str:
    """What it says, whatever its ``__str__`` does."""
    try:
        text = str(error)
    except Exception as second:  # a user's __str__ may be broken, and the failure must be recorded all the same
        text = f"(its __str__ raised {type(second).__name__})"
    text = _unicode(text)
    return text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE] + f"… ({len(text)} characters)"


def _unicode(text: str) -> str:
    """The text with whatever UTF-8 has no place for replaced: half characters, as in names of files."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def details_of(error: BaseException) -> Any:
    """The value that it carries in its attribute ``details``, if any."""
    try:
        return getattr(error, "details", None)
    except Exception:  # a property of the user's: it must not hide the failure itself
        return None


def _details(error: BaseException, encoder: Encoder | None) -> Payload | None:
    details = details_of(error)
    if details is None or encoder is None:
        return None
    try:
        return encoder.encode(details)
    except Exception:  # details are a courtesy: one that does not encode must not hide the failure itself
        return None
