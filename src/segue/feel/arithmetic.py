"""The operators `+ - * / **` by the kinds of their operands (DMN 1.5, 10.3.2)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from segue.feel.calendar import month_days
from segue.feel.nothing import Null
from segue.feel.numbers import CONTEXT, ZERO, divide, power, whole
from segue.feel.temporal import (
    DAY,
    MIDNIGHT_UTC,
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Time,
    date_from_days,
    datetime_from_nanos,
    days_duration,
    in_zone,
    make_date,
    months_duration,
    time_from_nanos,
)
from segue.feel.values import Value, kind

Operation = Callable[[Value, Value], Value]


# --- numbers and durations --------------------------------------------------------------------------------------


def _scaled(amount: int, factor: Decimal) -> int:
    """An amount times a number, without what is less than one."""
    return whole(CONTEXT.multiply(Decimal(amount), factor))


def _ratio(left: int, right: int) -> Decimal:
    return divide(Decimal(left), Decimal(right))


def _parted(amount: int, divisor: Decimal) -> int:
    return whole(divide(Decimal(amount), divisor))


# --- moments and durations --------------------------------------------------------------------------------------


def _months_later(date: Date, months: int) -> Date:
    """The same day of another month, or that month's last."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    return make_date(year, month + 1, min(date.day, month_days(year, month + 1)))


def _nanos_later(moment: DateTime, nanos: int) -> DateTime:
    if moment.time.zone is not None:
        return in_zone(moment.instant + nanos, moment.time.zone)
    return datetime_from_nanos(moment.local_nanos + nanos, moment.time.offset, None)


def _time_later(time: Time, nanos: int) -> Time:
    return time_from_nanos(time.nanos + nanos, time.offset, time.zone)


def _between_moments(left: DateTime, right: DateTime) -> DaysDuration:
    if left.time.is_local != right.time.is_local:
        raise Null("one of the two has an offset from UTC and the other has not")
    return days_duration(left.instant - right.instant)


def _between_times(left: Time, right: Time) -> DaysDuration:
    if left.is_local != right.is_local:
        raise Null("one of the two has an offset from UTC and the other has not")
    day = Date(1970, 1, 1)
    return days_duration(DateTime(day, left).instant - DateTime(day, right).instant)


def _at_midnight(date: Date) -> DateTime:
    return DateTime(date, MIDNIGHT_UTC)


def _date_later(date: Date, nanos: int) -> Date:
    return date_from_days((date.days * DAY + nanos) // DAY)


ADD: Final[dict[tuple[type, type], Operation]] = {
    (Decimal, Decimal): CONTEXT.add,
    (str, str): lambda a, b: a + b,
    (DaysDuration, DaysDuration): lambda a, b: days_duration(a.nanos + b.nanos),
    (MonthsDuration, MonthsDuration): lambda a, b: months_duration(a.months + b.months),
    (Date, DaysDuration): lambda a, b: _date_later(a, b.nanos),
    (DaysDuration, Date): lambda a, b: _date_later(b, a.nanos),
    (Date, MonthsDuration): lambda a, b: _months_later(a, b.months),
    (MonthsDuration, Date): lambda a, b: _months_later(b, a.months),
    (DateTime, DaysDuration): lambda a, b: _nanos_later(a, b.nanos),
    (DaysDuration, DateTime): lambda a, b: _nanos_later(b, a.nanos),
    (DateTime, MonthsDuration): lambda a, b: DateTime(_months_later(a.date, b.months), a.time),
    (MonthsDuration, DateTime): lambda a, b: DateTime(_months_later(b.date, a.months), b.time),
    (Time, DaysDuration): lambda a, b: _time_later(a, b.nanos),
    (DaysDuration, Time): lambda a, b: _time_later(b, a.nanos),
}

SUBTRACT: Final[dict[tuple[type, type], Operation]] = {
    (Decimal, Decimal): CONTEXT.subtract,
    (DaysDuration, DaysDuration): lambda a, b: days_duration(a.nanos - b.nanos),
    (MonthsDuration, MonthsDuration): lambda a, b: months_duration(a.months - b.months),
    (Date, DaysDuration): lambda a, b: _date_later(a, -b.nanos),
    (Date, MonthsDuration): lambda a, b: _months_later(a, -b.months),
    (DateTime, DaysDuration): lambda a, b: _nanos_later(a, -b.nanos),
    (DateTime, MonthsDuration): lambda a, b: DateTime(_months_later(a.date, -b.months), a.time),
    (Time, DaysDuration): lambda a, b: _time_later(a, -b.nanos),
    (Date, Date): lambda a, b: days_duration((a.days - b.days) * DAY),
    (DateTime, DateTime): _between_moments,
    (Date, DateTime): lambda a, b: _between_moments(_at_midnight(a), b),
    (DateTime, Date): lambda a, b: _between_moments(a, _at_midnight(b)),
    (Time, Time): _between_times,
}

MULTIPLY: Final[dict[tuple[type, type], Operation]] = {
    (Decimal, Decimal): CONTEXT.multiply,
    (Decimal, DaysDuration): lambda a, b: days_duration(_scaled(b.nanos, a)),
    (DaysDuration, Decimal): lambda a, b: days_duration(_scaled(a.nanos, b)),
    (Decimal, MonthsDuration): lambda a, b: months_duration(_scaled(b.months, a)),
    (MonthsDuration, Decimal): lambda a, b: months_duration(_scaled(a.months, b)),
}

DIVIDE: Final[dict[tuple[type, type], Operation]] = {
    (Decimal, Decimal): divide,
    (DaysDuration, Decimal): lambda a, b: days_duration(_parted(a.nanos, b)),
    (DaysDuration, DaysDuration): lambda a, b: _ratio(a.nanos, b.nanos),
    (MonthsDuration, Decimal): lambda a, b: months_duration(_parted(a.months, b)),
    (MonthsDuration, MonthsDuration): lambda a, b: _ratio(a.months, b.months),
}

POWER: Final[dict[tuple[type, type], Operation]] = {(Decimal, Decimal): power}

TABLES: Final = {"+": ADD, "-": SUBTRACT, "*": MULTIPLY, "/": DIVIDE, "**": POWER}


def negate(value: Value) -> Value:
    """Minus a value.

    Raises:
        Null: it has no meaning for it.
    """
    match value:
        case Decimal():
            return CONTEXT.minus(value) if value else ZERO
        case DaysDuration():
            return DaysDuration(-value.nanos)
        case MonthsDuration():
            return MonthsDuration(-value.months)
        case _:
            raise Null(f"minus has no meaning for {kind(value)}")


def absolute(value: Value) -> Value:
    """A number or duration without its sign."""
    match value:
        case Decimal():
            return CONTEXT.abs(value)
        case DaysDuration():
            return DaysDuration(abs(value.nanos))
        case MonthsDuration():
            return MonthsDuration(abs(value.months))
        case _:
            raise Null(f"there is no absolute value of {kind(value)}")
