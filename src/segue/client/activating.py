"""Activating attempts that wait in a queue: what a worker gets that serves it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from segue.errors import AttemptOver, InvalidArgument
from segue.kernel import events as e
from segue.kernel.attempt import derive_key
from segue.kernel.names import checked_name
from segue.kernel.plain import arguments, plain_value
from segue.kernel.tokens import token_of
from segue.stores.attempt_rows import ClaimAttempts, LiveAttempt

if TYPE_CHECKING:
    from segue.engine import Engine

MOST = 100
"""Attempts that are activated at once."""
LONGEST = 24 * 3600 * 1_000_000
"""µs of a lease."""


class Activated(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that is this worker's now.

    Attributes:
        token: by which it beats, is completed, or fails.
        run: the run's id. key: of the call in it.
        attempt: its number. activation: how often it was activated; more than once where a lease has ended before.
        arguments: by the parameters' names.
        idempotency_key: the same for every attempt of the call, to pass on to systems that can tell a repetition by it.
        lease_until: until when (µs) nobody else may activate it. deadline: when its time ends, lease or not.
        headers: texts that travel along, for trace ids.
        heartbeat: what an earlier attempt, or an earlier activation, has said last.
    """

    token: str
    run: str
    workflow: str
    step: str
    key: str
    queue: str
    attempt: int
    activation: int
    arguments: Any
    idempotency_key: str
    lease_until: int
    deadline: int | None
    headers: dict[str, str]
    heartbeat: Any = None


async def activate(
    engine: Engine, queue: str, *, worker: str, limit: int, lease: int, steps: Collection[str] | None
) -> list[Activated]:
    """See ``Engine.activate``.

    Raises:
        InvalidArgument: the lease or the number cannot be had.
    """
    for text, what in ((queue, "a queue's name"), (worker, "a worker's name")):
        checked_name(text, what)
    if not 0 < lease <= LONGEST:
        raise InvalidArgument("a lease is longer than nothing, and a day at most", path="$.lease")
    if not 0 < limit <= MOST:
        raise InvalidArgument(f"a worker activates 1 to {MOST} attempts at once", path="$.limit")
    now = engine.clock.now()
    only = None if steps is None else tuple(steps)
    if not engine.store.waits_in(engine.namespace, engine.app, queue, now, only):
        return []  # which costs no commit
    asked = ClaimAttempts(engine.namespace, engine.app, queue, worker, now, now + lease, limit, only)
    claimed = await engine._ask(lambda client: client.claim(asked))
    found = [await _activated(engine, row) for row in sorted(claimed.attempts, key=lambda row: (row.run, row.seq))]
    return [each for each in found if each is not None]


async def _activated(engine: Engine, row: LiveAttempt) -> Activated | None:
    """What the worker gets; None where it would be one worker too many."""
    run = engine.store.run(row.run)
    found = await engine.read_events(row.run, after=row.seq - 1, limit=1)
    if run is None or not found or not isinstance(found[0][1], e.StepScheduled):
        return None  # it was deleted a moment ago
    event = found[0][1]
    token = token_of(row.run, run.uid, row.key, row.attempt, row.claim)
    lost = row.claim - 1 - row.returned
    if lost >= engine.settings.lost_limit:
        await _give_up(engine, token, row, lost)
        return None
    ends = [at for at in (row.began + row.timeout if row.timeout else 0, row.close_by) if at]
    return Activated(
        token=token, run=run.id, workflow=run.workflow, step=row.name, key=row.key, queue=row.queue,
        attempt=row.attempt, activation=row.claim,
        arguments={} if event.input is None else arguments(event.input),
        idempotency_key=derive_key(run.uid, row.key), lease_until=row.lease, deadline=min(ends, default=None),
        headers=event.headers or {},
        heartbeat=None if row.details is None else plain_value(engine.journal.payload(row.details)),
    )  # fmt: skip


async def _give_up(engine: Engine, token: str, row: LiveAttempt, lost: int) -> None:
    """An attempt whose workers have all been lost is not given to a further one: it may be what they died of."""
    failure = e.Failure(
        "segue.errors.ProcessLost",
        f"the leases of {lost} workers of the queue {row.queue!r} have ended while they had attempt {row.attempt} of "
        f"step {row.name!r}, and it is given to no further one",
    )
    with suppress(AttemptOver):
        await engine.fail_step(token, failure, retryable=False)
