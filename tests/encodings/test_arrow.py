"""Tables as Arrow: written by any library, read as the declared class."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from segue.encodings import default_encodings
from segue.errors import PayloadError
from segue.kernel.canonical import Call
from segue.kernel.payload import from_bytes

ENCODINGS = default_encodings()


def round_trip(value: Any, annotation: Any = Any) -> Any:
    return ENCODINGS.decode(ENCODINGS.encode(value), annotation)


FRAMES = {
    "plain": lambda: pd.DataFrame({"a": [1, 2], "b": [1.5, float("nan")], "c": ["x", None]}),
    "empty": lambda: pd.DataFrame({"a": pd.Series([], dtype="int64")}),
    "no columns": lambda: pd.DataFrame(index=range(3)),
    "named index": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 9], name="id")),
    "two indexes": lambda: pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, "x")], names=["n", "s"])),
    "moments": lambda: pd.DataFrame(
        {"t": pd.to_datetime(["2026-01-01", None]), "z": pd.to_datetime(["2026-01-01"] * 2, utc=True)}
    ),
    "categories": lambda: pd.DataFrame({"c": pd.Categorical(["a", "b", "a"], categories=["b", "a"], ordered=True)}),
    "nullable": lambda: pd.DataFrame(
        {"i": pd.array([1, None], dtype="Int64"), "b": pd.array([True, None], dtype="boolean")}
    ),
    "numbered columns": lambda: pd.DataFrame([[1, 2]], columns=[0, 1]),
    "lists": lambda: pd.DataFrame({"l": [[1, 2], []]}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back(name: str) -> None:
    frame = FRAMES[name]()
    for annotation in (Any, pd.DataFrame, pd.DataFrame | None):
        back = round_trip(frame, annotation)
        if name == "lists":  # they come back as arrays
            back["l"] = back["l"].map(list)
        pd.testing.assert_frame_equal(back, frame)


@pytest.mark.parametrize("name", ["a", None, 3])
def test_a_series_keeps_its_name(name: Any) -> None:
    series = pd.Series([1.5, 2.5], index=pd.Index([4, 5], name="i"), name=name)
    pd.testing.assert_series_equal(round_trip(series), series)
    pd.testing.assert_series_equal(round_trip(series, pd.Series), series)


def test_a_table_and_a_batch_come_back() -> None:
    table = pa.table({"a": [1, 2], "b": [[1], None]}).replace_schema_metadata({"mine": "kept"})
    assert round_trip(table).equals(table, check_metadata=True)
    batch = pa.RecordBatch.from_pydict({"a": [1, 2]})
    assert round_trip(batch).equals(batch)
    assert round_trip(batch.slice(0, 0)).equals(batch.slice(0, 0))
    assert type(round_trip(batch, pa.Table)) is pa.Table


def test_is_read_as_the_declared_class() -> None:
    pl = pytest.importorskip("polars")
    frame = pd.DataFrame({"a": [1, 2]})
    assert type(round_trip(frame, pl.DataFrame)) is pl.DataFrame
    assert type(round_trip(frame, pl.Series)) is pl.Series
    assert type(round_trip(frame, pa.Table)) is pa.Table
    assert round_trip(pl.DataFrame({"a": [1, 2]}), pd.DataFrame).equals(frame)
    assert type(round_trip([frame], list.__class_getitem__(pl.DataFrame))[0]) is pl.DataFrame


def test_polars_comes_back() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "i": pl.Series([1, None], dtype=pl.UInt8),
            "e": pl.Series(["x", "y"], dtype=pl.Enum(["x", "y"])),
            "s": [{"a": 1}, {"a": None}],
            "l": [[1], []],
            "d": pl.Series([None, 5], dtype=pl.Duration("ms")),
        }
    )
    back = round_trip(frame)
    assert back.schema == frame.schema
    assert back.equals(frame)
    series = pl.Series("q", [1, 2])
    assert round_trip(series).equals(series)
    assert round_trip(series).name == "q"


@dataclasses.dataclass
class Report:
    title: str
    frame: pd.DataFrame
    parts: dict[str, list[pd.DataFrame]]


def test_tables_inside_values_are_parts() -> None:
    frame = pd.DataFrame({"a": [1]})
    payload = ENCODINGS.encode(Report("t", frame, {"x": [frame]}))
    assert json.loads(payload.raw()) == {"title": "t", "frame": {"$part": 0}, "parts": {"x": [{"$part": 1}]}}
    back = ENCODINGS.decode(payload, Report)
    pd.testing.assert_frame_equal(back.parts["x"][0], frame)


def test_equal_tables_have_equal_bytes_and_name_no_version() -> None:
    whole = pa.table({"a": [1, 2, 3]})
    chunks = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    assert ENCODINGS.encode(whole) == ENCODINGS.encode(chunks)
    data = ENCODINGS.encode(pd.DataFrame({"a": [1]})).raw()
    assert pd.__version__.encode() not in data
    assert pa.__version__.encode() not in data


def test_the_hash_of_a_call_sees_the_content() -> None:
    def train(frame: pd.DataFrame) -> None: ...

    call = Call.of(train, ENCODINGS)
    one, same, other = (call.encode((pd.DataFrame({"a": [n]}),), {})[1] for n in (1, 1, 2))
    assert one == same != other


class Sub(pd.DataFrame):  # type: ignore[misc]
    """A subclass that carries more than its base."""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (pd.DataFrame({"a": [object()]}), "DataFrame does not encode as arrow: .*column a"),
        ([pd.DataFrame({"a": [object()]})], r"\$\[0\]: DataFrame does not encode.*column a"),
        ([Sub({"a": [1]})], r"\$\[0\]: .*Sub does not encode; make it"),
        ([pd.NaT], r"\$\[0\]: .*missing value .* pass None"),
        ({"a": pd.NA}, r"\$\.a: .*missing value"),
    ],
)
def test_what_does_not_encode_is_named(value: Any, words: str) -> None:
    with pytest.raises(PayloadError, match=words):
        ENCODINGS.encode(value)


def test_a_lazy_frame_is_told_to_be_collected() -> None:
    pl = pytest.importorskip("polars")
    with pytest.raises(PayloadError, match=r"call \.collect\(\)"):
        ENCODINGS.encode(pl.LazyFrame({"a": [1]}))


def test_bytes_that_are_no_table_are_refused() -> None:
    with pytest.raises(PayloadError, match="no readable arrow"):
        ENCODINGS.decode(from_bytes("arrow", b"junk"))


@pytest.mark.parametrize(
    "value",
    [
        pd.Timestamp("2026-01-01T00:00:00.123456789Z"),
        pd.Timestamp("2026-01-01"),
        pd.Timedelta("3 days 00:00:00.000000001"),
    ],
)
def test_moments_of_pandas_keep_their_nanoseconds(value: Any) -> None:
    assert round_trip(value, type(value)) == value
    assert round_trip({"at": [value]}, dict[str, list[type(value)]]) == {"at": [value]}  # type: ignore[misc]


def test_nothing_is_imported_before_a_table_comes_by() -> None:
    program = (
        "import sys, segue.encodings as e, segue.secrets, segue.encodings.aesgcm\n"
        "encodings = e.default_encodings(); encodings.decode(encodings.encode({'a': [1, object.__name__]}))\n"
        "heavy = {'pandas', 'polars', 'pyarrow', 'numpy', 'cryptography', 'pydantic', 'asyncio'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"
