"""The loan under everything that can go wrong: nobody is paid twice, or unasked, or something else than was agreed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from example_town import Towns, towns

from loan import APPLICATIONS, VOTES, Case, Offer, Vote, lend, pay_out
from segue.authoring.python.definitions import STEPS
from segue.kernel import events as e
from segue.testing import Moment, Scene, in_the_end, simulate, sweep


@pytest.fixture
def town() -> Iterator[Towns]:
    with towns() as made:
        yield made


def paid_at_most_once(now: Moment) -> bool:
    return len(now.outside.states("bank", "transfer")) <= 1


def one_inquiry(now: Moment) -> bool:
    """The bureau is asked once: every inquiry stays on the record."""
    return len(now.outside.states("bureau", "inquiry")) <= 1


def paid_only_to_whom_says_yes(now: Moment) -> bool:
    said = [event for event in now.trace.events if isinstance(event, e.SignalReceived) and event.name == "answer"]
    return bool(said) or not now.outside.states("bank", "transfer")


@in_the_end
def the_case_tells_what_became_of_it(now: Moment) -> None:
    """The case says "paid out" if, and only if, the money has moved."""
    assert now.state == "completed"
    assert (_case(now).outcome == "paid out") == bool(now.outside.states("bank", "transfer"))


@in_the_end
def what_was_paid_is_what_was_agreed(now: Moment) -> None:
    """The offer in the case is the one that the money was paid for."""
    paid = [event for event in now.trace.events if isinstance(event, e.StepCompleted) and event.name == pay_out.name]
    for event in paid:
        assert event.input is not None
        (_, offer), _ = STEPS.get("pay_out").bind(now.engine.encodings).decode(event.input)  # type: ignore[union-attr]
        case = _case(now)
        assert isinstance(offer, Offer)
        assert case.offer == offer
        assert str(offer) in case.lines[-1]


def _case(now: Moment) -> Case:
    (closing,) = [event for event in now.trace.events if isinstance(event, e.RunCompleted)]
    case: Case = now.engine.encodings.decode(closing.result, Case)
    return case


INVARIANTS = [
    paid_at_most_once, one_inquiry, paid_only_to_whom_says_yes, the_case_tells_what_became_of_it,
    what_was_paid_is_what_was_agreed,
]  # fmt: skip


def everybody(scene: Scene, towns: Towns, *, answer: str = "yes") -> Any:
    """The applicant with documents, changes of mind and an answer, and the committee, each in their own time."""
    for document in ("identity card", "payslip", "valuation"):
        scene.signal("document", document, within="40d")
    for months in (24, 500, 60):
        scene.update("other_months", months, within="60d")
    if answer:
        scene.signal("answer", answer, within="60d")
    for member, (_, yes) in VOTES.items():
        scene.person(member, partial(_vote, yes), within="10d")
    return towns.new()


def _vote(yes: bool, task: Any) -> Vote:
    return Vote(yes)


@pytest.mark.parametrize("which", sorted(APPLICATIONS))
def test_whatever_happens_the_money_and_the_case_agree(which: str, town: Towns) -> None:
    held = simulate(
        lend, APPLICATIONS[which], scene=lambda scene: everybody(scene, town), invariants=INVARIANTS, seeds=60
    )
    assert held.ended == {"completed": 60}


def test_who_says_no_or_nothing_is_not_paid(town: Towns) -> None:
    for answer in ("no", ""):
        simulate(
            lend,
            APPLICATIONS["small"],
            scene=lambda scene, answer=answer: everybody(scene, town, answer=answer),  # type: ignore[misc]
            invariants=[*INVARIANTS, in_the_end(lambda now: not now.outside.states("bank", "transfer"))],
            seeds=20,
        )


def test_one_fault_at_every_place(town: Towns) -> None:
    held = sweep(
        lend, APPLICATIONS["large"], scene=lambda scene: everybody(scene, town), invariants=INVARIANTS, within="365d"
    )
    assert held.runs > 40
