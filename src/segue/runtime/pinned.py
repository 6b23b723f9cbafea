"""Runs whose code, or the version of it to which they are pinned, this worker does not have: they wait visibly, then
stand still.

The row of such a run says what it waits for, and stays due, so that a successor that has the code takes it up at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.runtime import incidents
from segue.runtime.resident import Resident
from segue.stores.base import RESIDENT, RunRow, Status

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor


def may_come(conductor: Conductor, row: RunRow) -> bool:
    """Whether another worker may have code for the run, or come to have it: where there may be several."""
    return conductor.store.lease is not None and row.workflow not in conductor.definitions.names()


def _version(conductor: Conductor, row: RunRow) -> str:
    here = conductor.definitions.version(row.workflow)
    return (
        f"waits for a worker that has version {row.version!r} of workflow {row.workflow!r}, to which it is pinned; "
        f"this one has {here!r}"
    )


def wait(conductor: Conductor, run: Resident, row: RunRow, why: str) -> None:
    """Nothing here may go on with the run: it waits as long as the setting ``pinned_wait`` says. ``why`` is empty if
    it is its version that is not here."""
    if conductor.passes_on(run):
        return  # it may be another worker's by now, who would never look at it again if its row said that it is here
    now = conductor.clock.now()
    until = conductor.waiting_for_version.setdefault(run.run, now + round(conductor.settings.pinned_wait * 1_000_000))
    if now >= until:
        del conductor.waiting_for_version[run.run]
        if why:
            incidents.missing_definition(conductor, run, why)
        else:
            incidents.missing_version(conductor, run, _version(conductor, row))
        return
    text = f"waits for a worker that has its code: {why}" if why else _version(conductor, row)
    if row.error != text:
        segment = run.open_segment()
        segment.status = Status("waiting", RESIDENT, run.at, text)
        run.row_wake, run.row_state = RESIDENT, "waiting"
        conductor.writer.touch(run)
    _look_again(conductor, run, until)


def _look_again(conductor: Conductor, run: Resident, until: int) -> None:
    if conductor.residents.get(run.run) is not run or run.closed or conductor.writer.stopped is not None:
        return
    if conductor.clock.now() < until:  # an alarm may ring early
        conductor.clock.call_at(until, lambda: _look_again(conductor, run, until))
    else:
        conductor.rebuild(run)
