"""Attempts that wait in a queue: offered in the store, where whoever serves the queue activates them.

From then on such an attempt is one whose outcome comes from outside, see ``outside``. Activating it is a row operation
that its run takes no part in; the run looks at the row when one of the step's limits may have passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.kernel import events as e
from segue.kernel.commands import RunStep
from segue.runtime.attempts import Limit
from segue.runtime.resident import NEVER, Resident
from segue.stores.attempt_rows import LiveAttempt

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

EXECUTOR = "queue"


def offer(conductor: Conductor, run: Resident, command: RunStep) -> None:
    """The attempt waits in the store from the next commit on."""
    spec, now = command.spec, conductor.stamp(run)
    run.active.pop(command.key, None)
    seq = run.seq + 1
    segment = conductor.apply(
        run,
        e.StepScheduled(
            now, None, command.headers or None, command.key, spec.name, command.attempt, command.hash, command.input,
            now, "", spec.summary,
        ),
    )  # fmt: skip
    if not run.waits_for(command.key):
        return
    said = None if command.heartbeat is None else conductor.journal.readable(command.heartbeat)
    segment.extras.attempts.append(
        LiveAttempt(
            run.run, command.key, spec.name, command.attempt, now, said, True, spec.queue, seq, spec.timeout or 0,
            command.close_by or 0,
        )
    )  # fmt: skip


def first_look(step: RunStep, since: int) -> int:
    """Before this (µs) no limit of an attempt that was offered ``since`` can have passed."""
    spec = step.spec
    return min(since + _shortest(step, spec.schedule_to_start), step.close_by or NEVER)


def _shortest(step: RunStep, *more: int | None) -> int:
    spec = step.spec
    return min((limit for limit in (spec.timeout, spec.heartbeat, *more) if limit is not None), default=NEVER)


def passed(step: RunStep, since: int, row: LiveAttempt | None, now: int) -> tuple[Limit | None, int]:
    """The limit that has passed, and when to look again if none has."""
    spec, close_by = step.spec, step.close_by or NEVER
    if close_by <= now:
        return "schedule_to_close", now
    if row is None or row.attempt != step.attempt:  # its outcome is on its way
        return None, min(now + _shortest(step), close_by)
    if not row.claim:
        begin_by = since + (spec.schedule_to_start or NEVER)
        # Whoever activates it from now on has the whole of the other limits.
        return ("schedule_to_start" if begin_by <= now else None), min(begin_by, now + _shortest(step), close_by)
    if not row.lease:  # it was given back, and whoever activates it has the whole of its limits
        return None, min(now + _shortest(step), close_by)
    end_by = row.began + (spec.timeout or NEVER)
    beat_by = max(row.began, row.at) + (spec.heartbeat or NEVER)
    limit: Limit | None = "timeout" if end_by <= now else "heartbeat" if beat_by <= now else None
    return limit, min(end_by, beat_by, close_by)
