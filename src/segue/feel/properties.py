"""The members of values of time and ranges, such as `date.year` (DMN 1.5, 10.3.2)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from segue.feel.calendar import weekday
from segue.feel.numbers import CONTEXT
from segue.feel.temporal import DAY, HOUR, MINUTE, SECOND, Date, DateTime, DaysDuration, MonthsDuration, Time
from segue.feel.values import Interval, Value

Property = Callable[[Value], Value]


def _part(nanos: int, unit: int, modulus: int) -> Decimal:
    part = abs(nanos) // unit % modulus
    return Decimal(-part if nanos < 0 else part)


def _seconds(nanos: int) -> Decimal:
    part = abs(nanos) % MINUTE
    return _exact(-part if nanos < 0 else part)


def _exact(nanos: int) -> Decimal:
    seconds, rest = divmod(nanos, SECOND)
    return Decimal(seconds) if not rest else CONTEXT.normalize(CONTEXT.scaleb(Decimal(nanos), -9))


def _offset(moment: DateTime) -> DaysDuration | None:
    offset = moment.offset
    return None if offset is None else DaysDuration(offset * SECOND)


def _years(duration: MonthsDuration) -> Decimal:
    return _part(duration.months, 12, 10**30)


def _of_date(of: Property) -> Property:
    return lambda moment: of(moment.date)


def _of_time(of: Property) -> Property:
    return lambda moment: of(moment.time)


DATE: Final[dict[str, Property]] = {
    "year": lambda date: Decimal(date.year),
    "month": lambda date: Decimal(date.month),
    "day": lambda date: Decimal(date.day),
    "weekday": lambda date: Decimal(weekday(date.days)),
}
TIME: Final[dict[str, Property]] = {
    "hour": lambda time: Decimal(time.hour),
    "minute": lambda time: Decimal(time.minute),
    "second": lambda time: _exact(time.second * SECOND + time.nano),
    "timezone": lambda time: time.zone,
}
PROPERTIES: Final[dict[type, dict[str, Property]]] = {
    Date: DATE,
    Time: {**TIME, "time offset": lambda time: _offset(DateTime(Date(1970, 1, 1), time))},
    DateTime: {
        **{name: _of_date(of) for name, of in DATE.items()},
        **{name: _of_time(of) for name, of in TIME.items()},
        "time offset": _offset,
    },
    DaysDuration: {
        "days": lambda duration: _part(duration.nanos, DAY, 10**30),
        "hours": lambda duration: _part(duration.nanos, HOUR, 24),
        "minutes": lambda duration: _part(duration.nanos, MINUTE, 60),
        "seconds": lambda duration: _seconds(duration.nanos),
    },
    MonthsDuration: {"years": _years, "months": lambda duration: _part(duration.months, 1, 12)},
    Interval: {
        "start": lambda interval: interval.low,
        "end": lambda interval: interval.high,
        "start included": lambda interval: interval.low_included,
        "end included": lambda interval: interval.high_included,
    },
}
NAMES: Final = frozenset(name for members in PROPERTIES.values() for name in members)
