"""Compiles tests: ranges, `in`, and the cells of decision tables (DMN 1.5, 7.3.1 and 10.3.2.7)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from segue.feel import ast
from segue.feel.build import Build
from segue.feel.build_operators import COMPARE
from segue.feel.comparison import equal, same, within
from segue.feel.intervals import compared, interval
from segue.feel.nothing import Null
from segue.feel.run import Evaluate, Run, Scope
from segue.feel.values import Interval, Value, kind

Test: TypeAlias = Callable[[Scope, Value], "bool | None"]
"""Whether a test holds for a value."""

INPUT = "?"


def range_of(build: Build, node: ast.Range) -> Evaluate:
    """`[low..high]`."""
    low, high, at = build.compile(node.low), build.compile(node.high), node.at
    low_included, high_included = node.low_included, node.high_included

    def run(scope: Scope) -> Value:
        try:
            return interval(low(scope), high(scope), low_included=low_included, high_included=high_included)
        except Null as null:
            return build.null(scope, at, null.reason)

    return run


def comparison(build: Build, node: ast.Comparison) -> Evaluate:
    """`(< 10)`, as a value."""
    operand, at, operator = build.compile(node.operand), node.at, node.operator

    def run(scope: Scope) -> Value:
        try:
            return compared(operator, operand(scope))
        except Null as null:
            return build.null(scope, at, null.reason)

    return run


def tests_as_value(build: Build, node: ast.Tests) -> Evaluate:
    """`(a, b)` where no test is asked for: it has no value."""
    at = node.at
    return lambda scope: build.null(scope, at, "tests in parentheses mean something only after in")


def inside(build: Build, node: ast.In) -> Evaluate:
    """`value in tests`."""
    value, at = build.compile(node.value), node.at
    tests = [test(build, each) for each in node.tests]

    def run(scope: Scope) -> Value:
        found = value(scope)
        result: bool | None = False
        for holds in tests:
            decision = holds(scope, found)
            if decision is True:
                return True
            if decision is None:
                result = None
        if result is None:
            build.null(scope, at, f"{kind(found)} cannot be compared with what stands after in")
        return result

    return run


# --- single tests -----------------------------------------------------------------------------------------------


def test(build: Build, node: ast.Node) -> Test:
    """One test, quick where it compares with a constant."""
    match node:
        case ast.Comparison():
            return _compare(build, node)
        case ast.Range():
            return _within(build, node)
        case ast.Literal():
            return _equals(node.value)
    evaluate = build.compile(node)
    return lambda scope, value: holds(value, evaluate(scope), scope.run)


def _compare(build: Build, node: ast.Comparison) -> Test:
    compare = COMPARE[node.operator]
    if isinstance(node.operand, ast.Literal):
        limit = node.operand.value
        return lambda scope, value: compare(value, limit, scope.run)
    operand = build.compile(node.operand)
    return lambda scope, value: compare(value, operand(scope), scope.run)


def _within(build: Build, node: ast.Range) -> Test:
    low, high = node.low, node.high
    if not (isinstance(low, ast.Literal) and isinstance(high, ast.Literal)):
        evaluate = range_of(build, node)
        return lambda scope, value: holds(value, evaluate(scope), scope.run)
    try:
        fixed = interval(low.value, high.value, low_included=node.low_included, high_included=node.high_included)
    except Null as null:
        reason, at = null.reason, node.at
        return lambda scope, value: build.null(scope, at, reason)
    if type(fixed.low) is Decimal and fixed.low_included and fixed.high_included:
        least, greatest = fixed.low, fixed.high
        return lambda scope, value: least <= value <= greatest if type(value) is Decimal else None
    return lambda scope, value: within(value, fixed)


def fixed(node: ast.Node) -> Interval | None:
    """The range that a test stands for, where it is written with constants only."""
    try:
        match node:
            case ast.Range(low=ast.Literal(value=low), high=ast.Literal(value=high)):
                return interval(low, high, low_included=node.low_included, high_included=node.high_included)
            case ast.Comparison(operand=ast.Literal(value=limit)) if node.operator != "!=":
                return compared(node.operator, limit)
            case ast.Literal(value=Decimal() as point):
                return Interval(point, point, True, True)
    except Null:
        pass
    return None


def _equals(constant: Value) -> Test:
    if type(constant) in (str, Decimal):
        python = type(constant)
        return lambda scope, value: value == constant if type(value) is python else _other(value, constant, scope.run)
    return lambda scope, value: _other(value, constant, scope.run)


def _other(value: Value, constant: Value, run: Run) -> bool | None:
    return holds(value, constant, run)


def holds(value: Value, tested: Value, run: Run) -> bool | None:
    """Whether a value passes a test that has been evaluated: in the range, in the list, or equal."""
    if isinstance(tested, Interval):
        return within(value, tested)
    if isinstance(tested, list):
        run.step(len(tested))
        if isinstance(value, list) and same(value, tested, run):
            return True
        return any(
            within(value, item) is True if isinstance(item, Interval) else same(value, item, run) for item in tested
        )
    return equal(value, tested, run)


# --- cells of decision tables -----------------------------------------------------------------------------------


def any_input(build: Build, node: ast.AnyInput) -> Test:
    """`-`."""
    return lambda scope, value: True


def unary_tests(build: Build, node: ast.UnaryTests, *, reads_input: bool) -> Test:
    """Tests of which one has to hold, or none for `not(…)`."""
    tests = [_cell_test(build, each, reads_input=reads_input) for each in node.tests]
    if len(tests) == 1 and not node.negated:
        return tests[0]
    negated = node.negated

    def run(scope: Scope, value: Value) -> bool | None:
        result: bool | None = False
        for passes in tests:
            decision = passes(scope, value)
            if decision is True:
                return not negated
            if decision is None:
                result = None
        return None if result is None else negated

    return run


def _cell_test(build: Build, node: ast.Node, *, reads_input: bool) -> Test:
    """A test that may also be a condition: true, whatever the input is, or by what it says of `?`."""
    if isinstance(node, ast.Literal | ast.Range | ast.Comparison) and not reads_input:
        return test(build, node)
    evaluate, single = build.compile(node), test(build, node)
    if isinstance(node, ast.Comparison):
        return lambda scope, value: single(scope.inner({INPUT: value}), value)

    def run(scope: Scope, value: Value) -> bool | None:
        tested = evaluate(scope.inner({INPUT: value}) if reads_input else scope)
        if isinstance(tested, bool) and (reads_input or not isinstance(value, bool)):
            return tested
        return holds(value, tested, scope.run)

    return run
