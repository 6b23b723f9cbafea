"""Time, passed in: the machine's in production, a virtual one in tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Alarm(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def now(self) -> int:
        """µs since the epoch."""

    def call_at(self, at: int, callback: Callable[[], None]) -> Alarm:
        """Calls back on the event loop when the time has come; at once if it has passed."""


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def call_at(self, at: int, callback: Callable[[], None]) -> Alarm:
        # Long waits are cut into hours, so that a clock that is set forward is noticed, and epoll is not overrun.
        wait = min(max(0, at - self.now()), 3_600_000_000)
        return asyncio.get_running_loop().call_later(wait / 1_000_000, callback)
