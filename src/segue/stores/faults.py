"""Faults on demand around any store: what a workflow, and the engine itself, must live through.

A plan names the fault of each commit that is to have one; commits are counted from 1, a commit that is tried again
counts again, and so does an erasure (``redact``), which is a transaction too::

    store = FaultyStore(SqliteStore.open(path), {3: LoseAcknowledgement(), 4: Refuse(), 7: CrashAfter(crash)})
    engine = Engine(store=store)

or decides by looking at the batch::

    FaultyStore(store, lambda number, batch: Refuse() if number % 10 == 0 else None)

What each fault stands for: ``Refuse``, a full disk or a database that is down; ``LoseAcknowledgement``, a connection
that breaks while the answer is under way; ``CrashBefore`` and ``CrashAfter``, a process that is killed on this or that
side of the commit; ``Delay``, a slow disk. Every one of them happens in production sooner or later.
"""

from __future__ import annotations

import builtins
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

from segue.errors import StoreUnavailable
from segue.kernel.ramp import Ramp
from segue.stores.account_rows import AccountRows
from segue.stores.attempt_rows import Head, LiveAttempt, QueueFigures
from segue.stores.backlog import Backlog, OpenWork
from segue.stores.base import (
    ALL_ENDED,
    Answer,
    Batch,
    Ended,
    Fence,
    HoldStep,
    InboxRow,
    RunFilter,
    RunRow,
    Store,
    StoreStats,
    Task,
)
from segue.stores.cache_rows import CacheEntry
from segue.stores.figure_rows import EndedRuns, OpenRuns, StartedRuns
from segue.stores.log_rows import StepLogs
from segue.stores.namespace_rows import NamespaceRows
from segue.stores.outbox_rows import OutboxRow
from segue.stores.owning import NO_RAMPS, Holding, Owner, Slots, Worker
from segue.stores.people_rows import PeopleRows
from segue.stores.place_rows import PlaceRows
from segue.stores.schedule_rows import SchedulePage, ScheduleRow
from segue.stores.search_rows import FoundRuns
from segue.stores.task_rows import TaskCounts, TaskFilter

Commit = Callable[[], list[Answer]]
ERASURE = Batch(0, ())
"""What a plan that looks at batches sees of an erasure."""


class Crash(BaseException):
    """Stands for the death of the process, in a test that goes on after it. Not an ``Exception``, so that nothing on
    the way handles it; the store it came from is dead and answers every later call with it again."""


def exit_process() -> NoReturn:
    """Ends the process at once, as ``kill -9`` does: no handler runs, no buffer is written."""
    os._exit(137)


def crash() -> NoReturn:
    """Raises ``Crash``: for tests in one process."""
    raise Crash


class Fault(Protocol):
    """Something that happens to one commit."""

    def strike(self, commit: Commit) -> list[Answer]:
        """Carries the commit out or not, and answers or raises."""


@dataclass(frozen=True)
class Refuse:
    """Nothing is written."""

    reason: str = "the test says that the store is down"

    def strike(self, commit: Commit) -> list[Answer]:
        raise StoreUnavailable(self.reason)


@dataclass(frozen=True)
class LoseAcknowledgement:
    """The commit is carried out, but the caller is told that it may not have been."""

    reason: str = "the test says that the connection was lost before the answer came"

    def strike(self, commit: Commit) -> list[Answer]:
        commit()
        raise StoreUnavailable(self.reason)


@dataclass(frozen=True)
class CrashBefore:
    """The process dies, and nothing was written."""

    die: Callable[[], object] = exit_process

    def strike(self, commit: Commit) -> list[Answer]:
        self.die()
        return commit()


@dataclass(frozen=True)
class CrashAfter:
    """The process dies after the commit, before anybody learns of it."""

    die: Callable[[], object] = exit_process

    def strike(self, commit: Commit) -> list[Answer]:
        answers = commit()
        self.die()
        return answers


@dataclass(frozen=True)
class Delay:
    """The commit takes its time, in seconds; ``wait`` may be the clock of a test."""

    seconds: float
    wait: Callable[[float], object] = time.sleep

    def strike(self, commit: Commit) -> list[Answer]:
        self.wait(self.seconds)
        return commit()


Plan = Mapping[int, Fault] | Callable[[int, Batch], Fault | None]


