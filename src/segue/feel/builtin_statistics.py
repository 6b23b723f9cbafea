"""The built-in functions that make one value of many (DMN 1.5, 10.3.4.4)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from segue.feel.builtin import Family
from segue.feel.comparison import order
from segue.feel.nothing import Null
from segue.feel.numbers import CONTEXT, ONE, ZERO
from segue.feel.run import Run
from segue.feel.values import Value, kind

STATISTICS: Final = Family()
List = list[Any]


def _numbers(run: Run, items: List, least: int = 1) -> list[Decimal]:
    run.step(len(items))
    for item in items:
        if type(item) is not Decimal:
            raise Null(f"all must be numbers, got {kind(item)}")
    if len(items) < least:
        raise Null(f"at least {least} needed, got {len(items)}")
    return items


def _extreme(run: Run, items: List, sign: int) -> Value:
    if not items:
        raise Null("an empty list")
    run.step(len(items))
    best = items[0]
    for item in items:
        found = order(item, best)
        if found is None:
            raise Null(f"{kind(item)} and {kind(best)} have no order")
        if found == sign:
            best = item
    return best


@STATISTICS.add("min(list: list)", "min(c...: any)")
def min_(run: Run, items: List) -> Value:
    return _extreme(run, items, -1)


@STATISTICS.add("max(list: list)", "max(c...: any)")
def max_(run: Run, items: List) -> Value:
    return _extreme(run, items, 1)


def _folded(operation: Callable[[Decimal, Decimal], Decimal], start: Decimal, items: list[Decimal]) -> Decimal:
    for item in items:
        start = operation(start, item)
    return start


@STATISTICS.add("sum(list: list)", "sum(n...: any)")
def sum_(run: Run, items: List) -> Decimal:
    return _folded(CONTEXT.add, ZERO, _numbers(run, items))


@STATISTICS.add("product(list: list)", "product(n...: any)")
def product(run: Run, items: List) -> Decimal:
    return _folded(CONTEXT.multiply, ONE, _numbers(run, items))


@STATISTICS.add("mean(list: list)", "mean(n...: any)")
def mean(run: Run, items: List) -> Decimal:
    return CONTEXT.divide(sum_(run, items), Decimal(len(items)))


@STATISTICS.add("median(list: list)", "median(n...: any)")
def median(run: Run, items: List) -> Decimal:
    ordered = sorted(_numbers(run, items))
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return CONTEXT.divide(CONTEXT.add(ordered[middle - 1], ordered[middle]), Decimal(2))


@STATISTICS.add("stddev(list: list)", "stddev(n...: any)")
def stddev(run: Run, items: List) -> Decimal:
    average = mean(run, _numbers(run, items, least=2))
    squares = [CONTEXT.power(CONTEXT.subtract(item, average), 2) for item in items]
    return CONTEXT.sqrt(CONTEXT.divide(sum_(run, squares), Decimal(len(items) - 1)))


@STATISTICS.add("mode(list: list)", "mode(n...: any)")
def mode(run: Run, items: List) -> List:
    counts: dict[Decimal, int] = {}
    for item in _numbers(run, items, least=0):
        counts[item] = counts.get(item, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(item for item, times in counts.items() if times == most)


def _three_valued(items: List, decided: bool) -> bool | None:
    if any(item is decided for item in items):
        return decided
    for item in items:
        if item is not None and not isinstance(item, bool):
            raise Null(f"all must be booleans, got {kind(item)}")
    return None if None in items else not decided


@STATISTICS.add("all(list: list)", "all(b...: any)")
def all_(run: Run, items: List) -> bool | None:
    run.step(len(items))
    return _three_valued(items, decided=False)


@STATISTICS.add("any(list: list)", "any(b...: any)")
def any_(run: Run, items: List) -> bool | None:
    run.step(len(items))
    return _three_valued(items, decided=True)
