"""Compiles what has parts or goes through values: lists, contexts, `if`, `for`, `some`, `every`, functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from segue.feel import ast
from segue.feel.build import Build
from segue.feel.functions import Lambda
from segue.feel.intervals import members, through
from segue.feel.nothing import Null
from segue.feel.run import Evaluate, Run, Scope
from segue.feel.values import Interval, Value, kind


def list_of(build: Build, node: ast.ListOf) -> Evaluate:
    """`[a, b]`."""
    items = [build.compile(item) for item in node.items]
    length = len(items)

    def run(scope: Scope) -> Value:
        scope.run.produce(length)
        return [item(scope) for item in items]

    return run


def context(build: Build, node: ast.Context) -> Evaluate:
    """`{a: 1, b: a + 1}`."""
    entries = [(key, build.compile(value)) for key, value in node.entries]
    at, twice = node.at, len({key for key, _ in entries}) < len(entries)

    def run(scope: Scope) -> Value:
        if twice:
            return build.null(scope, at, "a context with the same key twice")
        scope.run.produce(len(entries))
        made: dict[str, Value] = {}
        inner = scope.inner(made)
        for key, value in entries:
            made[key] = value(inner)
        return made

    return run


def condition(build: Build, node: ast.If) -> Evaluate:
    """`if a then b else c`: null counts as false."""
    branches = [(build.compile(test), build.compile(then), test.at) for test, then in node.branches]
    otherwise = build.compile(node.otherwise)

    def run(scope: Scope) -> Value:
        for test, then, at in branches:
            value = test(scope)
            if value is True:
                return then(scope)
            if value is not False and value is not None:
                return build.null(scope, at, f"if wants a boolean, got {kind(value)}")
        return otherwise(scope)

    return run


# --- loops ------------------------------------------------------------------------------------------------------

Domain = tuple[str, Evaluate, Evaluate | None, int]


def domain_values(value: Value, run: Run) -> Iterable[Value]:
    """What a loop goes through: a list's items, a range's values, or a single value.

    Raises:
        Null: it is null, or a range that cannot be gone through.
    """
    if isinstance(value, list):
        return value
    if isinstance(value, Interval):
        return members(value, run)
    if value is None:
        raise Null("there is nothing to go through: null")
    return (value,)


class Loop:
    """The iterators of a loop: goes through all combinations of their values, the last one fastest."""

    __slots__ = ("domains", "steps")

    def __init__(self, build: Build, iterators: tuple[ast.Iterator, ...], cost: int) -> None:
        self.steps = 1 + cost
        self.domains: list[Domain] = [
            (each.name, build.compile(each.domain), build.compile(each.to) if each.to else None, each.at)
            for each in iterators
        ]

    def scopes(self, scope: Scope) -> Iterator[Scope]:
        """A scope per combination.

        Raises:
            Null: something cannot be gone through.
        """
        return self._last(scope) if len(self.domains) == 1 else self._nested(scope, 0)

    def _values(self, scope: Scope, level: int) -> Iterable[Value]:
        _, low, high, _ = self.domains[level]
        if high is None:
            return domain_values(low(scope), scope.run)
        return through(low(scope), high(scope), scope.run)

    def _last(self, scope: Scope) -> Iterator[Scope]:
        name, run, steps = self.domains[-1][0], scope.run, self.steps
        for value in self._values(scope, -1):
            run.step(steps)
            yield Scope(run, {name: value}, scope)

    def _nested(self, scope: Scope, level: int) -> Iterator[Scope]:
        name, run = self.domains[level][0], scope.run
        following = self._last if level == len(self.domains) - 2 else partial(self._nested, level=level + 1)
        for value in self._values(scope, level):
            run.step()
            yield from following(Scope(run, {name: value}, scope))


def for_loop(build: Build, node: ast.For) -> Evaluate:
    """`for x in xs return y`."""
    loop, body = Loop(build, node.iterators, node.cost), build.compile(node.body)
    reads_partial, at = node.partial, node.at

    def run(scope: Scope) -> Value:
        results: list[Value] = []
        try:
            for inner in loop.scopes(scope):
                if reads_partial:
                    scope.run.produce(1 + (len(results) >> 4))
                    inner = inner.inner({"partial": results.copy()})
                results.append(body(inner))
        except Null as null:
            return build.null(scope, at, null.reason)
        scope.run.produce(len(results))
        return results

    return run


def quantified(build: Build, node: ast.Quantified) -> Evaluate:
    """`some x in xs satisfies y` is decided by one true, `every` by one false."""
    loop, body, at = Loop(build, node.iterators, node.cost), build.compile(node.body), node.at
    decided, undecided = not node.every, node.every
    word = "every" if node.every else "some"

    def run(scope: Scope) -> Value:
        result: bool | None = undecided
        try:
            for inner in loop.scopes(scope):
                value = body(inner)
                if value is decided:
                    return decided
                if value is None:
                    result = None
                elif value is not undecided:
                    return build.null(scope, at, f"{word} wants a boolean after satisfies, got {kind(value)}")
        except Null as null:
            return build.null(scope, at, null.reason)
        return result

    return run


# --- functions --------------------------------------------------------------------------------------------------


def function(build: Build, node: ast.Lambda) -> Evaluate:
    """`function(a, b) a + b`, which keeps the scope that it was made in."""
    parameters = tuple((parameter.name, parameter.type) for parameter in node.parameters)
    body = build.compile(node.body) if node.body is not None else None
    cost = node.cost
    return lambda scope: Lambda("function", parameters, body, scope, cost=cost)
