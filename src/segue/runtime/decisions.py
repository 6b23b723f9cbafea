"""What a run answers by itself: recorded one after the other, in the commit of what led to it.

A decision needs nobody outside, nor does a task whose answer a fork is spared, so nothing is waited for: it is
recorded, applied, and what follows from it joins the same segment. Those that the commands of one event ask for are
recorded behind the records of that event, as replay expects them (``kernel.replay``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from segue.kernel.events import DecisionEvaluated, TaskCompleted
from segue.runtime.resident import Resident

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

AT_ONCE = 100
"""Decisions of one run in a row, before the others have their turn: the next ones come after the commit."""


def keep(run: Resident, event: DecisionEvaluated) -> None:
    """A decision is made; it is recorded when all commands beside it are carried out (``record``)."""
    run.active[event.key] = None
    if run.decided is None:
        run.decided = []
    run.decided.append(event)


def answer(run: Resident, event: TaskCompleted) -> None:
    """A task is answered that nobody else knows of: that stands in the commit in which it is opened."""
    if run.decided is None:
        run.decided = []
    place = next((n for n, each in enumerate(run.decided) if isinstance(each, DecisionEvaluated)), len(run.decided))
    run.decided.insert(place, event)


def record(conductor: Conductor, run: Resident) -> None:
    """Records what is decided, and applies it; what is decided because of that comes next."""
    decided = run.decided
    if run.recording or decided is None:  # asked from below: whoever began goes on
        return
    run.recording = True
    left = AT_ONCE
    try:
        while decided and (left or isinstance(decided[0], TaskCompleted)):
            event = decided.pop(0)
            left -= isinstance(event, DecisionEvaluated)
            run.active.pop(event.key, None)
            # One that stands still asks for decisions again when it goes on.
            if not run.closed and (run.execution is not None or isinstance(event, TaskCompleted)):
                conductor.apply(run, msgspec.structs.replace(event, at=conductor.stamp(run)))
    finally:
        run.recording = False
    if decided:
        run.open_segment().effects.append((record, (conductor, run)))
