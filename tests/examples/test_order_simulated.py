"""The order under everything that can go wrong: who has paid gets the goods or the money, nothing stays reserved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from example_town import Towns, towns

from order import (
    ORDERS,
    SAMPLE,
    Order,
    charge,
    fulfil,
    pick,
    print_label,
    put_back,
    refund,
    release,
    reserve,
    void_label,
)
from segue import Approval, StepFailed, saga, workflow
from segue.testing import Moment, Scene, SimulationFailed, in_the_end, simulate, sweep
from services import STOCK

START = dict(STOCK)


@pytest.fixture
def town() -> Iterator[Towns]:
    with towns() as made:
        yield made


def charged_at_most_once(now: Moment) -> bool:
    return len(now.outside.states("payment", "pay")) <= 1


def no_parcel_without_payment(now: Moment) -> bool:
    """A label that is valid has been paid for, and the money has not gone back."""
    valid = "printed" in now.outside.states("carrier", "parcel")
    return not valid or now.outside.states("payment", "pay") == ["charged"]


@in_the_end
def all_or_nothing(now: Moment) -> None:
    """In the end everything is there, or nothing is left behind."""
    town = now.outside
    states = [
        town.states("payment", "pay"), town.states("warehouse", "res"), town.states("warehouse", "pick"),
        town.states("carrier", "parcel"),
    ]  # fmt: skip
    everything = [set(each) for each in states] == [{"charged"}, {"held"}, {"picked"}, {"printed"}]
    # A cancellation that comes when only the message to the customer is missing changes nothing any more.
    if everything and now.state in ("completed", "cancelled"):
        return
    assert now.state in ("failed", "cancelled")
    assert [set(each) - {undone} for each, undone in zip(states, UNDONE, strict=True)] == [set()] * 4
    assert town.stock == START


UNDONE = ("refunded", "released", "shelved", "void")
INVARIANTS = [charged_at_most_once, no_parcel_without_payment, all_or_nothing]


@pytest.mark.parametrize("which", sorted(ORDERS))
def test_whatever_happens_it_is_all_or_nothing(which: str, town: Towns) -> None:
    def scene(scene: Scene) -> object:
        scene.person("manager", lambda task: Approval(True), within="6d")
        scene.person("director", lambda task: Approval(False, "no"), within="2d")
        return town.new()

    held = simulate(fulfil, ORDERS[which], scene=scene, invariants=INVARIANTS, seeds=40)
    assert held.crashes > 10
    assert held.ended.keys() <= {"completed", "failed"}


def test_cancelled_at_any_moment_it_is_all_or_nothing(town: Towns) -> None:
    def scene(scene: Scene) -> object:
        scene.cancel(within="1m")
        return town.new()

    held = simulate(fulfil, SAMPLE, scene=scene, invariants=INVARIANTS, seeds=60)
    assert held.ended.get("cancelled", 0) > 10
    assert held.ended.get("completed", 0) > 0


@pytest.mark.parametrize("which", ["sample", "abroad"])
def test_one_fault_at_every_place(which: str, town: Towns) -> None:
    small = replace(ORDERS[which], items=SAMPLE.items[:1])
    held = sweep(fulfil, small, scene=lambda scene: town.new(), invariants=INVARIANTS)
    assert held.runs > 30


# --- the same, with a mistake in it: the simulation finds it ----------------------------------------------------


@workflow
async def fulfil_without_a_saga(order: Order) -> None:
    """Undoes what it knows of. Whether the last step took effect it does not know."""
    await reserve(order)
    try:
        payment = await charge.using(retry=1)(order)
    except StepFailed:
        await release(order, None)
        raise
    try:
        await pick(order, order.items[0])
        await print_label(order)
    except StepFailed:
        await refund(order, payment)
        await release(order, None)
        raise


def test_without_a_saga_something_stays_behind(town: Towns) -> None:
    with pytest.raises(SimulationFailed) as caught:
        simulate(fulfil_without_a_saga, SAMPLE, scene=lambda scene: town.new(), invariants=INVARIANTS)
    assert caught.value.what == "In the end everything is there, or nothing is left behind"
    assert len(caught.value.plan.faults) == 1


@workflow
async def fulfil_in_the_wrong_order(order: Order) -> None:
    async with saga() as s:
        await s.step(print_label, order, undo=void_label)
        await s.step(reserve, order, undo=release)
        await s.step(pick, order, order.items[0], undo=put_back)
        await s.step(charge, order, undo=refund)


def test_a_label_before_the_payment_is_found_at_once(town: Towns) -> None:
    with pytest.raises(SimulationFailed, match="has been paid for") as caught:
        simulate(fulfil_in_the_wrong_order, SAMPLE, scene=lambda s: town.new(), invariants=INVARIANTS)
    assert caught.value.plan.faults == (), "it takes no fault at all"
