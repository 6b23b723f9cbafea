"""A schedule as whoever looks at it sees it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from segue.kernel.firing import decide
from segue.kernel.schedule import Facts, Policy, delay
from segue.recurrence.rules import walk
from segue.recurrence.walls import moment
from segue.runtime.plans import Plan, plan_of, progress_of, standing_of
from segue.schedules.planning import differences
from segue.stores.schedule_rows import ScheduleRow


class BackfillInfo(msgspec.Struct, frozen=True):
    """How far a backfill is.

    Attributes:
        total: due times in its period. started, skipped: of these so far; the skipped ones needed no run.
        completed, failed: of the runs that were started; failed counts whatever ended otherwise.
        open: ids of the runs that are open. waits_for: the run that has to complete before it goes on.
    """

    id: str
    start: datetime
    end: datetime
    parallel: int
    order: str
    reprocess: str
    total: int
    started: int
    skipped: int
    completed: int
    failed: int
    open: tuple[str, ...]
    done: bool


class BackfillPreview(msgspec.Struct, frozen=True):
    """What a backfill would have to do: how many due times there are (exact or estimated), the first, the last."""

    total: int
    exact: bool
    first: datetime | None
    last: datetime | None


class ScheduleInfo(msgspec.Struct, frozen=True):
    """What a schedule does, and where it stands.

    Attributes:
        when: its rule, in words. policy: how runs are treated; times in µs.
        declared: whether it stands in code. changed: fields in which a person has made it other than the code says.
        paused: why, if it is.
        next: due times to come, with jitter as ``starts`` has it.
        open: runs that count as overlapping. waiting: due times whose turn has not come. waits_for: runs that have to
            end or complete before.
        started, skipped: how many runs. missed: first and last of those that were missed last.
    """

    name: str
    namespace: str
    app: str
    workflow: str
    when: str
    policy: Policy
    tags: dict[str, str]
    note: str
    declared: bool
    changed: tuple[str, ...]
    paused: str | None
    next: tuple[datetime, ...]
    starts: tuple[datetime, ...]
    last: datetime | None
    open: tuple[str, ...]
    waiting: tuple[datetime, ...]
    waits_for: tuple[str, ...]
    started: int
    skipped: int
    missed: tuple[datetime, datetime] | None
    backfills: tuple[BackfillInfo, ...] = ()


def info(row: ScheduleRow, backfills: list[ScheduleRow], now: int, n: int, facts: Facts) -> ScheduleInfo:
    """What a schedule's row and those of its backfills say, and what the runs that are open are."""
    plan, standing = plan_of(row), standing_of(row)
    coming = [] if standing.paused is not None else _coming(plan, max(standing.cursor, now), n)
    waiting = decide(row.name, plan.policy, standing, standing.cursor, plan.instants, facts)
    return ScheduleInfo(
        row.name, row.namespace, row.app, row.workflow, str(plan.rule), plan.policy, plan.tags, plan.note,
        plan.declared is not None, tuple(differences(plan)), standing.paused,
        tuple(moment(at) for at in coming), tuple(moment(_starts_at(row.name, plan, at)) for at in coming),
        None if standing.last is None else moment(standing.last),
        tuple(id for id in standing.open if facts.open(id)), tuple(moment(at) for at in standing.queue),
        waiting.awaits, standing.started, standing.skipped,
        None if standing.missed is None else (moment(standing.missed[0]), moment(standing.missed[1])),
        tuple(_backfill(other) for other in backfills),
    )  # fmt: skip


def _coming(plan: Plan, after: int, n: int) -> list[int]:
    return [at for at, _ in zip(walk(plan.instants, after), range(n), strict=False)]


def _starts_at(name: str, plan: Plan, due: int) -> int:
    return due + (delay(name, due, plan.policy.jitter, plan.instants.after(due)) if plan.policy.jitter else 0)


def _backfill(row: ScheduleRow) -> BackfillInfo:
    wanted, progress = plan_of(row).backfill, progress_of(row)
    assert wanted is not None
    return BackfillInfo(
        row.backfill, moment(wanted.start), moment(wanted.end), wanted.parallel, wanted.order, wanted.reprocess,
        wanted.total, progress.started, progress.skipped, progress.completed, progress.failed, progress.open,
        progress.done,
    )  # fmt: skip
