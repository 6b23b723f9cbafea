"""A connection to PostgreSQL as the stores' common part uses it, and how one statement takes many rows.

Values stand in the texts as ``?``, in order, or ``?3`` for the third one; they become PostgreSQL's own ``$3``. A
statement for many rows has them as arrays, one per column: ``unnest(?::bigint[], ?::text[])``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from segue.stores.owning import SLOTS, Slots
from segue.stores.postgres import transactions
from segue.stores.postgres.connection import Connection
from segue.stores.sql.statements import Row
from segue.stores.transacting import Transact, Transacted

QUERIES = Path(__file__).parent / "queries"

_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_VALUE = re.compile(r"\?(\d*)")
_ROWS = re.compile(r"unnest\(([^)]*)\)")
_RESERVE = {"runs": "reserve_runs", "inbox": "reserve_inbox"}
_EVERYWHERE = (Slots(0, SLOTS - 1),)


class _Text(msgspec.Struct, frozen=True):
    """A statement. ``given`` is its text as it stands in the file; ``width`` the number of columns of its rows."""

    given: str
    sql: bytes
    width: int


@cache
def _text(name: str) -> _Text:
    given = " ".join(_COMMENT.sub("", (QUERIES / f"{name}.sql").read_text(encoding="utf-8")).split())
    rows = _ROWS.search(given)
    return _Text(given, numbered(given), rows[1].count("?") if rows else 0)


@cache
def numbered(sql: str) -> bytes:
    """The text with PostgreSQL's own names of values."""
    count = iter(range(1, 1_000))
    return _VALUE.sub(lambda value: f"${value[1] or next(count)}", sql).encode()


class Session:
    """Fulfils ``Connection`` of the stores' common part.

    Attributes:
        raw: psycopg's connection.
        home: slots in which runs are started over this connection.
    """

    def __init__(self, raw: Connection) -> None:
        self.raw = raw
        self.home: tuple[Slots, ...] = _EVERYWHERE
        self._changes = 0

    def one(self, name: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._carry_out(_text(name).sql, values)

    def many(self, name: str, flat: list[Any], more: Sequence[Any] = ()) -> list[Row]:
        if not flat:
            return []
        text = _text(name)
        width = text.width
        if name == "start_runs":  # takes a column more here: the slot
            columns = [flat[column :: width - 1] for column in range(width - 1)]
            columns.append([self._slot() for _ in columns[0]])
        else:
            columns = [flat[column::width] for column in range(width)]
        return self._carry_out(text.sql, (*columns, *more))

    def each(self, name: str, values: Sequence[Any]) -> Generator[Row]:
        yield from self._carry_out(_text(name).sql, values)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._carry_out(numbered(sql), values)

    def text(self, name: str) -> str:
        return _text(name).given

    def changes(self) -> int:
        return self._changes

    def numbers(self, table: str, last: int, count: int) -> Iterator[int]:
        for (number,) in self.one(_RESERVE[table], (count,)):  # not before the first one is asked for
            yield number

    def lock(self, runs: Sequence[int]) -> None:
        self.one("lock_runs", (list(runs),))

    def transact(self, transact: Transact) -> Transacted:
        return transactions.carry_out(self, transact)

    def _carry_out(self, sql: bytes, values: Sequence[Any]) -> list[Row]:
        cursor = self.raw.execute(sql, values)
        self._changes = cursor.rowcount
        return cursor.fetchall() if cursor.description else []

    def _slot(self) -> int:
        home = self.home[0] if len(self.home) == 1 else random.choice(self.home)
        return random.randint(home.low, home.high)
