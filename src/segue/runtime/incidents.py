"""Incidents: a run stands still, says what happened and what to do, undoes nothing, and goes on after repair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.errors import (
    CompensationFailed,
    EndlessContinuation,
    Incident,
    NonDeterminism,
    NotDeterministic,
    PayloadError,
    Unstorable,
)
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.failures import describe, summary
from segue.runtime import hooks
from segue.runtime.resident import Resident
from segue.runtime.telling import About, about
from segue.stores.base import Status

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

REMEDIES = {
    "non-determinism": "put the code back as it was for this run, guard the change with segue.patched(), or say what "
    "is gone on purpose with segue.removed(), then `segue retry {id}`; `segue check` tells beforehand",
    "not-deterministic": "change the workflow's code as the message says, then `segue retry {id}`",
    "payload": "make the type in the code accept the recorded value again, then `segue retry {id}`",
    "unstorable": "change the code so that it writes no such value, then `segue retry {id}`; should the outcome of a "
    "step be the cause, it is forgotten at the second try, and the step runs again at the third",
    "endless-continuation": "change the code so that it waits for something (a timer, a signal, a step) before it "
    "continues as new, then `segue retry {id}`; or `segue terminate {id}`",
    "compensation-failed": "see how far it came, change its code so that it copes, then `segue retry {id}`: "
    "what has been done of it is not done again, and the rest of the list follows",
    "internal": "this is a defect: report it with `segue db export {id}`; after an update, `segue retry {id}`",
    "step-exhausted": "mend what made the step fail, then `segue retry {id}` for new attempts",
    "process-lost": "look at the step's logs and at the machine (memory, signals), then `segue retry {id}`",
    "definition-missing": "start a worker whose code has it, then `segue retry {id}`",
    "version-missing": "start a worker whose code has that version, then `segue retry {id}`; or let a new run go on "
    "from where this one stands, with the code that is here: `segue retry {id} --code newest`",
}
"""What an operator does about each cause."""

_CAUSES: tuple[tuple[type[Exception], str], ...] = (
    (NonDeterminism, "non-determinism"),
    (NotDeterministic, "not-deterministic"),
    (PayloadError, "payload"),
    (Unstorable, "unstorable"),
    (EndlessContinuation, "endless-continuation"),
    (CompensationFailed, "compensation-failed"),
)
KNOWN = tuple(kind for kind, _ in _CAUSES)
"""Errors that are a cause of their own; any other is a bug."""


def halt(conductor: Conductor, run: Resident, error: Exception) -> None:
    """The run as a whole cannot go on: the event that led here stays recorded, what the code did with it is dropped."""
    cause = next((name for kind, name in _CAUSES if isinstance(error, kind)), "internal")
    segment = run.open_segment()
    event = _opened(conductor, run, cause, str(error), None, describe(error))
    conductor.record(run, event)
    hooks.stands_still(conductor, run, segment, event)
    text = f"{cause}: {error}"[:500]
    run.incidents[""] = None
    run.incident_text = text
    segment.status = Status("incident", None, event.at, conductor.journal.brief(text))
    run.row_wake, run.row_state = None, "incident"
    segment.effects.append((conductor.stands_still, (run, event)))
    if run.execution is not None:
        run.execution.commands.clear()
        run.execution.close()
        run.execution = None
    conductor.writer.touch(run)


def open_for_step(
    conductor: Conductor, run: Resident, key: str, cause: str, message: str, failure: e.Failure | None = None
) -> None:
    """One call stands still; the rest of the run may go on."""
    run.active.pop(key, None)
    run.incidents[key] = None
    run.incident_text = f"{cause}: {message}"[:500]
    event = _opened(conductor, run, cause, message, key, failure)
    segment = conductor.apply(run, event)
    if key in run.incidents:  # the workflow has not given the call up meanwhile
        hooks.stands_still(conductor, run, segment, event)
        segment.effects.append((conductor.stands_still, (run, event)))


def exhausted(conductor: Conductor, run: Resident, command: c.StandStill) -> None:
    """A step whose failure is not the workflow's to handle has used up its attempts."""
    message = f"step {command.name!r} failed for good at attempt {command.attempt}: {summary(command.failure)}"
    open_for_step(conductor, run, command.key, "step-exhausted", message, command.failure)


def withdraw(conductor: Conductor, run: Resident, key: str) -> None:
    """The workflow itself no longer waits for the step that stands still."""
    conductor.record(run, e.IncidentResolved(conductor.stamp(run), None, None, "withdrawn", key))
    resolved(run, key)


def resolved(run: Resident, key: str | None) -> None:
    """Keeps account: the incident of a call, or all of them, is over."""
    if key:
        run.incidents.pop(key, None)
    else:
        run.incidents.clear()
    if not run.incidents:
        run.incident_text = None


def missing_definition(conductor: Conductor, run: Resident, why: str) -> None:
    """No code for the run's workflow."""
    _without_execution(conductor, run, "definition-missing", why)


def missing_version(conductor: Conductor, run: Resident, why: str) -> None:
    """No code of the version to which the run is pinned."""
    _without_execution(conductor, run, "version-missing", why)


def _without_execution(conductor: Conductor, run: Resident, cause: str, why: str) -> None:
    event = _opened(conductor, run, cause, why, None, None)
    conductor.record(run, event)
    run.incidents[""] = None
    run.incident_text = f"{event.cause}: {event.message}"[:500]
    segment = run.open_segment()
    hooks.stands_still(conductor, run, segment, event)
    segment.status = Status("incident", None, event.at, conductor.journal.brief(run.incident_text))
    segment.effects.append((conductor.stands_still, (run, event)))
    run.row_wake, run.row_state = None, "incident"
    conductor.writer.touch(run)


def told(run: Resident, event: e.IncidentOpened) -> About:
    """The incident in terms of the program's log."""
    return about(run, state="incident", cause=event.cause, remedy=event.remedy, key=event.key)


def standing_still(id: str, event: e.IncidentOpened) -> Incident:
    """The incident in terms of whoever awaits something of the run."""
    text = f"run {id!r} stands still ({event.cause}): {event.message}; {event.remedy}"
    return Incident(text, run_id=id, cause=event.cause, remedy=event.remedy)


def _opened(
    conductor: Conductor, run: Resident, cause: str, message: str, key: str | None, failure: e.Failure | None
) -> e.IncidentOpened:
    where = "" if run.namespace == "default" else f" --namespace {run.namespace}"
    remedy = REMEDIES[cause].format(id=f"{run.id}{where}")
    return e.IncidentOpened(conductor.stamp(run), None, None, cause, message, remedy, key, failure)
