"""Measures how late the event loop comes to what is due on it: a timer that should ring at once says so."""

from __future__ import annotations

import asyncio

from segue.metrics.counting import SHORT, Histogram

EVERY = 0.25
"""Seconds between two looks."""


class LoopLag:
    """The lateness of one loop; make it on its thread.

    Attributes:
        seconds: of each look.
        worst: the longest since it was last taken.
    """

    def __init__(self) -> None:
        self.seconds = Histogram(SHORT)
        self.worst = 0.0
        self._loop = asyncio.get_running_loop()
        self._expect()

    def take_worst(self) -> float:
        """The longest lateness since the last call, one that is still going on included."""
        worst, self.worst = max(self.worst, self._loop.time() - self._due), 0.0
        return worst

    def close(self) -> None:
        self._timer.cancel()

    def _expect(self) -> None:
        self._due = self._loop.time() + EVERY
        self._timer = self._loop.call_at(self._due, self._ring)

    def _ring(self) -> None:
        late = max(0.0, self._loop.time() - self._due)
        self.seconds.add(late)
        self.worst = max(self.worst, late)
        self._expect()
