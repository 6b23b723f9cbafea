"""Results of steps that stand for later calls, in the same run and in others, and in a fork of a run.

What is kept is where the result stands: a run, and the number of the event in its journal. So nothing is stored twice,
and cached results share the fate of their run: they go with it by retention, and erasure leaves nothing to be found. A
hit is journaled by the run that uses it, with the result, and depends on nothing from then on.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Callable
from typing import TYPE_CHECKING

from segue.errors import StoreUnavailable
from segue.kernel import events as e
from segue.kernel.commands import RunStep
from segue.kernel.failures import describe
from segue.kernel.payload import ERASED
from segue.runtime import spared
from segue.runtime.journal import Values
from segue.runtime.resident import Resident, Segment
from segue.stores.cache_rows import CacheEntry
from segue.stores.place_rows import NotAtHand

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor


def hit(
    conductor: Conductor, run: Resident, command: RunStep, again: Callable[[Values | None], None], values: Values | None
) -> bool:
    """Answers a call with a result that is there already; False where there is none to be used.

    Args:
        again: asks again, once a result that is outside the database has been fetched; with None where it cannot be.
        values: what has been fetched for it; None where nothing can be.
    """
    cache = command.spec.cache
    if values is None or not (command.key in run.spared or (cache is not None and not cache.refresh)):
        return False
    try:
        event = _look(conductor, run, command, values)
    except NotAtHand as error:
        placed = error.placed
        run.fetched[command.key] = command
        left = spared.PATIENCE if command.close_by is None else (command.close_by - conductor.clock.now()) / 1_000_000
        # By a key of its own: a run that has come back meanwhile asks anew, and is not what the answer is for.
        who = f"step {command.spec.name} of run {run.id}"
        conductor.fetching.fetch(
            object(), who, lambda: placed, again, lambda error: again(None), within=min(left, spared.PATIENCE)
        )
        return True
    except StoreUnavailable:
        if command.key not in run.spared:
            return False  # the step is run instead
        run.fetched[command.key] = command
        asyncio.get_running_loop().call_later(spared.RETRY, again, values)
        return True
    if event is None:
        return False
    run.active.pop(command.key, None)
    conductor.apply(run, event)
    return True


def give_up(conductor: Conductor, run: Resident, key: str) -> None:
    """A call is not waited for any more: if its result is being fetched, it ends at once, and nothing is begun."""
    command = run.fetched.pop(key, None)
    if command is None:
        return
    error = CancelledError("the step was cancelled before its cached result had been fetched")
    now = conductor.stamp(run)
    run.active.pop(key, None)
    conductor.apply(
        run,
        e.StepFailed(
            now, None, None, key, command.spec.name, command.attempt, command.hash,
            describe(error, conductor.journal.encodings, retryable=False), None, command.input, now, conductor.worker,
            command.spec.summary, command.heartbeat,
        ),
    )  # fmt: skip


def keep(conductor: Conductor, run: Resident, segment: Segment, command: RunStep, seq: int, at: int) -> None:
    """Has later calls find the result that is event ``seq`` of the run, from the commit on that writes it."""
    terms = command.spec.cache
    assert terms is not None
    expires = None if terms.expires is None else at + terms.expires
    segment.extras.cached.append(CacheEntry(run.namespace, command.spec.name, terms.key, run.run, seq, at, expires))


def _look(conductor: Conductor, run: Resident, command: RunStep, values: Values) -> e.StepCached | None:
    found = spared.step(conductor, run, command, values) or _cached(conductor, run, command, values)
    if found is None:
        return None
    made, row, seq = found
    source = conductor.store.run(row)
    if source is None:
        return None
    now = conductor.stamp(run)
    return e.StepCached(
        now, None, None, command.key, command.spec.name, command.attempt, command.hash, made.result, command.input,
        now, conductor.worker, command.spec.summary, source.id, row, seq, made.at,
    )  # fmt: skip


def _cached(
    conductor: Conductor, run: Resident, command: RunStep, values: Values
) -> tuple[e.StepCompleted, int, int] | None:
    terms = command.spec.cache
    if terms is None or terms.refresh:
        return None
    entry = conductor.store.cached(run.namespace, command.spec.name, terms.key)
    if entry is None or (entry.expires is not None and entry.expires <= conductor.stamp(run)):
        return None
    made = spared.recorded(conductor, entry.run, entry.seq, values)
    if not isinstance(made, e.StepCompleted) or made.result.encoding == ERASED:
        return None
    return None if terms.exact and not _same(made, command) else (made, entry.run, entry.seq)


def _same(made: e.StepCompleted, command: RunStep) -> bool:
    """Whether the arguments are the very same: two that have one hash must not get each other's results."""
    return made.hash == command.hash and made.input == command.input
