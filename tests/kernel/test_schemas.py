"""What a schema says beyond msgspec's: texts that are read as a time without a zone, keys that are no free text."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, NamedTuple, TypedDict
from uuid import UUID

import msgspec
import pytest

from segue.kernel.schemas import schema_of

LOCAL = {"type": "string", "format": "date-time-local"}
CLOCK = {"type": "string", "format": "time-local"}
AWARE = {"type": "string", "format": "date-time"}


class Card(msgspec.Struct, tag=True):
    until: datetime


class Cash(msgspec.Struct, tag=True):
    at: time


class Row(msgspec.Struct, array_like=True, tag=True):
    at: datetime


class Point(NamedTuple):
    name: str
    at: datetime


class Slot(TypedDict):
    at: datetime


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Odd(enum.Enum):
    ONE = 1
    MANY = "many"


@dataclass
class Sofa:
    seats: int
    by: datetime


@dataclass
class Lamp:
    watts: Sofa | Lamp | None = None
    name: str = "lamp"


@dataclass
class Node:
    at: datetime
    kids: list[Node] = field(default_factory=list)


@pytest.mark.parametrize(
    ("type", "schema"),
    [
        (datetime, LOCAL),
        (Annotated[datetime, msgspec.Meta(tz=False)], {"type": "string", "format": "partial-date-time"}),
        (Annotated[time, msgspec.Meta(tz=False)], {"type": "string", "format": "partial-time"}),
        (Annotated[datetime, msgspec.Meta(tz=True)], AWARE),
        (Annotated[datetime, msgspec.Meta(title="When")], {"title": "When", **LOCAL}),
        (time, CLOCK),
        (datetime | None, {"anyOf": [LOCAL, {"type": "null"}]}),
        (list[datetime], {"type": "array", "items": LOCAL}),
        (
            tuple[int, time],
            {
                "type": "array", "minItems": 2, "maxItems": 2, "items": False,
                "prefixItems": [{"type": "integer"}, CLOCK],
            },
        ),
        (dict[str, datetime], {"type": "object", "additionalProperties": LOCAL}),
        (dict[int, Any], {"type": "object", "propertyNames": {"pattern": "^-?[0-9]+$"}}),
        (dict[date, Any], {"type": "object", "propertyNames": {"format": "date"}}),
        (dict[UUID, Any], {"type": "object", "propertyNames": {"format": "uuid"}}),
        (dict[Literal["a", "b"], Any], {"type": "object", "propertyNames": {"enum": ["a", "b"]}}),
        (
            dict[Annotated[str, msgspec.Meta(min_length=2)], Any],
            {"type": "object", "propertyNames": {"minLength": 2}},
        ),
    ],
)  # fmt: skip
def test_what_a_type_is(type: Any, schema: dict[str, Any]) -> None:
    assert schema_of(type) == schema


@pytest.mark.parametrize(
    ("type", "name", "at"),
    [
        (Slot, "Slot", ("properties", "at")),
        (Point, "Point", ("prefixItems", 1)),
        (Row, "Row", ("prefixItems", 1)),
        (Node, "Node", ("properties", "at")),
        (None | Card | int | Cash, "Card", ("properties", "until")),
        (list[Card | datetime], "Card", ("properties", "until")),
    ],
)
def test_what_stands_in_a_type_of_its_own(type: Any, name: str, at: tuple[Any, Any]) -> None:
    assert schema_of(type)["$defs"][name][at[0]][at[1]] == LOCAL


def test_each_alternative_keeps_its_own() -> None:
    schema = schema_of(None | Card | datetime | int | Cash)
    assert schema["anyOf"][:2] == [LOCAL, {"type": "integer"}]
    assert schema["$defs"]["Cash"]["properties"]["at"] == CLOCK


def test_keys_of_an_enumeration() -> None:
    keys = schema_of(dict[Size, Any])
    assert keys["propertyNames"] == {"enum": ["s", "l"]}
    assert all(each["enum"] == ["s", "l"] for each in keys.get("$defs", {}).values()), "from msgspec 0.23 on"
    both = schema_of(tuple[dict[Size, int], Size])  # as one class, however often it is met
    assert both["prefixItems"][0]["propertyNames"] == {"enum": ["s", "l"]}
    assert both["$defs"]["Size"]["enum"] == ["s", "l"]


class Coat(msgspec.Struct):
    size: Size
    colour: Literal["red", "blue"]
    lining: Literal["silk", "none"] | None = None
    seasons: tuple[Literal["winter", "autumn"], ...] = ()
    prices: dict[Literal["new", "mended"], Literal[30, 20]] = {}


def test_choices_stand_as_they_are_declared() -> None:
    assert schema_of(Literal["z", "a", 3, 1]) == {"enum": ["z", "a", 3, 1]}
    assert schema_of(Literal["z", "a", None]) == {"enum": ["z", "a", None]}
    assert schema_of(list[Literal[None]]) == {"type": "array", "items": {"enum": [None]}}
    assert schema_of(Literal["z", "a"] | Literal["m", "b"])["anyOf"] == [{"enum": ["z", "a"]}, {"enum": ["m", "b"]}]
    schema = schema_of(list[Coat | None])
    coat = schema["$defs"]["Coat"]["properties"]
    assert schema["$defs"]["Size"]["enum"] == ["s", "l"]
    assert coat["colour"]["enum"] == ["red", "blue"]
    assert coat["lining"]["anyOf"][0]["enum"] == ["silk", "none"]
    assert coat["seasons"]["items"]["enum"] == ["winter", "autumn"]
    assert coat["prices"]["propertyNames"]["enum"] == ["new", "mended"]
    assert coat["prices"]["additionalProperties"]["enum"] == [30, 20]


def test_classes_without_a_tag_and_what_holds_them() -> None:
    either = {"anyOf": [{"$ref": "#/$defs/Sofa"}, {"$ref": "#/$defs/Lamp"}]}
    schema = schema_of(list[Sofa | Lamp])
    assert schema["items"] == either
    assert schema["$defs"]["Sofa"]["properties"] == {"seats": {"type": "integer"}, "by": LOCAL}
    assert schema["$defs"]["Lamp"] == {
        "title": "Lamp",
        "type": "object",
        "properties": {
            "watts": {"anyOf": [*either["anyOf"], {"type": "null"}], "default": None},
            "name": {"type": "string", "default": "lamp"},
        },
        "required": [],
    }
    assert schema_of(dict[str, Sofa | Lamp])["additionalProperties"] == either
    assert schema_of(tuple[Sofa | Lamp, int])["prefixItems"] == [either, {"type": "integer"}]


@pytest.mark.parametrize(
    ("type", "schema"),
    [
        (date | datetime, {"anyOf": [{"type": "string", "format": "date"}, LOCAL]}),
        (Odd, {"title": "Odd", "enum": [1, "many"]}),
        (list[complex], {"type": "array", "items": {}}),
        (complex, {}),
    ],
)
def test_what_msgspec_refuses(type: Any, schema: dict[str, Any]) -> None:
    assert schema_of(type) == schema


def test_alternatives_that_msgspec_draws_together() -> None:
    """A choice of values and none are one schema in it, where they are two types."""
    choice = Annotated[Literal[1, 2, None] | None, msgspec.Meta(description="how many")]
    assert [sorted(each) for each in schema_of(choice | list[int])["anyOf"]] == [
        ["anyOf", "description"],
        ["items", "type"],
    ]
    place = Annotated[float, msgspec.Meta(ge=0)] | Annotated[Row | None, msgspec.Meta(description="where")]
    assert len(schema_of(place)["anyOf"]) == 2
