"""What workflow and step code may ask of the run it belongs to."""

from __future__ import annotations

import logging
import random as _random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from segue.authoring.python.alone import Alone
from segue.authoring.python.execution import current, require
from segue.errors import InvalidArgument
from segue.kernel import commands as c
from segue.kernel.attempt import CURRENT, current_attempt
from segue.kernel.names import checked_name, checked_text

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


# --- in workflows and steps: what travels along ---------------------------------------------------------------


def headers() -> dict[str, str]:
    """Headers of the run, in a handler with those of its message, in a step those it was called with. Interceptors put
    them there, and they travel on by themselves: to steps, children and other runs that are sent something."""
    execution = current()
    if execution is not None:
        return dict(execution.outgoing_headers() or {})
    return dict(current_attempt("headers()").headers or {})


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
