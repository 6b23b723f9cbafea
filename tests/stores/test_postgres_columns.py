"""Columns reach the server as they were, in its binary form of an array."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from segue.stores.postgres.columns import COLUMN, send_columns

VALUES: dict[str, list[Any]] = {
    "bigint": [0, None, 1, -(2**63), 2**63 - 1],
    "integer": [-(2**31), 2**31 - 1, None],
    "boolean": [True, False, None],
    "text": ["", None, "NULL", 'a "b", {c} \\', "\N{GRINNING FACE}\n", "x" * 100_000],
    "bytea": [b"", None, bytes(range(256)), memoryview(b"seen")],
}


@pytest.fixture
def connection(postgres_database: Callable[[], str]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_database(), cursor_factory=psycopg.RawCursor) as connected:
        send_columns(connected)
        yield connected


@pytest.mark.parametrize("of", VALUES)
@pytest.mark.parametrize("chosen", [slice(None), slice(0), slice(1, 2)], ids=["all", "none", "one"])
def test_a_column_arrives_as_it_was(connection: psycopg.Connection[Any], of: str, chosen: slice) -> None:
    values = VALUES[of][chosen]
    rows = connection.execute(f"SELECT * FROM unnest($1::{of}[])".encode(), (COLUMN[of](values),)).fetchall()
    assert [value for (value,) in rows] == values


@pytest.mark.parametrize(
    ("of", "value"),
    [("bigint", 2**63), ("integer", 2**31), ("bigint", "1"), ("text", b"bytes"), ("text", 3), ("bytea", object())],
)
def test_what_a_column_cannot_hold_is_said(connection: psycopg.Connection[Any], of: str, value: object) -> None:
    with pytest.raises(psycopg.DataError, match=f"a column of {of} cannot hold one of its values"):
        connection.execute(f"SELECT * FROM unnest($1::{of}[])".encode(), (COLUMN[of]([value]),))
