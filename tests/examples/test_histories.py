"""Runs of the examples that were recorded once: the code at hand goes on from each of them.

``pytest tests/examples/test_histories.py --segue-record`` records them anew. Do so only when no such run has to go on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from example_town import Towns, towns

from loan import APPLICATIONS, lend, stage
from order import ORDERS, SAMPLE, Order, fulfil, print_label, release, reserve, void_label
from segue import Approval, RunFailed, saga, set_attributes, testing
from segue.testing import Histories, HistoryBroken, World


@pytest.fixture
def town() -> Iterator[Towns]:
    with towns() as made:
        made.new()
        yield made


@pytest.fixture
async def world(tmp_path: Path, town: Towns) -> AsyncIterator[World]:
    async with testing.engine(tmp_path) as world:
        world.person("manager", lambda task: Approval(True), after="1h")
        yield world


@pytest.mark.parametrize("which", sorted(ORDERS))
async def test_orders(which: str, world: World, segue_history: Histories) -> None:
    handle = await world.engine.start(fulfil, ORDERS[which], id=which)
    try:
        await world.result(handle)
    except RunFailed:
        assert which in ("abroad", "declined")
    await segue_history.record(handle, f"order-{which}")


@pytest.mark.parametrize("which", sorted(APPLICATIONS))
async def test_loans(which: str, world: World, segue_history: Histories) -> None:
    handle = await world.engine.start(lend, APPLICATIONS[which], id=which)
    stage(world, which)
    await world.result(handle)
    await segue_history.record(handle, f"loan-{which}")


async def test_a_loan_that_waits_for_its_answer(world: World, segue_history: Histories) -> None:
    handle = await world.engine.start(lend, APPLICATIONS["large"], id="large")
    stage(world, "large", answer="")
    await world.advance("12d")
    await segue_history.record(handle, "loan-offered")


def test_every_recording_is_checked(segue_history: Histories) -> None:
    names = {f"order-{which}" for which in ORDERS} | {f"loan-{which}" for which in APPLICATIONS} | {"loan-offered"}
    assert {file.stem for file in segue_history.files()} == names


def test_a_charge_that_is_taken_out_is_caught(segue_history: Histories, monkeypatch: pytest.MonkeyPatch) -> None:
    async def without_a_charge(order: Order = SAMPLE) -> None:
        set_attributes(customer=order.customer, total=float(order.total))
        async with saga() as s:
            await s.step(reserve, order, undo=release)
            await s.step(print_label, order, undo=void_label)

    monkeypatch.setattr(fulfil, "function", without_a_charge)
    with pytest.raises(HistoryBroken) as caught:
        testing.replay(segue_history.file("order-sample"))
    assert caught.value.step == "charge"
