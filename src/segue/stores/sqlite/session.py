"""A connection to SQLite as the stores' common part uses it, and how one statement takes many rows.

Python's lock is given up and taken back at every step of a statement; while another thread runs Python, taking it
back costs up to 5 ms. So a statement for many rows is one ``VALUES`` list, not one execution per row (measured, 1,000
rows of 200 bytes: 1.6 µs a row alone and two waits for the lock in all; ``executemany`` waits 1,000 times). Lists are
made in powers of two and filled up with NULL rows, which every such statement ignores, so that few texts exist and
SQLite's compiled statements are found again. A single row is carried out without a list, in half the time.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import apsw

from segue.stores.base import Post
from segue.stores.sql.statements import Row
from segue.stores.sqlite import transactions
from segue.stores.transacting import Transact, Transacted

QUERIES = Path(__file__).parent / "queries"

_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_ROW = re.compile(r"(?<=VALUES )\((?:\?(?:, )?)+\)")
_ALONE = (
    (re.compile(r"SELECT (.+) FROM \(VALUES \(.+?\)\) WHERE column1 IS NOT NULL"), r"VALUES (\1)"),
    (re.compile(r"FROM \(VALUES \(.+?\)\) AS \w+ WHERE"), "WHERE"),
    (re.compile(r"IN \(VALUES \(\?\)\)"), "= ?"),
    (re.compile(r"(?:\w+\.)?\bcolumn(\d+)"), r"?\1"),
)
"""How a statement for a list of rows reads for one row."""
_LONGEST_TEXT = 16_384
"""Bytes of text up to which apsw keeps a statement compiled."""
_MOST_VARIABLES = 32_766
"""SQLITE_MAX_VARIABLE_NUMBER."""


class _Text:
    """One statement. ``width`` is the number of values in its ``VALUES`` row, 0 when it has none."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = " ".join(_COMMENT.sub("", text).split())
        self._row = _ROW.search(self.text)
        self.width = self._row.group().count("?") if self._row else 0
        self._most = self._most_rows()
        self._wide: dict[int, str] = {1: self._alone()} if self.width else {}

    def many(self, connection: apsw.Connection, flat: list[Any], more: Sequence[Any]) -> list[Row]:
        """Carries it out for all rows that stand one after the other in ``flat``; ``more`` are the values behind
        the ``VALUES`` list."""
        width, total, start = self.width, len(flat), 0
        rows: list[Row] = []
        while start < total:
            size = self._size((total - start) // width, first=start == 0)
            part = flat[start : start + size * width]
            if len(part) < size * width:
                part += [None] * (size * width - len(part))
            part += more
            rows += connection.execute(self._wide.get(size) or self._widened(size), part).fetchall()
            start += size * width
        return rows

    def _size(self, count: int, *, first: bool) -> int:
        """How many rows the next execution has: at most two executions for what is left, few NULL rows."""
        if count >= self._most:
            return self._most
        above = 1 << (count - 1).bit_length()
        return above if count <= 8 or not first or above * 4 <= count * 5 else above // 2

    def _widened(self, size: int) -> str:
        assert self._row is not None, f"{self.name} has no VALUES row"
        rows = ",".join(["(" + ",".join("?" * self.width) + ")"] * size)
        text = self._wide[size] = self.text[: self._row.start()] + rows + self.text[self._row.end() :]
        return text

    def _alone(self) -> str:
        text = self.text
        if " JOIN " in text or not text.startswith(("INSERT", "UPDATE", "DELETE")):
            return text
        for pattern, replacement in _ALONE:
            text = pattern.sub(replacement, text)
        return text

    def _most_rows(self) -> int:
        if not self.width:
            return 1
        room = min((_LONGEST_TEXT - len(self.text)) // (2 * self.width + 2), (_MOST_VARIABLES - 8) // self.width)
        return 1 << (room.bit_length() - 1)


@cache
def _text(name: str) -> _Text:
    """The statement in ``queries/<name>.sql``."""
    return _Text(name, (QUERIES / f"{name}.sql").read_text(encoding="utf-8"))


class Session:
    """Fulfils ``Connection`` of the stores' common part. ``raw`` is apsw's connection."""

    __slots__ = ("raw",)

    alone = True

    def __init__(self, raw: apsw.Connection) -> None:
        self.raw = raw

    def one(self, name: str, values: Sequence[Any] = ()) -> list[Row]:
        return self.raw.execute(_text(name).text, values).fetchall()

    def many(self, name: str, flat: list[Any], more: Sequence[Any] = ()) -> list[Row]:
        return _text(name).many(self.raw, flat, more)

    def each(self, name: str, values: Sequence[Any]) -> Generator[Row]:
        with closing(self.raw.cursor()) as rows:
            yield from rows.execute(_text(name).text, values)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        return self.raw.execute(sql, values).fetchall()

    def text(self, name: str) -> str:
        return _text(name).text

    def changes(self) -> int:
        return self.raw.changes()

    def numbers(self, table: str, last: int, count: int) -> Iterator[int]:
        return itertools.count(last + 1)

    def lock(self, runs: Sequence[int], beside: Sequence[Post] = ()) -> None:
        """Nothing: a transaction that writes holds the file's only write lock."""

    def transact(self, transact: Transact) -> Transacted:
        return transactions.carry_out(self, transact)

    def close(self) -> None:
        self.raw.close()
