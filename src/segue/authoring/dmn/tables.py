"""Compiles decision tables: which rules match, and what the hit policy makes of them (DMN 1.5, 8.2.8 to 8.2.11)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from segue.authoring.dmn import model
from segue.authoring.dmn.columns import Column, numbers
from segue.authoring.dmn.explanation import Hit, TableExplanation
from segue.authoring.dmn.places import Place, converted
from segue.authoring.dmn.tracing import MOST, Tracing
from segue.errors import FeelError
from segue.feel.builtins import BUILTINS
from segue.feel.comparison import same
from segue.feel.conversion import to_python
from segue.feel.expression import UnaryTests
from segue.feel.limits import DEFAULT_LIMITS
from segue.feel.nothing import Null
from segue.feel.run import Evaluate, Run, Scope
from segue.feel.source import Source
from segue.feel.types import Constrained, ListType, Type, resolve
from segue.feel.values import Value

PLAIN: Final = frozenset({str, Decimal})
"""Values that are found by their hash."""
AGGREGATES: Final = {"SUM": "sum", "MIN": "min", "MAX": "max"}
SIGNS: Final = {"SUM": "+", "MIN": "<", "MAX": ">", "COUNT": "#"}
LISTS: Final = frozenset({"COLLECT", "RULE ORDER", "OUTPUT ORDER"})


def table(part: model.Table, place: Place) -> Evaluate:
    """The closure of a decision table.

    Raises:
        DecisionModelError: a cell cannot be read.
    """
    return _Table(part, place).evaluate


class _Input:
    """What a column asks, and which values it may find."""

    __slots__ = ("allowed", "evaluate", "source", "text", "type")

    def __init__(self, clause: model.InputClause, place: Place) -> None:
        self.text = " ".join(clause.text.split()) or clause.label
        self.source = Source(clause.text, place.name)
        self.evaluate = place.evaluator(clause.text, clause.line) if clause.text.strip() else None
        self.type = place.type(clause.type_ref)
        self.allowed = place.tests(clause.values, clause.line) if clause.values else None

    def value(self, scope: Scope) -> Value:
        """The value that is asked about, or null where it has the wrong type or is not allowed."""
        value = self.evaluate(scope) if self.evaluate is not None else None
        if value is None:
            return None
        if self.type is not None:
            value = converted(value, self.type, scope, self.source)
        if value is not None and self.allowed is not None and not _all_allowed(self.allowed, value, scope):
            scope.run.warn(self.source, 0, f"the input is not among the values {self.allowed.text}")
            return None
        return value


def _all_allowed(tests: UnaryTests, value: Value, scope: Scope) -> bool:
    if tests.holds(scope, value) is True:
        return True
    return isinstance(value, list) and all(tests.holds(scope, item) is True for item in value)


class _Output:
    """What a column answers with, and the order of its values."""

    __slots__ = ("allowed", "default", "name", "order", "places", "source", "type")

    def __init__(self, clause: model.OutputClause, part: model.Table, place: Place) -> None:
        self.name = clause.name
        self.source = Source("", place.name)
        self.type = place.type(clause.type_ref)
        self.allowed = place.tests(clause.values, clause.line) if clause.values else None
        self.default = place.evaluator(clause.default, clause.line) if clause.default else None
        text = clause.values or _allowed_text(self.type or place.type(part.type_ref), clause.name)
        self.order = _listed(text, place, clause.line)
        self.places: dict[Any, int] | None = None
        if all(type(each) in PLAIN for each in self.order):
            self.places = {each: at for at, each in reversed(list(enumerate(self.order)))}

    def checked(self, value: Value, scope: Scope) -> Value:
        """The value of a cell, or null where it has the wrong type or is not allowed."""
        if value is None:
            return None
        if self.type is not None:
            value = converted(value, self.type, scope, self.source)
        if value is not None and self.allowed is not None and not _all_allowed(self.allowed, value, scope):
            scope.run.warn(self.source, 0, f"an output is not among the values {self.allowed.text}")
            return None
        return value

    def rank(self, value: Value, run: Run) -> int:
        """The place of a value in the order of the column's values; behind them if it is none."""
        if self.places is not None:
            return self.places.get(value, len(self.order)) if type(value) in PLAIN else len(self.order)
        for index, each in enumerate(self.order):
            if same(value, each, run):
                return index
        return len(self.order)


def _allowed_text(type_: Type | None, name: str) -> str | None:
    """The allowed values of a column's type, or of the entry of that name in the table's type."""
    if type_ is None:
        return None
    try:
        found = resolve(type_)
    except Null:
        return None
    if isinstance(found, ListType):
        return _allowed_text(found.item, name)
    if isinstance(found, Constrained):
        return found.text
    for field, of in getattr(found, "fields", ()):
        if field == name:
            return _allowed_text(of, "")
    return None


def _listed(text: str | None, place: Place, line: int) -> list[Value]:
    if not text:
        return []
    try:
        found = place.expression(f"[{text}]", line).evaluate_in(Scope(Run(DEFAULT_LIMITS), {}))
    except FeelError:
        return []
    return found if isinstance(found, list) else []


