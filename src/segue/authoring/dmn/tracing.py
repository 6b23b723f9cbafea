"""An evaluation that notes which decisions it made, which tables they asked and which rules matched."""

from __future__ import annotations

from typing import Final

from segue.authoring.dmn.explanation import DecisionExplanation, TableExplanation
from segue.feel.limits import DEFAULT_LIMITS, Limits
from segue.feel.run import Clock, Now, Run

MOST: Final = 1000
"""Decisions that are kept, and tables of each: one that is asked in a loop would otherwise fill the history."""


class Tracing(Run):
    """One evaluation of a model.

    Attributes:
        decisions: what was decided, in order.
        tables: what was asked for the decision that is being made.
    """

    __slots__ = ("decisions", "tables")

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, clock: Clock | None = None, now: Now | None = None) -> None:
        super().__init__(limits, clock=clock, now=now)
        self.decisions: list[DecisionExplanation] = []
        self.tables: list[TableExplanation] = []
