"""Answers held against the form of what was asked: what passes can be read by the workflow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest

from segue.errors import InvalidArgument
from segue.kernel import forms
from segue.kernel.schemas import schema_of


@dataclass
class Order:
    due: date | None = None
    rest: timedelta = timedelta()
    id: UUID | None = None
    price: Decimal = Decimal(1)
    stamp: bytes = b""
    count: Annotated[int, msgspec.Meta(ge=0, le=5)] = 1
    code: Annotated[str, msgspec.Meta(min_length=2, pattern="^a")] = "ab"
    lines: Annotated[list[int], msgspec.Meta(max_length=2)] = field(default_factory=list)
    stock: dict[str, int] = field(default_factory=dict)
    place: tuple[int, str] = (1, "a")
    weight: Annotated[float, msgspec.Meta(ge=0.5)] = 1.0
    seen: datetime = datetime(2026, 1, 1)  # noqa: DTZ001
    sent: Annotated[datetime, msgspec.Meta(tz=True)] | int = 0
    opens: time = time()
    shuts: Annotated[time, msgspec.Meta(tz=True)] | int = 0
    lunch: Annotated[time, msgspec.Meta(tz=False)] = time()
    meets: Annotated[datetime, msgspec.Meta(tz=False)] = datetime(2026, 1, 1)  # noqa: DTZ001
    days: dict[date, int] = field(default_factory=dict)


FORM = schema_of(Order)
FITTING: list[dict[str, Any]] = [
    {},
    {"due": None},
    {"due": "2026-01-31"},
    {"rest": "PT5M"},
    {"id": "00000000-0000-0000-0000-000000000001"},
    {"price": "1.50"},
    {"stamp": "AP8="},
    {"count": 5},
    {"code": "abc"},
    {"lines": [1, 2]},
    {"stock": {"tea": 2}},
    {"place": [2, "b"]},
    {"weight": 3},
    {"seen": "2026-01-31T12:00:00"},
    {"seen": "2026-01-31T12:00:00+01:00"},
    {"sent": "2026-01-31T12:00:00Z"},
    {"opens": "08:30:00"},
    {"shuts": "20:00:00+01:00"},
    {"lunch": "12:00:00"},
    {"meets": "2026-01-31T12:00:00"},
    {"days": {"2026-01-31": 1}},
]
MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"due": "tomorrow"}, "$.due: 'tomorrow' must be date or null"),
    ({"due": "2026-02-31"}, "$.due: '2026-02-31' must be date or null"),
    ({"rest": "5m"}, "$.rest: '5m' does not fit: Invalid ISO8601 duration"),
    ({"id": "7"}, "$.id: '7' must be uuid or null"),
    ({"price": "cheap"}, "$.price: 'cheap' does not fit: Invalid decimal string"),
    ({"stamp": "%"}, "$.stamp: '%' does not fit: Invalid base64 encoded string"),
    ({"count": 6}, "$.count: 6 does not fit: Expected `int` <= 5"),
    ({"code": "a"}, "$.code: 'a' does not fit: Expected `str` of length >= 2"),
    ({"code": "bc"}, "$.code: 'bc' does not fit: Expected `str` matching regex '^a'"),
    ({"lines": [1, 2, 3]}, "$.lines: [1, 2, 3] does not fit: Expected `array` of length <= 2"),
    ({"stock": {"tea": "two"}}, "$.stock.tea: 'two' must be an integer"),
    ({"place": [2]}, "$.place: [2] does not fit: Expected `array` of length >= 2"),
    ({"place": [2, 3]}, "$.place[1]: 3 must be text"),
    ({"seen": "noon"}, "$.seen: 'noon' does not fit: Invalid RFC3339 encoded datetime"),
    ({"sent": "2026-01-31T12:00:00"}, "$.sent: '2026-01-31T12:00:00' must be date-time or integer"),
    ({"opens": "08:30"}, "$.opens: '08:30' does not fit: Invalid RFC3339 encoded time"),
    ({"shuts": "20:00:00"}, "$.shuts: '20:00:00' must be time or integer"),
    ({"lunch": "12:00:00Z"}, "$.lunch: '12:00:00Z' does not fit: Expected `time` with no timezone component"),
    (
        {"meets": "2026-01-31T12:00:00Z"},
        "$.meets: '2026-01-31T12:00:00Z' does not fit: Expected `datetime` with no timezone component",
    ),
    ({"days": {"today": 1}}, "$.days (key): 'today' does not fit: Invalid RFC3339 encoded date"),
    ({"weight": 0}, "$.weight: 0 does not fit: Expected `float` >= 0.5"),
]


@pytest.mark.parametrize("answer", FITTING)
def test_what_fits(answer: dict[str, Any]) -> None:
    forms.check(answer, FORM)
    msgspec.json.decode(msgspec.json.encode(answer), type=Order)


@pytest.mark.parametrize(("answer", "told"), MISFITS)
def test_what_does_not_and_could_not_be_read(answer: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        forms.check(answer, FORM)
    assert str(refused.value) == told
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(answer), type=Order)


def test_the_outline_names_what_text_is_read_as() -> None:
    assert forms.outline(FORM).startswith(
        '{"due"?: date or null, "rest"?: duration, "id"?: uuid or null, "price"?: decimal, '
    )
