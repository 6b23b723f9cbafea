"""One evaluation: what is left of its budget, its warnings, its clock, and the scopes in which names are looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from segue.errors import FeelLimitExceeded
from segue.feel.limits import DEFAULT_LIMITS, Limits
from segue.feel.source import Source
from segue.feel.temporal import DateTime
from segue.feel.values import Value

LONGEST_REASON = 400
FUSE = 1024
"""Steps between two looks at the budget and the clock."""

Clock = Callable[[], float]
Now = Callable[[], DateTime]


class Warning(msgspec.Struct, frozen=True):
    """Why something became null.

    Attributes:
        reason: what happened.
        text: the expression, and ``name`` the place where it stands.
        line, column: where in the text, both counted from 1.
    """

    reason: str
    text: str
    name: str
    line: int
    column: int

    def __str__(self) -> str:
        where = f"{self.name}, " if self.name else ""
        return f"{where}line {self.line}, column {self.column}: {self.reason}"


class Run:
    """The state of one evaluation, handed through all of it."""

    __slots__ = ("_deadline", "_notes", "calls", "clock", "dropped", "elements", "fuse", "limits", "now", "steps")

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, clock: Clock | None = None, now: Now | None = None) -> None:
        self.limits = limits
        self.clock = clock
        self.now = now
        self.calls = 0
        self.elements = limits.elements
        self.steps = limits.steps
        self.fuse = min(FUSE, self.steps)
        self.steps -= self.fuse
        self.dropped = 0
        self._deadline = clock() + limits.seconds if clock is not None and limits.seconds is not None else None
        self._notes: list[tuple[Source, int, str]] = []

    def step(self, count: int = 1) -> None:
        """Takes steps from the budget.

        Raises:
            FeelLimitExceeded: it has none left, or its time is over.
        """
        self.fuse -= count
        if self.fuse < 0:
            self._refill()

    def _refill(self) -> None:
        self.steps += self.fuse
        if self.steps < 0:
            raise FeelLimitExceeded(f"more than {self.limits.steps} steps; the expression was stopped", limit="steps")
        self.fuse = min(FUSE, self.steps)
        self.steps -= self.fuse
        if self._deadline is not None and self.clock is not None and self.clock() > self._deadline:
            raise FeelLimitExceeded(
                f"more than {self.limits.seconds} seconds; the expression was stopped", limit="seconds"
            )

    def produce(self, count: int) -> None:
        """Takes elements (items, entries, characters) from the budget, before they are made.

        Raises:
            FeelLimitExceeded: it has none left.
        """
        self.elements -= count
        if self.elements < 0:
            raise FeelLimitExceeded(
                f"more than {self.limits.elements} elements; the expression was stopped", limit="elements"
            )
        self.fuse -= count >> 8
        if self.fuse < 0:
            self._refill()

    def enter(self, cost: int = 0) -> None:
        """Goes into a function, whose body takes ``cost`` steps; whoever enters also leaves, by ``calls -= 1``.

        Raises:
            FeelLimitExceeded: functions call each other too deep.
        """
        self.calls += 1
        self.step(1 + cost)
        if self.calls > self.limits.calls:
            raise FeelLimitExceeded(
                f"functions call each other more than {self.limits.calls} deep; a recursion may have no end",
                limit="calls",
            )

    def warn(self, source: Source, at: int, reason: str) -> None:
        """Notes why something became null."""
        if len(self._notes) < self.limits.warnings:
            self._notes.append((source, at, reason[:LONGEST_REASON]))
        else:
            self.dropped += 1

    @property
    def warnings(self) -> list[Warning]:
        """What was noted, in order."""
        return [Warning(reason, source.text, source.name, *source.place(at)) for source, at, reason in self._notes]

    def first_note(self) -> tuple[Source, int, str] | None:
        """The first warning, for a caller that is strict."""
        return self._notes[0] if self._notes else None


class Scope:
    """Variables by name, and the scope around them."""

    __slots__ = ("parent", "run", "variables")

    def __init__(self, run: Run, variables: Mapping[str, Any], parent: Scope | None = None) -> None:
        self.run = run
        self.variables = variables
        self.parent = parent

    def inner(self, variables: Mapping[str, Value]) -> Scope:
        """A scope within this one."""
        return Scope(self.run, variables, self)


Evaluate = Callable[[Scope], Value]
"""An expression, compiled."""
