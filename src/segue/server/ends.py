"""Waits for the ends of runs: at the runs' owner it is told of them, and elsewhere looks once for all who wait."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from segue.client.ends import STOPPED, Ends
from segue.engine import Engine
from segue.errors import Incident
from segue.server.within import whole_of


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


_ALL: WeakKeyDictionary[Engine, Ends] = WeakKeyDictionary()


def _ends(engine: Engine) -> Ends:
    """One for all namespaces: what is seen of an engine within one is made anew for each request."""
    whole = whole_of(engine)
    if whole not in _ALL:
        _ALL[whole] = Ends(whole.store)
    return _ALL[whole]
