"""A clock that stands still until it is told to go on: virtual time for tests.

Nothing else is changed: the engine asks this clock what time it is, and asks it for a call at a later time, as it asks
the machine's. A timer that is due in thirty days fires when the clock is moved there.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import UTC, datetime

from segue.errors import InvalidArgument
from segue.kernel.duration import Duration, microseconds

DAWN = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""When virtual time begins, unless the test says otherwise: a Monday morning."""


def instant(when: datetime) -> int:
    """µs since the epoch.

    Raises:
        InvalidArgument: it has no time zone: what it means would depend on the machine.
    """
    if not isinstance(when, datetime) or when.tzinfo is None:
        raise InvalidArgument(f"{when!r} is no point in time; give a datetime with a time zone: tzinfo=UTC")
    return round(when.timestamp() * 1_000_000)


class _Alarm:
    """A call at a later time."""

    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def ring(self) -> None:
        # Asked again at the last moment: of two alarms at one time, the first may cancel the second.
        if not self.cancelled:
            self.cancelled = True
            self.callback()


class VirtualClock:
    """Implements ``runtime.clock.Clock``. Time moves only by ``jump``; alarms ring in order of time, then of making."""

    def __init__(self, start: datetime = DAWN) -> None:
        self._now = instant(start)
        self._alarms: list[tuple[int, int, _Alarm]] = []
        self._made = 0

    def now(self) -> int:
        """µs since the epoch."""
        return self._now

    @property
    def today(self) -> datetime:
        """The time as a ``datetime``, in UTC."""
        return datetime.fromtimestamp(self._now / 1_000_000, UTC)

    def call_at(self, at: int, callback: Callable[[], None]) -> _Alarm:
        """Calls back on the event loop when the time has come; at once if it has passed."""
        alarm = _Alarm(callback)
        if at <= self._now:
            asyncio.get_running_loop().call_soon(alarm.ring)
        else:
            self._made += 1
            heapq.heappush(self._alarms, (at, self._made, alarm))
        return alarm

    def call_after(self, delay: Duration, callback: Callable[[], None]) -> _Alarm:
        """The same, counted from now."""
        return self.call_at(self._now + microseconds(delay), callback)

    @property
    def next(self) -> int | None:
        """When the next alarm is due, None if there is none."""
        while self._alarms and self._alarms[0][2].cancelled:
            heapq.heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None

    def jump(self, to: int) -> None:
        """Moves time on to ``to`` (µs), never back. What was due by then rings, on the event loop."""
        self._now = max(self._now, to)
        loop = asyncio.get_running_loop()
        while (at := self.next) is not None and at <= self._now:
            loop.call_soon(heapq.heappop(self._alarms)[2].ring)
