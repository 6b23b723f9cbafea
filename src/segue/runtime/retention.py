"""Deletes runs that are past their time, beside everything else: small batches, in a thread, with pauses in between.

It looks when the next run is due to go, and not before. What has been deleted gives its space back to the file system.
"""

from __future__ import annotations

import asyncio
import logging

from segue.errors import StoreError
from segue.kernel import events as e
from segue.runtime.beside import beside
from segue.runtime.clock import Alarm, Clock
from segue.runtime.keeping import spelt_out
from segue.runtime.settings import Retention
from segue.stores.base import Ended, Store
from segue.stores.namespace_rows import NamespaceRow

log = logging.getLogger("segue.retention")

AT_ONCE = 100
"""Runs deleted in one batch."""
PAGES = 500
"""Pages of the file given back at once."""
LULL = 60_000_000
"""µs between two rounds: runs that end one by one are deleted together."""


class Retaining:
    """Keeps to the rules of retention for the runs of one app. Make it and use it on the loop's thread.

    ``rules`` are the settings'; those of namespaces are read before each round, and looked at in between.
    """

    def __init__(self, store: Store, clock: Clock, app: str, rules: tuple[Retention, ...]) -> None:
        self._store = store
        self._clock = clock
        self._app = app
        self._rules = rules
        self._said: list[NamespaceRow] = []
        self._expiries: list[tuple[int, Ended]] = []
        self._take([])
        self._alarm: Alarm | None = None
        self._alarm_at = 0
        self._meanwhile: int | None = None
        self._round: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        """A round is under way."""
        return self._round is not None

    def start(self) -> None:
        """What is past its time already goes now."""
        self._take(self._store.described.list())
        if self._expiries:
            self._begin()

    def look_at_rules(self) -> None:
        """The rules of namespaces may be others by now."""
        if self.busy or self._closed:
            return
        said = self._store.described.list()
        if said != self._said:
            self._take(said)
            self.look()

    def heard(self, event: e.Event) -> None:
        """A run has ended: it is due to go when its time has passed, at the soonest."""
        if self._soonest is not None and isinstance(event, e.CLOSING):
            self._expect(event.at + self._soonest)

    def look(self) -> None:
        """There may be runs to delete of whose end nothing was heard here."""
        if self._expiries:
            self._expect(self._clock.now())

    async def close(self) -> None:
        """Lets the batch under way end, and begins no other."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        if self._round is not None:
            await self._round

    def _take(self, said: list[NamespaceRow]) -> None:
        self._said = said
        self._expiries = spelt_out(self._rules, said, self._app)
        self._soonest = min((keep for keep, _ in self._expiries), default=None)

    # --- rounds -----------------------------------------------------------------------------------------------

    def _expect(self, at: int) -> None:
        if self.busy:
            self._meanwhile = at if self._meanwhile is None else min(at, self._meanwhile)
            return
        at = max(at + 1, self._clock.now() + LULL)
        if self._closed or (self._alarm is not None and self._alarm_at <= at + LULL):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = self._clock.call_at(at, self._ring)

    def _ring(self) -> None:
        if self._clock.now() < self._alarm_at:  # a clock may cut long waits
            self._alarm = self._clock.call_at(self._alarm_at, self._ring)
            return
        self._alarm = None
        self._begin()

    def _begin(self) -> None:
        if self._round is None and not self._closed:
            self._round = asyncio.get_running_loop().create_task(self._go_round(), name="segue-retention")

    async def _go_round(self) -> None:
        next_at: int | None = None
        self._meanwhile = None
        try:
            self._take(await beside(self._store.described.list))
            for keep, which in self._expiries:
                await self._delete(keep, which)
            next_at = await beside(self._next)
        except StoreError as error:
            log.warning("runs that are past their time are deleted later: %s", error)
            next_at = self._clock.now()
        finally:
            self._round = None
        for at in (next_at, self._meanwhile):
            if at is not None:
                self._expect(at)

    async def _delete(self, keep: int, which: Ended) -> None:
        loop = asyncio.get_running_loop()
        total = 0
        while not self._closed:
            began = loop.time()
            deleted = await beside(self._store.retain, self._clock.now() - keep, AT_ONCE, which)
            total += deleted
            if deleted < AT_ONCE:
                break
            # Half of the time at the most is taken from those who write as well.
            await asyncio.sleep(loop.time() - began)
        if total:
            where = f" of namespace {which.namespace!r}" if which.namespace else ""
            log.info("%d %s runs%s were past their time and are deleted", total, which.states[0], where)
            await self._give_back()

    async def _give_back(self) -> None:
        more = True
        while more and not self._closed:
            more = await beside(self._store.shrink, PAGES)

    def _next(self) -> int | None:
        """When the next run is due to go."""
        due = [(self._store.oldest(which), keep) for keep, which in self._expiries]
        return min((closed_at + keep for closed_at, keep in due if closed_at is not None), default=None)
