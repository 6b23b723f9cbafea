"""Looks after the schedules of an app: one alarm for the earliest of them, and one write for each that has come.

What a schedule does is decided by the kernel; here it is carried out: where it stands from then on, the runs that it
starts and the messages to those that make way are one operation, so no crash starts a run twice or not at all. A write
that somebody else has come before with changes nothing, and the schedule is looked at again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from segue.errors import StoreError, StoreUnavailable
from segue.kernel import backfilling, firing
from segue.kernel import events as e
from segue.kernel.schedule import Fact, Start, first_part, run_id
from segue.runtime import scheduled
from segue.runtime.clock import Earliest
from segue.runtime.plans import Plan, encode, plan_of, progress_of, standing_of
from segue.stores.base import CLOSED, Rejected, RunFilter, RunRow, StartRun, Store
from segue.stores.schedule_rows import ScheduleRow, ScheduleWritten, WriteSchedule

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

log = logging.getLogger("segue.schedules")

AT_ONCE = 500
"""Schedules that are dealt with at a time; the next ones follow when they are written."""
SLOW = 30.0
"""Seconds between two looks at schedules that wait for a run: its end is heard of, unless somebody else wrote it."""
RETRY = 1.0

Key = tuple[str, str, str]
"""Namespace, name, backfill."""


class Scheduler:
    """The schedules of the app whose runs this process owns. Make it and use it on the loop's thread."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._loop = asyncio.get_running_loop()
        self._under_way: dict[Key, bool] = {}
        self._awaited: dict[str, set[Key]] = {}
        self._broken: dict[Key, int] = {}
        self._alarm = Earliest(conductor.clock, self.look)
        self._waiting_at = 0.0
        self._again: asyncio.TimerHandle | None = None
        self._running = False

    @property
    def busy(self) -> bool:
        """A schedule is being written, or is about to be looked at."""
        return bool(self._under_way)

    def start(self) -> None:
        """Begins to look. A process that is there for one workflow's runs alone leaves schedules to others."""
        self._running = self._conductor.settings.strangers != "leave"
        self._waiting_at = 0.0
        self.look()

    def close(self) -> None:
        self._running = False
        self._alarm.cancel()
        if self._again is not None:
            self._again.cancel()

    # --- looking ----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Deals with the schedules that are due, and sets the alarm for the next."""
        if not self._running:
            return
        try:
            self._look()
        except StoreUnavailable as error:
            log.debug("looking for schedules again later: %s", error)
            self._look_later()
        except StoreError as error:
            log.critical("cannot look for schedules: %s", error)

    def _look(self) -> None:
        store, app = self._conductor.store, self._conductor.app
        now = self._conductor.clock.now()
        # Those under way are due in the database until they are written, those that are broken for good; they must not
        # hide the others.
        rows = store.due_schedules(app, now, AT_ONCE + len(self._under_way) + len(self._broken))
        for row in rows:
            self._consider(row)
        if self._loop.time() >= self._waiting_at:
            self._waiting_at = self._loop.time() + SLOW
            for row in store.waiting_schedules(app):
                self._consider(row)
        if not self._under_way:
            self._expect(store.next_schedule(app, now))

    def _look_later(self) -> None:
        if self._again is None and self._running:
            self._again = self._loop.call_later(RETRY, self._look_again)

    def _look_again(self) -> None:
        self._again = None
        self.look()

    def _expect(self, at: int | None) -> None:
        if at is not None and self._running:
            self._alarm.expect(at)

    def heard(self, run_id: str, event: e.Event) -> None:
        """A run has ended: what waits for it is looked at again."""
        if self._awaited and isinstance(event, e.CLOSING):
            for key in self._awaited.pop(first_part(run_id), ()):
                self._consider_again(key)

    def _consider_again(self, key: Key) -> None:
        if key in self._under_way:
            self._under_way[key] = True
            return
        if not self._running:
            return
        namespace, name, backfill = key
        try:
            for row in self._conductor.store.schedules(namespace, name):
                if row.backfill == backfill:
                    self._consider(row)
        except StoreUnavailable as error:
            log.debug("looking at schedule %s again later: %s", name, error)
            self._waiting_at = 0.0
            self._look_later()

    # --- deciding and writing ---------------------------------------------------------------------------------

    def _consider(self, row: ScheduleRow) -> None:
        key = (row.namespace, row.name, row.backfill)
        if key in self._under_way or self._broken.get(key) == row.revision:
            return
        try:
            operation, awaits = self._decide(row)
        except StoreUnavailable:
            raise
        except Exception as error:  # one that cannot be read, by whatever release it was written, holds up no other
            self._give_up(row, f"{type(error).__name__}: {error}")
            return
        for id in awaits:
            self._awaited.setdefault(id, set()).add(key)
        if operation is None:
            return
        self._under_way[key] = False
        self._conductor.writer.submit(operation, lambda answer: self._written(key, operation, answer))

    def _decide(self, row: ScheduleRow) -> tuple[WriteSchedule | None, tuple[str, ...]]:
        """What is to be written, if anything, and the runs that are waited for."""
        plan = plan_of(row)
        facts = StoreFacts(self._conductor.store, row.namespace)
        now = self._conductor.clock.now()
        decision: firing.Decision | backfilling.Step
        if plan.backfill is not None:
            decision = backfilling.go_on(
                row.name, row.backfill, plan.policy, plan.backfill, progress_of(row), now, plan.instants, facts
            )
            standing, posts, more = encode(decision.progress), [], []
        else:
            decision = firing.decide(row.name, plan.policy, standing_of(row), now, plan.instants, facts)
            standing = encode(decision.standing)
            posts = [scheduled.make_way(self._conductor, row, stop) for stop in decision.stops]
            more = [
                start
                for late in decision.overdue
                for start in scheduled.overdue(self._conductor, row, plan, late, facts)
            ]
        waits = bool(decision.awaits)
        wake = decision.wake
        if (standing, wake, waits) == (row.standing, row.wake, row.waits) and not (decision.starts or posts or more):
            return None, decision.awaits
        starts = [self._start(row, plan, start) for start in decision.starts]
        written = ScheduleRow(
            row.namespace, row.name, row.backfill, row.app, row.workflow, row.revision, wake, waits, row.plan, standing
        )
        return WriteSchedule(written, False, (*starts, *more), tuple(posts)), decision.awaits

    def _start(self, row: ScheduleRow, plan: Plan, start: Start) -> StartRun:
        return scheduled.started(
            self._conductor, row.namespace, row.name, plan, start, at=self._conductor.clock.now(), actor="schedule"
        )

    def _written(self, key: Key, operation: WriteSchedule, answer: Any) -> None:
        again = self._under_way.pop(key, False)
        match answer:
            case ScheduleWritten("written"):
                scheduled.tell(self._conductor, operation, answer)
                self._expect(operation.schedule.wake)
            case ScheduleWritten():
                again = True  # changed meanwhile, or this very write had come through and its answer was lost
                scheduled.find_again(self._conductor, operation)
            case Rejected():
                self._give_up(operation.schedule, answer.reason)
        if again:
            self._consider_again(key)
        if not self._under_way:
            self.look()

    def _give_up(self, row: ScheduleRow, why: str) -> None:
        """Until somebody has changed it, it is left alone."""
        self._broken[row.namespace, row.name, row.backfill] = row.revision
        log.error(
            "schedule %s of namespace %s cannot go on (%s); its runs are not started until it has been mended: "
            "`segue schedule show %s`", row.name, row.namespace, why, row.name,
        )  # fmt: skip


class StoreFacts:
    """What the store knows of a schedule's runs. Implements ``kernel.schedule.Facts``."""

    def __init__(self, store: Store, namespace: str) -> None:
        self._store = store
        self._namespace = namespace

    def of(self, schedule: str, due: int) -> list[Fact]:
        id = run_id(schedule, due)
        found = self._store.list(RunFilter(namespace=self._namespace, id_prefix=id, limit=1000))
        # Not what a hook of such a run started.
        rows = [row for row in found if row.id == id or _by_backfill(row.id, id)]
        return [_fact(row) for row in rows if row.state != "continued"]  # it goes on under the same id

    def open(self, id: str) -> bool:
        row = self._store.find(self._namespace, id)
        return row is not None and row.state not in CLOSED

    def completed(self, id: str) -> bool:
        row = self._store.find(self._namespace, id)
        return row is not None and row.state == "completed"


def _by_backfill(id: str, of: str) -> bool:
    rest = id.removeprefix(f"{of}/")
    return rest != id and "/" not in rest


def _fact(row: RunRow) -> Fact:
    return Fact(row.id, row.state, row.started_at, row.closed_at)
