"""Waits for the ends of runs of which another process is the owner: looks once for all who wait."""

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
        self._new = False
        self._looking: asyncio.Task[None] | None = None

    async def of(self, run: int) -> None:
        """Returns once the run has ended, stands still or is gone."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(run, set()).add(told)
        self._new = True
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            await told
        finally:
            waiting = self._waiting[run]
            waiting.remove(told)
            if not waiting:
                del self._waiting[run]

    async def _look(self) -> None:
        seen = None
        try:
            while self._waiting:
                pulse = self._store.pulse()
                if pulse != seen or self._new:
                    seen, self._new = pulse, False
                    self._tell()
                await asyncio.sleep(self._between)
        except StoreError as error:
            for told in [each for waiting in self._waiting.values() for each in waiting if not each.done()]:
                told.set_exception(error)
        finally:
            self._looking = None

    def _tell(self) -> None:
        rows = self._store.runs(self._waiting)
        for run, waiting in self._waiting.items():
            row = rows.get(run)
            if row is None or row.state in STOPPED:
                for told in waiting:
                    if not told.done():
                        told.set_result(None)
