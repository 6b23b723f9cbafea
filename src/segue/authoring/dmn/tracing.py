"""An evaluation that notes which decision tables it asked and which rules matched."""

from __future__ import annotations

from segue.authoring.dmn.explanation import TableExplanation
from segue.feel.limits import DEFAULT_LIMITS, Limits
from segue.feel.run import Clock, Now, Run

MOST_TABLES = 1000
"""Tables that are kept of one decision; a table asked in a loop would otherwise fill the history."""


class Tracing(Run):
    """One evaluation of a model."""

    __slots__ = ("tables",)

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, clock: Clock | None = None, now: Now | None = None) -> None:
        super().__init__(limits, clock=clock, now=now)
        self.tables: list[TableExplanation] = []

    def asked(self, table: TableExplanation) -> None:
        """Keeps what a table was asked and gave."""
        if len(self.tables) < MOST_TABLES:
            self.tables.append(table)

    def take_tables(self) -> list[TableExplanation]:
        """What was asked since the last time."""
        taken, self.tables = self.tables, []
        return taken
