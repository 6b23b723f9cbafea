"""Calls: what fits, what is the same call, and hashes that never change from one release to the next."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidArgument, PayloadError
from segue.kernel.canonical import Call
from segue.kernel.encoding import Encodings
from segue.kernel.payload import JSON, Payload, from_bytes
from segue.kernel.secret import SecretRef

GOLDEN = Path(__file__).parent / "canonical_hashes.json"


class Blob:
    """A value with an encoding of its own."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Blob) and self.data == other.data

    def __repr__(self) -> str:
        return f"Blob({self.data!r})"

    __hash__ = None  # type: ignore[assignment]


class Blobs:
    name = "blob"

    def matches(self, kind: type) -> bool:
        return kind is Blob

    def encode(self, value: Blob) -> bytes:
        return value.data

    def decode(self, data: bytes, kind: Any) -> Blob:
        return Blob(data)


ENCODINGS = Encodings([Blobs()])


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Order:
    id: str
    total: float
    tags: set[str] = dataclasses.field(default_factory=set)


class Point(msgspec.Struct):
    x: int
    y: int = 0


class Options(TypedDict, total=False):
    fast: bool
    level: int


NOTHING = object()


def charge(order: Order, amount: int) -> str:
    return f"{order.id}: {amount}"


def mixed(
    a: int, b: str = "x", /, c: float = 1.5, *rest: int, d: Colour, e: Point | None = None, **more: bool
) -> None: ...
def defaults(
    a: int = 1,
    b: float = 0.0,
    c: bool = False,
    d: tuple[int, ...] = (1, 2),
    e: Point = Point(1),  # noqa: B008
    f: Any = None,
    g: Any = NOTHING,
    h: str | None = None,
) -> None: ...
def anything(value: Any = "default", other: Any = None) -> None: ...
def unpacked(name: str, **options: Unpack[Options]) -> None: ...
def nothing() -> None: ...
def one(value: Any) -> Any: ...


def call(function: Callable[..., Any], hash_key: bytes | None = None) -> Call:
    return Call.of(function, ENCODINGS, hash_key=hash_key)


CHARGE, MIXED, DEFAULTS, ANYTHING = call(charge), call(mixed), call(defaults), call(anything)
UNPACKED, NOTHING_AT_ALL, ONE = call(unpacked), call(nothing), call(one)


def named(payload: Payload) -> Any:
    return json.loads(payload.raw())


# --- what fits ------------------------------------------------------------------------------------------------

ORDER = Order("o", 2.5, {"b", "a"})


@pytest.mark.parametrize(
    ("site", "args", "kwargs", "canonical"),
    [
        (CHARGE, (ORDER, 3), {}, {"amount": 3, "order": ORDER}),
        (CHARGE, (ORDER,), {"amount": 3}, {"amount": 3, "order": ORDER}),
        (CHARGE, (), {"amount": 3, "order": ORDER}, {"amount": 3, "order": ORDER}),
        (MIXED, (1,), {"d": Colour.RED}, {"a": 1, "d": Colour.RED}),
        (MIXED, (1, "x", 1.5), {"d": Colour.RED, "e": None}, {"a": 1, "d": Colour.RED}),
        (
            MIXED,
            (1, "y", 2, 3, 4),
            {"d": Colour.RED, "e": Point(1), "z": True, "a": False},
            {
                "**more": {"a": False, "z": True},
                "*rest": (3, 4),
                "a": 1,
                "b": "y",
                "c": 2,
                "d": Colour.RED,
                "e": Point(1),
            },
        ),
        (DEFAULTS, (), {}, {}),
        (DEFAULTS, (1, 0.0, False, (1, 2), Point(1), None, NOTHING, None), {}, {}),
        (DEFAULTS, (2,), {"c": True, "e": Point(1, 1)}, {"a": 2, "c": True, "e": Point(1, 1)}),
        (DEFAULTS, (), {"d": [1, 2], "b": 0}, {"b": 0}),
        (DEFAULTS, (), {"b": -0.0}, {"b": -0.0}),
        (ANYTHING, (1,), {}, {"value": 1}),
        (UNPACKED, ("n",), {"fast": True}, {"**options": {"fast": True}, "name": "n"}),
        (NOTHING_AT_ALL, (), {}, {}),
        (ONE, ({"value": 1},), {}, {"value": {"value": 1}}),
    ],
)
def test_the_canonical_form(site: Call, args: Any, kwargs: Any, canonical: dict[str, Any]) -> None:
    bound = site.bind(args, kwargs)
    assert bound == canonical
    assert list(bound) == sorted(canonical)


