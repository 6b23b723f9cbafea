"""Values to payloads and back: by declared type, with marks for what JSON lacks, and errors that say where."""

from __future__ import annotations

import collections
import dataclasses
import decimal
import enum
import math
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypedDict, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import PayloadError
from segue.kernel.encoding import Encodings
from segue.kernel.payload import JSON, Payload, from_bytes
from segue.kernel.secret import SecretRef

ENCODINGS = Encodings()
T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Size(enum.Enum):
    """An enum of values that msgspec refuses."""

    SMALL = (1, 2)
    LARGE = 1.5


@dataclasses.dataclass
class Line:
    item: str
    price: decimal.Decimal
    amount: int = 1


@dataclasses.dataclass
class Order:
    id: str
    lines: list[Line]
    at: datetime
    notes: dict[int, str] = dataclasses.field(default_factory=dict)
    parent: Order | None = None


class Point(msgspec.Struct):
    x: float
    y: float = 0.0


class Tagged(msgspec.Struct, tag=True):
    x: int


class Other(msgspec.Struct, tag=True):
    x: int


class Pair(NamedTuple):
    left: int
    right: str = ""


class Loose(TypedDict):
    name: str
    age: NotRequired[int]


class Model(pydantic.BaseModel):
    name: str
    at: datetime | None = None
    tags: set[str] = set()
    by_number: dict[int, float] = {}
    inner: Model | None = None

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def length(self) -> int:
        return len(self.name)


class Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True, extra="forbid")
    at: datetime
    data: bytes
    source: str = pydantic.Field(alias="from", serialization_alias="out")


@dataclasses.dataclass
class Box(Generic[T]):
    inside: T


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


class Whole(int):
    pass


class Real(float):
    pass


UserId = NewType("UserId", int)
MOMENT = datetime(2026, 11, 22, 13, 14, 15, 161718, tzinfo=UTC)


def round_trip(value: Any, annotation: Any = Any, encodings: Encodings = ENCODINGS) -> Any:
    return encodings.decode(encodings.encode(value), annotation)


def json_of(value: Any, encodings: Encodings = ENCODINGS) -> bytes:
    return encodings.encode(value).raw()


# --- round trips ----------------------------------------------------------------------------------------------

ROUND_TRIPS: list[tuple[Any, Any]] = [
    (None, Any),
    (None, None),
    (None, int | None),
    (True, bool),
    (False, Any),
    (0, int),
    (-(2**63), int),
    (2**63, int),
    (2**200, int),
    (-(2**200), Any),
    (1.5, float),
    (1e300, Any),
    (-0.0, float),
    (math.inf, float),
    (-math.inf, Any),
    ("", str),
    ('snow ☃ 🎵 \x00 " \\ </script>', str),
    ('{"$part":0}', Any),
    (b"", bytes),
    (b"\x00\xff", bytes),
    (bytearray(b"ab"), bytearray),
    ([1, "a", None, 2.5], Any),
    ([], list[int]),
    ({1, 2}, set[int]),
    (frozenset({"a"}), frozenset[str]),
    ((1, "a"), tuple[int, str]),
    ((1, 2, 3), tuple[int, ...]),
    ({"a": {"b": [1]}}, Any),
    ({1: "a", 2: "b"}, dict[int, str]),
    ({2**70: 1}, dict[int, int]),
    ({1.5: 1}, dict[float, int]),
    ({Colour.RED: 1}, dict[Colour, int]),
    ({date(2026, 1, 1): 1}, dict[date, int]),
    ({uuid.UUID(int=1): 1}, dict[uuid.UUID, int]),
    ({(1): {2: {3.5}}}, dict[int, dict[int, set[float]]]),
    (MOMENT, datetime),
    (MOMENT.replace(tzinfo=None), datetime),
    (MOMENT.astimezone(timezone(timedelta(hours=5, minutes=45))), datetime),
    (date(2026, 2, 28), date),
    (time(23, 59, 59, 999999), time),
    (timedelta(days=-3, microseconds=1), timedelta),
    (decimal.Decimal("1.10"), decimal.Decimal),
    (decimal.Decimal("-1E+500"), decimal.Decimal),
    (decimal.Decimal("Infinity"), decimal.Decimal),
    (uuid.UUID(int=5), uuid.UUID),
    (Colour.RED, Colour),
    (Level.HIGH, Level),
    (Size.SMALL, Size),
    ([Size.LARGE, Size.SMALL], list[Size]),
    ("a", Literal["a", "b"]),
    (7, UserId),
    (7, Annotated[int, msgspec.Meta(gt=3)]),
    (Order("o", [Line("x", decimal.Decimal("2.50"))], MOMENT, {7: "seven"}), Order),
    (Order("o", [], MOMENT, parent=Order("p", [], MOMENT)), Order | None),
    (Point(1.0, 2.0), Point),
    ([Point(1.0)], list[Point]),
    (Tagged(1), Tagged | Other),
    (Pair(1, "r"), Pair),
    ({"name": "n", "age": 3}, Loose),
    ({"name": "n"}, Loose),
    (Box(3), Box[int]),
    (Box([Point(1.0)]), Box[list[Point]]),
    (Model(name="n", at=MOMENT, tags={"a", "b"}, by_number={1: 2.5}, inner=Model(name="m")), Model),
    ([Model(name="n")], list[Model]),
    (Box(Model(name="n")), Box[Model]),
    (Model(name="n"), Model | None),
    (Model(name="n", by_number={1: math.inf}), Model),
    (Strict(**{"at": MOMENT, "data": b"ab", "from": "s"}), Strict),  # type: ignore[arg-type]
    (Strict(**{"at": MOMENT, "data": b"\xff\x00", "from": "s"}), Strict),  # type: ignore[arg-type]
    (PurePosixPath("a/b"), PurePosixPath),
    (ZoneInfo("Europe/Berlin"), ZoneInfo),
    (Text("abc"), Text),
    (Whole(3), Whole),
    (Real(2.5), Real),
    (collections.deque([1, 2]), collections.deque[int]),
    (collections.Counter("aab"), collections.Counter[str]),
    (collections.OrderedDict(b=1, a=2), collections.OrderedDict[str, int]),
    (collections.defaultdict(list, {1: [2]}), collections.defaultdict[int, list[int]]),
    (SecretRef("db"), SecretRef),
    (SecretRef("db"), Any),
    ({"password": SecretRef("db"), "n": [SecretRef("x")]}, Any),
    (Box(SecretRef("db")), Box[SecretRef]),
]