class FaultyStore:
    """A store with faults; fulfils ``Store``, where the docstrings of what it passes on stand.

    Attributes:
        commits: how many commits were tried.
        dead: whether a ``Crash`` was raised; closing the store then leaves its ownership as a dead process does.
    """

    def __init__(self, store: Store, plan: Plan | None = None) -> None:
        self.commits = 0
        self.dead = False
        self._store = store
        self._plan = _as_function(plan)

    def commit(self, batch: Batch) -> list[Answer]:
        store = self._living()
        return self._strike(lambda: store.commit(batch), batch)

    def _strike(self, commit: Commit, batch: Batch) -> list[Answer]:
        self.commits += 1
        fault = self._plan(self.commits, batch)
        if fault is None:
            return commit()
        try:
            return fault.strike(commit)
        except Crash:
            self.dead = True
            raise

    def close(self, *, clean: bool = True) -> None:
        self._store.close(clean=clean and not self.dead)

    # --- passed on --------------------------------------------------------------------------------------------

    def landed(self, batch: Batch) -> bool:
        return self._living().landed(batch)

    def own(self, app: str, worker: str, serves: Mapping[str, str] | None = None) -> Fence | None:
        return self._living().own(app, worker, serves)

    def advertise(self, fence: Fence, serves: Mapping[str, str], ramps: Mapping[str, Ramp] = NO_RAMPS) -> None:
        self._living().advertise(fence, serves, ramps)

    def owner(self, app: str) -> Owner | None:
        return self._living().owner(app)

    def release(self, fence: Fence, *, clean: bool = True) -> None:
        self._living().release(fence, clean=clean)

    @property
    def lease(self) -> float | None:
        return self._store.lease

    def tend(self, fence: Fence) -> Holding:
        return self._living().tend(fence)

    def give(self, fence: Fence, slots: Sequence[Slots]) -> None:
        self._living().give(fence, slots)

    def pin(self, fence: Fence, pins: Mapping[str, Sequence[str]]) -> None:
        self._living().pin(fence, pins)

    def pass_on(self, fence: Fence, workflows: Iterable[str], runs: Iterable[int], now: int) -> int:
        return self._living().pass_on(fence, workflows, runs, now)

    def time(self) -> int:
        return self._living().time()

    def workers(self, app: str | None = None) -> builtins.list[Worker]:
        return self._living().workers(app)

    def stirred(self) -> bool:
        return self._living().stirred()

    def slots_of(self, runs: Iterable[int]) -> dict[int, int]:
        return self._living().slots_of(runs)

    def changed(self) -> bool:
        return self._living().changed()

    def due(self, app: str, now: int, limit: int, *, only: Iterable[str] | None = None) -> list[RunRow]:
        return self._living().due(app, now, limit, only=only)

    def begun(self, app: str, *, only: Iterable[str] | None = None) -> list[int]:
        return self._living().begun(app, only=only)

    def next_wake(self, app: str, after: int) -> int | None:
        return self._living().next_wake(app, after)

    def inbox(self, runs: Iterable[int]) -> list[InboxRow]:
        return self._living().inbox(runs)

    def knows_message(self, run: int, message: str) -> bool:
        return self._living().knows_message(run, message)

    def runs_since_message(self, run: int, message: str) -> builtins.list[int]:
        return self._living().runs_since_message(run, message)

    def inbox_runs(self, app: str, limit: int, *, only: Iterable[str] | None = None) -> list[int]:
        return self._living().inbox_runs(app, limit, only=only)

    def outbox(self, app: str, limit: int, workflows: Iterable[str]) -> builtins.list[OutboxRow]:
        return self._living().outbox(app, limit, workflows)

    def journal(self, run: int, *, after: int = 0) -> Iterator[tuple[int, bytes]]:
        return self._living().journal(run, after=after)

    def event(self, run: int, seq: int) -> bytes | None:
        return self._living().event(run, seq)

    def tail(self, run: int, limit: int) -> list[tuple[int, bytes]]:
        return self._living().tail(run, limit)

    def last_events(self, runs: Iterable[int]) -> dict[int, int]:
        return self._living().last_events(runs)

    def run(self, run: int) -> RunRow | None:
        return self._living().run(run)

    def runs(self, runs: Iterable[int]) -> dict[int, RunRow]:
        return self._living().runs(runs)

    def find(self, namespace: str, id: str) -> RunRow | None:
        return self._living().find(namespace, id)

    def latest(self, run: int) -> RunRow | None:
        return self._living().latest(run)

    def list(self, where: RunFilter) -> builtins.list[RunRow]:
        return self._living().list(where)

    def search(self, where: RunFilter) -> FoundRuns:
        return self._living().search(where)

    def counts(self, namespace: str) -> dict[str, int]:
        return self._living().counts(namespace)

    def pulse(self) -> int:
        return self._living().pulse()

    def tasks(
        self, namespace: str, *, state: str | None = "open", assignee: str | None = None, run: int | None = None,
        task: int | None = None,
    ) -> builtins.list[Task]:  # fmt: skip
        return self._living().tasks(namespace, state=state, assignee=assignee, run=run, task=task)

    def task_page(self, where: TaskFilter) -> builtins.list[Task]:
        return self._living().task_page(where)

    def open_tasks_of(self, runs: Iterable[int]) -> builtins.list[Task]:
        return self._living().open_tasks_of(runs)

    def count_tasks(self, namespace: str, *, now: int, by: str, most: int) -> TaskCounts:
        return self._living().count_tasks(namespace, now=now, by=by, most=most)

    def blobs(self, refs: Iterable[str]) -> dict[str, bytes]:
        return self._living().blobs(refs)

    def refs(self, run: int) -> builtins.list[str]:
        return self._living().refs(run)

    def published(self, run: int) -> dict[str, bytes]:
        return self._living().published(run)

    def artifacts(self, run: int) -> dict[str, bytes]:
        return self._living().artifacts(run)

    def state(self, namespace: str, scope: str, key: str) -> bytes | None:
        return self._living().state(namespace, scope, key)

    def heads(self, runs: Iterable[int], limit: int) -> dict[int, Head]:
        return self._living().heads(runs, limit)

    def attempts(self, run: int) -> builtins.list[LiveAttempt]:
        return self._living().attempts(run)

    def waits_in(self, namespace: str, app: str, queue: str, now: int, steps: tuple[str, ...] | None = None) -> bool:
        return self._living().waits_in(namespace, app, queue, now, steps)

    def queues(
        self, namespace: str | None, app: str | None, now: int, limit: int = 100_000
    ) -> builtins.list[QueueFigures]:
        return self._living().queues(namespace, app, now, limit)

    def held(self, app: str) -> builtins.list[HoldStep]:
        return self._living().held(app)

    def schedules(self, namespace: str, name: str | None = None) -> builtins.list[ScheduleRow]:
        return self._living().schedules(namespace, name)

    def schedule_page(self, namespace: str, where: SchedulePage) -> builtins.list[ScheduleRow]:
        return self._living().schedule_page(namespace, where)

    def due_schedules(
        self, app: str, now: int, limit: int, *, only: Iterable[str] | None = None
    ) -> builtins.list[ScheduleRow]:
        return self._living().due_schedules(app, now, limit, only=only)

    def waiting_schedules(self, app: str, *, only: Iterable[str] | None = None) -> builtins.list[ScheduleRow]:
        return self._living().waiting_schedules(app, only=only)

    def next_schedule(self, app: str, after: int) -> int | None:
        return self._living().next_schedule(app, after)

    def count_ended(
        self, namespace: str, *, since: int, until: int, bar: int | None, most: int, workflow: str | None = None
    ) -> builtins.list[EndedRuns]:
        return self._living().count_ended(namespace, since=since, until=until, bar=bar, most=most, workflow=workflow)

    def count_open(self, namespace: str, *, most: int) -> builtins.list[OpenRuns]:
        return self._living().count_open(namespace, most=most)

    def namespaces(self, *, most: int) -> builtins.list[str]:
        return self._living().namespaces(most=most)

    def count_open_in(self, namespaces: Sequence[str], *, most: int) -> dict[str, dict[str, int]]:
        return self._living().count_open_in(namespaces, most=most)

    def count_started(
        self, where: RunFilter, *, now: int, widths: Sequence[int], bars: int, most: int
    ) -> StartedRuns | None:
        return self._living().count_started(where, now=now, widths=widths, bars=bars, most=most)

    def cached(self, namespace: str, step: str, key: str) -> CacheEntry | None:
        return self._living().cached(namespace, step, key)

    def drop_cached(self, namespace: str, step: str, key: str | None = None) -> int:
        return self._living().drop_cached(namespace, step, key)

    def retain(self, closed_before: int, limit: int, which: Ended = ALL_ENDED) -> int:
        return self._living().retain(closed_before, limit, which)

    def oldest(self, which: Ended) -> int | None:
        return self._living().oldest(which)

    def shrink(self, pages: int = 500) -> bool:
        return self._living().shrink(pages)

    def upkeep(self) -> None:
        self._living().upkeep()

    def redact(self, run: int, events: Sequence[tuple[int, bytes]], told: bytes, refs: Iterable[str] = ()) -> bool:
        store = self._living()
        done: list[bool] = []

        def redact() -> list[Answer]:
            done.append(store.redact(run, events, told, refs))
            return []

        self._strike(redact, ERASURE)
        return done[-1]

    def backlog(self, app: str, now: int, limit: int = 100_000) -> Backlog:
        return self._living().backlog(app, now, limit)

    def open_work(self, namespace: str, now: int, limit: int = 100_000) -> OpenWork:
        return self._living().open_work(namespace, now, limit)

    def stats(self) -> StoreStats:
        return self._living().stats()

    def backup(self, target: str) -> None:
        self._living().backup(target)

    @property
    def accounts(self) -> AccountRows:
        return self._living().accounts

    @property
    def described(self) -> NamespaceRows:
        return self._living().described

    @property
    def places(self) -> PlaceRows:
        return self._living().places

    @property
    def people(self) -> PeopleRows:
        return self._living().people

    @property
    def logs(self) -> StepLogs:
        return self._living().logs

    def _living(self) -> Store:
        if self.dead:
            raise Crash
        return self._store


def _as_function(plan: Plan | None) -> Callable[[int, Batch], Fault | None]:
    if plan is None:
        return lambda number, batch: None
    if callable(plan):
        return plan
    faults = dict(plan)
    return lambda number, batch: faults.get(number)
