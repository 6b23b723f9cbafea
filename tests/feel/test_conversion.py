"""Python values become FEEL's and come back; what FEEL does not have is refused with its place."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue import feel
from segue.errors import FeelLimitExceeded, InvalidArgument


class Colour(Enum):
    RED = "red"


@dataclass
class Line:
    price: Decimal
    amount: int


class Order(msgspec.Struct):
    lines: list[Line]


PARIS = dt.datetime(2024, 7, 1, 12, 30, tzinfo=ZoneInfo("Europe/Paris"))

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.text(max_size=5)
    | st.dates()
    | st.datetimes(timezones=st.sampled_from([None, dt.UTC, ZoneInfo("Asia/Dhaka")]))
    | st.timedeltas(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_plain_data_comes_back_as_it_was(value: Any) -> None:
    assert feel.to_python(feel.from_python(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (Decimal("1.50"), "1.5"),
        ((1, 2), "[1, 2]"),
        (Colour.RED, '"red"'),
        (Line(Decimal(2), 3), "{price: 2, amount: 3}"),
        (Order([Line(Decimal(2), 3)]), "{lines: [{price: 2, amount: 3}]}"),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (PARIS, '@"2024-07-01T12:30:00@Europe/Paris"'),
        (dt.time(1, 2, tzinfo=dt.timezone(dt.timedelta(hours=-5))), '@"01:02:00-05:00"'),
        (dt.timedelta(days=1, microseconds=5), '@"P1DT0.000005S"'),
        (feel.MonthsDuration(14), '@"P1Y2M"'),
    ],
)
def test_what_a_value_is_in_feel(value: Any, text: str) -> None:
    assert feel.evaluate(f"v = {text}", {"v": value}) is True


def test_what_python_cannot_hold_stays_what_it_is() -> None:
    assert feel.evaluate('@"11:22:33.123456789"') == feel.Time(11, 22, 33, 123_456_789)
    assert feel.evaluate("[1..2]").high == 2
    assert isinstance(feel.evaluate("function(a) a"), feel.Function)
    assert feel.evaluate("date(12024, 1, 1)") == feel.Date(12024, 1, 1)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (object(), "$.v"),
        (float("nan"), "$.v"),
        (Decimal("Infinity"), "$.v"),
        pytest.param(10**7000, "$.v", id="a large number"),
        ({1: 2}, "$.v"),
        ([1, {"a": b"x"}], "$.v[1].a"),
        (print, "$.v"),
        (int, "$.v"),
    ],
)
def test_what_feel_does_not_have_is_refused_with_its_place(value: Any, path: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        feel.evaluate("1", {"v": value})
    assert caught.value.path == path


def test_a_value_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(FeelLimitExceeded):
        feel.evaluate("1", {"v": endless})