# Named by place and class: a set's text has another order in each of the processes that share the tests.
@pytest.mark.parametrize(
    ("value", "annotation"),
    ROUND_TRIPS,
    ids=[f"{n}-{type(value).__name__}" for n, (value, _) in enumerate(ROUND_TRIPS)],
)
def test_comes_back_as_it_was(value: Any, annotation: Any) -> None:
    back = round_trip(value, annotation)
    assert back == value
    assert type(back) is type(value)
    assert repr(back) == repr(value) or isinstance(value, (set, frozenset, pydantic.BaseModel, collections.defaultdict))


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        ((1, 2), Any, [1, 2]),
        ({1: 2}, Any, {"1": 2}),
        (b"\x00\xff", Any, "AP8="),
        (Colour.RED, Any, "red"),
        (Point(1.0), Any, {"x": 1.0, "y": 0.0}),
        (MOMENT, Any, "2026-11-22T13:14:15.161718Z"),
        (Text("abc"), str, "abc"),
        (Whole(3), Any, 3),
        (1, float, 1.0),
        (Line("x", decimal.Decimal(1)), dict, {"item": "x", "price": "1", "amount": 1}),
        ({"x": 1, "unknown": 2}, Point, Point(1.0)),
    ],
)
def test_is_what_json_has_for_it_under_another_type(value: Any, annotation: Any, expected: Any) -> None:
    back = round_trip(value, annotation)
    assert back == expected
    assert type(back) is type(expected)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (math.nan, float),
        (math.nan, Any),
        ([1.0, math.nan], list[float]),
        ({"a": math.nan, "b": None}, dict[str, float | None]),
        (Point(math.nan, math.inf), Point),
        (Box(math.nan), Box[float | None]),
        (Real("nan"), Real),
        ({"big": 2**100, "nan": math.nan}, Any),
        (Model(name="x", by_number={1: math.nan}), Model),
    ],
)
def test_not_a_number_stays_not_a_number(value: Any, annotation: Any) -> None:
    assert repr(round_trip(value, annotation)) == repr(value)


