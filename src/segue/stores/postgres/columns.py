"""Columns of many rows, as arrays in the server's binary form.

The driver writes a list as text, value by value, and gives it a type by the values in it: events would travel as
hexadecimal digits, and a statement would be prepared anew for each combination of short and long numbers.

Form: ``array_recv`` and ``array_send`` of PostgreSQL. Number of dimensions, whether there are NULLs, type of element,
length, lower bound; then each element behind its length, -1 for NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct, error
from typing import Any

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_head = Struct("!iiIii").pack
_length = Struct("!i").pack
_bigint = Struct("!iq").pack
_integer = Struct("!ii").pack
_NULL = _length(-1)


def _of_text(value: str) -> bytes:
    data = value.encode()
    return _length(len(data)) + data


_ELEMENT: dict[str, Callable[[Any], bytes]] = {
    "bigint": lambda value: _bigint(8, value),
    "integer": lambda value: _integer(4, value),
    "boolean": lambda value: b"\0\0\0\1\1" if value else b"\0\0\0\1\0",
    "text": _of_text,
    "bytea": lambda value: _length(len(value)) + value,
}
"""How an element of each type is written, behind its length in bytes."""


class Column:
    """The values of a column, one for each row; None is NULL."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values


COLUMN: dict[str, type[Column]] = {name: type(f"{name.capitalize()}Column", (Column,), {}) for name in _ELEMENT}
"""The class of a column by the type of its elements; the driver chooses by class how a value is sent."""


def _dumper(name: str) -> type[Dumper]:
    known = psycopg.adapters.types[name]
    element = _ELEMENT[name]

    def dump(self: Dumper, column: Column) -> bytes:
        values = column.values
        head = _head(1, None in values, known.oid, len(values), 1)
        try:
            return head + b"".join([_NULL if value is None else element(value) for value in values])
        except (error, TypeError, AttributeError) as unfit:
            raise psycopg.DataError(f"a column of {name} cannot hold one of its values: {unfit}") from None

    fields = {"oid": known.array_oid, "format": Format.BINARY, "dump": dump}
    return type(f"{name.capitalize()}ColumnDumper", (Dumper,), fields)


_DUMPERS = {COLUMN[name]: _dumper(name) for name in _ELEMENT}


def send_columns(connection: psycopg.Connection[Any]) -> None:
    """Has the connection send columns in this form."""
    for column, dumper in _DUMPERS.items():
        connection.adapters.register_dumper(column, dumper)
