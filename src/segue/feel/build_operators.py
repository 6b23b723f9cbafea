"""Compiles operators: arithmetic, comparison, three-valued logic, `between` (DMN 1.5, 10.3.2)."""

from __future__ import annotations

import operator as python_operator
from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Final

from segue.feel import ast
from segue.feel.arithmetic import TABLES, negate
from segue.feel.build import Build
from segue.feel.comparison import LONG, equal, order
from segue.feel.nothing import Null
from segue.feel.run import Evaluate, Run, Scope
from segue.feel.types import is_instance
from segue.feel.values import Value, kind

Compare = Callable[[Value, Value, Run], "bool | None"]


Step = Callable[[Scope, Value], Value]
"""What an operator and its right side make of the value so far."""


def chain(build: Build, node: ast.Chain) -> Evaluate:
    """`a + b - c`, `a and b and c`, `a < b`: from left to right, however many there are."""
    if node.rest[0][0] in ("and", "or"):
        return _logic(build, node, decided=node.rest[0][0] == "or")
    first = build.compile(node.first)
    steps = [_step(build, symbol, at, operand) for symbol, operand, at in node.rest]
    if len(steps) == 1:
        (single,) = steps
        return lambda scope: single(scope, first(scope))

    def run(scope: Scope) -> Value:
        value = first(scope)
        for step in steps:
            value = step(scope, value)
        return value

    return run


def _step(build: Build, symbol: str, at: int, operand: ast.Node) -> Step:
    right = build.compile(operand)
    if symbol in TABLES:
        return _arithmetic(build, symbol, at, right)
    step = _comparison(build, symbol, at, right)
    if isinstance(operand, ast.Literal) and type(operand.value) is Decimal:
        return _quick_comparison(symbol, operand.value, step)
    return step


def _arithmetic(build: Build, symbol: str, at: int, right: Evaluate) -> Step:
    table = TABLES[symbol]
    dear = symbol == "**"

    def run(scope: Scope, a: Value) -> Value:
        b = right(scope)
        if dear:
            scope.run.step(20)
        operation = table.get((type(a), type(b)))
        if operation is None:
            return build.null(scope, at, f"{symbol} has no meaning for {kind(a)} and {kind(b)}")
        try:
            result = operation(a, b)
        except Null as null:
            return build.null(scope, at, null.reason)
        except DecimalException:
            return build.null(scope, at, f"the result of {symbol} is out of range")
        if type(result) is str:
            scope.run.produce(len(result))
        return result

    return run


# --- comparison -------------------------------------------------------------------------------------------------


def _ordering(decide: Callable[[int], bool], direct: Callable[[Decimal, Decimal], bool]) -> Compare:
    def compare(left: Value, right: Value, run: Run) -> bool | None:
        if type(left) is Decimal and type(right) is Decimal:
            return direct(left, right)
        if type(left) is str and len(left) > LONG:
            run.step(len(left) >> 10)
        found = order(left, right)
        return None if found is None else decide(found)

    return compare


def _unequal(left: Value, right: Value, run: Run) -> bool | None:
    found = equal(left, right, run)
    return None if found is None else not found


DIRECT: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "=": python_operator.eq,
    "!=": python_operator.ne,
    "<": python_operator.lt,
    "<=": python_operator.le,
    ">": python_operator.gt,
    ">=": python_operator.ge,
}
COMPARE: Final[dict[str, Compare]] = {
    "=": equal,
    "!=": _unequal,
    "<": _ordering(lambda found: found < 0, python_operator.lt),
    "<=": _ordering(lambda found: found <= 0, python_operator.le),
    ">": _ordering(lambda found: found > 0, python_operator.gt),
    ">=": _ordering(lambda found: found >= 0, python_operator.ge),
}


def _comparison(build: Build, symbol: str, at: int, right: Evaluate) -> Step:
    compare = COMPARE[symbol]

    def run(scope: Scope, a: Value) -> Value:
        b = right(scope)
        found = compare(a, b, scope.run)
        if found is None:
            build.null(scope, at, f"{kind(a)} {symbol} {kind(b)} cannot be compared")
        return found

    return run


def _quick_comparison(symbol: str, limit: Decimal, step: Step) -> Step:
    """A comparison with a number in the text, which is most of them."""
    direct = DIRECT[symbol]
    return lambda scope, a: direct(a, limit) if type(a) is Decimal else step(scope, a)


def between(build: Build, node: ast.Between) -> Evaluate:
    """`value between low and high`, both ends included."""
    value, low, high, at = build.compile(node.value), build.compile(node.low), build.compile(node.high), node.at

    def run(scope: Scope) -> Value:
        middle = value(scope)
        above, below = order(low(scope), middle), order(middle, high(scope))
        if above is None or below is None:
            return build.null(scope, at, "the three values of between cannot be compared")
        return above <= 0 and below <= 0

    return run


# --- logic ------------------------------------------------------------------------------------------------------


def _logic(build: Build, node: ast.Chain, *, decided: bool) -> Evaluate:
    """`or` is decided by one true, `and` by one false; short of that, anything but a boolean makes it null."""
    operands = [(build.compile(node.first), node.first.at)]
    operands += [(build.compile(operand), operand.at) for _, operand, _ in node.rest]
    undecided = not decided
    word = node.rest[0][0]

    def run(scope: Scope) -> Value:
        result: bool | None = undecided
        for evaluate, at in operands:
            value = evaluate(scope)
            if value is decided:
                return decided
            if value is not undecided:
                result = None
                if value is not None:
                    build.null(scope, at, f"{word} wants booleans, got {kind(value)}")
        return result

    return run


def negation(build: Build, node: ast.Negate) -> Evaluate:
    """Minus, as often as it stands there."""
    operand, odd, at = build.compile(node.operand), node.times % 2 == 1, node.at

    def run(scope: Scope) -> Value:
        try:
            negated = negate(operand(scope))
        except Null as null:
            return build.null(scope, at, null.reason)
        return negated if odd else negate(negated)

    return run


def instance_of(build: Build, node: ast.InstanceOf) -> Evaluate:
    """`value instance of type`."""
    value, type_, at = build.compile(node.value), node.type, node.at

    def run(scope: Scope) -> Value:
        try:
            return is_instance(value(scope), type_, scope.run)
        except Null as null:
            return build.null(scope, at, null.reason)

    return run
