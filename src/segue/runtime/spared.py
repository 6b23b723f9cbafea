"""What a fork need not run again: calls that are answered with what its source has recorded (``segue.repair.sparing``).

Where that cannot be read any more, because the run was erased or is gone, they run.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from segue.errors import PayloadError, StoreUnavailable
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.payload import ERASED
from segue.runtime import children
from segue.runtime.journal import NONE, Values
from segue.runtime.resident import Resident
from segue.stores.place_rows import NotAtHand

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

log = logging.getLogger("segue.spared")

RETRY = 0.5
"""Seconds until the database is asked again when it was away."""
PATIENCE = 60.0
"""Seconds after which a result that is being fetched counts as none."""

Answered = e.StepCompleted | e.StepCached


def step(conductor: Conductor, run: Resident, command: c.RunStep, values: Values) -> tuple[Answered, int, int] | None:
    """The outcome of this very call, with its run and the number of its event; None if its arguments are others.

    Raises:
        StoreUnavailable, NotAtHand: it may be had later.
    """
    if command.key not in run.spared:
        return None
    there = run.spared[command.key]
    made = recorded(conductor, there.run, there.seq, values)
    if not isinstance(made, Answered) or made.result.encoding == ERASED:
        return None
    if (made.key, made.name, made.hash) != (command.key, command.spec.name, command.hash):
        return None
    return made, there.run, there.seq


def start(conductor: Conductor, run: Resident, command: c.StartChild, values: Values | None = NONE) -> None:
    """Starts a child, unless it has ended for the run that this one is a fork of. ``values``: what was fetched of its
    result; None where it is to be had from nowhere."""
    if conductor.residents.get(run.run) is not run or run.closed or command.key not in run.active:
        return
    loop = asyncio.get_running_loop()
    try:
        ended = None if values is None else _child(conductor, run, command, values)
    except NotAtHand as error:
        placed, again = error.placed, partial(start, conductor, run, command)
        who = f"child {command.id} of run {run.id}"
        conductor.fetching.fetch(object(), who, lambda: placed, again, lambda error: again(None), within=PATIENCE)
        return
    except StoreUnavailable:
        loop.call_later(RETRY, start, conductor, run, command, values)
        return
    if ended is None:
        children.start(conductor, run, command)
        return
    del run.active[command.key]
    began, completed = ended
    now = conductor.stamp(run)
    conductor.apply(
        run,
        e.ChildStarted(
            now, None, None, command.key, command.workflow, began.id, began.uid, command.hash, None, began.run,
            command.close_policy,
        ),
    )  # fmt: skip
    answer = e.ChildCompleted(now, completed.actor, None, command.key, completed.state, completed.result)
    conductor.apply(run, answer)


def _child(
    conductor: Conductor, run: Resident, command: c.StartChild, values: Values
) -> tuple[e.ChildStarted, e.ChildCompleted] | None:
    there = run.spared[command.key]
    began, completed = (recorded(conductor, there.run, seq, values) for seq in (there.begun, there.seq))
    if not isinstance(began, e.ChildStarted) or not isinstance(completed, e.ChildCompleted):
        return None
    if completed.result is None or completed.result.encoding == ERASED:
        return None
    if (began.key, began.workflow, began.hash) != (command.key, command.workflow, command.hash):
        return None
    return (began, completed) if completed.key == command.key else None


def answer(conductor: Conductor, run: Resident, task: e.TaskOpened) -> e.TaskCompleted | None:
    """What a person has answered to this very task, if that is at hand; otherwise the task is open once more."""
    there = run.spared[task.key]
    try:
        opened, completed = (recorded(conductor, there.run, seq, NONE) for seq in (there.begun, there.seq))
    except (StoreUnavailable, NotAtHand) as error:
        log.warning("run %s: task %s is asked again, its answer is not at hand: %s", run.id, task.key, error)
        return None
    if not isinstance(opened, e.TaskOpened) or not isinstance(completed, e.TaskCompleted):
        return None
    if (opened.key, opened.name, opened.hash, opened.form) != (task.key, task.name, task.hash, task.form):
        return None
    return completed if completed.key == task.key and completed.outcome.encoding != ERASED else None


def recorded(conductor: Conductor, row: int, seq: int, values: Values) -> e.Event | None:
    """An event of a run, if it is there and can be read.

    Raises:
        StoreUnavailable, NotAtHand: it may be had later.
    """
    found = conductor.store.event(row, seq)
    if found is None:
        return None
    try:
        return conductor.journal.event(found, at_hand=values)
    except (PayloadError, msgspec.MsgspecError) as error:
        log.warning("event %d of run %d, which is to be used again, cannot be read: %s", seq, row, error)
        return None
