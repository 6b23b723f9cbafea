"""Counts what a process records of its runs: plain numbers, added up on the loop's thread.

Nothing is formatted before somebody asks. Names are labels, and names may be made by programs: of each kind only the
first few hundred are told apart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from segue.kernel import events as e
from segue.runtime.resident import Resident
from segue.runtime.witness import Witness

DISTINCT = 300
"""Names of one kind that are told apart; the others are counted together."""
OTHERS = "(others)"

LENGTHS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 86_400.0)
"""Seconds: bounds for what a run or a step takes."""
SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)
"""Seconds: bounds for what should take no time, such as a commit."""


class Histogram:
    """How many values lie up to each of some bounds, and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def buckets(self) -> list[tuple[str, float]]:
        """(bound, how many are not above it), as Prometheus has them."""
        total = 0
        found: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, total))
        return found


class OfTasks:
    """What is counted of human tasks."""

    __slots__ = ("completed", "opened")

    def __init__(self) -> None:
        self.opened = 0
        self.completed = 0


class OfWorkflow:
    """What is counted of one workflow's runs: how many began, ended by state, their lengths, incidents by cause."""

    __slots__ = ("ended", "incidents", "lengths", "started")

    def __init__(self) -> None:
        self.started = 0
        self.ended: dict[str, int] = {}
        self.incidents: dict[str, int] = {}
        self.lengths = Histogram(LENGTHS)


class OfStep:
    """What is counted of one step: attempts that completed, that failed and are ``retried``, that failed for good;
    calls answered from the cache; what attempts took."""

    __slots__ = ("cached", "completed", "failed", "lengths", "retried")

    def __init__(self) -> None:
        self.completed = 0
        self.retried = 0
        self.failed = 0
        self.cached = 0
        self.lengths = Histogram(LENGTHS)


T = TypeVar("T")
Name = tuple[str, str]
"""A namespace, and what is named in it; "" for the namespace as such."""
THE_OTHERS: Name = (OTHERS, OTHERS)


class Named(dict[Name, T]):
    """What is counted by name, made when a name is first met; names beyond the first hundreds share one."""

    def __init__(self, make: Callable[[], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: Name) -> T:
        if name != THE_OTHERS and len(self) >= DISTINCT:
            return self[THE_OTHERS]
        found = self[name] = self._make()
        return found


class Counts(Witness):
    """What has been recorded since the process began.

    Attributes:
        workflows, steps: what is counted of each, by namespace and name.
        tasks: what is counted of human tasks, by namespace.
        lateness: of timers. commits: how long they took. operations: how many they held together.
    """

    def __init__(self) -> None:
        self.workflows: Named[OfWorkflow] = Named(OfWorkflow)
        self.steps: Named[OfStep] = Named(OfStep)
        self.tasks: Named[OfTasks] = Named(OfTasks)
        self.lateness = Histogram(SHORT)
        self.commits = Histogram(SHORT)
        self.operations = 0

    def recorded(self, run: Resident, seq: int, since: int, events: Sequence[e.Event]) -> None:
        for event in events:
            count = _COUNTED.get(type(event))
            if count is not None:
                count(self, run, event)

    def fired(self, late: int) -> None:
        self.lateness.add(late / 1_000_000)

    def committed(self, seconds: float, operations: int) -> None:
        self.commits.add(seconds)
        self.operations += operations

    def _started(self, run: Resident, event: e.RunStarted) -> None:
        self.workflows[run.namespace, event.workflow].started += 1

    def _ended(self, run: Resident, event: e.Event) -> None:
        counted, state = self.workflows[run.namespace, run.workflow], e.ENDS[type(event)]
        counted.ended[state] = counted.ended.get(state, 0) + 1
        if run.started is not None:
            counted.lengths.add((event.at - (run.started.begin or run.started.at)) / 1_000_000)

    def _completed(self, run: Resident, event: e.StepCompleted) -> None:
        counted = self.steps[run.namespace, event.name]
        counted.completed += 1
        if event.started_at:  # not so where the outcome came from outside
            counted.lengths.add((event.at - event.started_at) / 1_000_000)

    def _failed(self, run: Resident, event: e.StepFailed) -> None:
        counted = self.steps[run.namespace, event.name]
        if event.retry_at is None:
            counted.failed += 1
        else:
            counted.retried += 1
        if event.started_at:
            counted.lengths.add((event.at - event.started_at) / 1_000_000)

    def _cached(self, run: Resident, event: e.StepCached) -> None:
        self.steps[run.namespace, event.name].cached += 1

    def _stands_still(self, run: Resident, event: e.IncidentOpened) -> None:
        counted = self.workflows[run.namespace, run.workflow]
        counted.incidents[event.cause] = counted.incidents.get(event.cause, 0) + 1

    def _task_opened(self, run: Resident, event: e.TaskOpened) -> None:
        self.tasks[run.namespace, ""].opened += 1

    def _task_completed(self, run: Resident, event: e.TaskCompleted) -> None:
        self.tasks[run.namespace, ""].completed += 1


_COUNTED: dict[type[e.Event], Callable[[Counts, Resident, Any], None]] = {
    e.RunStarted: Counts._started,
    e.StepCompleted: Counts._completed,
    e.StepFailed: Counts._failed,
    e.StepCached: Counts._cached,
    e.IncidentOpened: Counts._stands_still,
    e.TaskOpened: Counts._task_opened,
    e.TaskCompleted: Counts._task_completed,
    **dict.fromkeys(e.ENDS, Counts._ended),
}
