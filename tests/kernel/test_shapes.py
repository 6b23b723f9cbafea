"""Unions that msgspec refuses: read by what the members look like in JSON, refused when they look alike."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NotRequired,
    Protocol,
    Required,
    TypedDict,
    TypeVar,
    runtime_checkable,
)
from uuid import UUID

import msgspec
import pydantic
import pytest

from segue.errors import PayloadError
from segue.kernel.encoding import Encodings
from segue.kernel.payload import JSON, from_bytes
from segue.kernel.secret import SecretRef

ENCODINGS = Encodings()
T = TypeVar("T")


@dataclasses.dataclass
class Card:
    number: str


@dataclasses.dataclass
class Transfer:
    iban: str
    amount: int = 0


@dataclasses.dataclass
class CardAndMore:
    number: str
    holder: str


@dataclasses.dataclass
class OtherCard:
    number: str


@dataclasses.dataclass
class NumberedCard:
    number: int


@dataclasses.dataclass
class Yes:
    kind: Literal["yes"]
    by: str


@dataclasses.dataclass
class No:
    kind: Literal["no"]
    by: str


@dataclasses.dataclass
class Payment:
    by: Card | Transfer
    earlier: list[Card | Transfer] = dataclasses.field(default_factory=list)
    then: Payment | None = None


@dataclasses.dataclass
class Holds(Generic[T]):
    thing: T


class Row(TypedDict):
    a: int
    b: NotRequired[int]


class Bill(TypedDict, total=False):
    by: Card | Transfer
    amount: Required[int]


class Row2(TypedDict):
    a: int
    c: NotRequired[int]


class Pair(NamedTuple):
    one: Card | Transfer
    two: int = 0


class Cat(msgspec.Struct, tag=True):
    name: str
    owner: Card | Transfer


class Dog(msgspec.Struct, tag=True):
    name: str
    owner: Card | Transfer


class Slim(msgspec.Struct, omit_defaults=True):
    a: int = 0


class Slim2(msgspec.Struct, omit_defaults=True):
    b: int = 0


class Model(pydantic.BaseModel):
    title: str


class Mode(enum.Enum):
    FAST = "fast"
    SLOW = 2


class Speed(enum.Enum):
    FAST = "fast"


class Door(enum.Enum):
    SECOND = "2"
    TWO = 2
    BOTH = (1, 2)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (Card("1"), Card | Transfer),
        (Transfer("DE", 3), Card | Transfer),
        (CardAndMore("1", "h"), Card | CardAndMore),
        (Card("1"), CardAndMore | Card),
        (NumberedCard(3), Card | NumberedCard),
        (Card("3"), Card | NumberedCard),
        (No("no", "ann"), Yes | No),
        (None, Card | Transfer | None),
        ([Card("1"), Transfer("DE")], list[Card | Transfer]),
        ((Transfer("DE"),), tuple[Card | Transfer, ...]),
        ((1, Transfer("DE")), tuple[int, Card | Transfer]),
        ({3: Transfer("DE")}, dict[int, Card | Transfer]),
        ({"a": [Card("1")]}, dict[str, Sequence[Card | Transfer]]),
        ({"a": Card("1")}, Mapping[str, Card | Transfer]),
        (Payment(Transfer("DE"), [Card("1")], Payment(Card("2"))), Payment),
        ([Payment(Card("2"))], list[Payment]),
        (Holds(Transfer("DE")), Holds[Card | Transfer]),
        (Holds(Payment(Card("1"))), Holds[Payment]),
        (Pair(Transfer("DE"), 3), Pair),
        ([Pair(Card("1"))], list[Pair]),
        (Dog("d", Transfer("DE")), Cat | Dog),
        (Cat("d", Card("1")), Cat | Dog),
        (Model(title="t"), Model | Card),
        (Model(title="t"), Model | int),
        (7, Model | int),
        ("text", Card | str),
        (5, Card | int | str),
        (Decimal("1.5"), Decimal | datetime),
        (datetime(2026, 1, 2, tzinfo=UTC), Decimal | datetime),
        (date(2026, 1, 2), date | datetime),
        (datetime(2026, 1, 2, tzinfo=UTC), date | datetime),
        (timedelta(seconds=5), timedelta | Decimal),
        (UUID(int=3), UUID | Decimal),
        ([1], list[int] | Card),
        (["a"], list[int] | list[str]),
        ([Card("1")], list[Card] | list[Transfer]),
        ({"a": "x"}, dict[str, int] | dict[str, str]),
        ("a", Literal["a", "b"] | Card),
        (SecretRef("db"), SecretRef | str),
        ("plain", SecretRef | str),
        (Mode.SLOW, Mode),
        ({Mode.SLOW: 1, Mode.FAST: 2}, dict[Mode, int]),
        ({Mode.SLOW: Card("1")}, Mapping[Mode, Card | Transfer]),
        (Mode.FAST, Mode | bool | Card),
        (Card("1"), Annotated[Card | Transfer, "note"]),
        ({"a": 1, "b": 2}, Row | Card),
        ({"by": Transfer("DE"), "amount": 1}, Bill),
        ({"amount": 1}, Bill),
    ],
    ids=repr,
)
def test_a_member_is_told_by_its_json(value: Any, annotation: Any) -> None:
    back = ENCODINGS.decode(ENCODINGS.encode(value), annotation)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Card | OtherCard, "OtherCard look alike in JSON (the same fields)"),
        (list[Card | OtherCard], "look alike"),
        (dict[str, Card | OtherCard], "look alike"),
        (Holds[Card | OtherCard], "look alike"),
        (str | bytes, "both are text"),
        (str | datetime, "both are text"),
        (str | UUID, "both are text"),
        (str | Path, "both are text"),
        (bytes | Decimal, "both are text"),
        (list[int] | tuple[int, ...], "both are arrays"),
        (set[int] | list[str], "both are arrays"),
        (list[Card] | list[OtherCard], "both are arrays of the same"),
        (dict[str, int] | Card, "one has any keys"),
        (Row | Row2, "the same fields"),
        (Slim | Slim2, "the same fields"),
        (Speed | str | Card, "the values of one are values of the other"),
        (Mode | Speed, "they share values"),
        (Pair | list[int], "both are arrays"),
    ],
    ids=repr,
)
def test_members_that_look_alike_are_refused_when_the_type_is_first_seen(annotation: Any, words: str) -> None:
    with pytest.raises(PayloadError, match="declare one of them, or make them") as caught:
        ENCODINGS.decoder(annotation)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("written", "annotation", "path", "words"),
    [
        (b'{"by":{"x":1}}', Payment, "$.by", "fits no member"),
        (b"{}", Payment, "$", "Payment lacks the field 'by'"),
        (b'{"by":{"number":"1"},"earlier":{}}', Payment, "$.earlier", "expected array, got dict"),
        (b'{"by":{"number":"1"},"earlier":[{"number":"1"},[]]}', Payment, "$.earlier[1]", "fits no member"),
        (b'{"a":7}', dict[str, Card | Transfer], "$['a']", "fits no member"),
        (b"[]", dict[str, Card | Transfer], "$", "expected object, got list"),
        (b'{"2":1,"3":1}', dict[Mode, int], "$", "'3' is no value of Mode"),
        (b"[1]", tuple[int, Card | Transfer], "$", "expected 2 items, got 1"),
        (b'{"type":"Cow","name":"n","owner":{"number":"1"}}', Cat | Dog, "$", "expected type to be 'Cat'"),
    ],
)
def test_what_fits_no_member_is_refused_with_the_path(written: bytes, annotation: Any, path: str, words: str) -> None:
    with pytest.raises(PayloadError) as caught:
        ENCODINGS.decode(from_bytes(JSON, written), annotation)
    assert caught.value.path == path
    assert words in str(caught.value)


def test_members_of_an_enum_that_are_one_key_are_refused_when_the_type_is_first_seen() -> None:
    with pytest.raises(PayloadError, match="Door: SECOND and TWO are the same key, '2', in JSON"):
        ENCODINGS.decoder(dict[Door, int])


def test_the_member_that_knows_the_keys_is_chosen_even_if_an_earlier_one_would_read_it() -> None:
    written = from_bytes(JSON, b'{"number":"1","holder":"h"}')
    assert ENCODINGS.decode(written, Card | CardAndMore) == CardAndMore("1", "h")
    assert ENCODINGS.decode(written, CardAndMore | Card) == CardAndMore("1", "h")


def test_fields_that_the_constructor_does_not_take_are_kept() -> None:
    @dataclasses.dataclass(frozen=True)
    class Sum:
        of: list[int]
        scale: dataclasses.InitVar[int] = 1
        total: int = dataclasses.field(init=False)

        def __post_init__(self, scale: int) -> None:
            object.__setattr__(self, "total", scale * sum(self.of))

    for kind in (Sum, Sum | Card, Card | Sum):
        value = Sum([1, 2], 10)
        assert ENCODINGS.decode(ENCODINGS.encode(value), kind) == value


def test_a_protocol_is_told_from_a_class() -> None:
    class Shape(Protocol):
        def area(self) -> float: ...

    @runtime_checkable
    class Known(Protocol):
        number: str

    for kind in (Shape, list[Shape], Known, Known | int):
        with pytest.raises(PayloadError, match="is a Protocol, which does not say what to make; declare a class"):
            ENCODINGS.decode(from_bytes(JSON, b'[{"number":"1"}]' if kind == list[Shape] else b'{"number":"1"}'), kind)


def test_a_constructor_that_refuses_is_named() -> None:
    @dataclasses.dataclass
    class Picky:
        x: Holds[int]
        y: Any = None

        def __post_init__(self) -> None:
            raise LookupError("never")

    with pytest.raises(PayloadError, match="never"):
        ENCODINGS.decode(from_bytes(JSON, b'{"x":{"thing":1}}'), Picky | int | bool)
