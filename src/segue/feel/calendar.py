"""Counting days in the proleptic Gregorian calendar, for nine-digit years before and after year 0."""

from __future__ import annotations

GREATEST_YEAR = 999_999_999
DAYS_OF_400_YEARS = 146_097
EPOCH = 719_468
"""Days from 0000-03-01, where the count is simplest, to 1970-01-01."""

MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_leap(year: int) -> bool:
    """Whether a year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_days(year: int, month: int) -> int:
    """How many days a month has."""
    return 29 if month == 2 and is_leap(year) else MONTH_DAYS[month - 1]


def to_days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01. Years are counted from March, so that the leap day is a year's last."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * DAYS_OF_400_YEARS + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - EPOCH


def from_days(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970-01-01."""
    era, day_of_era = divmod(days + EPOCH, DAYS_OF_400_YEARS)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    return era * 400 + year_of_era + (month <= 2), month, day


def day_of_year(year: int, month: int, day: int) -> int:
    """1 for the first of January."""
    return to_days(year, month, day) - to_days(year, 1, 1) + 1


def weekday(days: int) -> int:
    """1 for Monday to 7 for Sunday; 1970-01-01 was a Thursday."""
    return (days + 3) % 7 + 1


def week_of_year(year: int, month: int, day: int) -> int:
    """The week by ISO 8601: it belongs to the year in which its Thursday lies."""
    days = to_days(year, month, day)
    thursday = days - weekday(days) + 4
    thursdays_year = from_days(thursday)[0]
    return (thursday - to_days(thursdays_year, 1, 1)) // 7 + 1
