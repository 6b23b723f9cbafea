"""Values that a transactional step gives to its statements on SQLite."""

from __future__ import annotations

import datetime
import decimal
import enum
import pathlib
import uuid
from typing import Any

import apsw
import pytest

from segue.errors import InvalidArgument
from segue.stores.sqlite.binding import bound


class Colour(enum.Enum):
    RED = "red"


class Size(enum.IntEnum):
    SMALL = 1


class Amount(decimal.Decimal):
    """As people derive one of their own."""


def stored(value: Any) -> tuple[Any, str]:
    """The value as SQLite gives it back, with its type there."""
    (row,) = apsw.Connection(":memory:").execute("SELECT ?1, typeof(?1)", bound([value])).fetchall()
    found: tuple[Any, str] = row
    return found


@pytest.mark.parametrize(
    ("value", "type"),
    [
        (7, "integer"),
        (True, "integer"),
        (Size.SMALL, "integer"),
        (2**63 - 1, "integer"),
        (-(2**63), "integer"),
        (0.5, "real"),
        ("tea", "text"),
        (b"tea", "blob"),
        (bytearray(b"tea"), "blob"),
        (memoryview(b"tea"), "blob"),
        (None, "null"),
    ],
)
def test_what_sqlite_has_comes_back_as_it_was(value: Any, type: str) -> None:
    assert stored(value) == (value, type)


def test_a_number_of_numpy_is_a_number() -> None:
    numpy = pytest.importorskip("numpy")

    assert stored(numpy.int64(-7)) == (-7, "integer")
    assert stored(numpy.uint8(7)) == (7, "integer")
    assert stored(numpy.float32(0.5)) == (0.5, "real")
    assert stored(numpy.float64(0.5)) == (0.5, "real")
    assert stored(numpy.bool_(True)) == (1, "integer")
    assert stored(numpy.str_("tea")) == ("tea", "text")
    assert stored(numpy.array([7, 8])[0]) == (7, "integer")


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        (datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC), "isoformat"),
        (datetime.date(2026, 1, 2), "isoformat"),
        (datetime.time(3, 4), "isoformat"),
        (datetime.timedelta(hours=1), "total_seconds"),
        (decimal.Decimal("1.50"), "str"),
        (Amount("1.50"), "str"),
        (uuid.UUID(int=1), "str"),
        (pathlib.Path("a"), "str"),
        (Colour.RED, "value"),
        ([1], "json"),
        ({"a": 1}, "json"),
        (2**63, "64 bits"),
        (object(), "a number, a text or bytes"),
    ],
)
def test_what_sqlite_does_not_have_is_refused_with_what_to_pass_instead(value: Any, instead: str) -> None:
    with pytest.raises(InvalidArgument, match=rf"parameter number 2 is .*{instead}"):
        bound(["tea", value])
    with pytest.raises(InvalidArgument, match=rf"parameter :price is .*{instead}"):
        bound({"name": "tea", "price": value})


def test_arrays_and_dates_of_numpy_are_refused_too() -> None:
    numpy = pytest.importorskip("numpy")

    with pytest.raises(InvalidArgument, match=r"is a ndarray.* pass value.tobytes"):
        bound([numpy.array([1, 2])])
    for moment in ("2026-01-02", "2026-01-02T03:04:05.000000006"):
        with pytest.raises(InvalidArgument, match=r"is a datetime64.* pass str\(value\)"):
            bound([numpy.datetime64(moment)])
    with pytest.raises(InvalidArgument, match="64 bits"):
        bound([numpy.uint64(2**63)])
