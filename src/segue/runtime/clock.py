"""Time, passed in: the machine's in production, a virtual one in tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

LONGEST_WAIT = 1_000_000
"""µs after which an alarm rings, early if need be: so soon is it noticed that the wall clock has jumped forward."""


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
        # Long waits are cut: whoever is called early looks at the clock and asks again. The loop's own clock stands
        # still while the machine sleeps and does not know that the wall clock was set, so a long wait would end late.
        wait = min(max(0, at - self.now()), LONGEST_WAIT)
        return asyncio.get_running_loop().call_later(wait / 1_000_000, callback)
