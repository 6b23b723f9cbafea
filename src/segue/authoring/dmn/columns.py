"""One input column of a decision table: which rules a value leaves, looked up where the cells are constants."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from segue.authoring.dmn.spans import Spans
from segue.feel.expression import UnaryTests
from segue.feel.run import Scope
from segue.feel.values import Interval, Value

LOOKED_UP: Final = frozenset({str, Decimal, bool})


class Column:
    """The cells of one input, as sets of rules: bit n of a number stands for rule n."""

    __slots__ = ("always", "by_value", "others", "spans", "steps")

    def __init__(self, cells: Sequence[UnaryTests]) -> None:
        self.always = 0
        self.by_value: dict[tuple[type, Value], int] = {}
        self.others: list[tuple[int, UnaryTests]] = []
        spans: list[tuple[int, tuple[Interval, ...]]] = []
        for index, cell in enumerate(cells):
            bit = 1 << index
            if cell.always:
                self.always |= bit
            elif cell.constants is not None:
                for value in cell.constants:
                    key = (type(value), value)
                    self.by_value[key] = self.by_value.get(key, 0) | bit
            elif cell.spans is not None:
                spans.append((bit, cell.spans))
            else:
                self.others.append((bit, cell))
        self.spans = Spans(spans) if spans else None
        self.steps = 1 + (sum(1 + (len(cell.text) >> 5) for _, cell in self.others) >> 3)

    def left(self, scope: Scope, value: Value, rules: int) -> int:
        """The rules, of those that are left, whose cell holds for a value."""
        found = self.always
        if type(value) in LOOKED_UP:
            found |= self.by_value.get((type(value), value), 0)
            if self.spans is not None and type(value) is Decimal:
                found |= self.spans.at(value)
        scope.run.step(self.steps)
        for bit, cell in self.others:
            if rules & bit and cell.holds(scope, value) is True:
                found |= bit
        return found & rules


def numbers(rules: int) -> list[int]:
    """The indexes of the bits that are set, in order."""
    found: list[int] = []
    while rules:
        lowest = rules & -rules
        found.append(lowest.bit_length() - 1)
        rules ^= lowest
    return found
