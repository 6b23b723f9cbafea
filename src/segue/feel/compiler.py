"""Compiles a syntax tree to closures: the table of which part is compiled by what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from segue.feel import ast, build_access, build_loops, build_operators, build_tests
from segue.feel.build import Build, Handler, constant
from segue.feel.build_tests import INPUT, Test
from segue.feel.parser import Parsed
from segue.feel.run import Evaluate, Scope
from segue.feel.source import Source
from segue.feel.values import Function, Value


def _literal(build: Build, node: ast.Literal) -> Evaluate:
    return constant(node.value)


def _bad_literal(build: Build, node: ast.BadLiteral) -> Evaluate:
    at, reason = node.at, node.reason

    def run(scope: Scope) -> Value:
        return build.null(scope, at, reason)

    return run


HANDLERS: Final[dict[type[ast.Node], Handler]] = {
    ast.Literal: _literal,
    ast.BadLiteral: _bad_literal,
    ast.Name: build_access.name,
    ast.Postfix: build_access.postfix,
    ast.Chain: build_operators.chain,
    ast.Negate: build_operators.negation,
    ast.Between: build_operators.between,
    ast.InstanceOf: build_operators.instance_of,
    ast.In: build_tests.inside,
    ast.Tests: build_tests.tests_as_value,
    ast.Comparison: build_tests.comparison,
    ast.Range: build_tests.range_of,
    ast.ListOf: build_loops.list_of,
    ast.Context: build_loops.context,
    ast.If: build_loops.condition,
    ast.For: build_loops.for_loop,
    ast.Quantified: build_loops.quantified,
    ast.Lambda: build_loops.function,
}


def compile_expression(source: Source, parsed: Parsed, functions: Mapping[str, Function]) -> Evaluate:
    """The closure that evaluates an expression."""
    return Build(source, HANDLERS, functions).compile(parsed.root)


def compile_tests(source: Source, parsed: Parsed, functions: Mapping[str, Function]) -> Test:
    """The closure that says whether a cell of a decision table holds for an input."""
    build = Build(source, HANDLERS, functions)
    match parsed.root:
        case ast.AnyInput() as node:
            return build_tests.any_input(build, node)
        case ast.UnaryTests() as node:
            reads_input = INPUT in parsed.reads or INPUT in parsed.reads_in_filters
            return build_tests.unary_tests(build, node, reads_input=reads_input)
        case node:
            raise AssertionError(node)
