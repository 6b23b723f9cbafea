"""Takes runs into memory whose time has come, and those that a predecessor had begun.

However many these are, only so many are on their way at once: the others wait where they are safe. A worker that took
all of a long backlog in would do nothing but that, until its lease ran out and the next one began anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from segue.errors import StoreUnavailable
from segue.runtime.clock import Earliest
from segue.runtime.loading import Loading
from segue.runtime.resident import Resident

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

log = logging.getLogger("segue.intake")
AT_ONCE = 200
"""Runs that are looked for at once."""
MOST = 1_000
"""Runs that are on their way at once: into memory, or to the disk with what came of it."""
RETRY = 0.5
SOON = 0.05


class Intake:
    """The clock of runs that are not in memory, and the queue of those that come.

    Args:
        ready: called with each run when it is in memory, or with None when it is closed, gone or somebody else's.
    """

    def __init__(self, conductor: Conductor, loading: Loading, ready: Callable[[Resident | None], None]) -> None:
        self._conductor = conductor
        self._loading = loading
        self._ready = ready
        self._loop = asyncio.get_running_loop()
        self._begun: deque[int] = deque()
        self._again: asyncio.TimerHandle | None = None
        self._alarm = Earliest(conductor.clock, self._look_now)
        self._closed = False

    @property
    def busy(self) -> bool:
        """Runs that somebody had begun wait to be taken in."""
        return bool(self._begun)

    def close(self) -> None:
        self._closed = True
        self._begun.clear()
        self._alarm.cancel()
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def take_over(self) -> None:
        """Everything that the predecessor had under way in slots that are this owner's now.

        Raises:
            StoreUnavailable: nothing is known of it.
        """
        conductor = self._conductor
        here = {*conductor.residents, *self._loading.loading, *self._begun}
        begun = conductor.store.begun(conductor.app, only=conductor.only)
        self._begun.extend(run for run in begun if run not in here)
        self.look()

    def look(self) -> None:
        """Takes in what there is room for, and sets the alarm for the next.

        Raises:
            StoreUnavailable: nothing is known of those that are due.
        """
        conductor = self._conductor
        while self._begun and self._on_their_way() < MOST:
            self._loading.load(self._begun.popleft(), self._ready)
        under_way = self._on_their_way()
        if under_way >= MOST:
            self._look_again(SOON)
            return
        # One that is in memory has its timer there, and is due until its commit is on disk.
        limit = AT_ONCE + under_way
        rows = conductor.store.due(conductor.app, conductor.clock.now(), limit, only=conductor.only)
        late = [row for row in rows if row.run not in conductor.residents and not self._loading.awaits(row.run)]
        for row in late[: MOST - under_way]:
            self._loading.load(row.run, self._ready)
        if len(rows) == limit:  # those that are due already come first; the alarm is for the first one after them
            self._look_again(0 if late else SOON)
        else:
            self._set_alarm()

    def expect(self, at: int) -> None:
        """A run that is not in memory is due then."""
        if not self._closed:
            self._alarm.expect(at)

    def _on_their_way(self) -> int:
        return self._loading.count + self._conductor.writer.unsettled

    def _look_again(self, pause: float) -> None:
        if self._again is None and not self._closed:
            self._again = self._loop.call_later(pause, self._look_once_more)

    def _look_once_more(self) -> None:
        self._again = None
        self._look_now()

    def _look_now(self) -> None:
        if self._closed:
            return
        try:
            self.look()
        except StoreUnavailable as error:
            log.debug("looking again later: %s", error)
            if self._begun:
                self._look_again(RETRY)

    def _set_alarm(self) -> None:
        wake = self._conductor.store.next_wake(self._conductor.app, self._conductor.clock.now())
        self._alarm.cancel()
        if wake is not None:
            self.expect(wake)