@pytest.mark.parametrize(
    ("site", "args", "kwargs"),
    [
        (CHARGE, (ORDER, 3), {}),
        (CHARGE, (), {"amount": 3, "order": ORDER}),
        (MIXED, (1,), {"d": Colour.RED}),
        (MIXED, (1, "y", 2.0, 3, 4), {"d": Colour.BLUE, "e": Point(1), "z": True, "a": False}),
        (DEFAULTS, (), {}),
        (DEFAULTS, (2,), {"h": "text", "f": [1, {"a": None}]}),
        (UNPACKED, ("n",), {"fast": True, "level": 3}),
        (UNPACKED, ("n",), {}),
        (NOTHING_AT_ALL, (), {}),
        (ONE, ({"$part": 1},), {}),
        (ONE, ([Blob(b"x"), {"n": math.inf}],), {}),
        (ONE, (SecretRef("db"),), {}),
    ],
)
def test_arguments_come_back_as_the_function_sees_them(site: Call, args: Any, kwargs: Any) -> None:
    payload, _ = site.encode(args, kwargs)
    back = site.decode(payload)
    expected, got = (inspect_bind(site, *pair) for pair in ((args, kwargs), back))
    assert got == expected
    assert repr(got) == repr(expected) or any(isinstance(value, Order) for value in expected.values())


def inspect_bind(site: Call, args: Any, kwargs: Any) -> dict[str, Any]:
    bound = site._signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.arguments


@pytest.mark.parametrize(
    ("site", "args", "kwargs", "words"),
    [
        (CHARGE, (), {}, "missing a required argument: 'order'"),
        (CHARGE, (ORDER,), {}, "missing a required argument: 'amount'"),
        (CHARGE, (ORDER, 1, 2), {}, "too many positional arguments"),
        (CHARGE, (ORDER, 1), {"amount": 2}, "multiple values for argument 'amount'"),
        (CHARGE, (ORDER, 1), {"currency": "EUR"}, "got an unexpected keyword argument 'currency'"),
        (MIXED, (), {"a": 1, "d": Colour.RED}, "('a' parameter is positional only|missing a required .*'a')"),
        (MIXED, (1,), {}, "missing a required argument: 'd'"),
        (NOTHING_AT_ALL, (1,), {}, "too many positional arguments"),
    ],
)
def test_a_call_that_does_not_fit_is_refused_in_the_words_of_python(
    site: Call, args: Any, kwargs: Any, words: str
) -> None:
    with pytest.raises(InvalidArgument, match=f"{site.name}.* was called wrongly: .*{words}"):
        site.bind(args, kwargs)


def lists(
    items: list[int], table: Mapping[str, int], choice: Literal["a", "b"], data: bytes, options: Options
) -> None: ...


LISTS = call(lists)
GOOD = {"items": [1], "table": {"a": 1}, "choice": "a", "data": b"", "options": {}}


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("items", [1], True),
        ("items", (1, 2), True),
        ("items", {1}, True),
        ("items", "12", False),
        ("items", 1, False),
        ("items", None, False),
        ("table", {}, True),
        ("table", [("a", 1)], False),
        ("choice", "zzz", True),  # content is not looked at
        ("data", bytearray(b"x"), True),
        ("data", "x", False),
        ("options", {"fast": True}, True),
        ("options", 7, False),
    ],
)
def test_an_argument_of_plainly_another_type_is_refused(name: str, value: Any, fits: bool) -> None:
    kwargs = {**GOOD, name: value}
    for args, keywords in (((), kwargs), (tuple(kwargs.values()), {})):
        if fits:
            LISTS.bind(args, keywords)
            continue
        with pytest.raises(InvalidArgument, match=f"the argument '{name}' is declared") as caught:
            LISTS.bind(args, keywords)
        assert caught.value.path == f"$.{name}"


