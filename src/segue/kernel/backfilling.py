"""What a backfill does at a moment: which due times of the past it starts a run for, one after the other."""

from __future__ import annotations

import msgspec

from segue.kernel.firing import AT_ONCE, gate
from segue.kernel.schedule import (
    Backfill,
    Facts,
    Instants,
    Policy,
    Progress,
    Reprocess,
    Start,
    first_part,
    interval_of,
    run_id,
)

_OVER_WITHOUT_RESULT = ("failed", "cancelled", "terminated")


class Step(msgspec.Struct, frozen=True):
    """What is to be done now; as ``firing.Decision``."""

    progress: Progress
    starts: tuple[Start, ...] = ()
    wake: int | None = None
    awaits: tuple[str, ...] = ()


def begin(backfill: Backfill) -> Progress:
    """Before the first instant."""
    return Progress(backfill.start - 1 if backfill.order == "oldest" else backfill.end)


def go_on(
    name: str,
    id: str,
    policy: Policy,
    backfill: Backfill,
    progress: Progress,
    now: int,
    instants: Instants,
    facts: Facts,
) -> Step:
    """What the backfill ``id`` of a schedule does now."""
    still = [run for run in progress.open if facts.open(run)]
    completed = sum(facts.completed(run) for run in progress.open if run not in still)
    failed = len(progress.open) - len(still) - completed
    cursor, skipped, starts, awaited, wake = progress.cursor, 0, list[Start](), None, None
    done = False
    looked = 0
    while len(still) < backfill.parallel:
        due = _next(backfill, cursor, instants)
        if due is None:
            done = not still
            break
        looked += 1
        if looked > AT_ONCE:
            wake = now
            break
        if not _wanted(backfill.reprocess, name, due, facts):
            skipped += 1
            cursor = due
            continue
        awaited = gate(name, due, policy.after, _past(policy, backfill, due, instants), facts)
        if awaited is not None:
            break
        cursor = due
        run = run_id(name, due, id)
        starts.append(Start(run, due, interval_of(instants, due)))
        still.append(run)
    after = Progress(
        cursor, tuple(still), progress.started + len(starts), progress.skipped + skipped,
        progress.completed + completed, progress.failed + failed, done,
    )  # fmt: skip
    awaits = {first_part(run) for run in still} | ({awaited} if awaited is not None else set())
    return Step(after, tuple(starts), wake, tuple(sorted(awaits)))


def _next(backfill: Backfill, cursor: int, instants: Instants) -> int | None:
    due = instants.after(cursor) if backfill.order == "oldest" else instants.before(cursor)
    return due if due is not None and backfill.start <= due < backfill.end else None


def _past(policy: Policy, backfill: Backfill, due: int, instants: Instants) -> int | None:
    """The due time whose run this one depends on; the first of the backfill depends on none."""
    if not policy.depends_on_past:
        return None
    past = instants.before(due)
    return past if past is not None and past >= backfill.start else None


def _wanted(reprocess: Reprocess, name: str, due: int, facts: Facts) -> bool:
    """Whether the due time is to have a run (or one more)."""
    if reprocess == "all":
        return True
    runs = facts.of(name, due)
    if reprocess == "missing":
        return not runs
    return all(run.state in _OVER_WITHOUT_RESULT for run in runs)
