"""Waits for the events and the ends of runs of which another process is the owner: looks once for all who wait."""

from __future__ import annotations

import asyncio

from segue.errors import StoreError
from segue.stores.base import CLOSED, Store

STOPPED = (*CLOSED, "incident")
"""States in which a run does nothing more by itself."""


LOOK = 0.1
"""Seconds between looks whether anything was committed."""


class Ends:
    """Those who wait for runs of which another process is the owner: a thousand of them cost no more looks than one.

    Args:
        look: seconds between looks.
    """

    def __init__(self, store: Store, look: float = LOOK) -> None:
        self._store = store
        self._between = look
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}
        self._following: dict[asyncio.Future[None], tuple[int, int]] = {}
        """The run that each follows, and the number of the last event that it knows."""
        self._new = False
        self._looking: asyncio.Task[None] | None = None

    async def of(self, run: int) -> None:
        """Returns once the run has ended, stands still or is gone."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(run, set()).add(told)
        self._begin()
        try:
            await told
        finally:
            waiting = self._waiting[run]
            waiting.remove(told)
            if not waiting:
                del self._waiting[run]

    async def event(self, run: int, after: int) -> None:
        """Returns once the run has an event behind this number, or is gone."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._following[told] = run, after
        self._begin()
        try:
            await told
        finally:
            del self._following[told]

    def _begin(self) -> None:
        """Somebody waits who has not been looked for."""
        self._new = True
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        seen = None
        try:
            while self._waiting or self._following:
                pulse = self._store.pulse()
                if pulse != seen or self._new:
                    seen, self._new = pulse, False
                    self._tell()
                await asyncio.sleep(self._between)
        except StoreError as error:
            for told in [*(each for waiting in self._waiting.values() for each in waiting), *self._following]:
                if not told.done():
                    told.set_exception(error)
        finally:
            self._looking = None

    def _tell(self) -> None:
        rows = self._store.runs(self._waiting) if self._waiting else {}
        for run, waiting in self._waiting.items():
            row = rows.get(run)
            if row is None or row.state in STOPPED:
                for told in waiting:
                    _answer(told)
        last = self._store.last_events({run for run, _ in self._following.values()}) if self._following else {}
        for told, (run, after) in self._following.items():
            if last.get(run, after + 1) > after:
                _answer(told)


def _answer(told: asyncio.Future[None]) -> None:
    if not told.done():
        told.set_result(None)
