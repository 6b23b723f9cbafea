"""Waits for the ends of runs: at the runs' owner it is told of them, and elsewhere looks once for all who wait."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from segue.engine import Engine
from segue.errors import Incident, StoreError
from segue.stores.base import CLOSED, Store
from segue.within import whole_of

LOOK = 0.1
"""Seconds between looks whether anything was committed."""
STOPPED = (*CLOSED, "incident")
"""States in which a run does nothing more by itself."""


async def end_of(engine: Engine, run: int) -> int:
    """Returns once the run has ended or stands still; which run of its chain that is.

    Raises:
        RunNotFound: it has been deleted meanwhile.
        StoreError: the database does not answer.
    """
    while True:
        if engine.owner and engine.store.lease is None:
            try:
                await engine.closing_event(run)
            except Incident:  # it cannot even be taken into memory
                return run
        else:
            await _ends(engine).of(run)
        row = await engine.latest(run)
        if row.state in STOPPED:
            return row.run
        run = row.run


class Ends:
    """Those who wait for runs of which another process is the owner: a thousand of them cost no more looks than one."""

    def __init__(self, store: Store) -> None:
        self._store = store
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
                await asyncio.sleep(LOOK)
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


_ALL: WeakKeyDictionary[Engine, Ends] = WeakKeyDictionary()


def _ends(engine: Engine) -> Ends:
    """One for all namespaces: what is seen of an engine within one is made anew for each request."""
    whole = whole_of(engine)
    if whole not in _ALL:
        _ALL[whole] = Ends(whole.store)
    return _ALL[whole]
