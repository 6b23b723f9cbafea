"""What workflow and step code may ask of the run it belongs to."""

from __future__ import annotations

import asyncio
import logging
import math
import random as _random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from segue.authoring.python.alone import Alone
from segue.authoring.python.execution import current, require
from segue.errors import InvalidArgument
from segue.kernel import commands as c
from segue.kernel.attempt import CURRENT, current_attempt
from segue.kernel.duration import Duration, microseconds
from segue.kernel.events import RunStarted
from segue.kernel.names import checked_name, checked_text
from segue.kernel.plain_numbers import plain_number
from segue.recurrence.walls import moment

# --- in workflows: time, chance, versions ---------------------------------------------------------------------


def now() -> datetime:
    """The time of the last event, in UTC: the same in every replay."""
    return datetime.fromtimestamp(require("now()").loop.now / 1_000_000, UTC)


def due() -> datetime | None:
    """The time (UTC) at which a schedule had this run due, however late it was started; None if none started it."""
    at = _origin("due()").due
    return None if at is None else moment(at)


def data_interval() -> tuple[datetime, datetime] | None:
    """The period (UTC) that this run is for: from the due time before its own up to its own, which is not part of it;
    None if no schedule started it."""
    found = _origin("data_interval()").interval
    return None if found is None else (moment(found[0]), moment(found[1]))


def _origin(what: str) -> RunStarted:
    started = require(what).started
    assert started is not None
    return started


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


class History(NamedTuple):
    """How long a run has become.

    Attributes:
        events: how many events it has taken in; what it has recorded itself comes on top.
        since: when it began.
    """

    events: int
    since: datetime


LONG = 10_000
"""Events from which on ``should_continue`` says so. Never changed: a replay has to hear the same."""


def history() -> History:
    """How long this run has become: the same in every replay."""
    execution = require("history()")
    return History(execution.events, datetime.fromtimestamp(execution.began / 1_000_000, UTC))


def should_continue(events: int = LONG) -> bool:
    """Whether the run has become so long that it had better go on as a new one. Nothing forces it to."""
    return require("should_continue()").events >= events


def continue_as_new(*args: Any) -> NoReturn:
    """Ends this run and goes on in a new one: the same workflow from its beginning, with these arguments, under the
    same id, with an empty journal. ``finally`` blocks run first, as on ``return``; signals and updates that nobody has
    taken are the new run's.

    Raises:
        CallerError: called outside the workflow's own task; there it would end only that task.
    """
    execution = require("continue_as_new()")
    execution.continue_as_new(args)


async def sleep(duration: Duration, *, summary: str | None = None) -> None:
    """A durable wait, as ``asyncio.sleep``; ``summary`` tells whoever looks at the run what it waits for."""
    execution = require("sleep()")
    if summary is not None:
        checked_name(summary, "a timer's summary")
    over = execution.loop.create_future()
    at = execution.loop.now + microseconds(duration)
    timer = execution.loop.call_at_microsecond(at, _wake, over)
    timer.summary = summary
    try:
        await over
    finally:
        timer.cancel()


def _wake(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


# --- in workflows: what others can see ------------------------------------------------------------------------


def set_attributes(**attributes: str | int | float | bool | datetime | None) -> None:
    """Attributes by which the run can be found; None removes one."""
    plain = {checked_name(name, "an attribute's name"): _attribute(name, v) for name, v in attributes.items()}
    require("set_attributes()").issue(c.SetAttributes(plain))


def _attribute(name: str, value: Any) -> Any:
    match plain_number(value):
        case datetime() as at:
            return at.isoformat()
        case str() as text:
            return checked_text(text, f"attribute {name!r}")
        case float() as number if not math.isfinite(number):
            raise InvalidArgument(f"attribute {name!r} is {number}, which no search finds; leave it out", path=name)
        case None | int() | float() as plain:
            return plain
    raise InvalidArgument(f"attribute {name!r} must be text, a number, a truth value or a date", path=name)


def set_summary(summary: str) -> None:
    """What the run is about, in a person's words; shown wherever runs are listed."""
    require("set_summary()").issue(c.SetSummary(checked_name(summary, "a run's summary")))


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


def heartbeat(details: Any = None) -> None:
    """A sign of life of a long step. It extends the step's ``heartbeat_timeout``, and ``details`` (where the work
    stands) is what ``last_heartbeat()`` gives the next attempt, should this one fail or die with its process.

    Raises:
        AttemptOver: the attempt has timed out; whatever it does is not wanted any more.
    """
    attempt = current_attempt("heartbeat()")
    attempt.host.beat(attempt, details)


def last_heartbeat(type: Any = Any) -> Any:
    """What the last heartbeat of an earlier attempt of this step said, decoded to ``type``; None if there was none."""
    attempt = current_attempt("last_heartbeat()")
    return attempt.host.earlier(attempt, type)


def complete_later() -> str:
    """Lets this step end without an outcome: that will come from outside, by ``engine.complete_step`` or ``fail_step``
    with the token that this returns. What the step's function returns is ignored; should it raise, the attempt has
    failed and the token is void."""
    attempt = current_attempt("complete_later()")
    return attempt.host.hand_over(attempt)


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
