"""Which partition of the journal a run is in, as far as this process has heard, for statements that go straight there.

What names the whole table has to do with every partition of it, if only to find that it has not: with fifty of them a
step that commits by itself costs the server twice as much. Bounds of a partition never change, so what was heard stays
true until the partition is gone.
"""

from __future__ import annotations

import time
from bisect import bisect_right

from segue.stores.postgres.session import Session
from segue.stores.sql.statements import Statement

PAUSE = 5.0
"""Seconds until it is asked again which partitions there are."""

_ranges = Statement("ranges_of")


class Leaves:
    """The partitions of the journal. Used under the writer's lock."""

    def __init__(self) -> None:
        self._lows: list[int] = []
        self._highs: list[int] = []
        self._not_before = 0.0

    def of(self, session: Session, run: int) -> int | None:
        """The first run of the partition that the run is in; None where that is not known."""
        if not self._highs or run >= self._highs[-1]:
            self._hear(session)
        place = bisect_right(self._lows, run) - 1
        return self._lows[place] if place >= 0 and run < self._highs[place] else None

    def forget(self) -> None:
        """What was heard is not true, or of no use."""
        self._lows, self._highs = [], []
        self._not_before = time.monotonic() + PAUSE

    def _hear(self, session: Session) -> None:
        if time.monotonic() < self._not_before:
            return
        self._not_before = time.monotonic() + PAUSE
        ranges = _ranges.one(session, ("journal",))
        self._lows, self._highs = [low for low, _ in ranges], [high for _, high in ranges]
