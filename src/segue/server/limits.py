"""How often somebody may ask: so many at once, and from then on so many a second."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

MOST = 10_000
"""Names that are remembered; of more, whoever was quiet for the longest time is forgotten."""


class Limit:
    """A bucket of requests for each name, which fills up again with time. In memory: each server counts by itself.

    Args:
        rate: requests a second in the long run. burst: requests at once.
        now: the time in µs.
    """

    def __init__(self, rate: float, burst: int, now: Callable[[], int]) -> None:
        self._rate = rate
        self._burst = burst
        self._now = now
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, name: str) -> float:
        """Takes one request; 0, or the seconds after which there is one to be had."""
        now = self._now()
        left, then = self._left.pop(name, (float(self._burst), now))
        left = min(float(self._burst), left + max(0, now - then) / 1_000_000 * self._rate)
        allowed = left >= 1
        self._left[name] = (left - 1 if allowed else left, now)
        if len(self._left) > MOST:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._rate
