"""The order: through faults, back when somebody says no, and on after every death."""

from __future__ import annotations

import functools
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from example_kit import Around, Ending, moments, play, script, services_in

from order import ORDERS, SAMPLE, Receipt, fulfil
from segue import Approval, RunFailed, testing
from segue.kernel import events as e
from services import STOCK

pytestmark = pytest.mark.xdist_group("example-order")

START = dict(STOCK)
AFTER_SAMPLE = START | {item.sku: START[item.sku] - item.quantity for item in SAMPLE.items}


async def fulfilled(folder: Path, which: str, **people: Any) -> Receipt:
    async with testing.engine(folder) as world:
        for name, reply in people.items():
            world.person(name, reply, after="1h")
        return await world.result(await world.engine.start(fulfil, ORDERS[which], id=which))


# --- how it ends ----------------------------------------------------------------------------------------------


async def test_the_sample_goes_through_all_faults(tmp_path: Path, around: Around) -> None:
    receipt = await fulfilled(tmp_path, "sample")

    assert receipt.order == SAMPLE
    assert around.states("payment", "pay") == ["charged"], "its first answer was lost, and it was not charged twice"
    assert around.states("warehouse", "pick") == ["picked"] * 3
    assert around.states("carrier", "parcel") == ["printed"]
    assert around.stock == AFTER_SAMPLE
    [mail] = around.book("mail")
    assert mail["owner"] == SAMPLE.customer
    assert mail["text"] == str(receipt)
    assert re.search(r"Total +1,544\.00", mail["text"])


async def test_a_charge_is_tried_again_under_the_same_key(tmp_path: Path, around: Around) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(fulfil)
        await world.result(handle)
        history = await handle.history()
    failed = [r.event for r in history if isinstance(r.event, e.StepFailed) and r.event.name == "charge"]
    assert [f.failure.type for f in failed] == ["http.client.RemoteDisconnected"]
    assert len(around.book("payment")) == 1


async def test_a_declined_card_leaves_nothing_behind(tmp_path: Path, around: Around) -> None:
    with pytest.raises(RunFailed, match="declined the card"):
        await fulfilled(tmp_path, "declined")

    assert around.book("payment", "pay") == []
    assert around.states("warehouse", "res") == ["released"]
    assert around.stock == START
    assert [mail["subject"] for mail in around.book("mail")] == ["order-1043 could not be fulfilled"]


async def test_a_carrier_who_says_no_sends_everything_back(tmp_path: Path, around: Around) -> None:
    with pytest.raises(RunFailed, match="no delivery to AU"):
        await fulfilled(tmp_path, "abroad")

    assert around.states("payment", "pay") == ["refunded"]
    assert around.states("warehouse", "pick") == ["shelved"] * 3
    assert around.states("warehouse", "res") == ["released"]
    assert around.book("carrier") == []
    assert around.stock == START


async def test_what_is_done_is_undone_last_first(tmp_path: Path, around: Around) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(fulfil, ORDERS["abroad"])
        with pytest.raises(RunFailed):
            await world.result(handle)
        done = [r.event.name for r in await handle.history() if isinstance(r.event, e.StepCompleted)]
    assert done[-7:] == ["void_label", "put_back", "put_back", "put_back", "refund", "release", "notify"]


async def test_a_large_order_is_approved(tmp_path: Path, around: Around) -> None:
    receipt = await fulfilled(tmp_path, "large", manager=lambda task: Approval(task.subject["total"] == "48000"))
    assert receipt.order.total == 48_000


async def test_a_large_order_is_refused(tmp_path: Path, around: Around) -> None:
    with pytest.raises(RunFailed, match="NotApproved: not this year"):
        await fulfilled(tmp_path, "large", manager=lambda task: Approval(False, "not this year"))
    assert around.stock == START
    assert [mail["text"] for mail in around.book("mail")] == ["not this year"]


async def test_the_director_is_asked_when_the_manager_does_not_answer(tmp_path: Path, around: Around) -> None:
    receipt = await fulfilled(
        tmp_path, "large", manager=lambda task: None, director=lambda task: Approval(True, "of course")
    )
    assert receipt.payment == "pay-0001"


# --- killed ---------------------------------------------------------------------------------------------------


@functools.cache
def fault_free(which: str) -> Ending:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXAMPLE_SERVICES", f"{folder}/services")
        with services_in(Path(folder, "services")):
            return play("order", Path(folder, "run"), which)


@pytest.mark.parametrize(("which", "seed"), [("sample", 0), ("sample", 1), ("abroad", 0), ("abroad", 1), ("large", 0)])
def test_killed_at_any_moment_it_ends_the_same(which: str, seed: int, tmp_path: Path, around: Around) -> None:
    whole = fault_free(which)
    kills = moments(f"order {which} {seed}", whole.events)

    ending = play("order", tmp_path, which, kills=kills)

    assert ending.outcome == whole.outcome, kills
    assert len(around.book("payment", "pay")) == 1, "one charge for one key"
    if which == "abroad":
        assert around.states("payment", "pay") == ["refunded"]
        assert around.stock == START
    else:
        assert around.states("payment", "pay") == ["charged"]
        assert around.stock == START | {i.sku: START[i.sku] - i.quantity for i in ORDERS[which].items}


# --- as a reader runs it --------------------------------------------------------------------------------------


def test_it_prints_a_receipt(tmp_path: Path) -> None:
    said = script("order", tmp_path)
    assert re.search(r"Receipt +order-1042\n.*Total +1,544\.00\n.*Parcel +parcel-0001\n", said, re.DOTALL)


def test_the_command_line_prints_it_too(tmp_path: Path) -> None:
    """The first command of the README."""
    said = script("order", tmp_path, command=["-m", "segue.cli", "run"])
    assert "✓ completed  fulfil" in said
    assert re.search(r"Receipt +order-1042\n.*Total +1,544\.00\n.*Parcel +parcel-0001\n", said, re.DOTALL)


def test_it_says_why_it_could_not(tmp_path: Path) -> None:
    assert "the bank declined the card" in script("order", tmp_path, "declined")
