"""``engine.schedules``: schedules are made, changed, paused, triggered and looked at, and the past is filled in.

Everything here is a row that is read, changed and written back unless somebody else has written it meanwhile; whoever
owns the runs finds it and acts on it.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from segue.authoring.python.scheduling import POLICY, Schedule, schedule_name
from segue.client.handles import Handle
from segue.errors import InvalidArgument, ScheduleDeclared, ScheduleExists, ScheduleNotFound, StoreUnavailable
from segue.kernel import backfilling
from segue.kernel.names import actor_of, checked_name
from segue.kernel.schedule import Order, Reprocess, Standing, Start, interval_of, run_id
from segue.recurrence.rules import Instants, Rule, Within, count, instants, point, walk
from segue.recurrence.walls import moment
from segue.runtime.beside import beside
from segue.runtime.plans import Plan, encode, plan_of, standing_of
from segue.runtime.scheduled import run_of
from segue.runtime.schedules import StoreFacts
from segue.schedules.info import BackfillPreview, ScheduleInfo, info
from segue.schedules.planning import COUNTED, backfill_of, begin, in_the_past, merged, planned, restarted
from segue.stores.base import StartRun
from segue.stores.schedule_rows import SchedulePage, ScheduleRow, ScheduleWritten, WriteSchedule
from segue.stores.task_rows import ALL

if TYPE_CHECKING:
    from segue.engine import Engine

MOST = 10_000
"""Due times that a backfill may have, unless it is told that more are meant."""
TRIES = 50
NEXT = 5

Change = Callable[[Plan, Standing], tuple[Plan, Standing]]


class Schedules:
    """The schedules of an engine's namespace. In code they are declared with ``@workflow(schedule=…)`` instead."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(
        self, name: str, workflow: Any, schedule: Schedule | Rule, *, paused: str | None = None
    ) -> ScheduleInfo:
        """Makes a schedule: ``await engine.schedules.create("nightly", load, Cron("0 2 * * *"))``.

        Args:
            workflow: a workflow, or the name of one that is served.
            schedule: a rule, or a ``Schedule`` with all that goes with it.
            paused: why it is paused from the start.

        Raises:
            ScheduleExists: the name is taken.
            InvalidArgument, UnknownWorkflow: it cannot be used; nothing was made.
        """
        engine = self._engine
        whole = schedule if isinstance(schedule, Schedule) else Schedule(schedule)
        plan = planned(engine, workflow, whole)
        now = engine.clock.now()
        standing = msgspec.structs.replace(begin(plan.policy, now), paused=_reason(paused))
        row = ScheduleRow(
            engine.namespace, schedule_name(name), "", engine.app, plan.workflow, 0, now, False, encode(plan),
            encode(standing),
        )  # fmt: skip
        if (await self._write(WriteSchedule(row))).outcome == "stale":
            raise ScheduleExists(name)
        return await self.show(name)

    async def update(self, name: str, *, check: Callable[[Plan], None] | None = None, **changes: Any) -> ScheduleInfo:
        """Changes fields of ``Schedule`` and leaves the others: ``update("nightly", when=Cron("0 3 * * *"))``. Where a
        schedule declared in code was changed, the change stands until the code changes that field.

        Args:
            check: is given the plan as it is in the moment of the change; what it raises is raised.

        Raises:
            InvalidArgument: there is no such field, or it cannot be that; nothing was changed.
        """
        unknown = set(changes) - {*POLICY, "when", "args", "tags", "note"}
        if unknown:
            raise InvalidArgument(f"a schedule has no {sorted(unknown)[0]!r} that can be changed")

        def change(plan: Plan, standing: Standing) -> tuple[Plan, Standing]:
            if check is not None:
                check(plan)
            new = merged(self._engine, plan, changes)
            return new, restarted(plan, new, standing, self._engine.clock.now())

        await self._modify(name, change)
        return await self.show(name)

    async def pause(self, name: str, reason: str = "") -> None:
        """No runs are started until it is resumed; what is due meanwhile is not caught up with. Open runs go on."""
        why = _reason(reason) or "by hand"
        await self._modify(name, lambda plan, standing: (plan, msgspec.structs.replace(standing, paused=why)))

    async def resume(self, name: str) -> None:
        """Goes on with the next instant from now."""

        def change(plan: Plan, standing: Standing) -> tuple[Plan, Standing]:
            if standing.paused is None:
                return plan, standing
            now = self._engine.clock.now()
            return plan, msgspec.structs.replace(
                standing, paused=None, cursor=max(standing.cursor, now), checked=(now,) * len(plan.policy.limits)
            )

        await self._modify(name, change)

    async def trigger(self, name: str, *, due: datetime | str | None = None, by: str = "") -> Handle[Any]:
        """Starts a run now, paused or not, whatever is open. ``due`` is its due time; by default now."""
        engine = self._engine
        for _ in range(TRIES):
            row = self._row(name)
            plan, standing = plan_of(row), standing_of(row)
            now = engine.clock.now()
            at = now if due is None else point(due, "a due time")
            id = run_id(name, at, f"manual-{os.urandom(4).hex()}")
            start = self._start(plan, Start(id, at, interval_of(plan.instants, at)), now, actor_of(by) or "user")
            overlaps = plan.policy.overlap != "allow-all"
            after = msgspec.structs.replace(
                standing, started=standing.started + 1, open=(*standing.open, id) if overlaps else standing.open
            )
            new = msgspec.structs.replace(row, standing=encode(after))
            answer = await self._write(WriteSchedule(new, starts=(start,)))
            if answer.outcome == "written":
                return Handle(engine, answer.started[0].run, id)
        raise _contended(name)

    async def backfill(
        self,
        name: str,
        start: datetime | str,
        end: datetime | str,
        *,
        id: str | None = None,
        parallel: int = 1,
        order: Order = "oldest",
        reprocess: Reprocess = "missing",
        most: int = MOST,
    ) -> str:
        """Starts the runs that were due from ``start`` on and before ``end``; returns the backfill's id.

        Args:
            parallel: how many at a time.
            order: ``oldest`` or ``newest`` first.
            reprocess: ``missing``: only where no run has been; ``failed``: also where none has completed; ``all``.
            most: how many due times there may be; more are refused before anything happens.

        Raises:
            InvalidArgument: it has no due times, too many, or does not lie in the past; nothing was started.
            ScheduleExists: there is a backfill of this id.
        """
        row = self._row(name)
        id = schedule_name(id or f"backfill-{os.urandom(4).hex()}")
        plan = plan_of(row)
        now = self._engine.clock.now()
        period = point(start, "a backfill's start"), point(end, "a backfill's end")
        backfill = backfill_of(name, plan, now, period, parallel, order, reprocess, most)
        own = msgspec.structs.replace(plan, backfill=backfill, declared=None)
        made = ScheduleRow(
            row.namespace, name, id, row.app, row.workflow, 0, now, False, encode(own),
            encode(backfilling.begin(backfill)),
        )  # fmt: skip
        if (await self._write(WriteSchedule(made))).outcome == "stale":
            raise ScheduleExists(name, backfill=id)
        return id

    async def preview_backfill(self, name: str, start: datetime | str, end: datetime | str) -> BackfillPreview:
        """How many due times a backfill would have, before anything happens.

        Raises:
            InvalidArgument: the period does not lie in the past.
        """
        plan = plan_of(self._row(name))
        first, last = point(start, "a backfill's start"), point(end, "a backfill's end")
        in_the_past(first, last, self._engine.clock.now())
        found = instants(plan.rule)
        total, exact = count(found, first, last, COUNTED)
        ends = (found.after(first - 1), found.before(last)) if total else (None, None)
        return BackfillPreview(total, exact, *(None if at is None else moment(at) for at in ends))

    async def cancel_backfill(self, name: str, id: str) -> None:
        """Starts no more of its runs; those that are open go on."""
        await self._delete(name, id)

    async def delete(self, name: str, *, check: Callable[[Plan], None] | None = None) -> None:
        """Takes the schedule and its backfills away. Its runs stay, those that are open go on.

        Args:
            check: as in ``update``.

        Raises:
            ScheduleDeclared: it stands in code that is served.
        """
        engine = self._engine
        row = self._row(name)
        owner = engine.store.owner(engine.app)
        served = engine.definitions.workflow(row.workflow) is not None or (owner and row.workflow in owner.serves)
        if plan_of(row).declared is not None and served:
            raise ScheduleDeclared(name, row.workflow)
        await self._delete(name, "", check)

    async def list(self, *, after: str = "", limit: int | None = None) -> builtins.list[ScheduleInfo]:
        """Schedules by name; ``after`` and ``limit``: a page, of so many behind the last name of the page before."""
        page = await self.page(SchedulePage(ALL if limit is None else limit, after))
        return [each for _, each in page]

    async def page(self, where: SchedulePage) -> builtins.list[tuple[ScheduleRow, ScheduleInfo]]:
        """The schedules of a page in its order, each with the row that it stands in."""
        engine = self._engine
        rows = await beside(engine.store.schedule_page, engine.namespace, where)
        backfills: dict[str, builtins.list[ScheduleRow]] = {}
        for row in rows:
            if row.backfill:
                backfills.setdefault(row.name, []).append(row)
        return [(row, self._info(row, backfills.get(row.name, []))) for row in rows if not row.backfill]

    async def show(self, name: str) -> ScheduleInfo:
        """One schedule: what it does, where it stands, when it is due next, and its backfills.

        Raises:
            ScheduleNotFound: there is none of the name.
        """
        return self._info(self._row(name), self._engine.store.schedules(self._engine.namespace, name))

    def preview(self, schedule: Schedule | Rule | str, n: int = NEXT) -> builtins.list[datetime]:
        """The next due times of a rule, of a schedule that there might be, or of the one of this name."""
        after = self._engine.clock.now()
        return [moment(at) for at, _ in zip(walk(self._instants(schedule), after), range(n), strict=False)]

    def plan(self, name: str) -> Plan:
        """What a schedule does, as it stands in its row."""
        return plan_of(self._row(name))

    def _instants(self, schedule: Schedule | Rule | str) -> Instants:
        if isinstance(schedule, str):
            return self.plan(schedule).instants
        if isinstance(schedule, Schedule):
            policy = schedule.policy()
            return Within(instants(schedule.when), policy.start, policy.end)
        return instants(schedule)

    # --- rows -------------------------------------------------------------------------------------------------

    def _row(self, name: str, backfill: str = "") -> ScheduleRow:
        engine = self._engine
        rows = engine.store.schedules(engine.namespace, name)
        for row in rows:
            if row.backfill == backfill:
                return row
        if backfill and rows:
            known = [row.backfill for row in rows if row.backfill]
            raise ScheduleNotFound(name, engine.namespace, known, backfill=backfill)
        known = [row.name for row in engine.store.schedules(engine.namespace) if not row.backfill]
        raise ScheduleNotFound(name, engine.namespace, known)

    def _info(self, row: ScheduleRow, rows: builtins.list[ScheduleRow]) -> ScheduleInfo:
        backfills = [other for other in rows if other.name == row.name and other.backfill]
        facts = StoreFacts(self._engine.store, row.namespace)
        return info(row, backfills, self._engine.clock.now(), NEXT, facts)

    async def _modify(self, name: str, change: Change) -> None:
        for _ in range(TRIES):
            row = self._row(name)
            plan, standing = change(plan_of(row), standing_of(row))
            # Due at once: what follows from the change is decided by whoever owns the runs.
            now = self._engine.clock.now()
            new = msgspec.structs.replace(
                row, workflow=plan.workflow, wake=now, plan=encode(plan), standing=encode(standing)
            )
            if (await self._write(WriteSchedule(new))).outcome == "written":
                return
        raise _contended(name)

    async def _delete(self, name: str, backfill: str, check: Callable[[Plan], None] | None = None) -> None:
        for _ in range(TRIES):
            row = self._row(name, backfill)
            if check is not None:
                check(plan_of(row))
            if (await self._write(WriteSchedule(row, delete=True))).outcome == "written":
                return
        raise _contended(name)

    async def _write(self, operation: WriteSchedule) -> ScheduleWritten:
        engine = self._engine
        answer = await engine._ask(lambda client: client.write_schedule(operation))
        if engine._duty is not None:
            engine._duty.scheduler.look()
        return answer

    def _start(self, plan: Plan, start: Start, at: int, actor: str) -> StartRun:
        engine = self._engine
        owner = engine.store.owner(engine.app)
        known = engine.definitions.version(plan.workflow, start.id)
        version = known or (owner.version(plan.workflow, start.id) if owner else "")
        timeout = engine.definitions.timeout(plan.workflow)
        return run_of(engine.journal, engine.namespace, engine.app, plan, start, version, timeout, at, actor)


def _reason(text: str | None) -> str | None:
    return None if text is None else checked_name(text, "the reason")


def _contended(name: str) -> StoreUnavailable:
    return StoreUnavailable(f"schedule {name!r} is being written by others all the time; try again")
