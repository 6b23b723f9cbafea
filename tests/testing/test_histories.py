"""Recorded runs: the code that made them replays them, code that no longer fits is refused with the step's name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from segue import RunFailed, Workflow, signal, step, testing, workflow
from segue.errors import InvalidArgument
from segue.kernel import commands as c
from segue.testing import Histories, HistoryBroken, replay


@step
async def charge(order: str) -> str:
    return f"payment of {order}"


@step
async def ship(order: str, payment: str) -> str:
    return f"parcel for {payment}"


@step(pure=True)
async def price(order: str) -> int:
    return 3


def as_recorded() -> Workflow[[str], str]:
    @workflow(name="sells")
    async def sells(order: str) -> str:
        await price(order)
        payment = await charge(order)
        await signal("packed")
        return await ship(order, payment)

    return sells


def without_the_charge() -> None:
    @workflow(name="sells")
    async def sells(order: str) -> str:
        await price(order)
        await signal("packed")
        return await ship(order, "payment of a")


def without_the_price() -> None:
    @workflow(name="sells")
    async def sells(order: str) -> str:
        payment = await charge(order)
        await signal("packed")
        return await ship(order, payment)


def with_another_argument() -> None:
    @workflow(name="sells")
    async def sells(order: str) -> str:
        payment = await charge(order.upper())
        await signal("packed")
        return await ship(order, payment)


def with_a_step_in_between() -> None:
    @workflow(name="sells")
    async def sells(order: str) -> str:
        payment = await charge(order)
        await asyncio.sleep(1)
        await signal("packed")
        return await ship(order, payment)


@pytest.fixture
async def recorded(tmp_path: Path) -> Path:
    """One run that is open, one that has ended."""
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(as_recorded(), "a")
        await world.settle()
        await testing.record(handle, tmp_path / "histories" / "open.jsonl")
        await handle.signal("packed")
        await world.result(handle)
        await testing.record(handle, tmp_path / "histories" / "closed.jsonl")
    return tmp_path / "histories"


def test_the_code_that_made_it_goes_on_from_it(recorded: Path) -> None:
    assert replay(recorded / "open.jsonl") == [], "it waits for a signal"
    assert replay(recorded / "closed.jsonl") == []


def test_what_a_run_would_ask_for_next_is_told(tmp_path: Path, recorded: Path) -> None:
    lines = (recorded / "closed.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "before.jsonl").write_bytes(b"".join(lines[:1]))
    (asked,) = replay(tmp_path / "before.jsonl")
    assert isinstance(asked, c.RunStep)
    assert asked.spec.name == "price"


@pytest.mark.parametrize(
    ("change", "step"), [(without_the_charge, "charge"), (with_another_argument, "charge")], ids=["removed", "changed"]
)
@pytest.mark.parametrize("name", ["open", "closed"])
def test_code_that_does_not_fit_is_refused_with_the_steps_name(
    recorded: Path, name: str, change: Any, step: str
) -> None:
    change()
    with pytest.raises(HistoryBroken, match=f"do not go on with the code at hand at step '{step}'") as caught:
        replay(recorded / f"{name}.jsonl")
    assert caught.value.step == step
    assert caught.value.file.endswith(f"{name}.jsonl")


def test_of_a_pinned_run_it_is_said_that_its_version_is_not_there(recorded: Path) -> None:
    @workflow(name="sells", versioning="pinned")
    async def sells(order: str) -> str:
        await signal("packed")
        return await ship(order, "payment of a")

    with pytest.raises(HistoryBroken, match=r"at step 'charge' \(it is pinned to version '\w+', which is not defined"):
        replay(recorded / "open.jsonl")


@pytest.mark.parametrize("name", ["open", "closed"])
def test_a_pure_step_may_go(recorded: Path, name: str) -> None:
    without_the_price()
    replay(recorded / f"{name}.jsonl")


def test_a_run_that_would_now_do_something_else_first_is_refused(recorded: Path) -> None:
    with_a_step_in_between()
    with pytest.raises(HistoryBroken):
        replay(recorded / "closed.jsonl")


def test_what_is_no_recording_is_refused(tmp_path: Path, recorded: Path) -> None:
    lines = (recorded / "closed.jsonl").read_bytes().splitlines(keepends=True)
    cases = {
        "line 2 is no event of this release": [lines[0], b'["Nonsense",1,null,null]\n'],
        "a journal begins with RunStarted": lines[1:],
        "is no recording": [],
        "line 1 is no event of this release .*use the release that recorded it": [b"<<<<<<< HEAD\n", *lines],
        f"line {len(lines) + 1} begins another run": [*lines, *lines],
        "which is not defined here": [lines[0].replace(b'"sells"', b'"lost"')],
    }
    for message, content in cases.items():
        (tmp_path / "bad.jsonl").write_bytes(b"".join(content))
        with pytest.raises(InvalidArgument, match=message):
            replay(tmp_path / "bad.jsonl")


def test_blank_lines_are_no_events(recorded: Path) -> None:
    file = recorded / "open.jsonl"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert replay(file) == []


def test_to_check_all_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"no recording in .*none, so nothing is checked: record a run"):
        Histories(tmp_path / "none", recording=False).check_all()


@pytest.mark.parametrize("name", ["", "..", "../elsewhere", "orders/refund", "/tmp/refund"])
def test_a_name_that_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArgument, match="no name of a recording"):
        Histories(tmp_path, recording=True).file(name)


async def test_histories_by_name(tmp_path: Path) -> None:
    histories = Histories(tmp_path / "histories", recording=False)
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(as_recorded(), "b")
        await world.settle()
        with pytest.raises(InvalidArgument, match=r"no recording .*sold\.jsonl; run this test once with"):
            await histories.record(handle, "sold")
        await Histories(histories.folder, recording=True).record(handle, "sold")
        await histories.record(handle, "sold")
    histories.check_all()
    assert [file.stem for file in histories.files()] == ["sold"]
    without_the_charge()
    with pytest.raises(HistoryBroken):
        histories.check_all()


async def test_a_recording_tells_nothing_of_the_machine(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        world.mock(charge, side_effect=_fails_twice_over)
        handle = await world.engine.start(as_recorded(), "a")
        with pytest.raises(RunFailed):
            await world.result(handle)
        await testing.record(handle, tmp_path / "run.jsonl")
        worker = world.engine.worker
    text = (tmp_path / "run.jsonl").read_text()
    assert "the deeper cause" in text
    assert worker not in text
    assert __file__ not in text


def _fails_twice_over(order: str) -> str:
    try:
        raise KeyError("the deeper cause")
    except KeyError as error:
        raise ValueError("no") from error
