"""The connection that a transactional step is given, whatever the database is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]
Parameters = Sequence[Any] | Mapping[str, Any]


class Rows:
    """What a statement gave back: all its rows, read while its transaction was open. Reads like a DB-API cursor.

    Attributes:
        rowcount: how many rows the statement changed.
        lastrowid: key of the row that was inserted last on this connection, where the database numbers rows.
    """

    def __init__(self, rows: list[Row], rowcount: int = 0, lastrowid: int = 0) -> None:
        self._rows = rows
        self._next = 0
        self.rowcount = rowcount
        self.lastrowid = lastrowid

    def __iter__(self) -> Iterator[Row]:
        while (row := self.fetchone()) is not None:
            yield row

    def fetchone(self) -> Row | None:
        """The next row, or None."""
        if self._next == len(self._rows):
            return None
        self._next += 1
        return self._rows[self._next - 1]

    def fetchall(self) -> list[Row]:
        """The rows that have not been taken yet."""
        rows, self._next = self._rows[self._next :], len(self._rows)
        return rows


class Transaction(Protocol):
    """The database in which the run is recorded, within the transaction that will record the step's outcome.

    It ends with the step. Committing and rolling back are not the step's: it commits by returning, and rolls back by
    raising.
    """

    def execute(self, sql: str, parameters: Parameters = (), /) -> Rows:
        """Carries out a statement, in the database's own SQL.

        Raises:
            OutOfReach: it touches what belongs to segue, or would end the transaction.
            StepTimeout: the step's time is over.
        """

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> int:
        """Carries out a statement once for each of the parameters; how many rows were changed in all."""
