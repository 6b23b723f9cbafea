"""Lengths of time: what is understood, and what is refused."""

from __future__ import annotations

import contextlib
import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidArgument
from segue.kernel.duration import microseconds

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (1, SECOND),
        (0.5, SECOND // 2),
        (0.1, 100_000),
        (1e12, 10**18),
        (timedelta(days=1, microseconds=1), 86_400 * SECOND + 1),
        ("1us", 1),
        ("500ms", SECOND // 2),
        ("10s", 10 * SECOND),
        ("1.5s", 1_500_000),
        ("1m", 60 * SECOND),
        ("1m30s", 90 * SECOND),
        ("1m 30s", 90 * SECOND),
        (" 2 h ", 7_200 * SECOND),
        ("3d", 3 * 86_400 * SECOND),
        ("1w", 7 * 86_400 * SECOND),
        ("1d1h1m1s1ms1us", 90_061_001_001),
    ],
)
def test_is_understood(value: Any, expected: int) -> None:
    assert microseconds(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "s", "10", "ten seconds", "10 seconds", "-5s", "5s-", "1e3s", ".5s", "1.s", "10S", "1h,2m", "5s 3",
        -1, -0.001, math.nan, math.inf, 1e12 + 1, timedelta(seconds=-1), timedelta.max,
        "99999999999999w", "9" * 400 + "w", True, False, None, [], object(),
    ],
)  # fmt: skip
def test_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument):
        microseconds(value)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=100_000)))
def test_a_timedelta_is_exact_to_the_microsecond(value: timedelta) -> None:
    assert microseconds(value) == value // timedelta(microseconds=1)


@given(st.integers(0, 10_000), st.integers(0, 59), st.integers(0, 999))
def test_text_adds_up(hours: int, minutes: int, milliseconds: int) -> None:
    expected = timedelta(hours=hours, minutes=minutes, milliseconds=milliseconds)
    assert microseconds(f"{hours}h{minutes}m{milliseconds}ms") == microseconds(expected)


@given(st.one_of(st.text(alphabet="0123456789.-+e usmhdw"), st.floats()))
def test_the_answer_fits_a_database_integer_or_is_refused(value: str | float) -> None:
    with contextlib.suppress(InvalidArgument):
        assert 0 <= microseconds(value) <= 10**18
