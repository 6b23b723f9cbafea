"""Notices by rules: a run that tells somebody outside, started in the commit of what it tells of.

It is a run like any other: what was committed is told at least once, whatever crashes, and the run that it is about
neither waits for it nor learns how it ended. A task's notice is a run that begins when the task is due, and sees then
whether it is still open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from segue.kernel import events as e
from segue.kernel.attempt import derive_key
from segue.kernel.notice import Notice, NotifyRule
from segue.runtime import sequels
from segue.runtime.resident import Resident, Segment
from segue.stores.base import StartRun

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

WORKFLOW = "segue.notify"


def of_run(
    conductor: Conductor, run: Resident, segment: Segment, when: str, part: str, at: int, state: str, message: str
) -> None:
    """Something has happened to a run in this segment."""
    if run.workflow != WORKFLOW and run.started is not None:
        notice = Notice(
            id=derive_key(run.uid, f"notice-{when}{part}"), when=when, workflow=run.workflow, run=run.id,
            namespace=run.namespace, at=at, state=state, number=run.run, message=message, tags=run.started.tags,
        )  # fmt: skip
        segment.extras.starts.extend(_starts(conductor, notice, at))


def of_task(conductor: Conductor, run: Resident, segment: Segment, task: e.TaskOpened) -> None:
    """A human task is opened in this segment: it may come to be overdue."""
    if task.due is not None and run.started is not None:
        notice = Notice(
            id=derive_key(run.uid, f"notice-overdue-{task.key}"), when="overdue", workflow=run.workflow, run=run.id,
            namespace=run.namespace, at=task.due, state=run.row_state, number=run.run, tags=run.started.tags,
            task=task.name, key=task.key, assignee=task.assignee, due=task.due,
        )  # fmt: skip
        segment.extras.starts.extend(_starts(conductor, notice, task.at, begin=task.due))


def of_deadline(conductor: Conductor, notice: Notice) -> list[StartRun]:
    """A schedule's deadline has passed: the runs that tell of it."""
    return _starts(conductor, notice, notice.at)


def _starts(conductor: Conductor, notice: Notice, at: int, begin: int | None = None) -> list[StartRun]:
    found = []
    for rule in conductor.settings.notify:
        if _fits(rule, notice):
            uid = derive_key(notice.id, rule.name)
            told = msgspec.structs.replace(notice, id=uid)
            workflow, input, hash = conductor.definitions.notice(rule.name, told)
            id = f"{notice.run}/{notice.when}/{rule.name}/{uid[:8]}"
            found.append(
                sequels.start(conductor, workflow, input, hash, notice.run, id, uid, notice.namespace, at, begin=begin)
            )
    return found


def _fits(rule: NotifyRule, notice: Notice) -> bool:
    return (
        notice.when in rule.when
        and rule.workflow in (None, notice.workflow)
        and rule.namespace in (None, notice.namespace)
        and rule.tags.items() <= notice.tags.items()
    )
