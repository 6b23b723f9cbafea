"""A simulated run at one moment, as an invariant sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from segue.client.following import Recorded
from segue.engine import Engine
from segue.stores.base import CLOSED, RunFilter, RunRow
from segue.testing.trace import Trace

MOST = 100_000
"""Runs of a chain: more than there can be commits."""


class Moment:
    """What is true after a commit, or, with ``over``, when nothing more is going to happen.

    Attributes:
        outside: what the scene returned: the world around the run.
        over: whether this is the end.
    """

    def __init__(self, engine: Engine, run: int | None, outside: Any, *, over: bool) -> None:
        self.engine = engine
        self.outside = outside
        self.over = over
        self._run = run

    @cached_property
    def row(self) -> RunRow | None:
        """The run's row, once it is there; of one that has continued as new, the last one."""
        return None if self._run is None else self.engine.store.latest(self._run)

    @property
    def state(self) -> str:
        """``running``, ``waiting``, ``incident``, or how the run ended; ``absent`` before it is there."""
        return "absent" if self.row is None else self.row.state

    @property
    def closed(self) -> bool:
        """Whether the run has ended. Children and messages may still be under way."""
        return self.state in CLOSED

    @cached_property
    def trace(self) -> Trace:
        """What the run has done, as far as it is recorded; of one that has continued as new, the last one."""
        return self._trace(None if self.row is None else self.row.run)

    @cached_property
    def traces(self) -> list[Trace]:
        """The same of every run of its chain, the first one first; of one that never continues as new, the one."""
        return [self._trace(row.run) for row in self.chain]

    @property
    def chain(self) -> list[RunRow]:
        """The runs that go on from each other, the first one first."""
        if self.row is None:
            return []
        same_id = self.engine.store.list(RunFilter(namespace=self.row.namespace, id_prefix=self.row.id, limit=MOST))
        chain = [row for row in same_id if row.id == self.row.id and row.app == self.row.app]
        return sorted(chain, key=lambda row: row.run)

    def _trace(self, run: int | None) -> Trace:
        events = () if run is None else self.engine.events_of(run)
        return Trace(Recorded(seq, event) for seq, event in events)

    @property
    def published(self) -> dict[str, Any]:
        """What the workflow has published."""
        return {} if self.row is None else self.engine.published(self.row.run)

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.fromtimestamp(self.engine.clock.now() / 1_000_000, UTC)


Invariant = Callable[[Moment], object]
"""When it does not hold, it raises, or returns something false that is not None. Its name, or its docstring's first
line, says what is to hold."""


def name_of(invariant: Invariant) -> str:
    """What an invariant is called in a report."""
    said = (invariant.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    return said or getattr(invariant, "__name__", repr(invariant)).replace("_", " ")


def in_the_end(invariant: Invariant) -> Invariant:
    """The invariant need hold only when nothing more is going to happen."""

    def held(moment: Moment) -> object:
        return True if not moment.over else invariant(moment)

    held.__wrapped__ = invariant  # type: ignore[attr-defined]
    held.__name__ = getattr(invariant, "__name__", "invariant")
    held.__doc__ = invariant.__doc__ or None
    return held
