"""Exceptions between processes: taken apart into data on one side, put together again on the other.

What comes out is not the original object, since nothing that a frame says is executed; but it goes by the same names,
so that a retry policy, the failure in the journal and a printed traceback cannot tell the difference.
"""

from __future__ import annotations

import builtins
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, TracebackType
from typing import Any, ClassVar

import msgspec

from segue.errors import AuthorError, NonRetryable, PayloadError
from segue.kernel.encoding import Encodings
from segue.kernel.failures import details_of
from segue.runtime.process_frames import Raised

_DEEPEST_CAUSE = 8
_LONGEST_TEXT = 16_384
_MOST_FRAMES = 1_000


class ProcessDied(AuthorError):
    """The process that ran a step ended before the step did.

    Attributes:
        step: the step's name.
        signal: number of the signal that killed it, or None.
        exit_code: with which it ended by itself, or None.
    """

    def __init__(self, message: str, *, step: str, signal: int | None, exit_code: int | None) -> None:
        super().__init__(message)
        self.step = step
        self.signal = signal
        self.exit_code = exit_code


class StepNotFound(NonRetryable):
    """A fresh process does not find the step's function."""


class EncodingsNotFound(NonRetryable):
    """A fresh process cannot make the engine's encodings."""


def died(step: str, status: int, *, ready: bool) -> ProcessDied:
    """The error for a process that ended with ``status``: an exit code, or the negative number of a signal."""
    code, number = (status, None) if status >= 0 else (None, -status)
    if number is not None:
        how = f"was killed by {_signal_name(number)} ({number}); {_MEANING.get(number, _KILLED)}"
    elif ready:
        how = f"ended with exit code {code}; it was left by os._exit or its like, where raising an exception was due"
    else:
        how = f"ended with exit code {code} before it began; what it wrote to stderr says why"
    return ProcessDied(f"the process that ran step {step!r} {how}", step=step, signal=number, exit_code=code)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names of their own
        return f"signal {number}"


_KILLED = "somebody or something outside ended it"
_CRASHED = "native code in it crashed, and its Python stack stands on stderr"
_MEANING: dict[int, str] = {
    signal.SIGKILL: "the system does so when memory runs out, and so may a person",
    signal.SIGSEGV: _CRASHED,
    signal.SIGBUS: _CRASHED,
    signal.SIGFPE: _CRASHED,
    signal.SIGILL: _CRASHED,
    signal.SIGABRT: _CRASHED,
    signal.SIGXCPU: "it used more processor time than its limit allows",
}


# --- taking apart ---------------------------------------------------------------------------------------------


def take_apart(error: BaseException, encodings: Encodings, depth: int = 0) -> Raised:
    """The exception as data."""
    inner = _cause(error)
    frames = traceback.walk_tb(error.__traceback__)
    return Raised(
        classes=tuple((c.__module__, c.__qualname__) for c in type(error).__mro__ if c is not object),
        message=unicode(_message(error)),
        frames=tuple((unicode(f.f_code.co_filename), line, f.f_code.co_name) for f, line in frames)[-_MOST_FRAMES:],
        attributes={name: value for name, value in _attributes(error) if _is_plain(value)},
        cause=None if inner is None or depth == _DEEPEST_CAUSE else take_apart(inner, encodings, depth + 1),
        details=_details(error, encodings),
    )


def unicode(text: str) -> str:
    """The text with whatever UTF-8 has no place for replaced: half characters, as in names of files."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # a user's __str__ may be broken, and the failure must be recorded all the same
        return f"(its __str__ raised {type(second).__name__})"


def _cause(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    if isinstance(error, BaseExceptionGroup):
        return error.exceptions[0]
    return None if error.__suppress_context__ else error.__context__


def _attributes(error: BaseException) -> Iterator[tuple[str, Any]]:
    """The exception's own, and those that built-in exceptions keep apart: ``errno``, ``name``, ``lineno``, …"""
    yield from vars(error).items()
    for cls in type(error).__mro__:
        for name, kind in vars(cls).items() if cls.__module__ == "builtins" else ():
            if isinstance(kind, (MemberDescriptorType, GetSetDescriptorType)) and not name.startswith("_"):
                value = getattr(error, name, None)
                if value is not None:
                    yield name, value


