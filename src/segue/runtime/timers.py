"""The earliest deadline of each resident run, and one alarm for the first of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from segue.runtime.clock import Alarm, Clock


class Timers:
    """Deadlines by run. Setting one never fires it early; a run that has moved on meanwhile is asked in vain."""

    def __init__(self, clock: Clock, fire: Callable[[int], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._heap: list[tuple[int, int]] = []
        self._known: dict[int, int] = {}
        self._alarm: Alarm | None = None
        self._alarm_at = 0

    def set(self, run: int, at: int) -> None:
        """The run's earliest deadline. The same one again costs nothing."""
        if self._known.get(run) == at:
            return
        self._known[run] = at
        heapq.heappush(self._heap, (at, run))
        if self._alarm is None or at < self._alarm_at:
            self._arm()

    def forget(self, run: int) -> None:
        """The run has left memory; its deadline stands in its row."""
        if self._known.pop(run, None) is not None and len(self._heap) > 2 * len(self._known) + 64:
            self._heap = [(at, run) for run, at in self._known.items()]
            heapq.heapify(self._heap)

    @property
    def next(self) -> int | None:
        """The earliest deadline, as far as known."""
        heap = self._heap
        while heap and self._known.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def _arm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        at = self.next
        if at is not None:
            self._alarm_at = at
            self._alarm = self._clock.call_at(at, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        now = self._clock.now()
        while (at := self.next) is not None and at <= now:
            run = heapq.heappop(self._heap)[1]
            self._known.pop(run, None)
            self._fire(run)
        self._arm()

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._heap.clear()
        self._known.clear()
