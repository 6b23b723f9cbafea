"""Which values are equal, and which comes first, with null for what cannot be compared (DMN 1.5, 10.3.2.13)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from segue.feel.run import Run
from segue.feel.temporal import SECOND, Date, DateTime, DaysDuration, MonthsDuration, Time
from segue.feel.values import Function, Interval, Value

LONG: Final = 4096
"""Characters from which on comparing strings is paid for by their length."""
PLAIN: Final = frozenset({bool, Decimal, str, Date, DaysDuration, MonthsDuration})
"""Types whose values are equal where Python says so."""


def equal(left: Value, right: Value, run: Run) -> bool | None:
    """`left = right`; nothing (null) for values of different kinds, except that null equals only null."""
    if left is None or right is None:
        return left is right
    one, other = type(left), type(right)
    if one is other:
        if one is str and len(left) > LONG:
            run.step(len(left) >> 10)
        if one in PLAIN:
            return bool(left == right)
        if one is list:
            return _lists_equal(left, right, run)
        if one is dict:
            return _contexts_equal(left, right, run)
        if one is Time:
            return left.is_local == right.is_local and _time_of_day(left) == _time_of_day(right)
        if one is DateTime:
            return left.time.is_local == right.time.is_local and bool(left.instant == right.instant)
        if one is Interval:
            return _intervals_equal(left, right, run)
    if isinstance(left, Function) and isinstance(right, Function):
        return left is right
    return None


def same(left: Value, right: Value, run: Run) -> bool:
    """Whether two values are equal, with no doubt about it."""
    return equal(left, right, run) is True


def _lists_equal(left: list[Value], right: list[Value], run: Run) -> bool:
    if left is right:
        return True
    run.step(1 + min(len(left), len(right)))
    return len(left) == len(right) and all(same(a, b, run) for a, b in zip(left, right, strict=True))


def _contexts_equal(left: dict[str, Value], right: dict[str, Value], run: Run) -> bool:
    if left is right:
        return True
    run.step(1 + len(left))
    return left.keys() == right.keys() and all(same(value, right[key], run) for key, value in left.items())


def _intervals_equal(left: Interval, right: Interval, run: Run) -> bool:
    return (
        left.low_included == right.low_included
        and left.high_included == right.high_included
        and same(left.low, right.low, run)
        and same(left.high, right.high, run)
    )


def _time_of_day(time: Time) -> int:
    """Nanoseconds since midnight UTC; a zone's offset is that of the first of January 1970."""
    offset = DateTime(Date(1970, 1, 1), time).offset or 0
    return time.nanos - offset * SECOND


def order(left: Value, right: Value) -> int | None:
    """-1, 0 or 1, or nothing (null) where the values have no order."""
    one = type(left)
    if one is not type(right):
        return None
    a: Value
    b: Value
    if one is Decimal or one is str:
        a, b = left, right
    elif one is DaysDuration:
        a, b = left.nanos, right.nanos
    elif one is MonthsDuration:
        a, b = left.months, right.months
    elif one is Date:
        a, b = left.days, right.days
    elif one is DateTime and left.time.is_local == right.time.is_local:
        a, b = left.instant, right.instant
    elif one is Time and left.is_local == right.is_local:
        a, b = _time_of_day(left), _time_of_day(right)
    else:
        return None
    return int(a > b) - int(a < b)


ORDERED: Final = frozenset({Decimal, str, Date, Time, DateTime, DaysDuration, MonthsDuration})


def within(value: Value, interval: Interval) -> bool | None:
    """Whether a range holds a value; nothing (null) where they cannot be compared."""
    if interval.low is not None:
        found = order(interval.low, value)
        if found is None:
            return None
        if found > 0 or (found == 0 and not interval.low_included):
            return False
    if interval.high is not None:
        found = order(value, interval.high)
        if found is None:
            return None
        if found > 0 or (found == 0 and not interval.high_included):
            return False
    return None if interval.low is None and interval.high is None else True
