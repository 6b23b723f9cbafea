"""Brings the schedules that code declares into the store, when an engine takes the runs over.

Code and people may both change a schedule: what each of them did last, field by field, is what counts (docs/adr, on
schedules declared in code). Nothing is written where nothing has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from segue.authoring.python.definitions import Workflow
from segue.errors import InvalidArgument
from segue.runtime.plans import Plan, encode, plan_of, standing_of
from segue.schedules.planning import begin, differences, own_and_declared, planned, restarted
from segue.stores.base import Batch
from segue.stores.schedule_rows import ScheduleRow, WriteSchedule

if TYPE_CHECKING:
    from segue.engine import Engine

log = logging.getLogger("segue.schedules")

REMOVED = "no longer declared in code"


def declare(engine: Engine) -> None:
    """Writes what the code declares and has not said before.

    Raises:
        InvalidArgument: a schedule's arguments do not fit its workflow, or another app has the name; nothing was
            written.
    """
    if engine.settings.strangers == "leave":
        return
    definitions = engine.definitions
    workflows = [found for name in definitions.names() if (found := definitions.workflow(name)) is not None]
    rows = {row.name: row for row in engine.store.schedules(engine.namespace) if not row.backfill}
    operations = [
        *(op for workflow in workflows for op in _declared(engine, workflow, rows)),
        *(op for workflow in workflows for op in _removed(engine, workflow, rows)),
    ]
    if operations:
        engine.store.commit(Batch(1, tuple(operations)))


def _declared(engine: Engine, workflow: Workflow[Any, Any], rows: dict[str, ScheduleRow]) -> Iterator[WriteSchedule]:
    now = engine.clock.now()
    for schedule in workflow.schedules:
        code = planned(engine, workflow, schedule)
        row = rows.get(schedule.name)
        if row is None:
            plan = msgspec.structs.replace(code, declared=code)
            made = ScheduleRow(
                engine.namespace, schedule.name, "", engine.app, plan.workflow, 0, now, False, encode(plan),
                encode(begin(plan.policy, now)),
            )  # fmt: skip
            log.info("schedule %s of workflow %s is declared: %s", schedule.name, workflow.name, plan.rule)
            yield WriteSchedule(made)
            continue
        if row.app != engine.app:
            raise InvalidArgument(
                f"workflow {workflow.name!r} declares schedule {row.name!r}, which app {row.app!r} has already in "
                f"namespace {row.namespace!r}; give it a name= of its own"
            )
        old, standing = plan_of(row), standing_of(row)
        new = _taken_over(row.name, old, code)
        if standing.paused == REMOVED:
            standing = msgspec.structs.replace(
                standing, paused=None, cursor=max(standing.cursor, now), checked=(now,) * len(new.policy.limits)
            )
        standing = restarted(old, new, standing, now)
        changed = msgspec.structs.replace(row, workflow=new.workflow, plan=encode(new), standing=encode(standing))
        if changed != row:
            yield WriteSchedule(msgspec.structs.replace(changed, wake=now))


def _taken_over(name: str, old: Plan, code: Plan) -> Plan:
    if old.declared is None:
        # A person had made it before: that is what it stays, until the code changes.
        new = msgspec.structs.replace(old, declared=code)
    elif _same(old.declared, code):
        return old
    else:
        new = own_and_declared(old.declared, old, code)
    if differences(new):
        log.warning(
            "schedule %s is other than the code declares, because a person changed it: %s", name,
            ", ".join(differences(new)),
        )  # fmt: skip
    return new


def _same(declared: Plan, code: Plan) -> bool:
    return msgspec.structs.replace(declared, input=code.input) == code


def _removed(engine: Engine, workflow: Workflow[Any, Any], rows: dict[str, ScheduleRow]) -> Iterator[WriteSchedule]:
    names = {schedule.name for schedule in workflow.schedules}
    for row in rows.values():
        if row.app != engine.app or row.workflow != workflow.name or row.name in names:
            continue
        plan, standing = plan_of(row), standing_of(row)
        if plan.declared is None:
            continue
        log.warning("schedule %s is no longer declared in code: it is paused, and may be deleted", row.name)
        yield WriteSchedule(
            msgspec.structs.replace(
                row, wake=engine.clock.now(), plan=encode(msgspec.structs.replace(plan, declared=None)),
                standing=encode(msgspec.structs.replace(standing, paused=standing.paused or REMOVED)),
            )
        )  # fmt: skip
