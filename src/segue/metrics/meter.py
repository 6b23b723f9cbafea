"""The meter of an engine: what it counts of its own work, and what it reads from the store now and then."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from weakref import WeakKeyDictionary, ref

from segue.engine import Engine
from segue.metrics.counting import Counts
from segue.metrics.loop_lag import LoopLag
from segue.runtime.differing import Kind, differences
from segue.stores.attempt_rows import QueueFigures
from segue.stores.backlog import Backlog, OpenWork

NAMESPACES = 1_000
"""Namespaces whose figures are told; of more, the first."""
FRESH = 5.0
"""Seconds for which figures from the store are good: however many scrape, it is asked no more often."""


Work = dict[str, tuple[int, int]]
"""Attempts that run and that wait, by executor."""


class Standing:
    """What the store said of the app.

    Attributes:
        backlog: counts. queues: what is in them, in any namespace. workers: of the app, that are alive. differing:
            workflows that these have different code for, by how they differ. schedule_lag: seconds for which the
            schedule that waits longest has been due.
    """

    def __init__(
        self,
        backlog: Backlog,
        queues: Sequence[QueueFigures],
        workers: int,
        differing: Mapping[Kind, int],
        schedule_lag: float,
        now: int,
    ) -> None:
        self.backlog = backlog
        self.queues = queues
        self.workers = workers
        self.differing = differing
        self.schedule_lag = schedule_lag
        self.now = now


class Meter:
    """Counts from now on, if the engine owns runs or ever will.

    Attributes:
        counts, loop_lag: None where nothing is counted, such as in a server that owns no runs.
    """

    def __init__(self, engine: Engine, *, counting: bool = True) -> None:
        self._engine = ref(engine)
        self.counts: Counts | None = None
        self.loop_lag: LoopLag | None = None
        self._standing: Standing | None = None
        self._looked_at = 0.0
        self._open: dict[str, tuple[float, OpenWork]] = {}
        if counting:
            self.counts = Counts()
            engine.witness(self.counts)

    @property
    def engine(self) -> Engine:
        """Whose meter it is; an engine is not kept by being measured."""
        engine = self._engine()
        assert engine is not None
        return engine

    def start(self) -> None:
        """Begins to watch the loop; call it there."""
        self.loop_lag = LoopLag()

    def close(self) -> None:
        if self.loop_lag is not None:
            self.loop_lag.close()

    def standing(self) -> Standing:
        """What the store holds, as of a moment ago. Raises ``StoreUnavailable``."""
        if self._standing is None or time.monotonic() - self._looked_at > FRESH:
            engine, now = self.engine, self.engine.clock.now()
            backlog = engine.store.backlog(engine.app, now)
            queues = engine.store.queues(None, engine.app, now)
            workers = engine.store.workers(engine.app)
            differing = Counter(each.kind for each in differences(workers, now))
            due = engine.store.next_schedule(engine.app, 0)
            lag = 0.0 if due is None else max(0, now - due) / 1_000_000
            self._standing = Standing(backlog, queues, len(workers), differing, lag, now)
            self._looked_at = time.monotonic()
        return self._standing

    def namespaces(self) -> list[str]:
        """Those that there are, that of the engine among them whether there is anything in it or not."""
        return sorted({self.engine.namespace, *self.engine.store.namespaces(most=NAMESPACES)})

    def open_work(self, namespaces: Iterable[str]) -> dict[str, OpenWork]:
        """What is open in each, as of a moment ago. Raises ``StoreUnavailable``."""
        now, found = time.monotonic(), {}
        # What is old is let go whoever asked for it, so that no more is kept than is asked for.
        self._open = {name: kept for name, kept in self._open.items() if now - kept[0] <= FRESH}
        for name in namespaces:
            if name not in self._open:
                self._open[name] = now, self.engine.store.open_work(name, self.engine.clock.now())
            found[name] = self._open[name][1]
        return found

    def attempts(self) -> Work:
        """What is under way here; call it on the loop."""
        duty = self.engine.duty
        return {} if duty is None else duty.attempts.load()

    def hanging(self) -> dict[str, int]:
        """Threads here that hang in code that nobody waits for any more, by executor."""
        duty = self.engine.duty
        return {} if duty is None else duty.attempts.hanging()

    def capacity(self) -> dict[str, int]:
        """How many attempts can run here at once, by executor, where there is a limit."""
        settings = self.engine.settings
        return {"thread": settings.threads, "process": settings.processes or os.cpu_count() or 1}

    def load(self, work: Work, standing: Standing) -> float:
        """Work there is for this worker, its share of the runs that nobody has taken up included, by how much it can
        do at once. More than 1: it is behind."""
        capacity = self.capacity()
        busiest = max((sum(work.get(executor, (0, 0))) / places for executor, places in capacity.items()), default=0.0)
        return busiest + standing.backlog.due / max(1, standing.workers) / capacity["thread"]


_METERS: WeakKeyDictionary[Engine, Meter] = WeakKeyDictionary()


def meter_of(engine: Engine, *, counting: bool = False) -> Meter:
    """The engine's meter, made when it is first asked for."""
    found = _METERS.get(engine)
    if found is None:
        found = _METERS[engine] = Meter(engine, counting=counting)
    return found
