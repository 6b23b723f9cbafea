"""Values of time as text: reading by XML Schema's lexical forms with FEEL's zones, and writing."""

from __future__ import annotations

import re

from segue.feel.nothing import Null
from segue.feel.temporal import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Time,
    date_from_days,
    days_duration,
    make_date,
    make_time,
    months_duration,
)

DATE = r"(?P<year>-?(?:[0-9]{4}|[1-9][0-9]{4,8}))-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
TIME = (
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,40}))?"
    r"(?:(?P<utc>Z)|(?P<sign>[+-])(?P<oh>[0-9]{2}):(?P<om>[0-5][0-9])(?::(?P<os>[0-5][0-9]))?"
    r"|@(?P<zone>[A-Za-z0-9_+/-]{1,60}))?"
)
DATE_FORM = re.compile(DATE)
TIME_FORM = re.compile(TIME)
DATE_TIME_FORM = re.compile(f"{DATE}T{TIME}")
MONTHS_FORM = re.compile(r"(?P<sign>-?)P(?=[0-9])(?:(?P<years>[0-9]{1,12})Y)?(?:(?P<months>[0-9]{1,12})M)?")
DAYS_FORM = re.compile(
    r"(?P<sign>-?)P(?=[0-9T])(?:(?P<days>[0-9]{1,18})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,18})H)?(?:(?P<minutes>[0-9]{1,18})M)?"
    r"(?:(?P<seconds>[0-9]{1,18})(?:\.(?P<fraction>[0-9]{1,40}))?S)?)?"
)


def read_date(text: str) -> Date:
    """A date such as `2024-02-29`.

    Raises:
        Null: the text is none.
    """
    match = DATE_FORM.fullmatch(text)
    if match is None:
        raise Null(f"{text[:40]!r} is no date; write it as 2024-12-31")
    return _date(match)


def read_time(text: str) -> Time:
    """A time such as `10:30:00`, `10:30:00.5Z`, `10:30:00+01:00`, `10:30:00@Europe/Paris`.

    Raises:
        Null: the text is none.
    """
    match = TIME_FORM.fullmatch(text)
    if match is None:
        raise Null(f"{text[:40]!r} is no time; write it as 10:30:00, 10:30:00Z or 10:30:00@Europe/Paris")
    return _time(match)[0]


def read_date_time(text: str) -> DateTime:
    """A date and time such as `2024-02-29T10:30:00Z`; a date alone means its midnight.

    Raises:
        Null: the text is none.
    """
    match = DATE_TIME_FORM.fullmatch(text)
    if match is None:
        if DATE_FORM.fullmatch(text):
            return DateTime(read_date(text), Time(0, 0, 0))
        raise Null(f"{text[:40]!r} is no date and time; write it as 2024-12-31T10:30:00")
    date, (time, next_day) = _date(match), _time(match)
    return DateTime(date_from_days(date.days + 1) if next_day else date, time)


def read_duration(text: str) -> DaysDuration | MonthsDuration:
    """A duration such as `P1DT2H30M` or `P1Y2M`.

    Raises:
        Null: the text is none.
    """
    if match := MONTHS_FORM.fullmatch(text):
        months = int(match["years"] or 0) * 12 + int(match["months"] or 0)
        return months_duration(-months if match["sign"] else months)
    if match := DAYS_FORM.fullmatch(text):
        nanos = int(match["days"] or 0) * DAY + int(match["hours"] or 0) * HOUR + int(match["minutes"] or 0) * MINUTE
        nanos += int(match["seconds"] or 0) * SECOND + _nanos(match["fraction"])
        return days_duration(-nanos if match["sign"] else nanos)
    raise Null(f"{text[:40]!r} is no duration; write it as P1DT2H or P1Y2M")


def read_any(text: str) -> Date | Time | DateTime | DaysDuration | MonthsDuration:
    """What an at-literal stands for, by its form.

    Raises:
        Null: the text has none of the forms.
    """
    if "P" in text[:2]:
        return read_duration(text)
    if DATE_FORM.fullmatch(text):
        return read_date(text)
    if TIME_FORM.fullmatch(text):
        return read_time(text)
    return read_date_time(text)


def _date(match: re.Match[str]) -> Date:
    return make_date(int(match["year"]), int(match["month"]), int(match["day"]))


def _time(match: re.Match[str]) -> tuple[Time, bool]:
    """The time, and whether it was written as 24:00:00, the midnight at the day's end."""
    offset = 0 if match["utc"] else None
    if match["sign"]:
        offset = int(match["oh"]) * 3600 + int(match["om"]) * 60 + int(match["os"] or 0)
        offset = -offset if match["sign"] == "-" else offset
    hour, minute, second, nano = (
        int(match["hour"]),
        int(match["minute"]),
        int(match["second"]),
        _nanos(match["fraction"]),
    )
    at_end = (hour, minute, second, nano) == (24, 0, 0, 0)
    return make_time(0 if at_end else hour, minute, second, nano, offset, match["zone"]), at_end


def _nanos(fraction: str | None) -> int:
    return int(fraction[:9].ljust(9, "0")) if fraction else 0


# --- writing ----------------------------------------------------------------------------------------------------


def write_date(date: Date) -> str:
    """`2024-02-29`."""
    sign = "-" if date.year < 0 else ""
    return f"{sign}{abs(date.year):04d}-{date.month:02d}-{date.day:02d}"


def write_time(time: Time) -> str:
    """`10:30:00.5+01:00`."""
    return f"{time.hour:02d}:{time.minute:02d}:{time.second:02d}{_fraction(time.nano)}{_offset(time)}"


def write_date_time(moment: DateTime) -> str:
    """`2024-02-29T10:30:00Z`."""
    return f"{write_date(moment.date)}T{write_time(moment.time)}"


def write_days(duration: DaysDuration) -> str:
    """`P1DT2H3M4.5S`, or `PT0S` for none."""
    nanos = abs(duration.nanos)
    days, hours, minutes = nanos // DAY, nanos // HOUR % 24, nanos // MINUTE % 60
    seconds, fraction = nanos // SECOND % 60, _fraction(nanos % SECOND)
    time = f"{hours}H" if hours else ""
    time += f"{minutes}M" if minutes else ""
    time += f"{seconds}{fraction}S" if seconds or fraction else ""
    if not days and not time:
        return "PT0S"
    return ("-" if duration.nanos < 0 else "") + "P" + (f"{days}D" if days else "") + (f"T{time}" if time else "")


def write_months(duration: MonthsDuration) -> str:
    """`P1Y2M`, or `P0M` for none."""
    years, months = divmod(abs(duration.months), 12)
    if not years and not months:
        return "P0M"
    sign = "-" if duration.months < 0 else ""
    return f"{sign}P" + (f"{years}Y" if years else "") + (f"{months}M" if months else "")


def _fraction(nano: int) -> str:
    return f".{nano:09d}".rstrip("0") if nano else ""


def _offset(time: Time) -> str:
    if time.zone is not None:
        return f"@{time.zone}"
    if time.offset is None:
        return ""
    if time.offset == 0:
        return "Z"
    minutes, seconds = divmod(abs(time.offset), 60)
    text = f"{'-' if time.offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{text}:{seconds:02d}" if seconds else text
