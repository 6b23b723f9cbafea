"""The built-in functions that make and look at values of time (DMN 1.5, 10.3.4.1, 10.3.4.8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from segue.feel.builtin import Family
from segue.feel.calendar import day_of_year, week_of_year, weekday
from segue.feel.nothing import Null
from segue.feel.numbers import CONTEXT, is_whole, whole
from segue.feel.run import Run
from segue.feel.temporal import (
    MIDNIGHT_UTC,
    SECOND,
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Time,
    make_date,
    make_time,
    months_duration,
)
from segue.feel.temporal_text import read_date, read_date_time, read_duration, read_time
from segue.feel.values import Value, kind

TEMPORAL: Final = Family()
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _whole(value: Decimal) -> int:
    if not is_whole(value):
        raise Null(f"expected a whole number, got {value}"[:80])
    return whole(value)


def _single(value: Value) -> Value:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


@TEMPORAL.add("date(from: any)", "date(year: number, month: number, day: number)")
def date(run: Run, start: Value, month: Decimal | None = None, day: Decimal | None = None) -> Date:
    if month is not None and day is not None:
        return make_date(_whole(start), _whole(month), _whole(day))
    match _single(start):
        case str(text):
            return read_date(text)
        case DateTime() as moment:
            return moment.date
        case Date() as same:
            return same
        case other:
            raise Null(f"from must be a string, a date or a date and time, got {kind(other)}")


def _clock(hour: Decimal, minute: Decimal, second: Decimal, offset: int | None, zone: str | None) -> Time:
    nanos = whole(CONTEXT.multiply(second, Decimal(SECOND)))
    return make_time(_whole(hour), _whole(minute), nanos // SECOND, nanos % SECOND, offset, zone)


def _offset(duration: DaysDuration | None) -> int | None:
    if duration is None:
        return None
    if duration.nanos % SECOND:
        raise Null("an offset must be whole seconds")
    return duration.nanos // SECOND


@TEMPORAL.add("time(from: any)", "time(hour: number, minute: number, second: number, offset?: days?)")
def time(
    run: Run,
    start: Value,
    minute: Decimal | None = None,
    second: Decimal | None = None,
    offset: DaysDuration | None = None,
) -> Time:
    if minute is not None and second is not None:
        return _clock(start, minute, second, _offset(offset), None)
    match _single(start):
        case str(text):
            return read_time(text)
        case DateTime() as moment:
            return moment.time
        case Time() as same:
            return same
        case Date():
            return MIDNIGHT_UTC
        case other:
            raise Null(f"from must be a string, a time, a date or a date and time, got {kind(other)}")


@TEMPORAL.add(
    "date and time(from: any)",
    "date and time(date: day, time: time)",
    "date and time(year: number, month: number, day: number, hour: number, minute: number, second: number)",
    "date and time(year: number, month: number, day: number, hour: number, minute: number, second: number, "
    "offset: days?)",
    "date and time(year: number, month: number, day: number, hour: number, minute: number, second: number, "
    "timezone: string)",
)
def date_and_time(run: Run, start: Value, *rest: Value) -> DateTime:
    if len(rest) == 1:
        return DateTime(start.date if isinstance(start, DateTime) else start, rest[0])
    if rest:
        month, day, hour, minute, second, *place = rest
        zone = place[0] if place and isinstance(place[0], str) else None
        offset = _offset(place[0]) if place and not isinstance(place[0], str) else None
        clock = _clock(hour, minute, second, offset, zone)
        return DateTime(make_date(_whole(start), _whole(month), _whole(day)), clock)
    match _single(start):
        case str(text):
            return read_date_time(text)
        case DateTime() as same:
            return same
        case Date() as day_:
            return DateTime(day_, MIDNIGHT_UTC)
        case other:
            raise Null(f"from must be a string, a date or a date and time, got {kind(other)}")


@TEMPORAL.add("duration(from: string)", "duration(from: duration)")
def duration(run: Run, start: str | DaysDuration | MonthsDuration) -> DaysDuration | MonthsDuration:
    return read_duration(start) if isinstance(start, str) else start


@TEMPORAL.add("years and months duration(from: day, to: day)")
def years_and_months_duration(run: Run, start: Date | DateTime, end: Date | DateTime) -> MonthsDuration:
    """The whole months between two dates; a month that has begun does not count."""
    first, last = (each.date if isinstance(each, DateTime) else each for each in (start, end))
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        months -= 1
    elif months < 0 and last.day > first.day:
        months += 1
    return months_duration(months)


@TEMPORAL.add("now()")
def now(run: Run) -> DateTime:
    if run.now is None:
        raise Null("no clock was given to this evaluation")
    return run.now()


@TEMPORAL.add("today()")
def today(run: Run) -> Date:
    if run.now is None:
        raise Null("no clock was given to this evaluation")
    return run.now().date


def _day(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


@TEMPORAL.add("day of year(date: day)")
def day_of_year_(run: Run, value: Date | DateTime) -> Decimal:
    day = _day(value)
    return Decimal(day_of_year(day.year, day.month, day.day))


@TEMPORAL.add("day of week(date: day)")
def day_of_week(run: Run, value: Date | DateTime) -> str:
    return DAYS[weekday(_day(value).days) - 1]


@TEMPORAL.add("month of year(date: day)")
def month_of_year(run: Run, value: Date | DateTime) -> str:
    return MONTHS[_day(value).month - 1]


@TEMPORAL.add("week of year(date: day)")
def week_of_year_(run: Run, value: Date | DateTime) -> Decimal:
    day = _day(value)
    return Decimal(week_of_year(day.year, day.month, day.day))
