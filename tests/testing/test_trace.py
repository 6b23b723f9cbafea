"""What a run did, told from its journal, and the assertions on it: each one passes, and fails with what was there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from segue import Handle, Retry, RunCancelled, RunFailed, saga, step, testing, workflow
from segue.errors import InvalidArgument
from segue.testing import Trace

flaky: list[str] = []


@step
def reserve(order: str) -> str:
    return order


@step(retry=Retry(attempts=2, initial="1m", jitter=0))
def charge(order: str) -> str:
    if order not in flaky:
        flaky.append(order)
        raise ConnectionError("the line is bad")
    return order


@step
def ship(order: str) -> None:
    if order == "abroad":
        raise ValueError("no delivery")


@step
def release(order: str, reservation: str | None) -> None: ...


@step
def refund(order: str, payment: str | None) -> None: ...


@workflow
async def fulfil(order: str) -> None:
    async with saga() as s:
        await s.step(reserve, order, undo=release)
        await s.step(charge, order, undo=refund)
        await ship(order)


@workflow
async def wrong_way(order: str) -> None:
    await reserve(order)
    await charge(order)
    await release(order, None)
    await refund(order, None)


async def _trace(folder: Path, flow: Callable[..., object], order: str) -> Trace:
    async with testing.engine(folder) as world:
        handle: Handle[None] = await world.engine.start(flow, order)  # type: ignore[call-overload]
        with suppress(RunFailed):
            await world.result(handle)
        return await testing.trace(handle)


def broken(match: str) -> pytest.RaisesExc[AssertionError]:
    return pytest.raises(AssertionError, match=match)


async def test_one_that_completes(tmp_path: Path) -> None:
    trace = await _trace(tmp_path, fulfil, "near")
    trace.assert_completed()
    trace.assert_in_order(reserve, charge, "ship")
    trace.assert_in_order(reserve, ship)
    trace.assert_called(charge, times=1)
    trace.assert_not_called(refund)
    trace.assert_once_per_key(reserve, ship)
    with broken("to fail: it is completed; steps: reserve completed, charge completed at attempt 2, ship completed"):
        trace.assert_failed()
    with broken("to be cancelled"):
        trace.assert_cancelled()
    with broken("in the order ship, charge, and at its place 'charge' was not"):
        trace.assert_in_order(ship, charge)
    with broken("'charge' was to be called 2 times"):
        trace.assert_called(charge, times=2)
    with broken("'refund' was to be called: "):
        trace.assert_called(refund)
    with broken("'ship' was not to be called"):
        trace.assert_not_called(ship)
    with broken("under one idempotency key: charge completed at attempt 2"):
        trace.assert_once_per_key()
    with broken("'charge' was to be undone by 'refund'"):
        trace.assert_compensated((charge, refund))


async def test_one_that_is_compensated(tmp_path: Path) -> None:
    trace = await _trace(tmp_path, fulfil, "abroad")
    trace.assert_failed("no delivery")
    trace.assert_compensated((charge, refund), (reserve, release))
    with broken("was to complete"):
        trace.assert_completed()
    with broken("was to fail with 'thunder', it did with"):
        trace.assert_failed("thunder")
    with broken("'charge' was to be undone after it had run"):
        trace.assert_compensated((charge, reserve))


async def test_the_wrong_order_of_undoing(tmp_path: Path) -> None:
    trace = await _trace(tmp_path, wrong_way, "near")
    with broken("'charge' began after 'reserve' and was to be undone before it"):
        trace.assert_compensated((reserve, release), (charge, refund))


async def test_one_that_is_cancelled(tmp_path: Path) -> None:
    flaky.clear()
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(fulfil, "near")
        await world.settle()
        assert (await testing.trace(handle)).state == "open"
        await handle.cancel()
        with pytest.raises(RunCancelled):
            await world.result(handle)
        trace = await testing.trace(handle)
    trace.assert_cancelled()
    trace.assert_compensated((charge, refund), (reserve, release))


@pytest.mark.parametrize("wrong", ["order-1", 7, None])
async def test_what_is_no_handle_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match="no handle of a run"):
        await testing.trace(wrong)


def test_a_story_that_cannot_be_awaited_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="make it an `async def`"):
        testing.Worlds(tmp_path).run(lambda world: None)  # type: ignore[arg-type,return-value]
