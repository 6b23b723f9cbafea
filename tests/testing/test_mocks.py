"""Mocks of steps: they stand in for the function only, in one world only, and tell what they were called with."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from segue import Retry, RunFailed, StepFailed, Transaction, approval, step, testing, workflow
from segue.errors import InvalidArgument
from segue.testing import Scene

really: list[str] = []


@step(retry=Retry(attempts=3, initial="1h", jitter=0))
def charge(order: str, amount: int = 1) -> str:
    really.append(order)
    return f"payment of {order}"


@step(executor="process")
def crunch(n: int) -> int:
    raise AssertionError("a mock stands in for it")


@step(timeout="20ms")
async def ask(question: str) -> str:
    return f"{question}?"


@workflow
async def pays(order: str) -> str:
    return await charge(order)


@workflow
async def crunches() -> tuple[int, str]:
    try:
        answer = await ask("why")
    except StepFailed as error:
        answer = error.failure.type
    return await crunch(1), answer


async def test_a_mock_stands_in_for_the_function_only(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        charged = world.mock(charge, returns="mocked")
        handle = await world.engine.start(pays, "a")
        assert await world.result(handle) == "mocked"
    charged.assert_called_once_with("a")
    charged.assert_called_with(order="a", amount=1)
    charged.assert_once_per_key()
    assert really == []


async def test_it_is_there_in_its_own_world_only(tmp_path: Path) -> None:
    async with testing.engine(tmp_path / "one") as one, testing.engine(tmp_path / "other") as other:
        mock = one.mock(charge, returns="mocked")
        assert await one.result(await one.engine.start(pays, "b")) == "mocked"
        assert await other.result(await other.engine.start(pays, "b")) == "payment of b"
    mock.assert_called(times=1)
    assert really == ["b"]
    really.clear()


async def test_what_fails_is_retried_and_then_the_function_is_back(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        down = world.mock(charge, raises=ConnectionError("down"), times=2)
        handle = await world.engine.start(pays, "c")
        assert await world.result(handle) == "payment of c"
        trace = await testing.trace(handle)
    assert [call.attempt for call in down.calls] == [1, 2]
    assert len({call.key for call in down.calls}) == 1
    assert trace.of(charge)[0].failures == ["ConnectionError: down"] * 2
    with pytest.raises(AssertionError, match="more than once under one idempotency key"):
        down.assert_once_per_key()
    really.clear()


async def test_the_last_mock_that_is_not_spent_stands_in(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        always = world.mock(charge, returns="always")
        once = world.mock(charge, raises=ValueError, times=1)
        assert await world.result(await world.engine.start(pays, "d")) == "always"
    once.assert_called(times=1)
    assert [call.attempt for call in always.calls] == [2]


async def test_any_executor_is_mocked_and_the_terms_stay(tmp_path: Path) -> None:
    async def hangs(question: str) -> str:
        await asyncio.Event().wait()
        return question

    async with testing.engine(tmp_path) as world:
        world.mock(crunch, side_effect=lambda n: n + 41)
        world.mock(ask, side_effect=hangs)
        assert await world.result(await world.engine.start(crunches)) == (42, "segue.errors.StepTimeout")


@pytest.mark.parametrize("wrong", [object(), 3, None, ["x"]], ids=lambda wrong: type(wrong).__name__)
async def test_a_result_of_another_type_is_refused(tmp_path: Path, wrong: Any) -> None:
    async with testing.engine(tmp_path) as world:
        with pytest.raises(InvalidArgument, match=r"mock\(charge, returns=.*is not what the step returns"):
            world.mock(charge, returns=wrong)
    with pytest.raises(InvalidArgument, match=r"mock\(charge, returns=.*is not what the step returns"):
        Scene().mock(charge, returns=wrong)


async def test_one_that_a_function_gives_fails_as_it_would_in_production(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        world.mock(charge, side_effect=lambda order, amount=1: object())  # type: ignore[arg-type,return-value]
        with pytest.raises(RunFailed, match="Payload"):
            await world.result(await world.engine.start(pays, "e"))


async def test_what_was_not_called_says_what_was(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        charged = world.mock(charge, returns="x")
        charged.assert_not_called()
        with pytest.raises(AssertionError, match=r"'charge' was never called"):
            charged.assert_called()
        await world.result(await world.engine.start(pays, "f"))
    with pytest.raises(
        AssertionError, match=r"never called with \('g'\): it had 1 attempts: attempt 1 with \('f', 1\)"
    ):
        charged.assert_called_with("g")
    with pytest.raises(AssertionError, match="was not to be called"):
        charged.assert_not_called()
    with pytest.raises(AssertionError, match="was to run 2 times"):
        charged.assert_called(times=2)


async def test_a_mock_that_says_nothing_or_two_things_is_refused(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        with pytest.raises(InvalidArgument, match="one of returns="):
            world.mock(charge)
        with pytest.raises(InvalidArgument, match="one of returns="):
            world.mock(charge, returns="x", raises=ValueError)
        with pytest.raises(InvalidArgument, match="never stand in"):
            world.mock(charge, returns="x", times=0)
        with pytest.raises(InvalidArgument, match="only a step can be mocked"):
            world.mock(pays, returns="x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"side_effect": [1, 2]}, "wants a function.*several mocks with times="),
        ({"side_effect": ValueError}, "an error is for raises="),
        ({"side_effect": ValueError("x")}, "an error is for raises="),
        ({"raises": "down"}, "wants an exception"),
        ({"raises": int}, "wants an exception"),
        ({"returns": "x", "times": 1.5}, "times is 1 or more"),
        ({"returns": "x", "times": "2"}, "times is 1 or more"),
    ],
)
async def test_terms_that_could_only_fail_later_are_refused(terms: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        Scene().mock(charge, **terms)


async def test_what_is_no_step_is_told_what_to_do() -> None:
    with pytest.raises(InvalidArgument, match="'pays' is a workflow: mock the steps that it calls"):
        Scene().mock(pays, returns="x")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="has been called already"):
        Scene().mock(ask("why"), returns="x")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"People answer by person\(\)"):
        Scene().mock(approval, returns="x")  # type: ignore[arg-type]


async def test_a_mock_stands_in_until_it_is_stopped(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        world.mock(charge, returns="before")
        with world.mock(charge, returns="in the block") as charged:
            assert await world.result(await world.engine.start(pays, "a")) == "in the block"
        assert await world.result(await world.engine.start(pays, "b")) == "before"
    charged.assert_called_once_with("a")


async def test_to_ask_for_a_call_that_cannot_be_fails(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        charged = world.mock(charge, returns="x")
        with pytest.raises(AssertionError, match=r"'charge' is never called with \(1, 2, 3\): too many positional"):
            charged.assert_called_with(1, 2, 3)  # type: ignore[call-arg,arg-type]


@workflow
async def sells(order: str) -> str:
    return f"sold: {await pays(order)}"


async def test_another_workflow_stands_in_for_a_child(tmp_path: Path) -> None:
    @workflow(name="pays")
    async def pays_nothing(order: str) -> str:
        return "nothing paid"

    async with testing.engine(tmp_path, workflows=[sells, pays_nothing]) as world:
        assert await world.result(await world.engine.start(sells, "a")) == "sold: nothing paid"


@step.transaction
def book(db: Transaction, order: str) -> str:
    return f"{order} {db.execute('SELECT 1').fetchall()[0][0]}"


@workflow
async def books(order: str) -> str:
    return await book(order)


async def test_a_transactional_step_runs_and_can_be_mocked(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        assert await world.result(await world.engine.start(books, "a")) == "a 1"
        booked = world.mock(book, returns="mocked")
        assert await world.result(await world.engine.start(books, "b")) == "mocked"
    booked.assert_called_once_with("b")
