"""A statement by its name, and what a connection has to be able to do with it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec

from segue.stores.base import Fence, Post
from segue.stores.transacting import Transact, Transacted

Row = tuple[Any, ...]


class Connection(Protocol):
    """A connection inside a transaction of its own, or one for reading; it knows its dialect's text of each statement.

    In texts made by the caller a value is ``?``, in order.

    Attributes:
        alone: a transaction that writes excludes all others that would, so that there is nothing to ``lock``.
    """

    alone: bool

    def one(self, name: str, values: Sequence[Any] = ()) -> list[Row]:
        """Carries a statement out once."""

    def many(self, name: str, flat: list[Any], more: Sequence[Any] = ()) -> list[Row]:
        """Carries it out for all rows that stand one after the other in ``flat``; ``more`` are the values behind the
        list of rows. Nothing happens without a row."""

    def each(self, name: str, values: Sequence[Any]) -> Generator[Row]:
        """Carries it out once, and reads its rows as they are asked for; to be closed by who stops before the end."""

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Carries out a text, which may be that of a statement with conditions added (``text``)."""

    def text(self, name: str) -> str:
        """The text of a statement."""

    def changes(self) -> int:
        """How many rows the statement before has written."""

    def numbers(self, table: str, last: int, count: int) -> Iterator[int]:
        """At least ``count`` numbers for new rows of a table (``runs``, ``inbox``), growing; ``last`` is its last one,
        where the dialect has it looked up."""

    def lock(self, runs: Sequence[int], beside: Sequence[Post] = ()) -> None:
        """Keeps others from writing to these runs' rows, or relying on them, until the transaction ends; statements
        that follow see what they have written before. Runs that messages ``beside`` them are for stay open until then.
        Nothing where it is ``alone``."""

    def transact(self, transact: Transact) -> Transacted:
        """Runs the code of a transactional step and posts its outcome, or takes back what it wrote."""


class Readers(Protocol):
    """Lends connections for reading."""

    def reading(self) -> AbstractContextManager[Connection]: ...


class Writer(Protocol):
    """Lends the connection that writes."""

    def transaction(self, fence: Fence | None = None) -> AbstractContextManager[Connection]:
        """A transaction, rolled back when anything is raised; ``FenceLost`` where the fence is void."""


class Statement:
    """A statement of which each dialect has a text of its own."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def one(self, connection: Connection, values: Sequence[Any] = ()) -> list[Row]:
        """Carries it out once."""
        return connection.one(self.name, values)

    def many(self, connection: Connection, flat: list[Any], *more: Any) -> list[Row]:
        """Carries it out for many rows; see ``Connection.many``."""
        return connection.many(self.name, flat, more) if flat else []


def flat(rows: Iterable[Iterable[Any]]) -> list[Any]:
    """The values of all rows, one after the other, as ``Statement.many`` takes them."""
    return [value for row in rows for value in row]


def numbers(values: Iterable[int]) -> str:
    """A JSON list of integers, as statements take lists."""
    return "[" + ",".join(map(str, values)) + "]"


def texts(values: Iterable[str]) -> str:
    """A JSON list of strings, as statements take lists."""
    return msgspec.json.encode(list(values)).decode()
