"""A step is tested by calling it, whatever it asks of its surroundings."""

from __future__ import annotations

import logging

import pytest

import segue
from segue import SecretRef, Step, state, step, testing
from segue.errors import NotInWorkflow, SecretNotFound


@step(retry=5, timeout="30s")
async def charge_alone(amount: int) -> str:
    segue.progress(1, 2, "charging")
    segue.log.info("charging %d", amount)
    count = await state.get("charges", "count", 0) + 1
    await state.set("charges", "count", count)
    return f"{segue.idempotency_key()} {segue.attempt_number()} {await state.get('charges', 'count')}"


@step
def in_a_thread(amount: int) -> str:
    segue.progress(2)
    state.set_sync("charges", "last", amount)
    return f"{segue.idempotency_key()} {segue.cancelled()} {state.get_sync('charges', 'last')}"


@step(executor="process")
def in_a_process() -> int:
    return segue.attempt_number()


@step
async def signed() -> str:
    return SecretRef("key").value() + "!"


@step
async def calls_another() -> tuple[str, str, str]:
    mine = segue.idempotency_key()
    return mine, (await charge_alone(1)).split()[0], (await in_a_thread(1)).split()[0]


async def test_a_step_runs_with_nothing_around_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        key, attempt, count = (await charge_alone(7)).split()
    assert (len(key), attempt, count) == (32, "1", "1")
    assert "charging 7" in caplog.text
    assert (await charge_alone(7)).split()[0] != key, "another call is another step"
    assert (await in_a_thread(7)).split()[1:] == ["False", "7"]
    assert await in_a_process() == 1


async def test_a_step_that_calls_a_step_is_one_step() -> None:
    assert len(set(await calls_another())) == 1


async def test_a_test_gives_a_step_its_surroundings_and_sees_what_it_did() -> None:
    with testing.attempt(secrets={"key": "sesame"}, state={("charges", "count"): 41}, number=3) as lone:
        assert await signed() == "sesame!"
        assert await charge_alone(7) == f"{lone.idempotency_key} 3 42"
    assert lone.progress == [{"done": 1, "total": 2, "message": "charging"}]
    assert lone.lines == [("INFO", "charging 7")]
    assert lone.state == {("charges", "count"): 42}


@pytest.mark.parametrize("which", [in_a_thread])
async def test_a_test_may_ask_it_to_stop(which: Step[[int], str]) -> None:
    with testing.attempt() as lone:
        lone.cancel()
        assert (await which(1)).split()[1] == "True"


async def test_a_secret_that_nobody_gave_says_how_to_give_it() -> None:
    with pytest.raises(SecretNotFound, match=r"'key' is not set .*segue.testing.attempt"):
        await signed()


async def test_outside_of_steps_there_is_still_nothing() -> None:
    await charge_alone(1)
    with pytest.raises(NotInWorkflow):
        segue.idempotency_key()
