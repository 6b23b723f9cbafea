"""Making ranges, and going through those that have a next value (DMN 1.5, 10.3.2.7)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from segue.feel.comparison import ORDERED, order
from segue.feel.nothing import Null
from segue.feel.numbers import is_whole, whole
from segue.feel.run import Run
from segue.feel.temporal import Date, date_from_days
from segue.feel.values import Interval, Value, kind


def interval(low: Value, high: Value, *, low_included: bool, high_included: bool) -> Interval:
    """A range between two values.

    Raises:
        Null: they have no order, or the wrong one.
    """
    if type(low) is not type(high) or type(low) not in ORDERED:
        raise Null(f"there is no range from {kind(low)} to {kind(high)}")
    found = order(low, high)
    if found is None:
        raise Null(f"there is no range between a {kind(low)} with an offset from UTC and one without")
    if found > 0:
        raise Null("a range whose end comes before its start")
    return Interval(low, high, low_included, high_included)


def compared(operator: str, value: Value) -> Interval:
    """The range of what a comparison holds for, as in `(< 10)`.

    Raises:
        Null: the values have no order, or what holds is no range.
    """
    if type(value) not in ORDERED and operator != "=":
        raise Null(f"there is no range from {kind(value)}")
    match operator:
        case "<" | "<=":
            return Interval(None, value, False, operator == "<=")
        case ">" | ">=":
            return Interval(value, None, operator == ">=", False)
        case "=":
            return Interval(value, value, True, True)
        case _:
            raise Null("(!= x) is no range")


def through(low: Value, high: Value, run: Run) -> Iterator[Value]:
    """The values from one to the other, up or down; both are whole numbers or dates.

    Raises:
        Null: there is no next value.
        FeelLimitExceeded: there are too many of them.
    """
    if type(low) is Decimal and type(high) is Decimal and is_whole(low) and is_whole(high):
        first, last = whole(low), whole(high)
        run.produce(abs(last - first) + 1)
        return map(Decimal, range(first, last + 1) if first <= last else range(first, last - 1, -1))
    if type(low) is Date and type(high) is Date:
        first, last = low.days, high.days
        run.produce(abs(last - first) + 1)
        return map(date_from_days, range(first, last + 1) if first <= last else range(first, last - 1, -1))
    raise Null(f"cannot go from {kind(low)} to {kind(high)} one by one; only from whole numbers and dates")


def members(values: Interval, run: Run) -> Iterator[Value]:
    """The values in a range, upwards.

    Raises:
        Null: there is no next value, or the range has no end.
    """
    low, high = values.low, values.high
    if low is None or high is None:
        raise Null("a range without an end cannot be gone through")
    inner = through(low, high, run)
    skip, drop = not values.low_included, not values.high_included
    if not skip and not drop:
        return inner
    return (value for value in inner if not (skip and value == low) and not (drop and value == high))
