"""Hooks: a run that another run's end, incident or missed deadline sets in motion, in the commit that says so.

What is started is a run like any other: it is retried, waits and is seen. A hook's own runs have no hooks, so that one
that fails cannot call itself for ever.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segue.kernel import events as e
from segue.kernel.attempt import derive_key
from segue.kernel.failures import summary
from segue.kernel.report import Occasion, RunReport
from segue.kernel.schedule import Target
from segue.recurrence.walls import moment
from segue.runtime import notices, sequels
from segue.runtime.resident import Resident, Segment
from segue.stores.base import StartRun

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

_OCCASIONS: dict[str, Occasion] = {"completed": "success", "failed": "failure"}


def ended(conductor: Conductor, run: Resident, segment: Segment, event: e.Event, state: str) -> None:
    """A run ends in this segment: what waits for such an end is started with it."""
    occasion = _OCCASIONS.get(state)
    hooked = occasion is not None and conductor.definitions.hook(run.workflow, occasion) is not None
    if not (hooked or conductor.settings.notify):
        return
    message = summary(event.failure) if isinstance(event, e.RunFailed) else getattr(event, "reason", "")
    if conductor.settings.notify:
        notices.of_run(conductor, run, segment, state, "", event.at, state, message)
    if occasion is not None:
        _call(conductor, run, segment, occasion, "", event.at, state, message)


def stands_still(conductor: Conductor, run: Resident, segment: Segment, event: e.IncidentOpened) -> None:
    """A run opens an incident in this segment."""
    part, message = f"/{run.seq}", f"{event.cause}: {event.message}"
    if conductor.settings.notify:
        notices.of_run(conductor, run, segment, "incident", part, event.at, "incident", message)
    _call(conductor, run, segment, "incident", part, event.at, "incident", message)


def _call(
    conductor: Conductor, run: Resident, segment: Segment, occasion: Occasion, part: str, at: int, state: str,
    message: str,
) -> None:  # fmt: skip
    target = conductor.definitions.hook(run.workflow, occasion)
    origin = run.started
    if target is None or origin is None or is_hook(origin):
        return
    due = None if origin.due is None else moment(origin.due)
    report = RunReport(
        occasion, run.workflow, run.id, moment(at), state, message, due, period(origin.interval), None,
    )  # fmt: skip
    uid = derive_key(run.uid, f"on-{occasion}{part}")
    id = f"{run.id}/on-{occasion}/{uid[:8]}"
    segment.extras.starts.append(started_by(conductor, target, report, id, uid, run.namespace, at))


def is_hook(started: e.RunStarted) -> bool:
    """Whether a hook has started the run."""
    return (started.actor or "").startswith(sequels.ACTOR)


def started_by(
    conductor: Conductor, target: Target, report: RunReport, id: str, uid: str, namespace: str, at: int
) -> StartRun:
    """The operation that starts a hook's run."""
    workflow, input, hash = conductor.definitions.call(target, report)
    return sequels.start(conductor, workflow, input, hash, report.id, id, uid, namespace, at)


def period(interval: tuple[int, int] | None) -> tuple[datetime, datetime] | None:
    """A data interval as times."""
    return None if interval is None else (moment(interval[0]), moment(interval[1]))
