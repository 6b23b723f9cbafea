"""From a ``RunStep`` command to the event that says how the attempt ended. Here a retry is decided."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from segue.errors import PayloadError, StepTimeout
from segue.kernel import events as e
from segue.kernel.attempt import Attempt
from segue.kernel.commands import RunStep
from segue.kernel.failures import describe
from segue.kernel.reference import keep_apart
from segue.kernel.retry import NoVerdict, next_attempt
from segue.runtime import artifacts, caching, incidents, pauses, queues, transactions
from segue.runtime.attempts import Outcome, Running, exceeded
from segue.runtime.journal import NONE, Values
from segue.runtime.resident import Finished, Resident, Segment
from segue.stores.attempt_rows import LiveAttempt
from segue.stores.base import Blob, StateWrite

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor


def dispatch(
    conductor: Conductor, run: Resident, command: RunStep, values: Values | None = NONE, *, again: bool = False
) -> None:
    """Starts an attempt, unless its outcome is at hand already. ``values``: what was fetched of a cached outcome; None
    where it is to be had from nowhere. ``again``: whether one before it ran is not known."""
    key, spec = command.key, command.spec
    if run.closed or key not in run.active:
        return
    if conductor.salvaged:
        salvaged = conductor.salvaged.pop((run.run, key, command.attempt), None)
        if salvaged is not None and salvaged.event.hash == command.hash:
            _record(conductor, run, salvaged)
            return
    if conductor.held and (held := conductor.held.get((run.namespace, spec.name))) is not None:
        pauses.hold(conductor, run, command, held)
        return
    if spec.cache is not None or run.spared:
        go_on = partial(_fetched, conductor, run, command, again)
        if caching.hit(conductor, run, command, go_on, values):
            return
    runner = conductor.definitions.runner(spec.name)
    if runner is None:
        message = f"no step named {spec.name!r} is known here"
        incidents.open_for_step(conductor, run, key, "definition-missing", message)
        return
    if runner.spec.executor == queues.EXECUTOR:
        queues.offer(conductor, run, command)
        return
    attempt = Attempt(run, key, spec.name, command.attempt, conductor.host, command.headers, command.heartbeat)
    now = conductor.clock.now()
    running = Running(attempt, command, runner, now, conductor.finished, conductor.attempts)
    run.active[key] = running
    if again or (spec.at_most_once and not command.started):
        running.announce_by(partial(_announce, conductor))
    if command.close_by is None:
        conductor.attempts.start(running)
    elif command.close_by > now:
        conductor.attempts.start(running)
        conductor.attempts.close_by(running, command.close_by - now)
    else:  # its process was away for too long
        late = StepTimeout(exceeded(command, "schedule_to_close"))
        conductor.call_soon(conductor.finished, running, Outcome(error=late))


def _fetched(conductor: Conductor, run: Resident, command: RunStep, again: bool, values: Values | None) -> None:
    if conductor.residents.get(run.run) is run and run.fetched.pop(command.key, None) is command:
        dispatch(conductor, run, command, values, again=again)


def _announce(conductor: Conductor, running: Running) -> None:
    """Its turn has come. The journal is told before it begins, so that a step which kills its process again and again
    is counted; and not earlier, since what waits for its turn has not run when the process dies."""
    command = running.command
    run = conductor.residents.get(running.attempt.run)
    if run is None or run.closed or run.active.get(command.key) is not running:
        conductor.attempts.withdraw(running)
    elif running.allowed is not None and not running.allowed.done():
        started = e.StepStarted(
            conductor.stamp(run), None, None, command.key, command.spec.name, command.attempt, conductor.worker
        )
        conductor.apply(run, started).effects.append((running.allow, ()))


def resume(conductor: Conductor, run: Resident, command: RunStep) -> None:
    """A step without an outcome in a run that is taken into memory. It may have been under way in a process that is
    gone, or only its run was rebuilt; or nobody has begun it yet, because the run was started elsewhere."""
    key = (run.run, command.key)
    running = next((r for r in conductor.attempts.running if (r.attempt.run, r.attempt.key) == key), None)
    if running is not None and running.done is not None:
        run.active[command.key] = running
        return
    if (run.run, command.key, command.attempt) in conductor.salvaged:
        run.active[command.key] = None
        # In a turn of its own: if a message vetoed the outcome the first time, it is delivered before this time.
        conductor.call_soon(dispatch, conductor, run, command)
        return
    if command.spec.executor == transactions.EXECUTOR and transactions.waits(conductor, run, command.key):
        run.active[command.key] = None
        return
    if command.spec.executor == queues.EXECUTOR:  # it was not offered yet: nobody has begun it
        run.active[command.key] = None
        conductor.call_soon(dispatch, conductor, run, command)
        return
    if not run.inherited and not command.started:
        run.active[command.key] = None
        conductor.call_soon(dispatch, conductor, run, command)
        return
    lost = command.lost + run.orphaned
    if command.spec.at_most_once and command.started:
        _lost(conductor, run, command, "it may have taken effect, and at_most_once forbids to run it again")
    elif lost >= conductor.settings.lost_limit:
        _lost(conductor, run, command, f"{lost} processes ended while they ran it")
    else:
        _restart(conductor, run, command)


def _restart(conductor: Conductor, run: Resident, command: RunStep) -> None:
    run.active[command.key] = None
    attempt = command.attempt + 1 if run.orphaned else command.attempt
    said = conductor.heartbeats.found(run.run, command.key)
    once_more = RunStep(
        command.key, command.spec, command.input, command.hash, attempt, command.failures,
        command.lost + attempt - command.attempt, False, command.headers, command.close_by, said or command.heartbeat,
    )  # fmt: skip
    conductor.call_soon(partial(dispatch, again=True), conductor, run, once_more)


def _lost(conductor: Conductor, run: Resident, command: RunStep, why: str) -> None:
    incidents.open_for_step(
        conductor, run, command.key, "process-lost", f"step {command.spec.name!r} went down with its process: {why}"
    )


def finished(conductor: Conductor, running: Running, outcome: Outcome) -> None:
    """An attempt has ended: record how, and let the run go on from the record."""
    command, attempt = running.command, running.attempt
    if attempt.progress is not None:
        conductor.host.ended(attempt)
    event = _event(conductor, running, outcome)
    state = None if isinstance(event, e.StepFailed) else attempt.state_writes
    blob: Blob | None = None
    if command.spec.by_reference and isinstance(event, e.StepCompleted):
        result, ref, data = keep_apart(event.result, command.spec.name, conductor.journal.codec)
        event, blob = msgspec.structs.replace(event, result=result), Blob(ref, data)
    ended = Finished(event, state, blob, attempt.artifacts)
    run = conductor.residents.get(attempt.identity.run)
    if run is None or run.closed or run.active.get(command.key) is not running:
        # Its run is being rebuilt, or asks for something else now: kept in case it asks again.
        conductor.salvaged[attempt.run, command.key, command.attempt] = ended
        return
    seq = run.seq + 1
    segment = _record(conductor, run, ended)
    if command.spec.cache is not None and isinstance(ended.event, e.StepCompleted):
        caching.keep(conductor, run, segment, command, seq, ended.event.at)
    if not conductor.attempts.running:
        # Nothing else is under way: the commit need not wait for the next turn of the loop.
        conductor.writer.flush_now()


def _record(conductor: Conductor, run: Resident, ended: Finished) -> Segment:
    event = ended.event
    if event.at < run.at:
        event = msgspec.structs.replace(event, at=run.at)
    run.active.pop(event.key, None)
    if ended.artifacts:  # before the run goes on, which may attach another one of the name
        run.open_segment().attach(*artifacts.written(conductor.journal, ended.artifacts))
    segment = conductor.apply(run, event)
    segment.finished.append(ended)
    kept = conductor.heartbeats.settle(run.run, event.key)
    if isinstance(event, e.StepScheduled) and run.waits_for(event.key):
        row = LiveAttempt(run.run, event.key, event.name, event.attempt, event.at, None, True)
        segment.extras.attempts.append(row)
        conductor.heartbeats.keep(run.run, event.key)
        # Its outcome may have come already.
        segment.check_inbox = True
    elif kept:
        segment.extras.settled.append(event.key)
    if ended.blob is not None:
        segment.extras.blobs.append(ended.blob)
    if ended.state:
        segment.extras.state.extend(
            StateWrite(scope, key, None if value is None else conductor.journal.seal_value(value), run.namespace)
            for (scope, key), value in ended.state.items()
        )
    return segment


def _event(
    conductor: Conductor, running: Running, outcome: Outcome
) -> e.StepCompleted | e.StepFailed | e.StepScheduled:
    if outcome.error is None:
        if running.attempt.handed_over:
            return _scheduled(conductor, running)
        try:
            return _completed(conductor, running, outcome)
        except PayloadError as error:  # it would carry a secret out of the step
            outcome = Outcome(error=error)
    return _failed(conductor, running, outcome)


def _scheduled(conductor: Conductor, running: Running) -> e.StepScheduled:
    command = running.command
    return e.StepScheduled(
        conductor.clock.now(), None, None, command.key, command.spec.name, command.attempt, command.hash, command.input,
        running.started_at, conductor.worker, command.spec.summary,
    )  # fmt: skip


def _completed(conductor: Conductor, running: Running, outcome: Outcome) -> e.StepCompleted:
    command = running.command
    assert outcome.result is not None
    result = conductor.host.clean_result(running.attempt, outcome.result)
    return e.StepCompleted(
        conductor.clock.now(), None, None, command.key, command.spec.name, command.attempt, command.hash, result,
        command.input, running.started_at, conductor.worker, command.spec.summary,
    )  # fmt: skip


def _failed(conductor: Conductor, running: Running, outcome: Outcome) -> e.StepFailed:
    command, attempt, error = running.command, running.attempt, outcome.error
    assert error is not None
    now = conductor.clock.now()
    retry_at: int | None = None
    retryable = not outcome.cancelled
    if retryable:
        try:
            retry_at, retryable = next_attempt(
                command.spec.retry, command.failures + 1, error, now=now, draw=conductor.draw()
            )
        except NoVerdict as none:  # the policy's ``decide`` is the user's code too: its error ends the attempts
            error, retryable = none.error, False
    if retry_at is not None and command.close_by is not None and retry_at >= command.close_by:
        late = StepTimeout(exceeded(command, "schedule_to_close"))
        late.__cause__, error, retry_at = error, late, None
    failure = conductor.host.clean_failure(
        running.attempt, describe(error, conductor.journal.encodings, retryable=retryable)
    )
    return e.StepFailed(
        now, None, None, command.key, command.spec.name, command.attempt, command.hash, failure, retry_at,
        command.input, running.started_at, conductor.worker, command.spec.summary,
        attempt.beaten or attempt.earlier,
    )  # fmt: skip


def cancel(conductor: Conductor, run: Resident, key: str) -> None:
    """Asks a running attempt to stop; one that has not begun ends at once."""
    running = run.active.get(key)
    if running is not None:
        conductor.attempts.stop(running)
    else:
        caching.give_up(conductor, run, key)