@pytest.mark.parametrize("others", [(1, 2), ("x",), (1, None)])
def test_each_of_the_variadic_ones_is_looked_at(others: tuple[Any, ...]) -> None:
    for site, args, kwargs in (
        (call(rest), (0, *others), {}),
        (call(named_rest), (), dict(zip("ab", others, strict=False))),
    ):
        if others == (1, 2):
            site.bind(args, kwargs)
            continue
        with pytest.raises(
            InvalidArgument, match=r"the argument 'others' is declared int, but ('x' is a str|None is a)"
        ):
            site.bind(args, kwargs)


class Derived(Order):
    """A subclass where the base is declared."""


class Cents(int):
    """A number of another class."""


@pytest.mark.parametrize(
    ("order", "amount", "fits"),
    [
        (ORDER, 1, True),
        (Derived("o", 1.0), 1, True),
        (ORDER, Cents(1), True),
        (ORDER, True, False),
        (ORDER, 1.0, False),
        (ORDER, "1", False),
        ({"id": "o", "total": 1.0}, 1, False),
        (None, 1, False),
    ],
)
def test_subclasses_fit_and_a_bool_is_no_number(order: Any, amount: Any, fits: bool) -> None:
    if fits:
        CHARGE.bind((order, amount), {})
    else:
        with pytest.raises(InvalidArgument):
            CHARGE.bind((order, amount), {})


def test_what_was_refused_once_is_refused_again() -> None:
    for _ in range(2):
        with pytest.raises(InvalidArgument):
            CHARGE.encode((ORDER, "1"), {})


def test_a_default_of_another_class_than_declared_suits_and_nothing_else_of_its_class_does() -> None:
    def retry(times: int = "auto") -> None: ...  # type: ignore[assignment]

    site = call(retry)
    for _ in range(2):
        assert site.bind(("auto",), {}) == site.bind((), {"times": "auto"}) == {}
        with pytest.raises(InvalidArgument):
            site.bind(("often",), {})
        with pytest.raises(InvalidArgument):
            site.bind((), {"times": "often"})


def test_an_error_in_an_argument_names_it() -> None:
    with pytest.raises(PayloadError) as caught:
        ANYTHING.encode(({"a": [len]},), {})
    assert caught.value.path == "$.value.a[0]"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (b"{}", "missing required field `"),
        (b'{"order":{"id":"o","total":1.0},"amount":1,"gone":2}', "unknown field `gone`"),
        (b'{"order":{"id":"o","total":"x"},"amount":1}', "$.order.total: Expected `float`, got `str`"),
        (b"[1]", "Expected `object`"),
    ],
)
def test_arguments_written_for_another_signature_are_refused(written: bytes, words: str) -> None:
    with pytest.raises(PayloadError) as caught:
        CHARGE.decode(from_bytes(JSON, written))
    assert words in str(caught.value)


def test_an_annotation_that_is_not_known_is_named() -> None:
    def broken(order: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(InvalidArgument, match=r"broken\(\) is not known when it runs: name 'Missing' is not defined"):
        Call.of(broken, ENCODINGS)
    assert Call.of(broken, ENCODINGS, localns={"Missing": Order}).bind((ORDER,), {}) == {"order": ORDER}


def test_types_that_look_alike_are_refused_at_once() -> None:
    def ambiguous(value: str | bytes) -> None: ...

    with pytest.raises(PayloadError, match="both are text"):
        Call.of(ambiguous, ENCODINGS)


def test_the_declared_result_is_at_hand() -> None:
    assert (CHARGE.returns, ONE.returns, NOTHING_AT_ALL.returns) == (str, Any, type(None))


# --- arguments by position ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "args"),
    [
        (CHARGE, (ORDER, 3)),
        (DEFAULTS, (2, 1.0)),
        (ONE, ([Blob(b"x"), {"$part": 1}],)),
        (NOTHING_AT_ALL, ()),
    ],
)
def test_arguments_given_by_position_alone_are_read(site: Call, args: tuple[Any, ...]) -> None:
    back = site.decode(ENCODINGS.encode_arguments(args))
    assert inspect_bind(site, *back) == inspect_bind(site, args, {})


