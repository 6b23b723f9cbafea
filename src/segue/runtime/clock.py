"""Time, passed in: in production the machine's, or the database's where machines share one; a virtual one in tests."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from segue.errors import StoreError

LONGEST_WAIT = 1_000_000
"""µs after which an alarm rings, early if need be: so soon is it noticed that the wall clock has jumped forward."""
FRESH = 10_000_000
"""µs for which what is known of the database's clock is used without asking again."""


class Alarm(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def now(self) -> int:
        """µs since the epoch."""

    def call_at(self, at: int, callback: Callable[[], None]) -> Alarm:
        """Calls back on the event loop when the time has come; at once if it has passed."""


class Earliest:
    """An alarm for the earliest of the times that it is told."""

    def __init__(self, clock: Clock, callback: Callable[[], None]) -> None:
        self._clock = clock
        self._callback = callback
        self._alarm: Alarm | None = None
        self._at = 0

    def expect(self, at: int) -> None:
        """Calls back when this time (µs) has come, or one that it was told before and that is earlier."""
        if self._alarm is None or at < self._at:
            self.cancel()
            self._at = at
            self._alarm = self._clock.call_at(at, self._ring)

    def cancel(self) -> None:
        """Forgets what it was told."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self) -> None:
        self._alarm = None
        self._callback()


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def call_at(self, at: int, callback: Callable[[], None]) -> Alarm:
        # Long waits are cut: whoever is called early looks at the clock and asks again. The loop's own clock stands
        # still while the machine sleeps and does not know that the wall clock was set, so a long wait would end late.
        wait = min(max(0, at - self.now()), LONGEST_WAIT)
        return asyncio.get_running_loop().call_later(wait / 1_000_000, callback)


class SharedClock(SystemClock):
    """The database's clock, for all who share it: whatever their machines' clocks say, and however those are set.

    Between two looks at it the time that has passed is measured here, by what no one can set. Each look proves a least
    and a greatest distance between the two; the estimate is moved only when it lies outside, so that it does not
    tremble with the network's delays.

    Args:
        ask: the database's time, in µs. Raises ``StoreError``.
        passed: µs since some moment in the past, machine asleep or not.
    """

    def __init__(self, ask: Callable[[], int], *, passed: Callable[[], int] | None = None) -> None:
        self._ask = ask
        self._passed = passed or _passed
        asked, said, answered = self._look()
        self._distance = said - (asked + answered) // 2
        self._stale_at = answered + FRESH

    def now(self) -> int:
        at = self._passed()
        if at >= self._stale_at:
            self._stale_at = at + FRESH
            # Not at the expense of whoever asks, and least of all when the server does not answer.
            threading.Thread(target=self.renew, name="segue-clock", daemon=True).start()
        return at + self._distance

    def renew(self) -> None:
        """Looks at the database's clock; while that is not to be had, what is known of it goes on."""
        with suppress(StoreError):
            asked, said, answered = self._look()
            self._distance = min(max(self._distance, said - answered), said - asked)

    def _look(self) -> tuple[int, int, int]:
        asked = self._passed()
        return asked, self._ask(), self._passed()


def _passed() -> int:
    return time.clock_gettime_ns(_STEADY) // 1000


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
