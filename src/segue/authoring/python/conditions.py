"""Waiting until something has become true of the run's own state."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

from segue.authoring.python.execution import require
from segue.errors import InvalidArgument, NotDeterministic
from segue.kernel.duration import Duration, microseconds

if TYPE_CHECKING:
    from segue.authoring.python.loop import WorkflowLoop

Predicate = Callable[[], object]

_PREDICATE = "the predicate of wait_condition()"


async def wait_condition(predicate: Predicate, *, timeout: Duration | None = None) -> None:
    """Waits until ``predicate()`` is true. It is asked at once, and again after every event that the run has taken in.

    Whoever waited first is asked first. One waits no longer: its code goes on to its next ``await`` before the next one
    is asked, so that what it takes (a place, an item) is gone for the others.

    Args:
        predicate: a plain function that reads the run's state and changes nothing.
        timeout: how long to wait at most; the timer is durable.

    Raises:
        TimeoutError: it did not become true in time.
    """
    loop = require("wait_condition()").loop
    limit = None if timeout is None else microseconds(timeout)
    if inspect.iscoroutinefunction(predicate):
        raise InvalidArgument("wait_condition() takes a plain function: it only reads, so there is nothing to await")
    try:
        if loop.read(_PREDICATE, predicate):
            return
    except NotDeterministic as error:  # the run's state may be anything now
        loop.halt(error)
    conditions = _conditions(loop)
    entry = (predicate, loop.create_future())
    conditions.waiting.append(entry)
    loop.recheck = conditions.wake_one
    timer = None if limit is None else loop.call_at_microsecond(loop.now + limit, _too_late, entry[1], timeout)
    try:
        await entry[1]
    finally:
        conditions.forget(entry)
        if timer is not None:
            timer.cancel()


def all_handlers_finished() -> bool:
    """Whether no handler of a signal or an update is under way: ``await wait_condition(all_handlers_finished)``."""
    return not require("all_handlers_finished()").messages.handling


def _too_late(future: asyncio.Future[None], timeout: Duration) -> None:
    if not future.done():
        future.set_exception(TimeoutError(f"the condition has not become true within {timeout}"))


class Conditions:
    """What a run waits for to become true, in the order in which it began to wait."""

    def __init__(self, loop: WorkflowLoop) -> None:
        self._loop = loop
        self.waiting: list[tuple[Predicate, asyncio.Future[None]]] = []

    def wake_one(self) -> bool:
        """Lets the first one go on whose condition is true; False when there is none."""
        for predicate, future in self.waiting:
            if future.done():
                continue
            try:
                if not self._loop.read(_PREDICATE, predicate):
                    continue
            except NotDeterministic as error:  # the run's state may be anything now
                self._loop.halted = error
                raise
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(None)
            return True
        return False

    def forget(self, entry: tuple[Predicate, asyncio.Future[None]]) -> None:
        """It is no longer waited for."""
        self.waiting.remove(entry)
        if not self.waiting:
            self._loop.recheck = None


def _conditions(loop: WorkflowLoop) -> Conditions:
    """The loop's own, made when the first condition is waited for."""
    if loop.recheck is None:
        return Conditions(loop)
    found = getattr(loop.recheck, "__self__", None)
    assert isinstance(found, Conditions)
    return found
