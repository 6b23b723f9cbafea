"""Dates, times and durations: reading, writing, arithmetic, zones, and years that Python does not have."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue import feel
from segue.feel.calendar import day_of_year, from_days, to_days, week_of_year, weekday
from segue.feel.temporal import Date, DateTime, DaysDuration, Time, in_zone
from segue.feel.temporal_text import read_any, write_date, write_date_time, write_days, write_months, write_time

DAYS = st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31))


@given(DAYS)
def test_the_calendar_is_the_one_that_python_has_where_python_has_one(day: dt.date) -> None:
    days = to_days(day.year, day.month, day.day)

    assert days == (day - dt.date(1970, 1, 1)).days
    assert from_days(days) == (day.year, day.month, day.day)
    assert weekday(days) == day.isoweekday()
    assert day_of_year(day.year, day.month, day.day) == day.timetuple().tm_yday
    assert week_of_year(day.year, day.month, day.day) == day.isocalendar().week


@given(st.integers(-366 * 10**9, 366 * 10**9))
def test_days_become_dates_and_come_back(days: int) -> None:
    assert to_days(*from_days(days)) == days


@given(st.integers(-(2**31), 2**32), st.sampled_from(["Europe/Paris", "Asia/Dhaka"]))
def test_a_moment_in_a_zone_is_the_one_that_python_has(instant: int, name: str) -> None:
    there = dt.datetime.fromtimestamp(instant, ZoneInfo(name))

    found = in_zone(instant * 10**9, name)

    assert write_date_time(found) == there.replace(tzinfo=None).isoformat() + f"@{name}"
    if there.fold == 0:
        assert found.instant == instant * 10**9


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-29",
        "-0044-03-15",
        "999999999-12-31",
        "10:30:00",
        "10:30:00.123456789Z",
        "23:59:59-05:00",
        "10:30:00+02:45:55",
        "10:30:00@Europe/Paris",
        "2024-02-29T10:30:00@America/New_York",
        "-2024-02-29T00:00:00+14:00",
        "P1DT2H3M4.5S",
        "-P1D",
        "PT0S",
        "P1Y2M",
        "-P11M",
        "P0M",
    ],
)
def test_what_is_read_is_written_the_same(text: str) -> None:
    value = read_any(text)
    writers = (write_date, write_time, write_date_time, write_days, write_months)
    kinds = (Date, Time, DateTime, DaysDuration, feel.MonthsDuration)
    assert dict(zip(kinds, writers, strict=True))[type(value)](value) == text  # type: ignore[operator, arg-type]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "24-01-01",
            "01234-01-01",
            "+2024-01-01",
            "2024-1-1",
            "2024-01-01Z",
        ),
        *("24:00:01", "25:00:00", "10:60:00", "10:30", "1:00:00", "10:30:00+19:00", "10:30:00+5", "10:30:00@No/Where"),
        *(
            "10:30:00@../../etc/passwd",
            "10:30:00@Europe",
            "10:30:00Z@Europe/Paris",
            "2024-01-01T",
            "2024-01-01 10:30:00",
        ),
        *("P", "PT", "P1", "P1YT1H", "P1Y1D", "P1H", "PT1D", "1D", "P1.5D", "P-1D", "p1d", "P99999999999999999999D"),
    ],
)
def test_what_is_no_value_of_time_is_null_with_a_reason(text: str) -> None:
    found = feel.compile(f'@"{text}"').explain()
    assert found.value is None
    assert len(found.warnings) == 1


@pytest.mark.parametrize(
    ("left", "right"),
    [
        # the end of a month
        ('date("2024-01-31") + duration("P1M")', '@"2024-02-29"'),
        ('date("2024-03-31") - duration("P1M")', '@"2024-02-29"'),
        ('date("2024-02-29") + duration("P1Y")', '@"2025-02-28"'),
        # across a change of clocks: durations are of time that passes
        ('@"2024-03-31T01:30:00@Europe/Paris" + @"PT1H"', '@"2024-03-31T03:30:00@Europe/Paris"'),
        ('@"2024-10-27T02:30:00@Europe/Paris" + @"PT2H"', '@"2024-10-27T02:30:00Z"'),
        ('@"2024-03-31T12:00:00@Europe/Paris" - @"2024-03-30T12:00:00@Europe/Paris"', '@"PT23H"'),
        # zones far from Python's years
        ('@"12024-07-01T12:00:00@Europe/Paris" - @"12024-07-01T12:00:00Z"', '-@"PT2H"'),
        ('@"-0100-01-01T00:00:00@Europe/Paris" + @"PT24H"', '@"-0100-01-02T00:00:00@Europe/Paris"'),
        # comparison looks through zones, and finds nothing between local and zoned
        ('@"2024-01-01T12:00:00@Europe/Paris" = @"2024-01-01T11:00:00Z"', "true"),
        ('@"2024-01-01T12:00:00" = @"2024-01-01T12:00:00Z"', "false"),
        ('@"2024-01-01T12:00:00" < @"2024-01-01T12:00:00Z"', "null"),
        ('@"10:00:00Z" < @"10:00:00-01:00"', "true"),
        ('@"P1Y" = @"P12M"', "true"),
        ('@"P1Y" < @"P400D"', "null"),
        # members
        ('@"2024-01-01T12:00:00.25@Europe/Paris".second', "0.25"),
        ('@"2024-07-01T12:00:00@Europe/Paris".time offset', '@"PT2H"'),
        ('@"2024-07-01T12:00:00@Europe/Paris".timezone', '"Europe/Paris"'),
        ('@"-P1DT2H".hours', "-2"),
        ('@"-P14M".years', "-1"),
        # making
        ("date and time(2024, 1, 2, 3, 4, 5)", '@"2024-01-02T03:04:05"'),
        ('date and time(2024, 1, 2, 3, 4, 5.5, @"PT1H")', '@"2024-01-02T03:04:05.5+01:00"'),
        ('date and time(2024, 1, 2, 3, 4, 5, "Asia/Dhaka")', '@"2024-01-02T03:04:05@Asia/Dhaka"'),
        ('date and time(@"2024-01-02", @"03:04:05Z")', '@"2024-01-02T03:04:05Z"'),
        ('date and time("2024-12-31T24:00:00")', '@"2025-01-01T00:00:00"'),
        ("date(2024.5, 1, 1)", "null"),
        ('@"9999-12-31" + @"P1D"', '@"10000-01-01"'),
        ('@"999999999-12-31" + @"P1D"', "null"),
        ('@"P1D" * 10 ** 30', "null"),
    ],
)
def test_arithmetic_and_comparison(left: str, right: str) -> None:
    assert feel.evaluate(f"is({left}, {right}) or ({left}) = ({right})") is True
