"""What workflow and step code may ask of the run it belongs to."""

from __future__ import annotations

import inspect
import logging
import random as _random
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, get_type_hints, overload
from uuid import UUID

from segue.authoring.python.alone import Alone
from segue.authoring.python.execution import current, require
from segue.authoring.python.messages import Channel, UpdateHandler, rejected
from segue.errors import InvalidArgument
from segue.kernel import commands as c
from segue.kernel.attempt import CURRENT, current_attempt
from segue.kernel.canonical import Call
from segue.kernel.names import checked_name, checked_text
from segue.kernel.payload import Payload

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


# --- in workflows: time, chance, versions ---------------------------------------------------------------------


def now() -> datetime:
    """The time of the last event, in UTC: the same in every replay."""
    return datetime.fromtimestamp(require("now()").loop.now / 1_000_000, UTC)


def uuid4() -> UUID:
    """A random UUID that is the same in every replay."""
    return require("uuid4()").uuid4()


class _Random:
    """``segue.random``: the module ``random``'s functions on the run's own generator, the same in every replay."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(_random.Random, name):
            raise AttributeError(f"segue.random has no {name!r}")
        return getattr(require(f"random.{name}()").random, name)


random: _random.Random = _Random()  # type: ignore[assignment]


def patched(name: str) -> bool:
    """True on runs that first came to this place with the code that asks; False on runs that passed it before.

    ``if patched("free-shipping"): new() else: old()`` lets open runs finish the way they began.
    """
    return require("patched()").patched(checked_name(name, "a patch's name"))


# --- in workflows: what others can see ------------------------------------------------------------------------


def set_attributes(**attributes: str | int | float | bool | datetime | None) -> None:
    """Attributes by which the run can be found; None removes one."""
    plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in attributes.items()}
    for name, value in plain.items():
        checked_name(name, "an attribute's name")
        if isinstance(value, str):
            checked_text(value, f"attribute {name!r}")
        if value is not None and not isinstance(value, (str, int, float)):
            raise InvalidArgument(f"attribute {name!r} must be text, a number, a truth value or a date", path=name)
    require("set_attributes()").issue(c.SetAttributes(plain))


def publish(name: str, value: Any) -> None:
    """Makes a value visible to readers of the run (``handle.published()``, the dashboard) while it goes on."""
    execution = require("publish()")
    execution.issue(c.Publish(checked_name(name, "a published value's name"), execution.encodings.encode(value)))


class _Log:
    """``segue.log``: lines that are kept with the run; replay does not write them again."""

    def debug(self, message: str, *args: Any) -> None:
        _write("DEBUG", message, args)

    def info(self, message: str, *args: Any) -> None:
        _write("INFO", message, args)

    def warning(self, message: str, *args: Any) -> None:
        _write("WARNING", message, args)

    def error(self, message: str, *args: Any) -> None:
        _write("ERROR", message, args)


log = _Log()


def _write(level: str, message: str, args: tuple[Any, ...]) -> None:
    text = message % args if args else message
    execution = current()
    attempt = CURRENT.get(None)
    if execution is not None:
        if not execution.loop.reading and not execution.loop.dead:
            execution.commands.append(c.Log(level, text))
        return
    if attempt is not None:
        attempt.host.log(attempt, level, "log", text)
    if attempt is None or isinstance(attempt.host, Alone):
        logging.getLogger("segue.user").log(logging.getLevelName(level), text)


# --- in workflows: messages -----------------------------------------------------------------------------------


@overload
def signal(name: str, /) -> Channel[Any]: ...
@overload
def signal(name: str, type: type[T], /) -> Channel[T]: ...
@overload
def signal(function: F, /) -> F: ...
def signal(name: Any, type: Any = Any, /) -> Any:
    """Signals of one name: ``await signal("paid", Decimal)`` takes the next one, ``async for`` all of them.

    As a decorator of a function inside the workflow it makes the function their handler, under its own name; it takes
    the signal's value, or nothing.
    """
    execution = require("signal()")
    if not callable(name):
        return Channel(execution.messages, checked_name(name, "a signal's name"), type)
    if not inspect.signature(name).parameters:
        execution.messages.on_signal(name.__name__, lambda payload: name())
        return name
    expected = _parameter_type(name)
    execution.messages.on_signal(name.__name__, lambda payload: name(execution.encodings.decode(payload, expected)))
    return name


def query(function: F) -> F:
    """Makes a function inside the workflow answer queries under its name. It may read everything and change nothing."""
    require("query()").messages.on_query(function.__name__, function)
    return function


class Update(Generic[T]):
    """A registered update; ``.validator`` takes a function that may refuse it before anything is recorded."""

    def __init__(self, function: Callable[..., Any], handler: UpdateHandler, site: Call) -> None:
        self.function = function
        self._handler = handler
        self._site = site

    def validator(self, function: F) -> F:
        def validate(payload: Payload) -> None:
            args, kwargs = self._site.decode(payload)
            try:
                function(*args, **kwargs)
            except Exception as error:
                raise rejected(error) from error

        self._handler.validate = validate
        return function


def update(function: Callable[..., Coroutine[Any, Any, T]]) -> Update[T]:
    """Makes a coroutine function inside the workflow answer updates under its name."""
    execution = require("update()")
    site = Call.of(function, execution.encodings)

    async def run(payload: Payload) -> Any:
        args, kwargs = site.decode(payload)
        return await function(*args, **kwargs)

    handler = UpdateHandler(run, execution.encodings.encode)
    made: Update[T] = Update(function, handler, site)
    execution.messages.on_update(function.__name__, handler)
    return made


def _parameter_type(function: Callable[..., Any]) -> Any:
    hints = {name: hint for name, hint in get_type_hints(function).items() if name != "return"}
    return next(iter(hints.values()), Any)


# --- in steps -------------------------------------------------------------------------------------------------


def idempotency_key() -> str:
    """A key to pass on with side effects: the same for every attempt of this step, different for all others."""
    return current_attempt("idempotency_key()").idempotency_key


def progress(done: float, total: float | None = None, message: str = "") -> None:
    """Reports how far the step is."""
    attempt = current_attempt("progress()")
    attempt.host.report(attempt, {"done": done, "total": total, "message": message})


def cancelled() -> bool:
    """Whether this step has been asked to stop. A plain function in a thread looks at it between pieces of work."""
    return current_attempt("cancelled()").cancel_requested


def on_cancel(callback: Callable[[], None]) -> None:
    """Has ``callback`` called when this step is asked to stop, at once if it has been: to close the connection that a
    thread waits on, say. It is called on the engine's thread and must not block. A step in a process is killed instead.
    """
    current_attempt("on_cancel()").on_cancel(callback)


def attempt_number() -> int:
    """Number of this attempt, from 1."""
    return current_attempt("attempt_number()").attempt
