"""Decisions that a run has made by itself: recorded one after the other, in the commit of what led to them.

A decision needs nobody outside, so nothing is waited for: it is recorded, applied, and what follows from it joins the
same segment. Those that the commands of one event ask for are recorded behind the records of that event, as replay
expects them (``kernel.replay``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from segue.kernel.events import DecisionEvaluated
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


def record(conductor: Conductor, run: Resident) -> None:
    """Records what is decided, and applies it; what is decided because of that comes next."""
    decided = run.decided
    if run.recording or decided is None:  # asked from below: whoever began goes on
        return
    run.recording = True
    left = AT_ONCE
    try:
        while decided and left:
            left -= 1
            event = decided.pop(0)
            run.active.pop(event.key, None)
            if not run.closed and run.execution is not None:  # one that stands still asks again when it goes on
                conductor.apply(run, msgspec.structs.replace(event, at=conductor.stamp(run)))
    finally:
        run.recording = False
    if decided:
        run.open_segment().effects.append((record, (conductor, run)))
