"""Does the same with many things, several of them at the same time in threads: while one waits for another system,
others wait beside it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Set
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from typing import Generic, TypeVar

from segue.errors import StoreError
from segue.runtime.fetching import Side

T = TypeVar("T")
A = TypeVar("A")

MOST = 8
"""Things at the same time."""
BYTES = 32 * 1024 * 1024
"""Of them all at the same time; one that is larger goes alone."""
IN_A_ROW = 3
"""Things that fail one after the other until it is taken to be what they all need that fails."""


class Several(Generic[T]):
    """Goes on after a failure, since it may be one thing alone, until several have failed one after the other.

    One goes alone until it has worked, and again after a failure: what is away is not asked more often because there
    are several threads. Used by one thread.

    Args:
        side: has a thread for whoever calls, and ``MOST`` others.
        goes_on: False from when on no other is begun.
    """

    def __init__(self, side: Side, goes_on: Callable[[], bool]) -> None:
        self._side = side
        self._goes_on = goes_on
        self._under_way: dict[Future[None], tuple[T, int]] = {}
        self._at_once = 1
        self._in_a_row = 0
        self._failed: StoreError | None = None
        self.failed: set[T] = set()
        """Of all that it was called for."""

    def each(self, things: Iterable[tuple[T, int]], do: Callable[[T], None]) -> None:
        """Calls ``do`` with each thing, in threads, and returns when all have ended that were begun.

        Args:
            things: and how many bytes each takes.

        Raises:
            StoreError: it is in vain to go on.
        """
        left = deque(things)
        try:
            while True:
                while left and self._may_begin(left[0][1]):
                    thing, size = left.popleft()
                    self._under_way[self._side.begin(partial(do, thing))] = thing, size
                if not self._under_way:
                    break
                self._end(wait(self._under_way, return_when=FIRST_COMPLETED).done)
        finally:
            wait(self._under_way)
        if self._is_in_vain():
            self.check()

    def check(self) -> None:
        """Raises what failed last, if anything has."""
        failed, self._failed = self._failed, None
        try:
            if failed is not None:
                raise failed
        finally:
            del failed  # whose traceback holds this frame

    def _may_begin(self, size: int) -> bool:
        if self._is_in_vain() or not self._goes_on():
            return False
        if not self._under_way:
            return True
        taken = sum(each for _, each in self._under_way.values())
        return len(self._under_way) < self._at_once and taken + size <= BYTES

    def _is_in_vain(self) -> bool:
        return self._in_a_row >= IN_A_ROW

    def _end(self, ended: Iterable[Future[None]]) -> None:
        for future in ended:
            thing, _ = self._under_way.pop(future)
            # Not raised here: its traceback would hold this frame, which holds it, with the bytes of the thing.
            error = future.exception()
            if error is None:
                self._at_once = MOST
                self._in_a_row = 0
            elif isinstance(error, StoreError):
                self._failed = error
                self.failed.add(thing)
                self._at_once = 1
                self._in_a_row += 1
            else:
                raise error


class PutOff(Generic[T]):
    """Things that have failed: each is left alone for twice as long as the last time, and keeps no other waiting.

    Args:
        pause: seconds for which one is left alone the first time.
        longest: the most that it comes to.
    """

    def __init__(self, pause: float, longest: float) -> None:
        self._pause = pause
        self._longest = longest
        self._until: dict[T, tuple[float, float]] = {}

    def __bool__(self) -> bool:
        return bool(self._until)

    def waiting(self) -> Set[T]:
        """Those that are to be left alone now."""
        now = time.monotonic()
        return {thing for thing, (until, _) in self._until.items() if until > now}

    def tried(self, but: Set[T], failed: Set[T]) -> None:
        """All had their turn ``but`` those that waited, and of them these ``failed``."""
        now = time.monotonic()
        found = {thing: self._until[thing] for thing in but}
        for thing in failed:
            pause = min(2 * self._until[thing][1], self._longest) if thing in self._until else self._pause
            found[thing] = now + pause, pause
        self._until = found


class Together(Generic[T, A]):
    """What several threads ask for at about the same time is asked for at once, by one of them.

    Args:
        ask: answers each, in order.
        turn: held meanwhile; who shares it takes turns.
    """

    def __init__(self, ask: Callable[[list[T]], Iterable[A]], turn: threading.Lock) -> None:
        self._ask = ask
        self._turn = turn
        self._waiting: deque[tuple[T, Future[A]]] = deque()

    def __call__(self, thing: T) -> A:
        """The answer. Raises what was raised for it and the others."""
        mine: Future[A] = Future()
        self._waiting.append((thing, mine))
        with self._turn:
            if not mine.done():
                self._answer([self._waiting.popleft() for _ in range(len(self._waiting))])
        try:
            return mine.result()
        finally:
            del mine  # which holds what is raised, whose traceback holds this frame

    def _answer(self, asked: list[tuple[T, Future[A]]]) -> None:
        try:
            answers = list(self._ask([thing for thing, _ in asked]))
        except BaseException as error:
            while asked:
                asked.pop()[1].set_exception(error)
        else:
            for (_, future), answer in zip(asked, answers, strict=True):
                future.set_result(answer)