class _Table:
    """A decision table, compiled."""

    def __init__(self, part: model.Table, place: Place) -> None:
        self.part = part
        self.place = place
        self.source = Source("", place.name)
        self.inputs = [_Input(clause, place) for clause in part.inputs]
        self.outputs = [_Output(clause, part, place) for clause in part.outputs]
        self.columns = [
            Column([place.tests(rule.inputs[index], rule.line) for rule in part.rules])
            for index in range(len(part.inputs))
        ]
        self.cells = [
            [place.evaluator(text, rule.line) if text.strip() else None for text in rule.outputs] for rule in part.rules
        ]

    def evaluate(self, scope: Scope) -> Value:
        """The table's result."""
        values = [each.value(scope) for each in self.inputs]
        rules = (1 << len(self.cells)) - 1
        for column, value in zip(self.columns, values, strict=True):
            rules = column.left(scope, value, rules)
            if not rules:
                break
        matched = numbers(rules)
        if self.part.hit_policy == "FIRST":
            del matched[1:]  # nobody asks the rules after it
        outputs = [self._row(index, scope) for index in matched]
        try:
            result = self._result(outputs, scope)
        except Null as null:
            scope.run.warn(self.source, 0, null.reason)
            result = None
        run = scope.run
        if isinstance(run, Tracing) and len(run.tables) < MOST:
            run.tables.append(self._explained(values, matched, outputs, result, run))
        return result

    def _row(self, index: int, scope: Scope) -> list[Value]:
        scope.run.produce(len(self.outputs))
        return [
            None if cell is None else output.checked(cell(scope), scope)
            for cell, output in zip(self.cells[index], self.outputs, strict=True)
        ]

    def _whole(self, row: list[Value]) -> Value:
        """A row as the table gives it: the value of its one output, or a context of several."""
        if len(self.outputs) == 1:
            return row[0]
        return {output.name: value for output, value in zip(self.outputs, row, strict=True)}

    def _result(self, rows: list[list[Value]], scope: Scope) -> Value:
        if not rows:
            return self._without_match(scope)
        return POLICIES[self.part.hit_policy](self, rows, scope.run)

    def _without_match(self, scope: Scope) -> Value:
        if any(output.default is not None for output in self.outputs):
            row = [None if output.default is None else output.default(scope) for output in self.outputs]
            return [self._whole(row)] if self.gives_a_list else self._whole(row)
        if self.part.aggregation == "COUNT":
            return Decimal(0)
        return [] if self.gives_a_list else None

    @property
    def gives_a_list(self) -> bool:
        """Whether the policy gives all matches."""
        return self.part.hit_policy in LISTS and self.part.aggregation is None

    # --- hit policies -------------------------------------------------------------------------------------------

    def unique(self, rows: list[list[Value]], run: Run) -> Value:
        """At most one rule matches."""
        if len(rows) > 1:
            raise Null(f"{len(rows)} rules match, and the hit policy is unique")
        return self._whole(rows[0])

    def any(self, rows: list[list[Value]], run: Run) -> Value:
        """All rules that match give the same."""
        if not all(row is rows[0] or same(row, rows[0], run) for row in rows[1:]):
            raise Null("rules match that give different outputs, and the hit policy is any")
        return self._whole(rows[0])

    def first(self, rows: list[list[Value]], run: Run) -> Value:
        """The first rule that matches."""
        return self._whole(rows[0])

    def priority(self, rows: list[list[Value]], run: Run) -> Value:
        """The rule whose outputs stand first in the order of output values."""
        return self._whole(self._ranked(rows, run)[0])

    def output_order(self, rows: list[list[Value]], run: Run) -> Value:
        """All rules, in the order of output values."""
        return [self._whole(row) for row in self._ranked(rows, run)]

    def rule_order(self, rows: list[list[Value]], run: Run) -> Value:
        """All rules, in the order of the table."""
        return [self._whole(row) for row in rows]

    def collect(self, rows: list[list[Value]], run: Run) -> Value:
        """All rules, or one number made of them."""
        if self.part.aggregation is None:
            return self.rule_order(rows, run)
        if self.part.aggregation == "COUNT":
            return Decimal(len(rows))
        if len(self.outputs) > 1:
            raise Null(f"{self.part.aggregation} wants one output, the table has {len(self.outputs)}")
        return BUILTINS[AGGREGATES[self.part.aggregation]].call(run, [[row[0] for row in rows]])

    def _ranked(self, rows: list[list[Value]], run: Run) -> list[list[Value]]:
        return sorted(
            rows,
            key=lambda row: [output.rank(value, run) for output, value in zip(self.outputs, row, strict=True)],
        )

    # --- explanation --------------------------------------------------------------------------------------------

    def _explained(
        self, values: list[Value], matched: list[int], rows: list[list[Value]], result: Value, run: Run
    ) -> TableExplanation:
        hits = [self._hit(index, row, run) for index, row in zip(matched, rows, strict=True)]
        aggregation = self.part.aggregation
        return TableExplanation(
            place=self.place.name,
            id=self.part.id,
            hit_policy=self.part.hit_policy + (f" {SIGNS[aggregation]}" if aggregation else ""),
            inputs={each.text: to_python(value, run) for each, value in zip(self.inputs, values, strict=True)},
            hits=hits,
            result=to_python(result, run),
        )

    def _hit(self, index: int, row: list[Value], run: Run) -> Hit:
        rule = self.part.rules[index]
        names = [clause.name or clause.label or "output" for clause in self.part.outputs]
        return Hit(
            rule=index + 1,
            id=rule.id,
            outputs={name: to_python(value, run) for name, value in zip(names, row, strict=True)},
            annotations=dict(zip(self.part.annotations, rule.annotations, strict=False)),
        )


POLICIES: Final[dict[str, Callable[[_Table, list[list[Value]], Run], Value]]] = {
    "UNIQUE": _Table.unique,
    "ANY": _Table.any,
    "FIRST": _Table.first,
    "PRIORITY": _Table.priority,
    "COLLECT": _Table.collect,
    "RULE ORDER": _Table.rule_order,
    "OUTPUT ORDER": _Table.output_order,
}
