"""What a backfill does at a moment: which due times of the past get a run, in which order, how many at a time."""

from __future__ import annotations

import pytest
from hours_kit import HOUR, Hours, Runs, at, run

from segue.kernel.backfilling import Step, begin, go_on
from segue.kernel.firing import AT_ONCE
from segue.kernel.schedule import Backfill, Order, Policy, Progress, Reprocess, run_id


def ask(backfill: Backfill, progress: Progress, runs: Runs | None = None, policy: Policy | None = None) -> Step:
    return go_on("s", "b", policy or Policy(), backfill, progress, at(10_000), Hours(), runs or Runs())


def started(step: Step) -> list[int]:
    return [start.due // HOUR for start in step.starts]


def test_it_starts_as_many_as_it_may_and_goes_on_as_they_end() -> None:
    backfill = Backfill(at(1), at(6), parallel=2, total=5)
    runs = Runs()
    progress, order = begin(backfill), []
    while not progress.done:
        step = ask(backfill, progress, runs)
        assert len(step.progress.open) <= 2
        for start in step.starts:
            order.append(start.due // HOUR)
            runs.add(start.id, "running", 9)
        progress = step.progress
        for id in progress.open[:1]:
            runs.add(id, "failed" if id.startswith(run(3)) else "completed", 9, 9.5)
    assert order == [1, 2, 3, 4, 5]
    assert (progress.started, progress.completed, progress.failed, progress.skipped) == (5, 4, 1, 0)


@pytest.mark.parametrize(("order", "first"), [("oldest", [1, 2, 3]), ("newest", [5, 4, 3])])
def test_order(order: Order, first: list[int]) -> None:
    backfill = Backfill(at(1), at(6), parallel=3, order=order)
    assert started(ask(backfill, begin(backfill))) == first


KNOWN = Runs().add(run(1), "completed", 1, 2).add(run(2), "failed", 2, 3).add(run(3), "running", 3)
KNOWN.add(run(4), "failed", 4, 5).add(f"{run(4)}/earlier", "completed", 6, 7)


@pytest.mark.parametrize(("reprocess", "starts"), [("missing", [5]), ("failed", [2, 5]), ("all", [1, 2, 3, 4, 5])])
def test_reprocessing(reprocess: Reprocess, starts: list[int]) -> None:
    backfill = Backfill(at(1), at(6), parallel=9, reprocess=reprocess)
    step = ask(backfill, begin(backfill), KNOWN)
    assert started(step) == starts
    assert step.progress.skipped == 5 - len(starts)
    assert {start.id.rpartition("/")[2] for start in step.starts} == {"b"}


def test_nothing_to_do_is_done_at_once() -> None:
    backfill = Backfill(at(1), at(2))
    assert ask(backfill, begin(backfill), KNOWN).progress == Progress(at(1), skipped=1, done=True)


def test_a_long_period_is_looked_through_in_parts() -> None:
    backfill = Backfill(at(1), at(1 + 3 * AT_ONCE), reprocess="missing")
    runs = Runs()
    for hour in range(1, 1 + 3 * AT_ONCE):
        runs.add(run(hour), "completed", hour, hour + 1)
    step = ask(backfill, begin(backfill), runs)
    assert (step.progress.skipped, step.progress.done, step.wake) == (AT_ONCE, False, at(10_000))


def test_each_waits_for_the_one_before_and_for_other_schedules() -> None:
    backfill = Backfill(at(1), at(4))
    policy = Policy(depends_on_past=True, after=("x",))
    runs = Runs().add(run_id("x", at(2)), "completed", 2, 3)
    first = ask(backfill, begin(backfill), runs, policy)
    assert (started(first), first.awaits) == ([], (run_id("x", at(1)),))
    runs.add(run_id("x", at(1)), "completed", 1, 2)
    first = ask(backfill, begin(backfill), runs, policy)
    assert started(first) == [1]
    runs.add(f"{run(1)}/b", "failed", 9, 9)
    second = ask(backfill, first.progress, runs, policy)
    assert (started(second), second.awaits, second.progress.failed) == ([], (run(1),), 1)
    runs.add(f"{run(1)}/c", "completed", 9, 9)
    assert started(ask(backfill, second.progress, runs, policy)) == [2]