def _is_plain(value: Any) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))
    if type(value) not in (str, int, float, bool, type(None)):
        return False
    try:
        return len(msgspec.json.encode(value)) <= _LONGEST_TEXT
    except (UnicodeEncodeError, OverflowError):  # half characters, integers of more than 64 bits
        return False


def _details(error: BaseException, encodings: Encodings) -> Any:
    details = details_of(error)
    try:
        return None if details is None else encodings.encode(details)
    except PayloadError:  # details are a courtesy: what does not encode must not hide the failure itself
        return None


# --- putting together -----------------------------------------------------------------------------------------


class RemoteError(Exception):
    """Base of exceptions that were raised in another process. Their classes bear the names of the originals."""

    failure: ClassVar[None] = None
    """Where ``describe`` looks when it takes this for a ``StepFailed``, whose own failure is the cause here."""

    def __init__(self, message: str, likeness: type[BaseException] | None) -> None:
        self.__message = message
        self.__likeness = likeness

    def __str__(self) -> str:
        return self.__message

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        # What ``isinstance`` asks for next to ``type()``. A subclass of the user's class would say the same, but making
        # one runs the user's metaclass and __init_subclass__, and its methods expect what __init__ sets.
        return self.__likeness or type(self)


def put_together(raised: Raised, encodings: Encodings) -> RemoteError:
    """The exception again: same names of classes, message, attributes, traceback and cause."""
    cls = _class(raised.classes)
    error: RemoteError = cls(raised.message, _likeness(raised.classes))
    for name, value in raised.attributes.items():
        setattr(error, name, value)
    if raised.details is not None:
        with suppress(PayloadError):  # they were a courtesy
            error.details = encodings.decode(raised.details, Any)  # type: ignore[attr-defined]
    if raised.cause is not None:
        error.__cause__ = put_together(raised.cause, encodings)
    return error.with_traceback(_traceback(raised.frames))


@lru_cache(1024)
def _class(names: tuple[tuple[str, str], ...]) -> type[RemoteError]:
    """A class of these names, and with bases of these names; only the built-in ones among them are the real ones."""
    cls: type = next(filter(None, (_built_in(*name) for name in names)), Exception)
    inherited = {(base.__module__, base.__qualname__) for base in cls.__mro__}
    for name in reversed(names[1:]):
        if name not in inherited:
            cls = _named(name, (cls,))
    return _named(names[0], (RemoteError, cls))


def _named(name: tuple[str, str], bases: tuple[type, ...]) -> type:
    module, qualname = name
    return type(qualname.rpartition(".")[2], bases, {"__module__": module, "__qualname__": qualname})


def _built_in(module: str, qualname: str) -> type | None:
    """A built-in exception, if it is one that a future can hold and that asks for nothing but a message."""
    found = getattr(builtins, qualname, None) if module == "builtins" else None
    if not isinstance(found, type) or not issubclass(found, Exception):
        return None
    return None if issubclass(found, (BaseExceptionGroup, StopIteration)) else found


def _likeness(names: tuple[tuple[str, str], ...]) -> type[BaseException] | None:
    """The closest of these classes that this process has imported already; what is built in is a base anyway."""
    for module, qualname in names:
        if module == "builtins":
            continue
        found: Any = sys.modules.get(module)
        for part in qualname.split("."):
            found = getattr(found, "__dict__", {}).get(part)
        if isinstance(found, type) and issubclass(found, Exception) and not issubclass(found, BaseExceptionGroup):
            return found
    return None


def _traceback(frames: tuple[tuple[str, int, str], ...]) -> TracebackType | None:
    made: TracebackType | None = None
    for file, line, function in reversed(frames):
        made = TracebackType(made, _frame(file, function), -1, line)  # -1: where in the line is not known
    return made


@lru_cache(1024)
def _frame(file: str, function: str) -> Any:
    """A frame that says it is of this function in this file. A traceback wants real ones."""
    code = compile("keep()", file, "exec").replace(co_name=function, co_qualname=function)
    kept: list[Any] = []
    FunctionType(code, {"keep": lambda: kept.append(sys._getframe(1))})()
    return kept[0]
