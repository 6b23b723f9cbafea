"""Compensation: what is undone, in which order, with what, and what cannot stop it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from world import Begin, World, arguments, flow, step_named

from segue.authoring.python.definitions import Step
from segue.authoring.python.policies import skip
from segue.authoring.python.saga import saga
from segue.errors import CompensationFailed, InvalidArgument, StepFailed
from segue.kernel import commands as c
from segue.kernel.steps import StepSpec


async def _refund(amount: int, receipt: str | None) -> None: ...


async def _typed(amount: int) -> str: ...


charge, pick, ship = (step_named(name) for name in ("charge", "pick", "ship"))
typed = Step(_typed, StepSpec("typed"))
refund = Step(_refund, StepSpec("refund"))
restock = Step(_refund, StepSpec("restock"))
recall = Step(_refund, StepSpec("recall"))
forgiving = Step(_refund, StepSpec("forgiving"), skip())


async def order() -> str:
    async with saga() as s:
        await s.step(charge, 1, undo=refund)
        await s.step(pick, 2, undo=restock)
        await ship(3)
        return "shipped"


ORDER = flow(order)


def undone(world: World) -> tuple[str, Any]:
    """The one undo that is under way, and what it was given."""
    (command,) = world.steps.values()
    return command.spec.name, arguments(refund, command)


def finish(world: World) -> list[str]:
    """Lets everything that is asked for succeed; the names in order."""
    names = []
    while world.steps:
        key, command = next(iter(world.steps.items()))
        names.append(command.spec.name)
        world.complete(key)
    return names


def test_nothing_is_undone_when_all_goes_well(begin: Begin) -> None:
    world = begin(ORDER)
    assert finish(world) == ["charge", "pick", "ship"]
    assert world.result == "shipped"


def test_a_failure_undoes_what_was_done_last_first_with_the_results(begin: Begin) -> None:
    world = begin(ORDER)
    world.complete("/charge", "receipt")
    world.complete("/pick", "shelf 4")
    world.fail("/ship")
    assert undone(world) == ("restock", (2, "shelf 4"))
    world.complete("/undo0/restock")
    assert undone(world) == ("refund", (1, "receipt"))
    world.complete("/undo0/refund")
    assert world.failure.type == "segue.errors.StepFailed"


def test_a_step_that_failed_is_undone_too_because_it_may_have_taken_effect(begin: Begin) -> None:
    world = begin(ORDER)
    world.complete("/charge", "receipt")
    world.fail("/pick")
    assert undone(world) == ("restock", (2, None))
    assert finish(world) == ["restock", "refund"]


@pytest.mark.parametrize(("end", "known"), [("complete", "receipt"), ("fail", None), ("silence", None)])
def test_cancelled_in_flight_it_is_undone_once_it_has_ended(begin: Begin, end: str, known: str | None) -> None:
    world = begin(ORDER)
    world.cancel("changed my mind")
    assert world.asked == ["CancelStep"]
    if end == "complete":
        world.complete("/charge", "receipt")
    elif end == "fail":
        world.fail("/charge")
    else:
        world.advance(10)
    assert undone(world) == ("refund", (1, known))
    world.complete("/undo0/refund")
    assert world.end == c.Cancelled("changed my mind")


def test_what_came_of_an_earlier_call_is_not_taken_for_the_step_s(begin: Begin) -> None:
    async def confusing() -> None:
        try:
            async with asyncio.timeout(1):
                await ship(0)
        except TimeoutError:
            pass
        async with saga() as s:
            await s.step(charge, 1, undo=refund)

    world = begin(flow(confusing))
    world.advance(1)
    world.complete("/ship", "late parcel")
    world.cancel()
    world.advance(10)
    assert undone(world) == ("refund", (1, None))


def test_a_call_that_was_not_even_made_is_not_undone(begin: Begin) -> None:
    async def wrong() -> str:
        try:
            async with saga() as s:
                await s.step(charge, 1, undo=refund)
                await s.step(typed, "one", undo=restock)  # type: ignore[arg-type]
        except InvalidArgument:
            return "wrong"
        return "fine"

    world = begin(flow(wrong))
    assert finish(world) == ["charge", "refund"]
    assert world.result == "wrong"


def test_inner_sagas_are_undone_before_outer_ones(begin: Begin) -> None:
    async def nested() -> None:
        async with saga() as outer:
            await outer.step(charge, 1, undo=refund)
            async with saga() as inner:
                await inner.step(pick, 2, undo=restock)
                await ship(3)

    world = begin(flow(nested))
    world.complete("/charge")
    world.complete("/pick")
    world.fail("/ship")
    assert finish(world) == ["restock", "refund"]


def test_an_inner_saga_that_ended_well_is_the_outer_one_s_business_no_more(begin: Begin) -> None:
    async def nested() -> None:
        async with saga() as outer:
            await outer.step(charge, 1, undo=refund)
            async with saga() as inner:
                await inner.step(pick, 2, undo=restock)
            await ship(3)

    world = begin(flow(nested))
    world.complete("/charge")
    world.complete("/pick")
    world.fail("/ship")
    assert finish(world) == ["refund"]


def test_a_sibling_under_way_is_ended_first_and_then_undone(begin: Begin) -> None:
    async def parallel() -> None:
        async with saga() as s:
            await asyncio.gather(s.step(charge, 1, undo=refund), s.step(pick, 2, undo=restock))

    world = begin(flow(parallel))
    assert world.fail("/0/charge") == [c.CancelStep("/1/pick")]
    world.complete("/1/pick", "shelf 4")
    assert undone(world) == ("restock", (2, "shelf 4"))
    assert finish(world) == ["restock", "refund"]


def test_cancelling_does_not_stop_compensation(begin: Begin) -> None:
    world = begin(ORDER)
    world.complete("/charge")
    world.complete("/pick")
    world.fail("/ship")
    assert world.cancel() == []
    assert world.cancel() == []
    assert finish(world) == ["restock", "refund"]
    assert isinstance(world.end, c.Cancelled)


def test_a_cancellation_during_compensation_takes_effect_afterwards(begin: Begin) -> None:
    async def carrying_on() -> str:
        try:
            async with saga() as s:
                await s.step(charge, 1, undo=refund)
                await ship(2)
        except StepFailed:
            await pick(3)
        return "carried on"

    world = begin(flow(carrying_on))
    world.complete("/charge")
    world.fail("/ship")
    world.cancel("stop")
    assert finish(world) == ["refund"]
    assert world.end == c.Cancelled("stop")


def test_a_timeout_does_not_stop_compensation(begin: Begin) -> None:
    async def limited() -> str:
        try:
            async with asyncio.timeout(60), saga() as s:
                await s.step(charge, 1, undo=refund)
                await ship(2)
        except TimeoutError:
            return "too late"
        return "in time"

    world = begin(flow(limited))
    world.complete("/charge")
    world.fail("/ship")
    assert world.advance(60) == []
    assert finish(world) == ["refund"]
    assert world.result == "too late"


def test_the_end_of_the_run_waits_for_compensation_and_does_not_cancel_it(begin: Begin) -> None:
    async def inner() -> None:
        async with saga() as s:
            await s.step(charge, 1, undo=refund)
            await s.step(pick, 2, undo=restock)
            await ship(3)

    async def leaving() -> str:
        task = asyncio.create_task(inner())
        await asyncio.wait([task], timeout=60)
        return "left"

    world = begin(flow(leaving))
    world.complete("/0/charge")
    world.complete("/0/pick")
    world.fail("/0/ship")
    assert world.advance(60) == [], "the root is done, and an undo is under way"
    assert finish(world) == ["restock", "refund"]
    assert world.result == "left"


def test_an_undo_that_fails_stands_still_and_holds_the_rest(begin: Begin) -> None:
    world = begin(ORDER)
    world.complete("/charge", "receipt")
    world.complete("/pick", "shelf 4")
    world.fail("/ship")
    assert world.exhaust("/undo0/restock") == []
    assert world.steps == {}
    world.resolve("/undo0/restock")
    assert undone(world) == ("restock", (2, "shelf 4"))
    assert finish(world) == ["restock", "refund"]


def test_cancelling_does_not_skip_an_undo_that_stands_still(begin: Begin) -> None:
    world = begin(ORDER)
    world.complete("/charge")
    world.fail("/pick")
    world.exhaust("/undo0/restock")
    assert world.cancel() == []
    world.resolve("/undo0/restock")
    assert finish(world) == ["restock", "refund"]


def test_steps_inside_an_undo_stand_still_too(begin: Begin) -> None:
    async def put_back(amount: int, receipt: Any) -> None:
        await asyncio.gather(restock(amount, receipt), recall(amount, receipt))

    async def composed() -> None:
        async with saga() as s:
            await s.step(charge, 1, undo=put_back)
            await ship(3)

    world = begin(flow(composed))
    world.complete("/charge")
    world.fail("/ship")
    assert list(world.steps) == ["/undo0/0/restock", "/undo0/1/recall"]
    assert world.exhaust("/undo0/0/restock") == []
    world.complete("/undo0/1/recall")
    world.resolve("/undo0/0/restock")
    world.complete("/undo0/0/restock")
    assert isinstance(world.end, c.Fail)


def test_an_undo_with_an_error_policy_follows_it(begin: Begin) -> None:
    async def forgiven() -> None:
        async with saga() as s:
            await s.step(charge, 1, undo=refund)
            await s.step(pick, 2, undo=forgiving)
            await ship(3)

    world = begin(flow(forgiven))
    world.complete("/charge")
    world.complete("/pick")
    world.fail("/ship")
    world.fail("/undo0/forgiving")
    assert undone(world)[0] == "refund"


def test_an_undo_that_raises_stands_still(begin: Begin) -> None:
    async def broken(amount: int, receipt: Any) -> None:
        raise ZeroDivisionError("by zero")

    async def composed() -> None:
        async with saga() as s:
            await s.step(charge, 1, undo=refund)
            s.undo(broken, 1, None)
            await ship(3)

    world = begin(flow(composed))
    world.complete("/charge")
    with pytest.raises(CompensationFailed, match=r"undo .*broken raised ZeroDivisionError: by zero"):
        world.fail("/ship")


def test_undo_by_hand_gets_the_arguments_it_was_given(begin: Begin) -> None:
    async def by_hand() -> None:
        async with saga() as s:
            s.undo(refund, 7, "seven")
            await ship(1)

    world = begin(flow(by_hand))
    world.fail("/ship")
    assert undone(world) == ("refund", (7, "seven"))


def test_compensating_by_request(begin: Begin) -> None:
    async def by_request() -> str:
        async with saga() as s:
            await s.step(charge, 1, undo=refund)
            await s.compensate()
            return "rolled back"

    world = begin(flow(by_request))
    assert finish(world) == ["charge", "refund"]
    assert world.result == "rolled back"


def test_a_step_without_undo_is_only_called(begin: Begin) -> None:
    async def without() -> None:
        async with saga() as s:
            await s.step(charge, 1)
            await ship(2)

    world = begin(flow(without))
    world.complete("/charge")
    world.fail("/ship")
    assert isinstance(world.end, c.Fail)
