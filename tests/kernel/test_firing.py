"""What a schedule does at a moment: tables of instants, open runs and the time; what is started, skipped and told."""

from __future__ import annotations

import msgspec
import pytest
from hours_kit import HOUR, Hours, Runs, at, run

from segue.kernel.firing import AT_ONCE, LONGEST_QUEUE, Decision, decide
from segue.kernel.schedule import Limit, Overlap, Policy, Standing, Target, delay, run_id, run_uid

ALARM = Target("step", "alarm")


def ask(policy: Policy, standing: Standing, now: float, runs: Runs | None = None) -> Decision:
    return decide("s", policy, standing, at(now), Hours(), runs or Runs())


def started(decision: Decision) -> list[int]:
    return [start.due // HOUR for start in decision.starts]


# --- overlap ----------------------------------------------------------------------------------------------------

OPEN = Runs().add(run(5), "running", 5)
BUSY = Standing(at(5), open=(run(5),), last=at(5))

OVERLAP = [
    # policy, hours that came while run 5 is open: started, queued, skipped, stopped
    ("skip", 3, [], [], 3, []),
    ("buffer-one", 3, [], [6], 2, []),
    ("buffer-all", 3, [], [6, 7, 8], 0, []),
    ("cancel-other", 3, [], [8], 2, [("cancel", 8)]),
    ("terminate-other", 1, [], [6], 0, [("terminate", 6)]),
    ("allow-all", 3, [6, 7, 8], [], 0, []),
]


@pytest.mark.parametrize(("overlap", "came", "starts", "queue", "skipped", "stops"), OVERLAP)
def test_while_a_run_is_open(
    overlap: Overlap, came: int, starts: list[int], queue: list[int], skipped: int, stops: list[tuple[str, int]]
) -> None:
    found = ask(Policy(overlap=overlap), BUSY, 5 + came, OPEN)
    assert started(found) == starts
    assert [due // HOUR for due in found.standing.queue] == queue
    assert found.standing.skipped == skipped
    assert [("terminate" if stop.terminate else "cancel", stop.due // HOUR) for stop in found.stops] == stops
    assert found.standing.cursor == at(5 + came)
    assert found.wake == at(6 + came)
    assert bool(found.awaits) == bool(queue)


@pytest.mark.parametrize(
    ("overlap", "starts"),
    [("skip", [6]), ("buffer-one", [6]), ("buffer-all", [6]), ("allow-all", [6, 7, 8]), ("cancel-other", [6])],
)
def test_several_instants_at_once_while_none_is_open(overlap: Overlap, starts: list[int]) -> None:
    found = ask(Policy(overlap=overlap), Standing(at(5)), 8)
    assert started(found) == starts
    assert found.starts[0].interval == (at(5), at(6))


def test_what_waited_is_started_when_the_open_run_has_ended() -> None:
    waiting = msgspec.structs.replace(BUSY, cursor=at(7), queue=(at(6), at(7)))
    policy = Policy(overlap="buffer-all")
    assert started(ask(policy, waiting, 7.5, OPEN)) == []
    assert ask(policy, waiting, 7.5, OPEN).awaits == (run(5),)
    over = ask(policy, waiting, 7.5, Runs().add(run(5), "failed", 5, 7))
    assert started(over) == [6]
    assert over.standing.queue == (at(7),)
    assert over.awaits == (run(6),)


def test_nothing_changes_when_it_is_asked_again() -> None:
    first = ask(Policy(), Standing(at(5)), 6.2)
    again = ask(Policy(), first.standing, 6.2, Runs().add(run(6), "running", 6))
    assert (again.standing, again.starts, again.wake) == (first.standing, (), at(7))


def test_a_clock_that_is_put_back_starts_nothing_twice() -> None:
    first = ask(Policy(overlap="allow-all"), Standing(at(5)), 6.2)
    back = ask(Policy(overlap="allow-all"), first.standing, 5.2)
    assert (back.starts, back.standing) == ((), first.standing)
    assert started(ask(Policy(overlap="allow-all"), back.standing, 6.2)) == []
    assert started(ask(Policy(overlap="allow-all"), back.standing, 7.2)) == [7]


def test_a_queue_has_an_end() -> None:
    full = Standing(at(5_000), queue=tuple(at(n) for n in range(LONGEST_QUEUE)), open=(run(5),))
    found = ask(Policy(overlap="buffer-all"), full, 5_003, OPEN)
    assert (len(found.standing.queue), found.standing.skipped) == (LONGEST_QUEUE, 3)


# --- late -------------------------------------------------------------------------------------------------------

LATE = [
    # catch-up window (hours), asked at: started, missed
    (24, 8, [6, 7, 8], None),
    (1, 8.5, [8], (6, 7)),
    (1, 8, [7, 8], (6, 6)),
    (0.01, 8.5, [], (6, 8)),
]


@pytest.mark.parametrize(("window", "now", "starts", "missed"), LATE)
def test_runs_that_come_too_late_are_missed(
    window: float, now: float, starts: list[int], missed: tuple[int, int] | None
) -> None:
    found = ask(Policy(overlap="allow-all", catchup=at(window)), Standing(at(5)), now)
    assert started(found) == starts
    assert found.standing.missed == (None if missed is None else (at(missed[0]), at(missed[1])))
    assert found.wake == at(int(now) + 1)


def test_ten_years_of_missed_runs_are_passed_over_in_one_stride() -> None:
    now = 24 * 365 * 10
    found = ask(Policy(overlap="allow-all", catchup=at(2)), Standing(at(5)), now)
    assert started(found) == [now - 2, now - 1, now]
    assert found.standing.missed == (at(6), at(now - 3))


def test_many_instants_are_dealt_with_in_parts() -> None:
    found = ask(Policy(overlap="allow-all", catchup=at(1000)), Standing(at(5)), 505)
    assert len(found.starts) == AT_ONCE
    assert found.wake == at(505)
    assert found.standing.cursor == at(5 + AT_ONCE)


def test_jitter_is_the_same_for_whoever_asks_and_never_beyond_the_next_instant() -> None:
    delays = [delay("s", at(hour), at(5), at(hour + 1)) for hour in range(200)]
    assert delays == [delay("s", at(hour), at(5), at(hour + 1)) for hour in range(200)]
    assert len(set(delays)) == 200
    assert max(delays) < HOUR
    policy = Policy(jitter=at(0.5))
    due = at(6) + delay("s", at(6), at(0.5), at(7))
    early = decide("s", policy, Standing(at(5)), due - 1, Hours(), Runs())
    assert (early.starts, early.wake) == ((), due)
    assert started(decide("s", policy, Standing(at(5)), due, Hours(), Runs())) == [6]


def test_a_run_that_its_jitter_has_still_in_time_is_not_missed() -> None:
    jitter = at(0.9)
    delays = {hour: delay("s", at(hour), jitter, at(hour + 1)) for hour in range(6, 40)}
    policy = Policy(overlap="allow-all", jitter=jitter, catchup=at(0.25))
    for now in (30, 30.25, 30.5, 30.75):
        found = ask(policy, Standing(at(5)), now)
        in_time = [hour for hour, late in delays.items() if at(now - 0.25) <= at(hour) + late <= at(now)]
        assert started(found) == in_time
        assert found.standing.missed is not None
        assert found.standing.cursor == max(at(hour) for hour, late in delays.items() if at(hour) + late <= at(now))


def test_nothing_is_started_while_it_is_paused() -> None:
    paused = Standing(at(5), queue=(at(4),), paused="holidays")
    assert ask(Policy(), paused, 100) == Decision(paused)


# --- waiting for other runs -------------------------------------------------------------------------------------

BEFORE = [
    # runs of hour 5: may the run of hour 6 start, if it depends on the past
    ({}, True),  # past its retention
    ({run(5): "running"}, False),
    ({run(5): "failed"}, False),
    ({run(5): "completed"}, True),
    ({run(5): "failed", f"{run(5)}/mend": "completed"}, True),
]


@pytest.mark.parametrize(("states", "starts"), BEFORE)
def test_a_run_that_depends_on_the_one_before(states: dict[str, str], starts: bool) -> None:
    runs = Runs()
    for id, state in states.items():
        runs.add(id, state, 5, None if state == "running" else 5.5)
    found = ask(Policy(depends_on_past=True), Standing(at(5), last=at(5)), 6, runs)
    assert started(found) == ([6] if starts else [])
    assert found.awaits == (() if starts else (run(5),))


def test_the_first_run_depends_on_none() -> None:
    assert started(ask(Policy(depends_on_past=True), Standing(at(5)), 6)) == [6]


def test_a_run_waits_for_other_schedules_of_the_same_due_time() -> None:
    policy = Policy(after=("x", "y"), overlap="allow-all")
    runs = Runs().add(run_id("x", at(6)), "completed", 6, 6.1).add(run_id("y", at(7)), "completed", 7, 7.1)
    blocked = ask(policy, Standing(at(5)), 7, runs)
    assert started(blocked) == []
    assert blocked.awaits == (run_id("x", at(7)), run_id("y", at(6)))
    runs.add(run_id("x", at(7)), "completed", 7, 7.1)
    assert started(ask(policy, blocked.standing, 7, runs)) == [7], "side by side: hour 6 does not hold up hour 7"


def test_runs_that_depend_on_the_past_keep_their_order_whatever_else_they_wait_for() -> None:
    policy = Policy(after=("x",), depends_on_past=True, overlap="allow-all")
    runs = Runs().add(run(5), "completed", 5, 5.1).add(run_id("x", at(7)), "completed", 7, 7.1)
    assert started(ask(policy, Standing(at(5), last=at(5)), 7, runs)) == []


# --- deadlines --------------------------------------------------------------------------------------------------

DONE, BEGUN = Limit("completed", at(0.5), ALARM), Limit("started", at(0.25), ALARM)
KEPT = [
    # deadline, the run of hour 6, asked at: whether it is told
    (BEGUN, None, 6.2, False),
    (BEGUN, None, 6.25, True),
    (BEGUN, ("running", 6.1, None), 6.5, False),
    (BEGUN, ("running", 6.3, None), 6.5, True),
    (DONE, ("running", 6.0, None), 6.4, False),
    (DONE, ("running", 6.0, None), 6.5, True),
    (DONE, ("completed", 6.0, 6.4), 6.9, False),
    (DONE, ("completed", 6.0, 6.6), 6.9, True),
    (DONE, ("failed", 6.0, 6.1), 6.5, True),
]


@pytest.mark.parametrize(("limit", "known", "now", "told"), KEPT)
def test_a_deadline_tells_what_has_not_happened(
    limit: Limit, known: tuple[str, float, float | None] | None, now: float, told: bool
) -> None:
    runs = Runs() if known is None else Runs().add(run(6), *known)
    found = ask(Policy(limits=(limit,)), Standing(at(6), (at(5),)), now, runs)
    assert [late.due // HOUR for late in found.overdue] == ([6] if told else [])
    assert found.wake == (at(7) if now >= 6 + limit.within / HOUR else at(6) + limit.within)
    assert ask(Policy(limits=(limit,)), found.standing, now, runs).overdue == ()


def test_a_run_that_is_started_now_is_not_late_yet() -> None:
    found = ask(Policy(limits=(BEGUN,)), Standing(at(5), (at(5),)), 6)
    assert (started(found), found.overdue) == ([6], ())
    late = ask(Policy(limits=(BEGUN,)), Standing(at(5), (at(5),)), 6.5)
    assert (started(late), len(late.overdue)) == ([6], 1)


def test_of_a_long_absence_the_last_missed_deadline_is_told() -> None:
    policy = Policy(limits=(DONE,), catchup=at(2), overlap="skip")
    found = ask(policy, Standing(at(5), (at(5),)), 1000)
    assert [late.due // HOUR for late in found.overdue] == [997, 998, 999]
    assert found.standing.checked == (at(999),)


def test_deadlines_of_what_came_before_a_pause_are_still_looked_at() -> None:
    paused = Standing(at(6), (at(5),), paused="by hand")
    found = ask(Policy(limits=(DONE,)), paused, 6.6)
    assert [late.due // HOUR for late in found.overdue] == [6]
    assert found.wake is None


def test_ids_name_schedule_instant_and_backfill() -> None:
    assert run_id("n", 0) == "n@1970-01-01T00:00:00Z"
    assert run_id("n", 1_500_000, "b") == "n@1970-01-01T00:00:01.500000Z/b"
    assert run_uid("default", "a") == run_uid("default", "a") != run_uid("other", "a")
    assert len(bytes.fromhex(run_uid("default", "a"))) == 16
