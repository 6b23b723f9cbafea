"""Compiles access: names, members, filters and calls."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from segue.feel import ast
from segue.feel.arithmetic import TABLES
from segue.feel.build import Build
from segue.feel.nothing import Null
from segue.feel.numbers import whole
from segue.feel.properties import PROPERTIES
from segue.feel.run import Evaluate, Run, Scope
from segue.feel.values import Function, Value, kind

MISSING = object()


def name(build: Build, node: ast.Name) -> Evaluate:
    """A variable by name, or a built-in function where no variable has the name."""
    key, at, function = node.name, node.at, build.functions.get(node.name)
    missing = f"there is no {key[:40]!r} here"

    def run(scope: Scope) -> Value:
        variables = scope.variables
        if key in variables:
            return variables[key]
        place = scope.parent
        while place is not None:
            variables = place.variables
            if key in variables:
                return variables[key]
            place = place.parent
        if function is None:
            build.null(scope, at, missing)
        return function

    return run


Step = Callable[[Scope, Value], Value]
"""What a member, a filter or a call makes of the value before it."""


def postfix(build: Build, node: ast.Postfix) -> Evaluate:
    """`a.b[c](d)`, from left to right, however long."""
    first = build.compile(node.value)
    steps = [STEPS[type(part)](build, part) for part in node.parts]
    if len(steps) == 1:
        (single,) = steps
        return lambda scope: single(scope, first(scope))

    def run(scope: Scope) -> Value:
        value = first(scope)
        for step in steps:
            value = step(scope, value)
        return value

    return run


# --- members ----------------------------------------------------------------------------------------------------


def _path(build: Build, node: ast.Path) -> Step:
    key, at = node.name, node.at

    def run(scope: Scope, whole_: Value) -> Value:
        if type(whole_) is dict:
            found = whole_.get(key, MISSING)
            if found is not MISSING:
                return found
        try:
            return member(whole_, key, scope.run)
        except Null as null:
            return build.null(scope, at, null.reason)

    return run


def member(value: Value, key: str, run: Run) -> Value:
    """`value.key`; of a list, the member of each item.

    Raises:
        Null: there is no such member.
    """
    if isinstance(value, dict):
        if key in value:
            return value[key]
        raise Null(f"the context has no entry {key[:40]!r}")
    if isinstance(value, list):
        run.produce(len(value))
        return [_member_or_null(item, key, run) for item in value]
    property_ = PROPERTIES.get(type(value), {}).get(key)
    if property_ is None:
        raise Null(f"{kind(value)} has no {key[:40]!r}")
    return property_(value)


def _member_or_null(value: Value, key: str, run: Run) -> Value:
    try:
        return member(value, key, run)
    except Null:
        return None


# --- filters ----------------------------------------------------------------------------------------------------


def _filter(build: Build, node: ast.Filter) -> Step:
    if isinstance(node.condition, ast.Literal) and type(node.condition.value) is Decimal:
        return _item(build, node.at, whole(node.condition.value))
    keep, at, maybe_index = build.compile(node.condition), node.at, _may_be_a_number(node.condition)
    cost = node.cost

    def run(scope: Scope, items: Value) -> Value:
        try:
            if items == [] and maybe_index and type(keep(scope)) is Decimal:
                raise Null("there is no item in an empty list")
            return filtered(items, keep, scope, cost)
        except Null as null:
            return build.null(scope, at, null.reason)

    return run


def _may_be_a_number(condition: ast.Node) -> bool:
    """Whether a condition looks like a position. Only an empty list has to ask: it has no item to try it with."""
    if isinstance(condition, ast.Chain):
        return condition.rest[0][0] in TABLES
    return isinstance(condition, ast.Name | ast.Negate)


def _item(build: Build, at: int, index: int) -> Step:
    def run(scope: Scope, found: Value) -> Value:
        try:
            return item_at(found if isinstance(found, list) else [found], index)
        except Null as null:
            return build.null(scope, at, null.reason)

    return run


def item_at(items: list[Value], index: int) -> Value:
    """The item at a position: from 1 at the start, from -1 at the end.

    Raises:
        Null: there is none.
    """
    if 0 < index <= len(items):
        return items[index - 1]
    if -len(items) <= index < 0:
        return items[index]
    raise Null(f"there is no item {index} in a list of {len(items)}")


def filtered(value: Value, keep: Callable[[Scope], Value], scope: Scope, cost: int = 0) -> Value:
    """The items for which a condition is true, or the item at the position that it gives.

    Within the condition `item` is the item, and an item's own entries come before it.

    Raises:
        Null: the condition is neither, or there is no such item.
    """
    if value is None:
        raise Null("null has no items")
    items = value if isinstance(value, list) else [value]
    run = scope.run
    kept: list[Value] = []
    for position, item in enumerate(items):
        run.step(1 + cost)
        inner = Scope(run, {"item": item}, scope)
        if type(item) is dict:
            inner = Scope(run, item, inner)
        decision = keep(inner)
        if decision is True:
            kept.append(item)
        elif type(decision) is Decimal and position == 0:
            return item_at(items, whole(decision))
        elif decision is not False and decision is not None:
            raise Null(f"a filter wants a boolean or a position, got {kind(decision)}")
    run.produce(len(kept))
    return kept


# --- calls ------------------------------------------------------------------------------------------------------


def _call(build: Build, node: ast.Call) -> Step:
    arguments = [build.compile(argument) for argument in node.arguments]
    names, at = node.names, node.at

    def run(scope: Scope, called: Value) -> Value:
        values = [argument(scope) for argument in arguments]
        if not isinstance(called, Function):
            return build.null(scope, at, f"{kind(called)} cannot be called")
        try:
            if names is None:
                return called.call(scope.run, values)
            return called.call_named(scope.run, names, values)
        except Null as null:
            return build.null(scope, at, null.reason)

    return run


STEPS: Final[dict[type[ast.Node], Callable[[Build, Any], Step]]] = {
    ast.Path: _path,
    ast.Filter: _filter,
    ast.Call: _call,
}
