"""Every built-in function pays from the budget for what it does with large arguments."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from segue.feel.builtin import Builtin, Form
from segue.feel.builtins import BUILTINS
from segue.feel.functions import Lambda
from segue.feel.limits import Limits
from segue.feel.nothing import Null
from segue.feel.run import Run, Scope
from segue.feel.temporal import Date, DaysDuration, Time
from segue.feel.values import Interval

LARGE = 4_000
PER_STEP = 1024
"""Characters, of which a look at each is a step."""
CHEAP = {
    "count": "a list knows its length",
    "string length": "a string knows its length",
    "starts with": "it ends at the first difference, and both are there already",
    "ends with": "it ends at the first difference, and both are there already",
    "get value": "a context finds a key at once",
    "date": "a text that is too long is no date",
    "time": "a text that is too long is no time",
    "date and time": "a text that is too long is no date and time",
    "duration": "a text that is too long is no duration",
    "not": "it does not look into what is no boolean",
    "substring before": "without a match nothing is made",
}


def argument(takes: str, size: int) -> Any:
    match takes:
        case "list":
            return [Decimal(number) for number in range(size)]
        case "string":
            return "a" * size
        case "context":
            return {f"k{number}": Decimal(number) for number in range(size)}
        case "number" | "comparable" | "amount":
            return Decimal(1)
        case "any":
            return [Decimal(number) for number in range(size)]
        case "function":
            return Lambda("always", (("a", None), ("b", None)), lambda scope: True, Scope(Run(), {}))
        case "range":
            return Interval(Decimal(1), Decimal(2), True, True)
        case "day":
            return Date(2024, 1, 1)
        case "time":
            return Time(1, 2, 3)
        case "days":
            return DaysDuration(0)
        case "duration" | "moment" | "boolean":
            return None
    raise AssertionError(takes)


def paid(function: Builtin, form: Form, size: int) -> int:
    limits = Limits(steps=10**9, elements=10**9)
    run = Run(limits)
    with suppress(Null):
        function.call(run, [argument(parameter.takes, size) for parameter in form.parameters])
    return limits.steps - run.steps - run.fuse + limits.elements - run.elements


SIZED = [
    pytest.param(function, form, id=f"{name}-{number}")
    for name, function in BUILTINS.items()
    for number, form in enumerate(function.forms)
    if {"list", "string", "context", "any"} & {parameter.takes for parameter in form.parameters} and name not in CHEAP
]


@pytest.mark.parametrize(("function", "form"), SIZED)
def test_what_is_large_costs_more(function: Builtin, form: Form) -> None:
    assert paid(function, form, LARGE) - paid(function, form, 4) >= LARGE // PER_STEP


def test_what_is_cheap_is_there() -> None:
    assert CHEAP.keys() <= BUILTINS.keys()
