"""Whether code may come to call a step, by what it names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from world import step_named

from segue import signal, state
from segue.authoring.python.mentions import mentions
from segue.authoring.python.tasks import approval

charge = step_named("charge")
ship = step_named("ship")
BY_NAME = {"charge": charge}
elsewhere = ModuleType("elsewhere")
elsewhere.charge = charge  # type: ignore[attr-defined]
elsewhere.ship = ship  # type: ignore[attr-defined]


class Till:
    async def take(self) -> Any:
        return await charge(1)


till = Till()


async def directly() -> Any:
    return await charge(1)


async def through_a_function() -> Any:
    return await directly()


async def from_a_table(which: str) -> Any:
    return await BY_NAME[which](1)


async def from_a_module() -> Any:
    return await elsewhere.charge(1)


async def by_a_method() -> Any:
    return await till.take()


async def inside_a_function_of_its_own() -> Any:
    async def inner() -> Any:
        return await charge(1)

    return await asyncio.gather(inner())


async def by_name(which: str) -> Any:
    return await getattr(elsewhere, which)(1)


async def other_step() -> Any:
    await signal("go")
    json.dumps(await asyncio.gather(ship(1)))


async def other_of_the_module() -> Any:
    return await elsewhere.ship(1)


def closure() -> Callable[..., Any]:
    step = step_named("charge")

    async def calling() -> Any:
        return await step(1)

    return calling


@pytest.mark.parametrize(
    "code",
    [
        directly, through_a_function, from_a_table, from_a_module, by_a_method, inside_a_function_of_its_own, by_name,
        closure(),
    ],
)  # fmt: skip
def test_a_step_that_can_be_reached_is_mentioned(code: Callable[..., Any]) -> None:
    assert mentions(code, "charge")


@pytest.mark.parametrize("code", [other_step, other_of_the_module])
def test_a_step_that_cannot_be_reached_is_not(code: Callable[..., Any]) -> None:
    assert not mentions(code, "charge")
    assert mentions(code, "ship")


async def asks_by_the_name_that_goes_without_saying() -> Any:
    return await approval("ann")


async def keeps_something() -> None:
    await state.set("cursor", "orders", 1)


def test_what_segue_itself_calls_is_mentioned() -> None:
    assert mentions(asks_by_the_name_that_goes_without_saying, "approval")
    assert not mentions(other_step, "approval")
    assert mentions(keeps_something, "segue.state.set")
