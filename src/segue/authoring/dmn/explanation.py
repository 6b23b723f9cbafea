"""Why a decision came out as it did: which rules matched, with what values (plain data, fit for a run's history)."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.authoring.dmn.plain import plain
from segue.feel import Warning


class Hit(msgspec.Struct, frozen=True):
    """A rule that matched.

    Attributes:
        rule: its number, from 1.
        id: its id in the file.
        outputs: what it gives, by the names of the columns.
        annotations: its annotations, by the names of their columns.
    """

    rule: int
    id: str
    outputs: dict[str, Any]
    annotations: dict[str, str]


class TableExplanation(msgspec.Struct, frozen=True):
    """A decision table that was asked.

    Attributes:
        place: the decision or function that it belongs to.
        id: its id in the file.
        hit_policy: its policy, with the aggregation.
        inputs: the values that it was asked with, by the text of the columns.
        hits: the rules that matched, in the order of the table.
        result: what it gave.
    """

    place: str
    id: str
    hit_policy: str
    inputs: dict[str, Any]
    hits: list[Hit]
    result: Any


class DecisionExplanation(msgspec.Struct, frozen=True):
    """A decision that was made.

    Attributes:
        name, id, namespace: which one.
        requirements: what it was given, by name; functions are left out.
        value: what it gave.
        tables: the decision tables that it asked, in order.
    """

    name: str
    id: str
    namespace: str
    requirements: dict[str, Any]
    value: Any
    tables: list[TableExplanation]


class Outcome(msgspec.Struct, frozen=True):
    """What a decision gave, how it came about, and why parts of it became null."""

    value: Any
    decisions: list[DecisionExplanation]
    warnings: list[Warning]

    def plain(self) -> dict[str, Any]:
        """All of it as data that JSON holds: what a step returns to have it in a run's history."""
        return {
            "value": plain(self.value),
            "decisions": plain(self.decisions),
            "warnings": [str(warning) for warning in self.warnings],
        }