JSON_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(codec="utf-8")),
        st.sampled_from(["$part", "$", "$$x", '{"$part":0}', "null"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.text(st.characters(codec="utf-8"), max_size=5), st.sampled_from(["$part", "$float", "$$", "$"])
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=20,
)


def test_classes_of_attrs_come_back_and_are_walked() -> None:
    attrs = pytest.importorskip("attrs")
    made = attrs.make_class("Made", {"x": attrs.field(type=int), "y": attrs.field(type=Any, default=None)})
    assert round_trip(made(1, ["a"]), made) == made(1, ["a"])
    with pytest.raises(PayloadError) as caught:
        ENCODINGS.encode([made(1, {"f": len})])
    assert caught.value.path == "$[0].y.f"


def test_an_attribute_that_would_be_lost_is_refused_when_its_class_is_first_seen() -> None:
    attrs = pytest.importorskip("attrs")
    fields = {"x": attrs.field(type=int), "_y": attrs.field(type=int, default=1)}
    lossy = attrs.make_class("Lossy", fields)
    for annotation in (lossy, dict[str, list[lossy | None]], attrs.make_class("Outer", {"l": attrs.field(type=lossy)})):  # type: ignore[valid-type]
        with pytest.raises(PayloadError, match=r"attribute '_y' of Lossy would be lost: .* make the class a dataclass"):
            ENCODINGS.decoder(annotation)
    derived = attrs.make_class("Derived", fields | {"_y": attrs.field(type=int, default=1, init=False)})
    assert round_trip(derived(1), derived) == derived(1)


@pytest.mark.parametrize(
    "annotation",
    [
        dict[int | str, int],
        list[dict[str, Mapping[str | float | None, int]]],
        dict[Level | str, int],
        dict[Literal["5", 5], int],
    ],
)
def test_keys_that_would_be_text_are_refused_when_their_type_is_first_seen(annotation: Any) -> None:
    with pytest.raises(PayloadError, match=r"the keys of .* may be numbers or text, and all are text in JSON; declare"):
        ENCODINGS.decoder(annotation)


@pytest.mark.parametrize(
    "annotation", [dict[Colour | str, int], list[dict[uuid.UUID | str, int]], Box[dict[Whole | Text, int]]]
)
def test_keys_that_look_alike_are_refused_when_their_type_is_first_seen(annotation: Any) -> None:
    with pytest.raises(PayloadError, match=r"keys of these types look alike in JSON \(all are text\); declare one"):
        ENCODINGS.decoder(annotation)


@pytest.mark.parametrize(("value", "annotation"), [({5: 1}, dict[int | float, int]), ({5: 1}, dict[int | None, int])])
def test_keys_of_one_kind_come_back(value: Any, annotation: Any) -> None:
    assert repr(round_trip(value, annotation)) == repr(value)


@given(JSON_VALUES)
@settings(max_examples=300)
def test_any_json_value_comes_back_undeclared(value: Any) -> None:
    assert repr(round_trip(value)) == repr(value)
    assert repr(round_trip([value], list[Any])) == repr([value])


TYPED = st.one_of(
    st.tuples(st.datetimes(timezones=st.none() | st.just(UTC)), st.just(datetime)),
    st.tuples(st.dates(), st.just(date)),
    st.tuples(st.times(), st.just(time)),
    st.tuples(st.timedeltas(), st.just(timedelta)),
    st.tuples(st.decimals(allow_nan=False), st.just(decimal.Decimal)),
    st.tuples(st.uuids(), st.just(uuid.UUID)),
    st.tuples(st.binary(), st.just(bytes)),
    st.tuples(st.sets(st.integers()), st.just(set[int])),
    st.tuples(st.frozensets(st.text(st.characters(codec="utf-8"))), st.just(frozenset[str])),
    st.tuples(st.dictionaries(st.integers(), st.binary()), st.just(dict[int, bytes])),
    st.tuples(st.tuples(st.integers(), st.floats(allow_nan=False)), st.just(tuple[int, float])),
    st.tuples(st.sampled_from(Colour), st.just(Colour)),
    st.tuples(st.builds(Point, x=st.floats(allow_nan=False), y=st.floats(allow_nan=False)), st.just(Point)),
    st.tuples(st.builds(Line, price=st.decimals(allow_nan=False)), st.just(Line)),
    st.tuples(st.builds(Pair), st.just(Pair)),
)


@given(st.lists(TYPED, max_size=4))
def test_any_typed_value_comes_back(pairs: list[tuple[Any, Any]]) -> None:
    values = tuple(value for value, _ in pairs)
    assert round_trip(values, tuple[tuple(kind for _, kind in pairs)]) == values  # type: ignore[misc]


# --- marks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (math.nan, b'{"$float":"nan"}'),
        ([-math.inf, None], b'[{"$float":"-inf"},null]'),
        (SecretRef("db"), b'{"$secret":"db"}'),
        ({"$part": 0}, b'{"$$part":0}'),
        ({"$float": "nan"}, b'{"$$float":"nan"}'),
        ({"$secret": "x"}, b'{"$$secret":"x"}'),
        ({"$ref": "#/a"}, b'{"$$ref":"#/a"}'),
        ({"$": 1}, b'{"$$":1}'),
        ({"$$part": {"$part": 1}}, b'{"$$$part":{"$$part":1}}'),
        ({"$part": 0, "b": 1}, b'{"$part":0,"b":1}'),
        ({"a": 1, "$part": 0}, b'{"a":1,"$part":0}'),
        ("$part", b'"$part"'),
        ('{"$part', b'"{\\"$part"'),
    ],
)
def test_a_mark_is_written_for_what_json_lacks_and_what_looks_like_one_is_escaped(value: Any, written: bytes) -> None:
    assert json_of(value) == written
    assert repr(round_trip(value)) == repr(value)


