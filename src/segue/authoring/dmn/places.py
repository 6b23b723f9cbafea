"""Where an expression of a model stands: the names and types that are known there, and how text becomes a closure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from segue.authoring.dmn.item_types import type_by_name
from segue.errors import DecisionModelError, FeelError
from segue.feel.expression import Expression, UnaryTests, expression_of, tests_of
from segue.feel.limits import Limits
from segue.feel.names import Names
from segue.feel.nothing import Null
from segue.feel.run import Evaluate, Scope
from segue.feel.source import Source
from segue.feel.types import Type, coerce
from segue.feel.values import Value

FREE: Final = 8
"""Steps that an expression takes by its length and that are not worth counting."""


class Place:
    """A place in a model, under the name of the element that it is part of."""

    __slots__ = ("known", "limits", "members", "name", "types")

    def __init__(
        self,
        name: str,
        names: Iterable[str],
        *,
        members: Names,
        types: Mapping[str, Type],
        limits: Limits,
        outer: Names | None = None,
    ) -> None:
        self.name = name
        self.known = Names(names, outer)
        self.members = members
        self.types = types
        self.limits = limits

    def within(self, name: str = "", names: Iterable[str] = ()) -> Place:
        """A place inside this one, where more names are known."""
        return Place(
            f"{self.name}, {name}" if name else self.name,
            names,
            members=self.members,
            types=self.types,
            limits=self.limits,
            outer=self.known,
        )

    def expression(self, text: str, line: int) -> Expression:
        """A text, compiled.

        Raises:
            DecisionModelError: it cannot be read.
        """
        try:
            return expression_of(Source(text, self.name), self.known, self.members, self.types, self.limits)
        except FeelError as error:
            raise DecisionModelError(str(error), element=self.name, line=line) from None

    def evaluator(self, text: str, line: int) -> Evaluate:
        """The closure of a text; one that is long is paid for by its length each time, since it may be called often.

        Raises:
            DecisionModelError: it cannot be read.
        """
        evaluate, cost = self.expression(text, line).evaluate_in, len(text) >> 4
        if cost < FREE:
            return evaluate

        def run(scope: Scope) -> Value:
            scope.run.step(cost)
            return evaluate(scope)

        return run

    def tests(self, text: str, line: int) -> UnaryTests:
        """The cell of a decision table, compiled.

        Raises:
            DecisionModelError: it cannot be read.
        """
        try:
            return tests_of(Source(text, self.name), self.known, self.members, self.types, self.limits)
        except FeelError as error:
            raise DecisionModelError(str(error), element=self.name, line=line) from None

    def type(self, name: str | None) -> Type | None:
        """The type that a reference means here."""
        return type_by_name(name, self.types)

    def typed(self, evaluate: Evaluate, type_ref: str | None, what: str) -> Evaluate:
        """The closure whose value is converted to the declared type, or null where that cannot be."""
        type_ = self.type(type_ref)
        if type_ is None:
            return evaluate
        source = Source("", f"{self.name}, {what}")

        def run(scope: Scope) -> Value:
            return converted(evaluate(scope), type_, scope, source)

        return run


def converted(value: Value, type_: Type, scope: Scope, source: Source) -> Value:
    """The value as one of a type; null, with a warning, where there is no conversion."""
    try:
        return coerce(value, type_, scope.run)
    except Null as null:
        scope.run.warn(source, 0, null.reason)
        return None
