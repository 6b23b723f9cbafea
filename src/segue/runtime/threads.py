"""Threads for code that may never come back: its place goes to others once nobody waits for it any more.

A thread cannot be ended from outside. The executor of the standard library counts one that hangs for as long as it
does, so that a system that does not answer takes one place after the other, and waits for it when the program ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from segue.runtime.whereabouts import Place, frames_of, users

HANGING = 10
"""How many threads may hang for each place. More are not replaced: each keeps its memory, and what it has locked."""


class _Work:
    """A call on its way. ``thread``: where it is carried out, from its begin to its end. ``left``: nobody waits for it
    any more."""

    __slots__ = ("call", "future", "left", "thread")

    def __init__(self, call: Callable[[], Any]) -> None:
        self.call: Callable[[], Any] | None = call
        self.future: Future[Any] = Future()
        self.thread: int | None = None
        self.left = False


class Threads:
    """Carries out calls, as many at once as it has places.

    Args:
        most: how many places there are.
        name: of the threads.

    Attributes:
        hanging: threads that nobody waits for and that have not come back.
        closed: whether they have been.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._lock = threading.Lock()
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._work: dict[Future[Any], _Work] = {}
        self._threads = 0  # those that take part: of these
        self._idle = 0  # ... wait for work that is not theirs yet
        self._waiting = 0  # work that is no thread's yet
        self.closed = False
        self.hanging = 0

    def submit(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Calls it in a thread, when there is a place; a future that is cancelled before that is not called."""
        work = _Work(lambda: call(*args))
        with self._lock:
            if self.closed:
                raise RuntimeError("the threads have been closed")
            self._work[work.future] = work
            self._queue.put(work)
            if self._idle:
                self._idle -= 1
            else:
                self._waiting += 1
                self._take_in()
        return work.future

    def leave(self, future: Future[Any]) -> Place | None:
        """Nobody waits for the call any more; the line that it is at, or None if it is over or has not begun.

        Its thread ends when it comes back, and takes no part from now on.
        """
        with self._lock:
            work = self._work.get(future)
            if work is None or work.thread is None or work.left or future.done():
                return None
            frames = frames_of(work.thread)
            work.left = True
            self.hanging += 1
            self._threads -= 1
            self._take_in()
        return users([Place.of(frame) for frame in frames])

    def wait(self, future: Future[Any], seconds: float) -> None:
        """Until the call is over, or the time is, or these are closed. ``concurrent.futures.wait`` can wait for several
        things as well, and takes longer."""
        with future._condition:  # what closes sets ``closed`` first, and notifies then
            if not future.done() and not self.closed:
                future._condition.wait(seconds)

    def under_way(self) -> list[Future[Any]]:
        """Calls that have begun, and that somebody waits for."""
        with self._lock:
            return [work.future for work in self._work.values() if work.thread is not None and not work.left]

    def left(self) -> list[Future[Any]]:
        """Calls that nobody waits for and that have not come back."""
        with self._lock:
            return [work.future for work in self._work.values() if work.left]

    @property
    def is_full(self) -> bool:
        """So many hang that no place is left."""
        return self._room <= 0

    def close(self) -> None:
        """Ends the threads as they come back. What has not begun is cancelled."""
        with self._lock:
            self.closed = True
            futures = list(self._work)
            threads = self._threads
        for future in futures:
            if not future.cancel():  # it has begun
                with future._condition:
                    future._condition.notify_all()
        for _ in range(threads):
            self._queue.put(None)

    @property
    def _room(self) -> int:
        return self._most - max(0, self.hanging - HANGING * self._most)

    def _take_in(self) -> None:
        """Makes a thread for work that has none, if there is a place for it."""
        if self._waiting and self._threads < self._room and not self.closed:
            self._waiting -= 1
            self._threads += 1
            # Not waited for when the program ends: what its attempt comes to is not recorded any more.
            threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            goes_on = self._carry_out(work)
            del work
            if not goes_on:
                return

    def _carry_out(self, work: _Work) -> bool:
        """False if others have this thread's place meanwhile."""
        with self._lock:
            begins = work.future.set_running_or_notify_cancel()
            if begins:
                work.thread = threading.get_ident()
        call, work.call = work.call, None
        if not begins:
            return self._came_back(work)
        assert call is not None
        try:
            result = call()
        except BaseException as error:
            goes_on = self._came_back(work)
            work.future.set_exception(error)
            del work  # the error's traceback holds this frame
        else:
            goes_on = self._came_back(work)
            work.future.set_result(result)  # the last that is done: whoever waits for it goes on
        return goes_on

    def _came_back(self, work: _Work) -> bool:
        with self._lock:
            del self._work[work.future]
            if work.left:
                self.hanging -= 1
                self._take_in()
                return False
            if self._waiting:
                self._waiting -= 1
            else:
                self._idle += 1
        return True
