"""What is kept of attempts of steps that go on: heartbeats, and outcomes that may come from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from segue.stores.attempt_rows import ClaimAttempts, Claimed, LiveAttempt, QueueFigures
from segue.stores.base import Append, Post, Posted, StepTold, TellStep
from segue.stores.sql.statements import Connection, Row, Statement, flat, numbers, texts

_keep = Statement("keep_attempts")
_settle = Statement("settle_attempts")
_clear = Statement("clear_attempts")
_take = Statement("take_attempt")
_beat = Statement("beat_attempt")
_return = Statement("return_attempt")
_claim = Statement("claim_attempts")
_attempt_of = Statement("attempt_of")
_find_closed = Statement("find_closed_runs")


def keep(connection: Connection, attempts: Sequence[LiveAttempt]) -> None:
    """Keeps what the attempts have said; of two of one call, the later."""
    last = {(a.run, a.key): a for a in attempts}
    rows = (
        (a.run, a.key, a.name, a.attempt, a.at, a.details, int(a.handed_over), a.queue, a.seq, a.timeout, a.close_by)
        for a in last.values()
    )
    _keep.many(connection, flat(rows))


def row(values: Row) -> LiveAttempt:
    """The attempt that a row of the table holds."""
    run, key, name, attempt, at, details, handed_over, *rest = values
    return LiveAttempt(run, key, name, attempt, at, details, bool(handed_over), *rest)


def figures(rows: Iterable[Row]) -> list[QueueFigures]:
    """What is in each queue; rows of one are behind each other."""
    found: list[QueueFigures] = []
    for (namespace, app, queue), group in groupby(rows, itemgetter(0, 1, 2)):
        counts = Counter[str]()
        workers: dict[str, int] = {}
        since: int | None = None
        for *_, stands, worker, count, first in group:
            counts[stands] += count
            if stands == "held":
                workers[worker] = count
            elif stands == "waiting":
                since = first
        stand = counts["waiting"], counts["paused"], counts["held"]
        found.append(QueueFigures(namespace, app, queue, *stand, workers, since))
    return found


def named(steps: Sequence[str] | None) -> str | None:
    """Steps as statements take them; None for any."""
    return None if steps is None else texts(steps)


def claim(connection: Connection, asked: ClaimAttempts) -> Claimed:
    """Activates attempts for a worker."""
    place = asked.namespace, asked.app, asked.queue
    terms = asked.now, asked.worker, asked.until, asked.limit, named(asked.steps)
    return Claimed(tuple(row(values) for values in _claim.one(connection, (*place, *terms))))


def apply(connection: Connection, appends: Sequence[Append]) -> None:
    """Forgets and keeps what the appends say, in this order."""
    _settle.many(connection, flat((append.run, key) for append in appends for key in append.settled))
    keep(connection, [attempt for append in appends for attempt in append.attempts])


def clear(connection: Connection, runs: list[int]) -> None:
    """Nothing is waited for any more in runs that closed."""
    _clear.many(connection, list(runs))


def tell(connection: Connection, told: TellStep) -> StepTold | Post:
    """Takes an outcome, and makes the message that tells the run; or a heartbeat. Refused if the attempt is not the one
    that is waited for."""
    which = (told.run, told.key, told.attempt, told.claim)
    _find_closed.one(connection, (numbers([told.run]),))  # locks the run before its attempt, as whoever closes it does
    if told.returns:
        if _return.one(connection, which):
            return StepTold("told", told.run, told.attempt)
    elif told.body is None:
        if _beat.one(connection, (*which, told.at, told.details, told.until)):
            return StepTold("told", told.run, told.attempt)
    elif _take.one(connection, which):
        return Post("step", told.body, told.message, told.at, run=told.run, blobs=told.blobs)
    ((attempt, known),) = _attempt_of.one(connection, (told.run, told.key, told.message))
    # The very same outcome again: the acknowledgement of the first one was lost.
    return StepTold("told" if known else "not-awaited", told.run, attempt)


def answered(posted: Posted) -> StepTold:
    """The answer once the run's message is in."""
    assert posted.outcome == "posted", "nothing is waited for in a closed run, and an attempt is taken once"
    return StepTold("told", posted.run)
