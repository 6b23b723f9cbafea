"""FEEL's numbers: IEEE 754 decimals of 34 digits, rounded half to even (DMN 1.5, 10.3.2.3.1)."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Final

from segue.feel.nothing import Null

PRECISION: Final = 34
GREATEST_SCALE: Final = 6176
LEAST_SCALE: Final = -6111
BEYOND: Final = 40
"""Digits of a whole number that nothing counts to."""
UNCOUNTED: Final[int] = 10**BEYOND

CONTEXT: Final = decimal.Context(
    prec=PRECISION,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
WIDE: Final = decimal.Context(prec=13_000, Emin=-999_999, Emax=999_999)
"""For steps between exact numbers whose end is rounded by ``CONTEXT``.

Python's own operators on decimals round by the caller's context: nothing here may use them, except to compare.
"""

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)

ROUNDINGS: Final = {
    "even": decimal.ROUND_HALF_EVEN,
    "up": decimal.ROUND_UP,
    "down": decimal.ROUND_DOWN,
    "half up": decimal.ROUND_HALF_UP,
    "half down": decimal.ROUND_HALF_DOWN,
    "floor": decimal.ROUND_FLOOR,
    "ceiling": decimal.ROUND_CEILING,
}


def number(text: str) -> Decimal:
    """The number that digits spell.

    Raises:
        Null: it is larger than a number can be.
    """
    try:
        return CONTEXT.create_decimal(text)
    except decimal.DecimalException:
        raise Null(f"the number {text[:40]} is out of range") from None


def divide(left: Decimal, right: Decimal) -> Decimal:
    """The quotient.

    Raises:
        Null: the divisor is zero, or the quotient is out of range.
    """
    if not right:
        raise Null("division by zero")
    return CONTEXT.divide(left, right)


def power(base: Decimal, exponent: Decimal) -> Decimal:
    """The base to the exponent.

    Raises:
        Null: there is no such real number, or it is out of range.
    """
    if not base and not exponent:
        return ONE
    if not base and exponent < 0:  # Python's decimals call that infinity, and raise nothing
        raise Null(f"0 ** {plain(exponent)} is not a number that can be held")
    try:
        return CONTEXT.power(base, exponent)
    except decimal.DecimalException:
        raise Null(f"{plain(base)} ** {plain(exponent)} is not a number that can be held") from None


def rounded(value: Decimal, scale: Decimal, how: str) -> Decimal:
    """A number with ``scale`` digits after the point.

    Raises:
        Null: the scale is out of range.
    """
    digits = whole(scale)
    if not LEAST_SCALE <= digits <= GREATEST_SCALE:
        raise Null(f"the scale must lie between {LEAST_SCALE} and {GREATEST_SCALE}, not {digits}")
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "a FEEL number is finite"
    if -exponent <= digits:
        return value  # it has no digits to lose
    result = value.quantize(Decimal((0, (1,), -digits)), rounding=ROUNDINGS[how], context=WIDE)
    return CONTEXT.add(result, ZERO)  # no negative zero


def whole(value: Decimal) -> int:
    """The number without what stands after its point; beyond all positions, days and nanoseconds, some number there."""
    if value.adjusted() > BEYOND:
        return -UNCOUNTED if value < 0 else UNCOUNTED
    return int(value)


def is_whole(value: Decimal) -> bool:
    """Whether nothing but zeros stands after the point."""
    return value == value.to_integral_value()


def plain(value: Decimal) -> str:
    """A number in digits, without an exponent and without zeros at the end that do not count."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
