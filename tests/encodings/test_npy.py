"""NumPy's arrays as npy, its scalars as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from segue.encodings import default_encodings
from segue.errors import PayloadError
from segue.kernel.payload import from_bytes

ENCODINGS = default_encodings()


def round_trip(value: Any, annotation: Any = Any) -> Any:
    return ENCODINGS.decode(ENCODINGS.encode(value), annotation)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.ones((2, 3), dtype="float32")),
        np.array(1.5),
        np.array([], dtype="int8"),
        np.array([np.nan, np.inf]),
        np.array(["a", "snow ☃"]),
        np.array([b"a", b"bc"]),
        np.array([1 + 2j]),
        np.array([True, False]),
        np.array(["2026-01-01", "NaT"], dtype="datetime64[ns]"),
        np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
        np.arange(10)[::-2],
        np.array([1, 2], dtype=">i4"),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_an_array_comes_back(array: Any) -> None:
    for annotation in (Any, np.ndarray):
        back = round_trip(array, annotation)
        assert back.dtype == array.dtype
        assert back.shape == array.shape
        assert back.tobytes() == array.tobytes()
        assert back.flags.writeable
    assert round_trip({"x": [array]})["x"][0].tobytes() == array.tobytes()


@dataclasses.dataclass
class Fit:
    weights: np.ndarray
    loss: np.float32
    steps: np.int64
    score: float


def test_arrays_and_scalars_in_a_class_come_back() -> None:
    fit = Fit(np.ones(3), np.float32(0.1), np.int64(2**40), np.float64(2.5))
    back = round_trip(fit, Fit)
    assert (back.weights == 1).all()
    assert (type(back.loss), back.loss) == (np.float32, np.float32(0.1))
    assert (type(back.steps), back.steps) == (np.int64, 2**40)
    assert (type(back.score), back.score) == (float, 2.5)


@pytest.mark.parametrize(
    "value",
    [
        np.int8(-3), np.uint64(2**64 - 1), np.float16(0.5), np.float32(1.1), np.float64(1e300), np.bool_(True),
        np.str_("a"),
        np.bytes_(b"\xff"), np.datetime64("2026-01-01T00:00:00.123456789"), np.datetime64("2026-01"),
    ],
)  # fmt: skip
def test_a_scalar_comes_back_as_its_class(value: Any) -> None:
    back = round_trip(value, type(value))
    assert type(back) is type(value)
    assert back == value


@pytest.mark.parametrize(("value", "plain"), [(np.int64(3), 3), (np.bool_(True), True), (np.float64(1.5), 1.5)])
def test_a_scalar_is_a_plain_number_where_nothing_is_declared(value: Any, plain: Any) -> None:
    assert (type(round_trip(value)), round_trip(value)) == (type(plain), plain)


def test_a_scalar_may_be_a_key() -> None:
    assert round_trip({np.int64(3): 1}, dict[int, int]) == {3: 1}
    assert round_trip({np.int64(3): 1}, dict[np.int64, int]) == {np.int64(3): 1}


def test_a_scalar_that_is_no_number_stays_so() -> None:
    assert np.isnan(round_trip(np.float64("nan"), np.float64))
    assert np.isnan(round_trip([np.float32("nan")])[0])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array([object()]), "an array of Python objects does not encode"),
        ([np.array([{"a": 1}])], r"\$\[0\]: .*Python objects"),
        ([np.complex128(1)], r"\$\[0\]: .*no equal in JSON"),
        ([np.longdouble(1)], r"\$\[0\]: .*no equal in JSON"),
        ([np.timedelta64(3, "D")], r"\$\[0\]: .*no equal in JSON"),
        ([np.ma.masked_array([1])], r"\$\[0\]: .*MaskedArray does not encode"),
    ],
)
def test_what_does_not_encode_is_named(value: Any, words: str) -> None:
    with pytest.raises(PayloadError, match=words):
        ENCODINGS.encode(value)


def test_reading_executes_nothing() -> None:
    import io
    import pickle

    class Bomb:
        def __reduce__(self) -> Any:
            return (exec, ("raise SystemExit('executed')",))

    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)
    for data in (buffer.getvalue(), pickle.dumps(Bomb()), b"junk"):
        with pytest.raises(PayloadError, match="no readable npy"):
            ENCODINGS.decode(from_bytes("npy", data))
