"""Steps whose outcome comes from outside: waited for at no cost, taken once, within their limits.

While a run waits so, it may leave memory. Its ``wake`` is the next moment at which a limit (heartbeat,
schedule_to_close) may have passed; what was said meanwhile stands in the store, so a heartbeat from outside writes no
event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from segue.errors import NonRetryable, StepTimeout, StoreUnavailable
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.failures import describe
from segue.kernel.retry import NoVerdict, next_attempt
from segue.runtime import queues
from segue.runtime.attempts import Limit, exceeded
from segue.runtime.resident import NEVER, Resident

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

LATER = 500_000
"""µs until the next look if the store does not answer."""


class Awaited:
    """An attempt that waits. ``check_at`` (µs): before this no limit can have passed."""

    __slots__ = ("check_at", "since", "step")

    def __init__(self, step: c.RunStep, since: int) -> None:
        self.step = step
        self.since = since
        if step.spec.executor == queues.EXECUTOR:
            self.check_at = queues.first_look(step, since)
        else:
            self.check_at = min(since + (step.spec.heartbeat or NEVER), step.close_by or NEVER)


def wait(conductor: Conductor, run: Resident, command: c.AwaitStep) -> None:
    """The outcome is waited for from now on."""
    run.awaited[command.step.key] = Awaited(command.step, command.since)


def next_check(run: Resident) -> int:
    """When (µs) a limit may have passed at the earliest."""
    return min((awaited.check_at for awaited in run.awaited.values()), default=NEVER)


def drop(run: Resident, key: str) -> None:
    """Nobody waits for the outcome any longer."""
    del run.awaited[key]
    segment = run.open_segment()
    segment.extras.settled.append(key)
    # An outcome that was acknowledged before must be seen first.
    segment.check_inbox = True


def received(conductor: Conductor, run: Resident, event: e.StepCompleted | e.StepFailed) -> None:
    """An outcome has come. Whoever told it was told that it counts, so it does, whichever attempt is under way by now;
    a call that is no longer open leaves it aside."""
    assert run.execution is not None
    command = _open_call(run, event.key)
    if command is None:
        return
    awaited = run.awaited.pop(event.key, None)
    running = run.active.pop(event.key, None)
    if running is not None:
        running.done = None
        running.attempt.over = "its outcome came from outside"
        conductor.attempts.stop(running)
    since = awaited.since if awaited is not None else running.started_at if running is not None else event.at
    if isinstance(event, e.StepCompleted):
        outcome: e.StepCompleted | e.StepFailed = msgspec.structs.replace(
            event, name=command.spec.name, hash=command.hash, input=command.input, started_at=event.started_at or since,
            worker=event.worker or "outside", summary=command.spec.summary,
        )  # fmt: skip
    else:
        outcome = _failed(conductor, run, command, event, since)
    conductor.heartbeats.settle(run.run, event.key)
    segment = conductor.apply(run, outcome)
    segment.extras.settled.append(event.key)


def _open_call(run: Resident, key: str) -> c.RunStep | None:
    assert run.execution is not None
    for command in run.execution.outstanding():
        step = command.step if isinstance(command, c.AwaitStep) else command
        if isinstance(step, c.RunStep) and step.key == key:
            return step
    return None


def _failed(conductor: Conductor, run: Resident, command: c.RunStep, event: e.StepFailed, since: int) -> e.StepFailed:
    """The failure with what the step's retry policy makes of it; when the next attempt is due may have been told."""
    failure = event.failure
    name = failure.type.rsplit(".", 1)[-1]
    # The policy knows exceptions by class and by name: this one goes by the names of the one that was told.
    error: Exception = type(name, (Exception,), {"__module__": failure.type.rpartition(".")[0]})(failure.message)
    if not failure.retryable:
        error = NonRetryable(failure.message)
    policy, draw = command.spec.retry, conductor.draw()
    try:
        retry_at, retryable = next_attempt(policy, command.failures + 1, error, now=event.at, draw=draw)
    except NoVerdict as none:  # it looks for more than names, which whoever has the exception knows
        without = msgspec.structs.replace(policy, decide=None)
        retry_at, retryable = next_attempt(without, command.failures + 1, error, now=event.at, draw=draw)
        line = f"decide= of {command.spec.name} was left out of account: {none.error!r}, asked about {failure.type}"
        run.open_segment().effects.append((conductor.host.workflow_log, (run, event.at, "WARNING", line)))
    if retry_at is not None and event.retry_at is not None:
        retry_at = event.retry_at
    if retry_at is not None and command.close_by is not None and retry_at >= command.close_by:
        retry_at = None
    return msgspec.structs.replace(
        event, name=command.spec.name, hash=command.hash, input=command.input, started_at=event.started_at or since,
        worker=event.worker or "outside", summary=command.spec.summary, retry_at=retry_at, heartbeat=command.heartbeat,
        failure=msgspec.structs.replace(failure, retryable=retryable),
    )  # fmt: skip


def check(conductor: Conductor, run: Resident, now: int) -> None:
    """Fails the attempts whose limits have passed."""
    for key, awaited in list(run.awaited.items()):
        if awaited.check_at <= now:
            try:
                limit = _passed(conductor, run, awaited, now)
            except StoreUnavailable:
                awaited.check_at = now + LATER
                continue
            if limit is not None:
                _expire(conductor, run, key, awaited, limit)


def _passed(conductor: Conductor, run: Resident, awaited: Awaited, now: int) -> Limit | None:
    """The limit that has passed; None, and a later ``check_at``, if none has."""
    step = awaited.step
    if step.spec.executor == queues.EXECUTOR:
        row = next((row for row in conductor.store.attempts(run.run) if row.key == step.key), None)
        limit, awaited.check_at = queues.passed(step, awaited.since, row, now)
        return limit
    if step.close_by is not None and step.close_by <= now:
        return "schedule_to_close"
    beaten = next((row.at for row in conductor.store.attempts(run.run) if row.key == step.key), 0)
    due = max(awaited.since, beaten) + (step.spec.heartbeat or NEVER)
    if due <= now:
        return "heartbeat"
    awaited.check_at = min(due, step.close_by or NEVER)
    return None


def _expire(conductor: Conductor, run: Resident, key: str, awaited: Awaited, limit: Limit) -> None:
    step, now = awaited.step, conductor.stamp(run)
    error = StepTimeout(exceeded(step, limit))
    said = next((row.details for row in conductor.store.attempts(run.run) if row.key == key), None)
    bare = e.StepFailed(now, None, None, key, step.spec.name, step.attempt, step.hash, describe(error))
    failed = _failed(conductor, run, step, bare, awaited.since)
    if said is not None:
        failed = msgspec.structs.replace(failed, heartbeat=conductor.journal.payload(said))
    drop(run, key)
    conductor.apply(run, failed)
