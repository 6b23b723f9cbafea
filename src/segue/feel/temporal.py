"""FEEL's values of time: dates, times, both together, two kinds of duration (DMN 1.5, 10.3.2.3.4 to 10.3.2.3.8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from segue.feel.calendar import GREATEST_YEAR, from_days, month_days, to_days
from segue.feel.nothing import Null

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
GREATEST_OFFSET: Final = 18 * 3600
GREATEST_NANOS: Final = 10**28
GREATEST_MONTHS: Final = 12 * 2 * GREATEST_YEAR


class Date(msgspec.Struct, frozen=True):
    """A day of the proleptic Gregorian calendar."""

    year: int
    month: int
    day: int

    @property
    def days(self) -> int:
        """Days since 1970-01-01."""
        return to_days(self.year, self.month, self.day)


class Time(msgspec.Struct, frozen=True):
    """A time of day. At most one of ``offset`` (seconds from UTC) and ``zone`` is set; with neither it is local."""

    hour: int
    minute: int
    second: int
    nano: int = 0
    offset: int | None = None
    zone: str | None = None

    @property
    def nanos(self) -> int:
        """Nanoseconds since midnight."""
        return self.hour * HOUR + self.minute * MINUTE + self.second * SECOND + self.nano

    @property
    def is_local(self) -> bool:
        """Whether nothing is known of its offset from UTC."""
        return self.offset is None and self.zone is None


class DateTime(msgspec.Struct, frozen=True):
    """A date and a time of it."""

    date: Date
    time: Time

    @property
    def local_nanos(self) -> int:
        """Nanoseconds since 1970-01-01T00:00:00 at its own place."""
        return self.date.days * DAY + self.time.nanos

    @property
    def offset(self) -> int | None:
        """Seconds from UTC, which a zone gives for this very moment; nothing for a local one."""
        if self.time.zone is not None:
            return zone_offset(self.time.zone, self.local_nanos)
        return self.time.offset

    @property
    def instant(self) -> int:
        """Nanoseconds since 1970-01-01T00:00:00Z; a local one counts as UTC."""
        return self.local_nanos - (self.offset or 0) * SECOND


class DaysDuration(msgspec.Struct, frozen=True):
    """A days and time duration."""

    nanos: int


class MonthsDuration(msgspec.Struct, frozen=True):
    """A years and months duration."""

    months: int


MIDNIGHT_UTC: Final = Time(0, 0, 0, 0, 0, None)


# --- making -----------------------------------------------------------------------------------------------------


def make_date(year: int, month: int, day: int) -> Date:
    """A date.

    Raises:
        Null: there is no such day.
    """
    if not (-GREATEST_YEAR <= year <= GREATEST_YEAR and 1 <= month <= 12 and 1 <= day <= month_days(year, month)):
        raise Null(f"there is no date {year}-{month}-{day}"[:80])
    return Date(year, month, day)


def date_from_days(days: int) -> Date:
    """The date so many days after 1970-01-01."""
    if abs(days) > 366 * (GREATEST_YEAR + 2000):
        raise Null("a date beyond the years that can be written")
    year, month, day = from_days(days)
    return make_date(year, month, day)


def make_time(hour: int, minute: int, second: int, nano: int, offset: int | None, zone: str | None) -> Time:
    """A time of day.

    Raises:
        Null: there is no such time, offset or zone.
    """
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        raise Null(f"there is no time {hour}:{minute}:{second}"[:80])
    if offset is not None and not -GREATEST_OFFSET <= offset <= GREATEST_OFFSET:
        raise Null("an offset from UTC of more than 18 hours")
    if zone is not None and find_zone(zone) is None:
        raise Null(f"there is no time zone {zone[:40]!r}")
    return Time(hour, minute, second, nano, offset, zone)


def time_from_nanos(nanos: int, offset: int | None, zone: str | None) -> Time:
    """The time so many nanoseconds after midnight, around the clock."""
    rest = nanos % DAY
    return Time(rest // HOUR, rest // MINUTE % 60, rest // SECOND % 60, rest % SECOND, offset, zone)


def datetime_from_nanos(nanos: int, offset: int | None, zone: str | None) -> DateTime:
    """The moment so many nanoseconds after 1970-01-01T00:00:00 of its own place."""
    return DateTime(date_from_days(nanos // DAY), time_from_nanos(nanos, offset, zone))


def days_duration(nanos: int) -> DaysDuration:
    """A days and time duration.

    Raises:
        Null: it is longer than time.
    """
    if abs(nanos) > GREATEST_NANOS:
        raise Null("a duration out of range")
    return DaysDuration(nanos)


def months_duration(months: int) -> MonthsDuration:
    """A years and months duration.

    Raises:
        Null: it is longer than time.
    """
    if abs(months) > GREATEST_MONTHS:
        raise Null("a duration out of range")
    return MonthsDuration(months)


# --- zones ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """The rules of a zone; nothing if there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of the zone database
        return None


def zone_offset(name: str, local_nanos: int) -> int:
    """Seconds from UTC at a local moment. Where the clock is put back, the earlier of the two moments is meant."""
    zone = find_zone(name)
    assert zone is not None, "a time is only made with a zone that exists"
    offset = _as_datetime(local_nanos).replace(tzinfo=zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def in_zone(instant: int, name: str) -> DateTime:
    """The moment as the clocks of a zone show it."""
    zone = find_zone(name)
    assert zone is not None, "a time is only made with a zone that exists"
    utc = _as_datetime(instant)
    shift = zone.fromutc(utc.replace(tzinfo=zone)).replace(tzinfo=None) - utc
    return datetime_from_nanos(instant + round(shift / timedelta(seconds=1)) * SECOND, None, name)


def _as_datetime(nanos: int) -> datetime:
    """A moment of the same rules within the years that ``datetime`` knows: the calendar repeats every 400 years."""
    year, month, day = from_days(nanos // DAY)
    if year > 9990:
        year = 2000 + year % 400
    elif year < 2:
        year = 4 + year % 4  # before there were zones: local mean time
    return datetime(year, month, day) + timedelta(microseconds=nanos % DAY // 1000)  # noqa: DTZ001 (a local moment)
