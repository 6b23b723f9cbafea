"""The runs that schedules start, those that make way for them, and those that a missed deadline sets in motion, as
operations of the store."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from segue.errors import StoreUnavailable
from segue.kernel import events as e
from segue.kernel.attempt import derive_key
from segue.kernel.firing import Overdue, Stop
from segue.kernel.notice import Notice
from segue.kernel.report import RunReport
from segue.kernel.schedule import Facts, Start, interval_of, run_id, run_uid
from segue.recurrence.walls import moment
from segue.runtime import hooks, notices
from segue.runtime.children import PYTHON
from segue.runtime.journal import JournalFormat
from segue.runtime.plans import Plan
from segue.runtime.telling import ABOUT
from segue.runtime.writer import found_again
from segue.stores.base import RESIDENT, Post, StartRun
from segue.stores.schedule_rows import ScheduleRow, ScheduleWritten, WriteSchedule

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

log = logging.getLogger("segue.schedules")


def started(
    conductor: Conductor, namespace: str, name: str, plan: Plan, start: Start, *, at: int, actor: str
) -> StartRun:
    """A run of a schedule."""
    version, timeout = conductor.version(plan.workflow, start.id), conductor.definitions.timeout(plan.workflow)
    return run_of(conductor.journal, namespace, conductor.app, plan, start, version, timeout, at, f"{actor}:{name}")


def run_of(
    journal: JournalFormat, namespace: str, app: str, plan: Plan, start: Start, version: str, timeout: int | None,
    at: int, actor: str,
) -> StartRun:  # fmt: skip
    """The same for whoever has no conductor. Due at once in the store: whoever owns it then finds it, whatever became
    of the answer to whoever started it."""
    uid = run_uid(namespace, start.id)
    event = e.RunStarted(
        at, actor, None, plan.workflow, start.id, uid, journal.payload(bytes(plan.input)), namespace=namespace,
        version=version, python=PYTHON, due=start.due, interval=start.interval, tags=plan.tags,
        input_hash=plan.input_hash, timeout=timeout,
    )  # fmt: skip
    data, blobs = journal.write(event)
    return StartRun(
        namespace, start.id, uid, app, plan.workflow, at, data, plan.input_hash, version=version, wake=RESIDENT + 1,
        tags=plan.tags, blobs=tuple(blobs),
    )  # fmt: skip


def make_way(conductor: Conductor, row: ScheduleRow, stop: Stop) -> Post:
    """The message to a run that the next one is to replace."""
    at = conductor.clock.now()
    actor, reason = f"schedule:{row.name}", f"run {run_id(row.name, stop.due)} is due"
    event = e.RunTerminated(at, actor, None, reason) if stop.terminate else e.CancelRequested(at, actor, None, reason)
    data, blobs = conductor.journal.write(event)
    return Post(
        "terminate" if stop.terminate else "cancel", data, f"schedule:{row.name}:{stop.due}", at,
        namespace=row.namespace, id=stop.id, blobs=tuple(blobs),
    )  # fmt: skip


def overdue(conductor: Conductor, row: ScheduleRow, plan: Plan, late: Overdue, facts: Facts) -> list[StartRun]:
    """What a deadline runs because something did not happen, and what tells of it by rule."""
    at = conductor.clock.now()
    id = run_id(row.name, late.due)
    runs = facts.of(row.name, late.due)
    state = runs[0].state if runs else "missing"
    until = moment(late.due + late.limit.within)
    message = f"{id} has not {late.limit.event} by {until.isoformat()}: it is {state}"
    interval = hooks.period(interval_of(plan.instants, late.due))
    report = RunReport(
        "deadline", plan.workflow, id, moment(at), state, message, moment(late.due), interval, row.name
    )  # fmt: skip
    part = f"deadline-{late.number}"
    uid = derive_key(run_uid(row.namespace, id), f"{part}:{late.limit.event}:{late.limit.within}")
    notice = Notice(
        id=derive_key(uid, "notice"), when="deadline", workflow=plan.workflow, run=id, namespace=row.namespace, at=at,
        state=state, message=message, tags=plan.tags, due=late.due, schedule=row.name,
    )  # fmt: skip
    called = hooks.started_by(conductor, late.limit.target, report, f"{id}/{part}/{uid[:8]}", uid, row.namespace, at)
    return [called, *notices.of_deadline(conductor, notice)]


def tell(conductor: Conductor, operation: WriteSchedule, answer: ScheduleWritten) -> None:
    """What was written is on disk: the runs that it concerns are taken up."""
    for start, told in zip(operation.starts, answer.started, strict=True):
        if told.outcome == "refused":
            log.error("run %s was not started: %s", start.id, told.reason, extra={ABOUT: _of(start)})
        elif told.run:
            conductor.poke(told.run)
    for posted in answer.posted:
        if posted.run:
            conductor.poke(posted.run)


def find_again(conductor: Conductor, operation: WriteSchedule) -> None:
    """The same where the answer was lost: what is there is taken up. Should the store fail meanwhile, the next look at
    runs that are due finds it."""
    with suppress(StoreUnavailable):
        for start in operation.starts:
            found = found_again(conductor.store, start)
            if found.run:
                conductor.poke(found.run)


def _of(start: StartRun) -> dict[str, str]:
    return {"run_id": start.id, "workflow": start.workflow, "namespace": start.namespace}