def rest(first: int, *others: int) -> None: ...
def named_rest(**others: int) -> None: ...


def test_arguments_given_by_position_fill_the_variadic_one() -> None:
    assert call(rest).decode(ENCODINGS.encode_arguments((1, 2, 3))) == ((1, 2, 3), {})


@pytest.mark.parametrize("args", [(), (ORDER,), (ORDER, 1, 2), (ORDER, "x")])
def test_arguments_given_by_position_have_to_fit(args: tuple[Any, ...]) -> None:
    with pytest.raises(PayloadError):
        CHARGE.decode(ENCODINGS.encode_arguments(args))


# --- hashes ---------------------------------------------------------------------------------------------------


def hash_of(site: Call, *args: Any, **kwargs: Any) -> str:
    return site.encode(args, kwargs)[1]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4) | st.just("$part"), inner, max_size=4)
    ),
    max_leaves=12,
)


def reversed_dicts(value: Any) -> Any:
    match value:
        case dict():
            return {key: reversed_dicts(item) for key, item in reversed(value.items())}
        case list():
            return [reversed_dicts(item) for item in value]
    return value


@given(VALUES, VALUES)
def test_the_order_of_dicts_and_keywords_does_not_count(one: Any, two: Any) -> None:
    expected = hash_of(ANYTHING, one, two)
    assert hash_of(ANYTHING, reversed_dicts(one), reversed_dicts(two)) == expected
    assert hash_of(ANYTHING, other=two, value=one) == expected
    assert hash_of(ANYTHING, one, other=two) == expected


@given(VALUES)
def test_a_default_given_or_left_out_is_the_same_call(value: Any) -> None:
    def site(default: Any) -> Call:
        def function(first: int, value: Any = default) -> None: ...

        return call(function)

    assert hash_of(site(value), 1) == hash_of(site(value), 1, reversed_dicts(value))
    assert named(site(value).encode((1, value), {})[0]) == {"first": 1}


@given(VALUES, VALUES)
def test_other_arguments_have_another_hash(one: Any, two: Any) -> None:
    same = ENCODINGS.encode_canonical(one)[1] == ENCODINGS.encode_canonical(two)[1]
    assert (hash_of(ONE, one) == hash_of(ONE, two)) is same


@given(VALUES)
def test_the_quick_and_the_thorough_way_give_the_same_bytes(value: Any) -> None:
    typed = {"value": value, "order": ORDER, "point": Point(1), "colour": Colour.RED, "set": {"b", "a"}, "b": b"x"}
    assert ENCODINGS.encode_canonical(typed)[1] == ENCODINGS._canonical(typed)


@given(VALUES)
def test_the_order_of_a_dict_is_kept_for_the_function(value: Any) -> None:
    args, _ = ONE.decode(ONE.encode((value,), {})[0])
    assert repr(args[0]) == repr(value)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({3: 1, 20: 2}, {20: 2, 3: 1}),
        ({"a": Blob(b"1"), "b": Blob(b"2")}, {"b": Blob(b"2"), "a": Blob(b"1")}),
        ({"a": math.nan, "b": 1}, {"b": 1, "a": math.nan}),
        ({"b", "a", "c"}, {"c", "a", "b"}),
        ({3: {"b", "a"}}, {3: {"a", "b"}}),
        ([{"$part": {"b", "a"}}], [{"$part": {"a", "b"}}]),
    ],
)
def test_sorting_reaches_keys_sets_and_parts(one: Any, two: Any) -> None:
    assert hash_of(ONE, one) == hash_of(ONE, two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Blob(b"1"), Blob(b"2")),
        ([Blob(b"1"), Blob(b"2")], [Blob(b"2"), Blob(b"1")]),
        ({"$part": 0}, {"$$part": 0}),
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        (None, math.nan),
        ("1", 1),
        ("nan", math.nan),
        ({"$secret": "db"}, SecretRef("db")),
        ([], {}),
    ],
)
def test_what_differs_has_another_hash(one: Any, two: Any) -> None:
    assert hash_of(ONE, one) != hash_of(ONE, two)


