"""Compiles boxed expressions to closures (DMN 1.5, 7, 10.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from segue.authoring.dmn import model
from segue.authoring.dmn.places import Place
from segue.authoring.dmn.tables import table
from segue.feel.build_access import filtered
from segue.feel.build_loops import domain_values
from segue.feel.expression import compile
from segue.feel.functions import Lambda
from segue.feel.nothing import Null
from segue.feel.run import Evaluate, Scope
from segue.feel.source import Source
from segue.feel.types import Type
from segue.feel.values import Function, Value, kind

RESULT: Final = "the result"


def boxed(part: model.Boxed, place: Place) -> Evaluate:
    """The closure of a boxed expression, its type checked.

    Raises:
        DecisionModelError: a text in it cannot be read.
    """
    evaluate = COMPILERS[type(part)](part, place)
    return place.typed(evaluate, part.type_ref, RESULT) if not isinstance(part, model.Function) else evaluate


def _null(place: Place, scope: Scope, reason: str) -> None:
    scope.run.warn(Source("", place.name), 0, reason)


def _literal(part: model.Literal, place: Place) -> Evaluate:
    language = part.language
    if language is not None and "feel" not in language.lower():
        return lambda scope: _null(place, scope, f"an expression in {language[:80]!r}; only FEEL is evaluated")
    if not part.text.strip():
        return lambda scope: None
    return place.evaluator(part.text, part.line)


def _table(part: model.Table, place: Place) -> Evaluate:
    return table(part, place)


def _context(part: model.Context, place: Place) -> Evaluate:
    entries: list[tuple[str | None, Evaluate]] = []
    place = place.within()  # its names grow: an entry sees those before it
    for entry in part.entries:
        variable = entry.variable
        name = variable.name if variable is not None else ""
        evaluate = boxed(entry.value, place.within(name) if name else place)
        if variable is not None and name:
            evaluate = place.typed(evaluate, variable.type_ref, name)
            place.known.add((name,))
        entries.append((name or None, evaluate))

    def run(scope: Scope) -> Value:
        made: dict[str, Value] = {}
        inner = scope.inner(made)
        scope.run.produce(len(entries))
        for name, evaluate in entries:
            value = evaluate(inner)
            if name is None:
                return value
            made[name] = value
        return made

    return run


def _list(part: model.ListOf, place: Place) -> Evaluate:
    items = [boxed(item, place) for item in part.items]

    def run(scope: Scope) -> Value:
        scope.run.produce(len(items))
        return [item(scope) for item in items]

    return run


def _relation(part: model.Relation, place: Place) -> Evaluate:
    rows = [
        [
            (column.name, place.typed(boxed(cell, place), column.type_ref, column.name))
            for column, cell in zip(part.columns, row, strict=True)
        ]
        for row in part.rows
    ]

    def run(scope: Scope) -> Value:
        scope.run.produce(len(rows) * (1 + len(part.columns)))
        return [{name: cell(scope) for name, cell in row} for row in rows]

    return run


def _invocation(part: model.Invocation, place: Place) -> Evaluate:
    function = boxed(part.function, place)
    names = [parameter.name for parameter, _ in part.bindings]
    arguments = [boxed(value, place) for _, value in part.bindings]

    def run(scope: Scope) -> Value:
        called = function(scope)
        if not isinstance(called, Function):
            return _null(place, scope, f"{kind(called)} cannot be called")
        values = [argument(scope) for argument in arguments]
        try:
            return called.call_named(scope.run, names, values) if names else called.call(scope.run, values)
        except Null as null:
            return _null(place, scope, null.reason)

    return run


def parameters(part: model.Function, place: Place) -> tuple[tuple[str, Type | None], ...]:
    """The names and types of a function's parameters."""
    return tuple((parameter.name, place.type(parameter.type_ref)) for parameter in part.parameters)


def body(part: model.Function, place: Place) -> Evaluate | None:
    """A function's body; nothing for one that is written in another language."""
    if part.kind != "FEEL":
        return None
    if part.body is None:
        return lambda scope: None
    return boxed(part.body, place.within(names=(parameter.name for parameter in part.parameters)))


def _function(part: model.Function, place: Place) -> Evaluate:
    own, inside, result = parameters(part, place), body(part, place), place.type(part.type_ref)
    return lambda scope: Lambda("function", own, inside, scope, result)


def _conditional(part: model.Conditional, place: Place) -> Evaluate:
    condition, then, otherwise = boxed(part.condition, place), boxed(part.then, place), boxed(part.otherwise, place)

    def run(scope: Scope) -> Value:
        value = condition(scope)
        if value is True:
            return then(scope)
        if value is not False and value is not None:
            return _null(place, scope, f"if wants a boolean, got {kind(value)}")
        return otherwise(scope)

    return run


def _loop(part: model.Loop, place: Place) -> Evaluate:
    """`for`, `some` and `every` in boxes: FEEL's own, over a list that has been evaluated."""
    domain = boxed(part.domain, place)
    name = part.variable
    more = (name, "partial") if part.kind == "for" else (name,)
    inside = boxed(part.body, place.within(names=more))
    # The boxes' body is put into FEEL's own loop as a function of the variable, so that there is one loop to be right.
    word = "return" if part.kind == "for" else "satisfies"
    called = "body(value, partial)" if part.kind == "for" else "body(value)"
    loop = compile(f"{part.kind} value in domain {word} {called}", name=place.name)

    def run(scope: Scope) -> Value:
        try:
            values = list(domain_values(domain(scope), scope.run))
        except Null as null:
            return _null(place, scope, null.reason)
        function = Lambda("body", tuple((each, None) for each in more), inside, scope)
        return loop.evaluate_in(scope.inner({"domain": values, "body": function}))

    return run


def _filter(part: model.Filter, place: Place) -> Evaluate:
    domain, match = boxed(part.domain, place), boxed(part.match, place.within(names=("item",)))

    def run(scope: Scope) -> Value:
        try:
            return filtered(domain(scope), match, scope)
        except Null as null:
            return _null(place, scope, null.reason)

    return run


COMPILERS: Final[dict[type[model.Boxed], Callable[[Any, Place], Evaluate]]] = {
    model.Literal: _literal,
    model.Table: _table,
    model.Context: _context,
    model.ListOf: _list,
    model.Relation: _relation,
    model.Invocation: _invocation,
    model.Function: _function,
    model.Conditional: _conditional,
    model.Loop: _loop,
    model.Filter: _filter,
}
