"""Large values that are outside the database, fetched beside everything else.

The place may be slow, away, or never answer: whoever looks for a value on the loop is told where it is (``NotAtHand``),
has it fetched here, and looks again with what was found. Nothing on the loop waits, and in the end nobody waits for a
thread that hangs.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

from segue.errors import StoreUnavailable
from segue.runtime.journal import Values
from segue.stores import objects
from segue.stores.base import Store
from segue.stores.place_rows import NotAtHand, Placed

log = logging.getLogger("segue.placing")

T = TypeVar("T")
MOST = 8
"""Threads."""
IDLE = 10.0
"""Seconds after which a thread with nothing to do ends."""
PAUSE = 0.5
"""Seconds between two tries; after a failure twice the last ones, up to ``LONGEST``."""
LONGEST = 10.0


class Side:
    """Threads that nobody waits for in the end: one that hangs keeps no engine and no program from ending."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._work: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0

    async def run(self, function: Callable[[], T]) -> T:
        """Calls it in a thread."""
        return await asyncio.wrap_future(self.begin(function))

    def begin(self, function: Callable[[], T]) -> Future[T]:
        """Has it called in a thread; from any thread."""
        future: Future[T] = Future()
        with self._changed:
            self._work.append((future, function))
            if len(self._work) > self._idle and self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._carry_out, name="segue-places", daemon=True).start()
            self._changed.notify()
        return future

    def _carry_out(self) -> None:
        while (work := self._next()) is not None:
            future, function = work
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = function()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            del work, future, function

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._work, IDLE)
            self._idle -= 1
            if self._work:
                return self._work.popleft()
            self._threads -= 1
            return None


SIDE = Side()
"""Those of this process."""


def near(store: Store) -> Callable[[Iterable[str]], dict[str, bytes]]:
    """Looks large values up without leaving the database. What it returns raises ``NotAtHand``."""

    def blobs(refs: Iterable[str]) -> dict[str, bytes]:
        here, elsewhere = store.places.look(refs)
        if elsewhere:
            raise NotAtHand(elsewhere)
        return here

    return blobs


class Fetching:
    """Fetches for who is on the loop. Make it and use it there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._under_way: dict[Hashable, asyncio.Task[None]] = {}
        self._failed: dict[Hashable, tuple[StoreUnavailable, float]] = {}
        """What came of the last try, and how long to wait for the next."""
        self._resting: dict[Hashable, asyncio.TimerHandle] = {}

    def fetch(
        self,
        key: Hashable,
        who: str,
        placed: Callable[[], list[Placed]],
        there: Callable[[Values], None],
        away: Callable[[StoreUnavailable], None],
        again: Callable[[], None] | None = None,
        within: float | None = None,
    ) -> None:
        """Has values fetched, then calls ``there`` with them; or ``away`` with the reason.

        Args:
            key: of who asks: while something is on its way for it, nothing else is begun.
            who: waits for the values, in words.
            placed: which; called in a thread, and may raise ``StoreUnavailable``.
            again: called when it may be tried again; until then ``away`` is called at once.
            within: seconds after which a place that has not answered counts as away; None to wait for it.
        """
        if key in self._under_way:
            return
        if key in self._resting:
            self._loop.call_soon(away, self._failed[key][0])
            return
        task = self._loop.create_task(self._fetch(key, who, placed, there, away, again, within), name="segue-fetching")
        self._under_way[key] = task

    def close(self) -> None:
        """Waits for none that is on its way."""
        for task in self._under_way.values():
            task.cancel()
        for timer in self._resting.values():
            timer.cancel()

    async def _fetch(
        self,
        key: Hashable,
        who: str,
        placed: Callable[[], list[Placed]],
        there: Callable[[Values], None],
        away: Callable[[StoreUnavailable], None],
        again: Callable[[], None] | None,
        within: float | None,
    ) -> None:
        # What follows is called in no task: from there runs are driven.
        try:
            values = await _fetched(placed, within)
        except StoreUnavailable as error:
            pause = PAUSE
            if key in self._failed:
                pause = min(2 * self._failed[key][1], LONGEST)
            else:
                log.warning("%s waits for large values: %s", who, error)
            self._loop.call_soon(away, error)
            if again is not None:  # otherwise nobody asks by this key any more
                self._failed[key] = error, pause
                self._resting[key] = self._loop.call_later(pause, self._wake, key, again)
        else:
            self._failed.pop(key, None)
            self._loop.call_soon(there, values)
        finally:
            del self._under_way[key]

    def _wake(self, key: Hashable, again: Callable[[], None]) -> None:
        del self._resting[key]
        again()


async def _fetched(placed: Callable[[], list[Placed]], within: float | None) -> Values:
    try:
        async with asyncio.timeout(within):
            return await SIDE.run(lambda: objects.fetch(placed()))
    except TimeoutError as error:
        raise StoreUnavailable(f"the place where they are has not answered within {within} s") from error