def test_a_set_without_an_order_is_refused_with_its_path() -> None:
    with pytest.raises(PayloadError, match="pass a list") as caught:
        ONE.encode(([{1, "a"}],), {})
    assert caught.value.path == "$.value[0]"


def test_a_key_changes_the_hash_and_nothing_else() -> None:
    keyed, other = call(charge, b"k" * 32), call(charge, b"q" * 32)
    payload, hash = keyed.encode((ORDER, 3), {})
    plain, plain_hash = CHARGE.encode((ORDER, 3), {})
    assert payload == plain
    assert len({hash, plain_hash, hash_of(other, ORDER, 3)}) == 3
    assert hash_of(keyed, amount=3, order=ORDER) == hash


@pytest.mark.parametrize("site", [CHARGE, call(charge, b"key")])
def test_a_hash_is_sixteen_hex_digits(site: Call) -> None:
    assert len(hash_of(site, ORDER, 3)) == 16
    assert int(hash_of(site, ORDER, 3), 16) >= 0


def test_the_hash_does_not_depend_on_the_process() -> None:
    program = (
        "from segue.kernel.canonical import Call; from segue.kernel.encoding import Encodings\n"
        "def one(value): ...\n"
        "print(Call.of(one, Encodings()).encode(({'x': {'a', 'b', 'c', 'd'}, 'y': {1: {'e', 'f'}}},), {})[1])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert len(runs) == 1


# --- golden hashes --------------------------------------------------------------------------------------------

PINNED: dict[str, tuple[Call, tuple[Any, ...], dict[str, Any]]] = {
    "nothing": (NOTHING_AT_ALL, (), {}),
    "scalars": (ONE, ([None, True, 0, -1, 2**70, 1.5, 1e300, 1e-7, -0.0, "text ☃"],), {}),
    "order": (CHARGE, (Order("o-1", 12.5, {"b", "a"}), 3), {}),
    "keywords": (MIXED, (1,), {"d": Colour.RED, "z": True}),
    "everything": (MIXED, (1, "y", 2.5, 7, 8), {"d": Colour.BLUE, "e": Point(1, 2), "z": True, "a": False}),
    "moment": (ONE, ([datetime(2026, 11, 22, 1, 2, 3, 4, UTC), Decimal("1.10"), UUID(int=7), b"\x00\xff"],), {}),
    "integer keys": (ONE, ({3: "a", 20: "b", 100: {5: None}},), {}),
    "marks": (ONE, ([math.nan, -math.inf, SecretRef("db"), {"$part": 0}, {"$ref": "#"}],), {}),
    "parts": (ONE, ({"b": Blob(b"\x00\x01"), "a": [Blob(b"")]},), {}),
    "keyed": (call(charge, b"a key that never changes"), (Order("o-1", 12.5), 3), {}),
}


@pytest.mark.parametrize("name", PINNED)
def test_hashes_are_those_of_every_release_before(name: str) -> None:
    """A change here makes every run that is open non-deterministic. Add lines to the file; never change one."""
    site, args, kwargs = PINNED[name]
    assert site.encode(args, kwargs)[1] == json.loads(GOLDEN.read_text())[name]


def test_every_pinned_hash_is_still_tested() -> None:
    assert json.loads(GOLDEN.read_text()).keys() == PINNED.keys()


def test_signatures_without_annotations_take_anything() -> None:
    site = Call("f", inspect.signature(lambda a, b=2: None), {}, ENCODINGS)
    assert site.decode(site.encode(([1],), {"b": "x"})[0]) == (([1], "x"), {})
