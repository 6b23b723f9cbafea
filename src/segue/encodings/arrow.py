"""Tables as Arrow IPC streams: pandas, Polars and pyarrow, written by any and read as the declared one.

The bytes are not compressed and name no versions: equal tables are equal bytes, which argument hashes rest on.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

_CLASSES = {
    ("pandas", "DataFrame"),
    ("pandas", "Series"),
    ("polars", "DataFrame"),
    ("polars", "Series"),
    ("pyarrow", "Table"),
    ("pyarrow", "RecordBatch"),
}
_ORIGIN = b"segue"
"""Key in the schema's metadata: the class that was written, and a series' name."""


class Arrow:
    """Tables and series. Subclasses (a ``GeoDataFrame``) do not encode: they would come back as their base."""

    name = "arrow"

    def matches(self, kind: type) -> bool:
        return _identity(kind) in _CLASSES

    def encode(self, value: Any) -> bytes:
        origin = _identity(type(value))
        table = _to_table(value, origin)
        note = {"class": ".".join(origin), "name": _name(value, origin)}
        metadata = {**_without_versions(table.schema.metadata or {}), _ORIGIN: json.dumps(note).encode()}
        return _write(table.combine_chunks().replace_schema_metadata(metadata))

    def decode(self, data: bytes, kind: Any) -> Any:
        import pyarrow

        with pyarrow.ipc.open_stream(data) as reader:
            table = reader.read_all()
        metadata = dict(table.schema.metadata or {})
        note = json.loads(metadata.pop(_ORIGIN, b"{}"))
        table = table.replace_schema_metadata(metadata)
        library, name = note.get("class", "pyarrow.Table").split(".") if kind is Any else _identity(kind)
        return _from_table(table, library, name, note.get("name"))


class PandasScalars:
    """``pd.Timestamp`` and ``pd.Timedelta`` as ISO 8601 text, to the nanosecond; a missing value is refused."""

    def matches(self, kind: type) -> bool:
        return _identity(kind) in _SCALARS

    def encode(self, value: Any) -> Any:
        if type(value).__name__ in ("NaTType", "NAType"):
            raise ValueError("pandas' missing value has no equal in JSON; pass None")
        return value.isoformat()

    def decode(self, tree: Any, kind: Any) -> Any:
        return kind(tree)


_SCALARS = {("pandas", name) for name in ("Timestamp", "Timedelta", "NaTType", "NAType")}


def _identity(kind: type) -> tuple[str, str]:
    return kind.__module__.partition(".")[0], kind.__name__


def _name(value: Any, origin: tuple[str, str]) -> Any:
    return value.name if origin[1] == "Series" else None


def _to_table(value: Any, origin: tuple[str, str]) -> Any:
    import pyarrow

    match origin:
        case ("pandas", "DataFrame"):
            # A range as index is noted, not stored; without columns nothing else would tell how many rows there are.
            return pyarrow.Table.from_pandas(value, preserve_index=None if len(value.columns) else True)
        case ("pandas", "Series"):
            return pyarrow.Table.from_pandas(value.to_frame("" if value.name is None else value.name))
        case ("polars", "DataFrame"):
            return value.to_arrow()
        case ("polars", "Series"):
            return value.to_frame().to_arrow()
        case ("pyarrow", "RecordBatch"):
            return pyarrow.Table.from_batches([value])
    return value


def _from_table(table: Any, library: str, name: str, series: Any) -> Any:
    if library == "pyarrow":
        return table if name == "Table" else _only_batch(table)
    if library == "pandas":
        frame = table.to_pandas()
        return frame if name == "DataFrame" else frame.iloc[:, 0].rename(series)
    frame = importlib.import_module(library).from_arrow(table)
    return frame if name == "DataFrame" else frame.to_series(0)


def _only_batch(table: Any) -> Any:
    import pyarrow

    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pyarrow.RecordBatch.from_pylist([], schema=table.schema)


def _without_versions(metadata: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """pyarrow notes the versions of pandas and of itself; an upgrade must not change the bytes of an equal table."""
    if b"pandas" not in metadata:
        return metadata
    notes = json.loads(metadata[b"pandas"])
    notes.pop("creator", None)
    notes["pandas_version"] = "2.0.0"
    return {**metadata, b"pandas": json.dumps(notes, sort_keys=True).encode()}


def _write(table: Any) -> bytes:
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())
