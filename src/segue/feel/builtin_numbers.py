"""The built-in functions on numbers and booleans (DMN 1.5, 10.3.4.2, 10.3.4.5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from segue.feel.arithmetic import absolute
from segue.feel.builtin import Family
from segue.feel.comparison import same
from segue.feel.nothing import Null
from segue.feel.numbers import CONTEXT, WIDE, ZERO, number, rounded
from segue.feel.run import Run
from segue.feel.values import Interval, Value, kind

NUMBERS: Final = Family()
NUMBER_FORM = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@NUMBERS.add("decimal(n: number, scale: number)")
def decimal(run: Run, n: Decimal, scale: Decimal) -> Decimal:
    return rounded(n, scale, "even")


def _rounding(how: str) -> Callable[[Run, Decimal, Decimal], Decimal]:
    return lambda run, n, scale: rounded(n, scale, how)


for _how in ("up", "down", "half up", "half down"):
    NUMBERS.add(f"round {_how}(n: number, scale: number)")(_rounding(_how))


@NUMBERS.add("floor(n: number, scale?: number)")
def floor(run: Run, n: Decimal, scale: Decimal | None = None) -> Decimal:
    return rounded(n, ZERO if scale is None else scale, "floor")


@NUMBERS.add("ceiling(n: number, scale?: number)")
def ceiling(run: Run, n: Decimal, scale: Decimal | None = None) -> Decimal:
    return rounded(n, ZERO if scale is None else scale, "ceiling")


@NUMBERS.add("abs(n: amount)")
def abs_(run: Run, n: Value) -> Value:
    return absolute(n)


@NUMBERS.add("modulo(dividend: number, divisor: number)")
def modulo(run: Run, dividend: Decimal, divisor: Decimal) -> Decimal:
    if not divisor:
        raise Null("division by zero")
    run.step(50)
    rest = WIDE.remainder(dividend, divisor)
    if rest and (rest < 0) != (divisor < 0):
        rest = WIDE.add(rest, divisor)
    return CONTEXT.add(rest, ZERO)


@NUMBERS.add("sqrt(number: number)")
def sqrt(run: Run, n: Decimal) -> Decimal:
    if n < 0:
        raise Null("there is no root of a negative number")
    return CONTEXT.sqrt(n)


@NUMBERS.add("log(number: number)")
def log(run: Run, n: Decimal) -> Decimal:
    if n <= 0:
        raise Null("there is a logarithm only of a number above 0")
    run.step(20)
    return CONTEXT.ln(n)


@NUMBERS.add("exp(number: number)")
def exp(run: Run, n: Decimal) -> Decimal:
    run.step(20)
    return CONTEXT.exp(n)


@NUMBERS.add("odd(number: number)")
def odd(run: Run, n: Decimal) -> bool:
    run.step(5)
    return WIDE.remainder(n, Decimal(2)) in (1, -1)


@NUMBERS.add("even(number: number)")
def even(run: Run, n: Decimal) -> bool:
    run.step(5)
    return not WIDE.remainder(n, Decimal(2))


@NUMBERS.add("number(from: string, grouping separator?: string?, decimal separator?: string?)")
def number_(run: Run, text: str, grouping: str | None = None, point: str | None = None) -> Decimal:
    run.step(len(text) >> 6)
    if grouping not in (None, " ", ",", "."):
        raise Null("the grouping separator must be a space, a comma or a point")
    if point not in (None, ",", "."):
        raise Null("the decimal separator must be a comma or a point")
    if grouping is not None and grouping == (point or "."):
        raise Null("the grouping separator and the decimal separator must differ")
    digits = text.replace(grouping, "") if grouping is not None else text
    if point == ",":
        if "." in digits:
            raise Null(f"{text[:40]!r} is no number")
        digits = digits.replace(",", ".")
    if not NUMBER_FORM.fullmatch(digits):
        raise Null(f"{text[:40]!r} is no number")
    return number(digits)


# --- booleans ---------------------------------------------------------------------------------------------------


@NUMBERS.add("not(negand: any)")
def not_(run: Run, negand: Value) -> bool | None:
    if negand is None:
        return None
    if not isinstance(negand, bool):
        raise Null(f"negand must be boolean, got {kind(negand)}")
    return not negand


@NUMBERS.add("is(value1?: any, value2?: any)")
def is_(run: Run, one: Value = None, other: Value = None) -> bool:
    """The same value in the same form: an offset from UTC and a zone count, which `=` looks through."""
    return type(one) is type(other) and _alike(one, other, run)


def _alike(one: Value, other: Value, run: Run) -> bool:
    run.step()
    if isinstance(one, list):
        return len(one) == len(other) and all(is_(run, a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_(run, item, other[key]) for key, item in one.items())
    if isinstance(one, Interval):
        return same(one, other, run)
    return bool(one == other)
