"""A connection to PostgreSQL as the stores' common part uses it, and how one statement takes many rows.

While a batch is carried out the connection is in pipeline mode: a statement that answers nothing is sent without
waiting, and an error of it shows at the next one that answers, or at the end. A batch costs two or three round trips,
not ten.

Values stand in the texts as ``?``, in order, or ``?3`` for the third one; they become PostgreSQL's own ``$3``. A
statement for many rows has them as arrays, one per column: ``unnest(?::bigint[], ?::text[])``.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from segue.stores.base import Post
from segue.stores.owning import SLOTS, Slots
from segue.stores.postgres import transactions
from segue.stores.postgres.columns import COLUMN, Column
from segue.stores.postgres.connection import Connection
from segue.stores.sql.statements import Row
from segue.stores.transacting import Transact, Transacted

RawCursor = psycopg.Cursor[tuple[Any, ...]]
PLANS_LAST = 10.0
"""Seconds for which a connection keeps the plans of its statements."""
QUERIES = Path(__file__).parent / "queries"

_runs = msgspec.json.Decoder(list[int])
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_VALUE = re.compile(r"\?(\d*)")
_TYPED = re.compile(r"\?(\d*)(?:::(\w+(?:\[\])?))?")
_ROWS = re.compile(r"unnest\(([^)]*)\)")
_RESERVE = {"runs": "reserve_runs", "inbox": "reserve_inbox"}
_BOUNDED = frozenset(
    ("delete_journal_of_runs", "delete_log_lines", "find_refused_appends", "journal_heads", "last_events")
)
"""Statements for many runs on tables that are partitioned by them. Behind their other values they get the first and the
last run: the server can tell from those, and not from the list, which partitions have to do with it."""
EVERYWHERE = (Slots(0, SLOTS - 1),)


class _Text(msgspec.Struct, frozen=True):
    """A statement. ``given`` is its text as it stands in the file; ``width`` the number of columns of its rows;
    ``columns``: which of its values are columns, and of what; ``answers``: it has rows to answer with."""

    given: str
    sql: bytes
    width: int
    columns: dict[int, type[Column]]
    answers: bool

    def bound(self, values: Sequence[Any]) -> Sequence[Any]:
        """The values as they are sent."""
        if not self.columns:
            return values
        sent = list(values)
        for place, column in self.columns.items():
            sent[place] = column(sent[place])
        return sent


@cache
def _text(name: str) -> _Text:
    given = " ".join(_COMMENT.sub("", (QUERIES / f"{name}.sql").read_text(encoding="utf-8")).split())
    rows = _ROWS.search(given)
    return _Text(given, numbered(given), rows[1].count("?") if rows else 0, _columns(given), _answers(given))


def _columns(sql: str) -> dict[int, type[Column]]:
    count = iter(range(1_000))
    places = ((int(given) - 1 if given else next(count), of) for given, of in _TYPED.findall(sql))
    return {place: COLUMN[of[:-2]] for place, of in places if of.endswith("[]")}


def _answers(sql: str) -> bool:
    return " RETURNING " in sql or (sql.startswith(("SELECT", "WITH")) and "INSERT INTO" not in sql)


@cache
def _in_partition(name: str, low: int) -> bytes:
    """The statement on the journal's partition that begins with a run, in place of the journal."""
    return _text(name).sql.replace(b"segue.journal", b"segue.journal_%d" % low)


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
        patience: seconds after which the server ends a transaction that does nothing.
    """

    alone = False

    def __init__(self, raw: Connection, patience: float = math.inf) -> None:
        self.raw = raw
        self.patience = patience
        self.home: tuple[Slots, ...] = EVERYWHERE
        self._pipeline: psycopg.Pipeline | None = None
        self._last: RawCursor | None = None
        self._planned = time.monotonic()

    def plan_anew(self) -> None:
        """Has the server forget plans that are old, before a statement is sent.

        A plan for all values, as a prepared statement soon has one, stays as it was made until the server counts the
        rows of a table again. One that was made for an almost empty table takes the index that comes first, of several
        that begin alike, and stays with it through the first minute of a storm.
        """
        if self.raw.prepare_threshold is not None and time.monotonic() - self._planned > PLANS_LAST:
            self.raw.execute("DISCARD PLANS")
            self._planned = time.monotonic()

    @contextmanager
    def pipelined(self) -> Iterator[None]:
        """Sends without waiting, until the end of the block, where what went wrong is raised."""
        with self.raw.pipeline() as pipeline:
            self._pipeline = pipeline
            try:
                yield
            finally:
                self._pipeline = None

    @property
    def is_pipelined(self) -> bool:
        return self._pipeline is not None

    def send(self, name: str, values: Sequence[Any]) -> RawCursor:
        """Sends a statement; its rows are to be fetched from the cursor."""
        text = _text(name)
        return self.raw.execute(text.sql, text.bound(values))

    def one(self, name: str, values: Sequence[Any] = ()) -> list[Row]:
        text = _text(name)
        if name in _BOUNDED:
            runs = _runs.decode(values[0])
            values = (*values, min(runs, default=0), max(runs, default=0))
        return self._carry_out(text.sql, text.bound(values), text.answers)

    def one_in(self, low: int, name: str, values: Sequence[Any]) -> None:
        """Carries out a statement that answers nothing on the journal's partition that begins with a run."""
        self._carry_out(_in_partition(name, low), values, answers=False)

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
        if name in _BOUNDED:
            more = (*more, min(columns[0]), max(columns[0]))
        return self._carry_out(text.sql, text.bound((*columns, *more)), text.answers)

    def each(self, name: str, values: Sequence[Any]) -> Generator[Row]:
        yield from self.one(name, values)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._carry_out(numbered(sql), values, _answers(sql))

    def text(self, name: str) -> str:
        return _text(name).given

    def changes(self) -> int:
        if self._pipeline is not None:
            self._pipeline.sync()
        return 0 if self._last is None else self._last.rowcount

    def numbers(self, table: str, last: int, count: int) -> Iterator[int]:
        for (number,) in self.one(_RESERVE[table], (count,)):  # not before the first one is asked for
            yield number

    def lock(self, runs: Sequence[int], beside: Sequence[Post] = ()) -> None:
        if not beside:
            self.one("lock_runs", (list(runs),))
            return
        named = [post for post in beside if post.run is None]
        values = [post.namespace for post in named], [post.id for post in named]
        self.one("lock_runs_and_addressees", (list(runs), [post.run for post in beside if post.run], *values))

    def transact(self, transact: Transact) -> Transacted:
        return transactions.carry_out(self, transact)

    def _carry_out(self, sql: bytes, values: Sequence[Any], answers: bool) -> list[Row]:
        self._last = cursor = self.raw.execute(sql, values)
        return cursor.fetchall() if answers else []

    def _slot(self) -> int:
        home = self.home[0] if len(self.home) == 1 else random.choice(self.home)
        return random.randint(home.low, home.high)
