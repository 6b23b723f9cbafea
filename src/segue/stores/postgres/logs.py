"""What steps printed, over a connection of its own, so that it never holds the journal's writer up. Nothing here
raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import psycopg

from segue.errors import StoreError
from segue.stores.log_rows import LogLine
from segue.stores.postgres.connection import UNFIT
from segue.stores.postgres.session import Session
from segue.stores.postgres.writer import Writer
from segue.stores.sql.statements import Row, Statement, flat, numbers, texts

_ANYTHING: tuple[type[Exception], ...] = (psycopg.Error, StoreError, *UNFIT)

_append = Statement("append_log_lines")
_read = Statement("read_log_lines")
_delete = Statement("delete_log_lines")


class PostgresLogs:
    """The step logs of one database; see ``StepLogs``."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        return self._trouble

    def append(self, lines: Sequence[LogLine]) -> bool:
        # Text that PostgreSQL has no place for is kept as it looks.
        rows = ((x.run, x.key, x.attempt, x.at, x.level, x.stream, x.text.replace("\0", "\\0")) for x in lines)
        values = flat(rows)
        self._try(lambda session: _append.many(session, values))
        return self._trouble is None

    def read(
        self, run: int, *, after: int = 0, limit: int = 1000, progress: bool = False, key: str | None = None,
        without: Iterable[str] = (),
    ) -> list[LogLine]:  # fmt: skip
        values = (run, after, progress, key, texts(without), limit)
        rows = self._try(lambda session: _read.one(session, values))
        return [LogLine(*row) for row in rows]

    def erase(self, runs: Iterable[int]) -> None:
        listed = numbers(runs)
        self._try(lambda session: _delete.one(session, (listed,)))

    def _try(self, work: Callable[[Session], list[Row]]) -> list[Row]:
        try:
            with self._writer.session() as session:
                rows = work(session)
        except _ANYTHING as error:
            self._trouble = f"step logs are not kept just now: {error}"
            return []
        self._trouble = None
        return rows
