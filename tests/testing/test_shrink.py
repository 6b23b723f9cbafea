"""Shrinking: what does not matter goes, what is left gets simpler, and it ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from segue.testing import Crash, Evicted, Fails, Late, Lost, Plan, Refused, Sent, Slow, Unacknowledged
from segue.testing.plan import Fault
from segue.testing.shrink import MOST_SECONDS, MOST_TRIES, Shrinking

NOISE = (Evicted(), Refused(2), Fails("a"), Slow("b", 3, 17.3), Unacknowledged(9), Late("a", 2, 0.0271), Sent("m", 4))


def shrunk(faults: tuple[Fault, ...], breaks: Callable[[set[Fault]], bool]) -> tuple[Plan, int]:
    shrinking = Shrinking(7, lambda plan: breaks(set(plan.faults)))
    return shrinking.smallest(faults), shrinking.tries


@pytest.mark.parametrize("place", range(len(NOISE) + 1))
def test_one_fault_that_matters_is_found_wherever_it_stands(place: int) -> None:
    matters = Lost("charge")
    plan, tries = shrunk((*NOISE[:place], matters, *NOISE[place:]), lambda faults: matters in faults)
    assert plan == Plan(7, matters)
    assert tries < 60


def test_two_that_matter_together_are_kept() -> None:
    pair = {Lost("charge"), Fails("ship", 2)}
    plan, _ = shrunk((Lost("charge"), *NOISE, Fails("ship", 2)), lambda faults: pair <= faults)
    assert set(plan.faults) == pair


def test_nothing_is_left_where_nothing_was_needed() -> None:
    assert shrunk(NOISE, lambda faults: True)[0] == Plan(7)


def test_a_commit_comes_sooner_and_a_number_gets_rounder() -> None:
    def breaks(faults: set[Fault]) -> bool:
        crash = any(isinstance(f, Crash) and f.commit >= 3 for f in faults)
        slow = any(isinstance(f, Slow) and f.by > 0.5 for f in faults)
        sent = any(isinstance(f, Sent) and (f.after or 0) > 60 for f in faults)
        return crash and slow and sent

    plan, _ = shrunk((Crash(14, "before"), Slow("a", 1, 17.37), Sent("m", after=4711.3)), breaks)
    assert plan == Plan(7, Crash(3), Slow("a"), Sent("m", after=3600.0))


def test_what_comes_later_moves_up_when_a_commit_goes() -> None:
    """The crash matters at one commit, which is earlier by two where the failing step is gone."""

    def breaks(faults: set[Fault]) -> bool:
        return Crash(5 if Fails("a") in faults else 3) in faults

    assert shrunk((Fails("a"), Crash(5)), breaks)[0] == Plan(7, Crash(3))


def test_it_ends_however_contrary_the_run_is() -> None:
    seen: list[int] = []

    def breaks(faults: set[Fault]) -> bool:
        seen.append(1)
        return len(seen) % 3 == 0

    _, tries = shrunk(NOISE * 10, breaks)
    assert tries <= MOST_TRIES


def test_it_ends_when_its_time_is_over() -> None:
    now = 0.0

    def breaks(plan: Plan) -> bool:
        nonlocal now
        now += MOST_SECONDS / 4
        return False

    shrinking = Shrinking(7, breaks, clock=lambda: now)
    assert shrinking.smallest(NOISE) == Plan(7, *NOISE)
    assert (shrinking.tries, shrinking.given_up) == (5, True)