def test_an_object_of_the_users_is_escaped_under_a_declared_type_as_well() -> None:
    assert round_trip({"$part": 1}, dict[str, int]) == {"$part": 1}
    assert round_trip(Box({"$float": 2.0}), Box[dict[str, float]]) == Box({"$float": 2.0})
    assert round_trip(Model(name="$part"), Model) == Model(name="$part")


@pytest.mark.parametrize("written", [b'{"$part":0}', b'{"$part":"0"}', b'{"$float":"1"}', b'[{"$secret":7}]'])
def test_a_mark_that_marks_nothing_is_refused(written: bytes) -> None:
    with pytest.raises(PayloadError, match="is a mark of this encoding"):
        ENCODINGS.decode(from_bytes(JSON, written))


def test_an_unknown_single_key_from_outside_is_the_users() -> None:
    assert ENCODINGS.decode(from_bytes(JSON, b'{"$ref":"#/a"}')) == {"$ref": "#/a"}


# --- encodings other than JSON --------------------------------------------------------------------------------


class Grid:
    """A value that JSON does not hold."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grid) and other.data == self.data

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Grid({self.data!r})"


class Sheet(Grid):
    """Another view of the same bytes."""


class Grids:
    name = "grid"

    def matches(self, kind: type) -> bool:
        return kind in (Grid, Sheet)

    def encode(self, value: Grid) -> bytes:
        if value.data == b"broken":
            raise ValueError("it is broken")
        return value.data

    def decode(self, data: bytes, kind: Any) -> Grid:
        return Grid(data) if kind is Any else kind(data)


WITH_GRIDS = Encodings([Grids()])


@dataclasses.dataclass
class Report:
    title: str
    grid: Grid
    more: list[Grid]
    score: float = 0.0


class Holder(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    grid: Grid
    raw: bytes


def test_a_top_level_value_is_the_payload() -> None:
    payload = WITH_GRIDS.encode(Grid(b"\x00ab"))
    assert (payload.encoding, payload.raw(), payload.parts) == ("grid", b"\x00ab", ())
    assert WITH_GRIDS.decode(payload) == Grid(b"\x00ab")
    assert type(WITH_GRIDS.decode(payload, Sheet)) is Sheet
    assert type(WITH_GRIDS.decode(payload, Sheet | None)) is Sheet


def test_values_inside_become_parts() -> None:
    report = Report("t", Grid(b"1"), [Grid(b"2"), Grid(b"3")], math.nan)
    payload = WITH_GRIDS.encode(report)
    assert (
        payload.raw() == b'{"title":"t","grid":{"$part":0},"more":[{"$part":1},{"$part":2}],"score":{"$float":"nan"}}'
    )
    assert [part.raw() for part in payload.parts] == [b"1", b"2", b"3"]
    assert repr(WITH_GRIDS.decode(payload, Report)) == repr(report)
    assert WITH_GRIDS.decode(payload)["more"] == [Grid(b"2"), Grid(b"3")]


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ([Grid(b"1"), {"$part": 1}], Any),
        ({"a": Grid(b"1")}, dict[str, Grid]),
        ([Sheet(b"1")], list[Sheet]),
        ({1: [Grid(b"")]}, dict[int, list[Grid | None]]),
        (Holder(grid=Grid(b"g"), raw=b"\xff\x00"), Holder),
        ([Holder(grid=Grid(b"g"), raw=b"ab")], list[Holder]),
    ],
)
def test_parts_come_back_wherever_they_stood(value: Any, annotation: Any) -> None:
    back = round_trip(value, annotation, WITH_GRIDS)
    assert back == value
    assert repr(back) == repr(value)


def test_a_part_is_read_as_the_declared_one_of_several_classes() -> None:
    back = WITH_GRIDS.decode(WITH_GRIDS.encode([Grid(b"1")]), list[Sheet])
    assert type(back[0]) is Sheet


def test_bytes_kept_apart_are_fetched() -> None:
    blobs = {"r1": b'{"x":1.0}', "r2": b"grid"}
    apart = Payload(JSON, msgspec.Raw(b"null"), "r1", 9)
    assert WITH_GRIDS.decode(apart, Point, blobs.__getitem__) == Point(1.0)
    part = Payload("grid", msgspec.Raw(b"null"), "r2", 4)
    whole = Payload(JSON, msgspec.Raw(b'[{"$part":0}]'), parts=(part,))
    assert WITH_GRIDS.decode(whole, Any, blobs.__getitem__) == [Grid(b"grid")]
    with pytest.raises(PayloadError, match="kept apart under r1"):
        WITH_GRIDS.decode(apart, Point)


def test_the_encoding_registered_last_is_asked_first() -> None:
    class Upper(Grids):
        name = "upper"

        def encode(self, value: Grid) -> bytes:
            return value.data.upper()

    encodings = Encodings([Grids()])
    assert encodings.encode(Grid(b"a")).encoding == "grid"
    encodings.register(Upper())
    assert encodings.encode(Grid(b"a")).raw() == b"A"
    assert encodings.decode(from_bytes("grid", b"a")) == Grid(b"a")


@pytest.mark.parametrize("name", ["json", "a|b"])
def test_a_name_that_means_something_else_is_refused(name: str) -> None:
    encoding = Grids()
    encoding.name = name
    with pytest.raises(ValueError, match="cannot be named"):
        Encodings([encoding])


# --- what does not encode -------------------------------------------------------------------------------------


def loop() -> list[Any]:
    items: list[Any] = [1]
    items.append(items)
    return items


async def coroutine() -> None: ...


class Plain:
    """A class that nothing knows."""


class Secretive(pydantic.BaseModel):
    key: pydantic.SecretStr


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        (len, "$", "functions do not encode"),
        ({"items": [1, 2, {"handler": lambda: 0}]}, "$.items[2].handler", "functions do not encode; pass the data"),
        ([Order], "$[0]", "classes do not encode"),
        ({"a b": math}, "$['a b']", "modules do not encode"),
        ({1: (x for x in "a")}, "$[1]", "iterators do not encode; make it a list"),
        (Order("o", [], MOMENT, {1: threading.Lock()}), "$.notes[1]", "locks, sockets and connections"),  # type: ignore[dict-item]
        (Box(Point(Plain())), "$.inside.x", f"{__name__}.Plain does not encode; make it a dataclass"),  # type: ignore[arg-type]
        (Pair(1, range(3)), "$.right", "ranges do not encode"),  # type: ignore[arg-type]
        ({"y": (1j,)}, "$.y[0]", "complex numbers do not encode"),
        ([ValueError("x")], "$[0]", "exceptions do not encode"),
        ([SimpleNamespace(a=1)], "$[0]", "types.SimpleNamespace does not encode"),
        (loop(), "$[1]", "contains itself"),
        ({"a": {(1, 2): 3}}, "$.a", "the key (1, 2) is a tuple; keys are text or numbers"),
        ({None: 1}, "$", "the key None is a NoneType"),
        ({True: 1}, "$", "the key True is a bool"),
        (["ok", "\ud800"], "$[1]", "lone surrogate"),
        ({"a": ["\ud800", math.nan]}, "$.a[0]", "lone surrogate"),
        ({"m": Secretive(key=pydantic.SecretStr("x"))}, "$.m.key", "keep a SecretRef"),
        (Model.model_construct(name=Plain()), "$.name", "Plain does not encode"),
    ],
)
def test_an_error_says_where_and_what_to_do(value: Any, path: str, words: str) -> None:
    with pytest.raises(PayloadError) as caught:
        ENCODINGS.encode(value)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("encode", [ENCODINGS.encode, ENCODINGS.encode_canonical])
def test_what_is_nested_too_deeply_is_refused_like_anything_else(encode: Callable[[Any], Any]) -> None:
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    with pytest.raises(PayloadError, match="nested too deeply"):
        encode({"a": deep})
    while deep:  # taken apart by hand, which needs no recursion
        (deep,) = deep


def test_a_coroutine_that_was_not_awaited_is_named() -> None:
    forgotten = coroutine()
    with pytest.raises(PayloadError, match="never awaited"):
        ENCODINGS.encode([forgotten])
    forgotten.close()


def test_an_open_file_is_told_to_become_a_file(tmp_path: Any) -> None:
    with (tmp_path / "x").open("w") as file, pytest.raises(PayloadError, match=r"File\.from_path"):
        ENCODINGS.encode({"f": file})


@pytest.mark.parametrize("value", [Grid(b"broken"), {"a": [Grid(b"broken")]}])
def test_an_encoding_that_fails_is_named_with_the_path(value: Any) -> None:
    with pytest.raises(PayloadError, match="it is broken") as caught:
        WITH_GRIDS.encode(value)
    assert caught.value.path == ("$" if isinstance(value, Grid) else "$.a[0]")


# --- what does not decode -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "annotation", "path", "words"),
    [
        (b'{"id":1}', Order, "$.id", "Expected `str`, got `int`"),
        (b'{"id":"x"}', Order, "$", "missing required field `lines`"),
        (b'{"id":"x","lines":[{"item":"a","price":"1"},{"item":2}]}', Order, "$.lines[1].item", "Expected `str`"),
        (b'"x"', int, "$", "Expected `int`, got `str`"),
        (b"null", int, "$", "Expected `int`, got `null`"),
        (b"true", int, "$", "Expected `int`, got `bool`"),
        (b"1.5", int, "$", "Expected `int`, got `float`"),
        (b'"green"', Colour, "$", "Invalid enum value"),
        (b'"green"', Size, "$", "no value of Size"),
        (b"{", Any, "$", "truncated"),
        (b'{"x":{"$float":"nan"},"y":"z"}', Point, "$.y", "Expected `float`"),
        (b'{"name":1}', Model, "$", "name"),
        (b'[{"name":"n"},{"name":1}]', list[Model], "$[1]", "name"),
        (b"7", Callable[[int], int], "$", "Callable"),
        (b"7", Plain, "$", "Plain"),
        (b"7", PurePosixPath, "$", "expected text for PurePosixPath"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_path(written: bytes, annotation: Any, path: str, words: str) -> None:
    with pytest.raises(PayloadError) as caught:
        ENCODINGS.decode(from_bytes(JSON, written), annotation)
    assert caught.value.path == path
    assert words in str(caught.value)


def test_an_encoding_that_is_not_here_is_named() -> None:
    with pytest.raises(PayloadError, match="no encoding named 'arrow' is registered here"):
        ENCODINGS.decode(from_bytes("arrow", b""))


def test_a_part_of_another_class_than_declared_is_refused() -> None:
    with pytest.raises(PayloadError, match="expected int, got a Grid"):
        WITH_GRIDS.decode(from_bytes("grid", b"x"), int)
    with pytest.raises(PayloadError):
        WITH_GRIDS.decode(WITH_GRIDS.encode([Grid(b"x")]), list[int])


def test_a_constructor_that_raises_is_a_payload_that_does_not_decode() -> None:
    @dataclasses.dataclass
    class Picky:
        x: int

        def __post_init__(self) -> None:
            raise KeyError("never")

    with pytest.raises(PayloadError, match="never"):
        ENCODINGS.decode(from_bytes(JSON, b'{"x":1}'), Picky)


# --- decoders -------------------------------------------------------------------------------------------------


def test_decoders_are_kept_by_annotation() -> None:
    assert ENCODINGS.decoder(Order) is ENCODINGS.decoder(Order)
    for _ in range(50):  # annotations made on the fly may share an address one after the other
        for kind in (int, str, bytes):
            value = {int: 1, str: "a", bytes: b"a"}[kind]
            assert round_trip([value], list[kind]) == [value]  # type: ignore[valid-type]


def test_annotations_made_on_the_fly_do_not_pile_up() -> None:
    encodings = Encodings()
    for i in range(10_050):
        encodings.decode(from_bytes(JSON, b'"a"'), Annotated[str, i])
    assert len(encodings._decoders) <= 10_000
