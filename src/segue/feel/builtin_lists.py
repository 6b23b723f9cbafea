"""The built-in functions that take lists apart and put them together (DMN 1.5, 10.3.4.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from segue.feel.builtin import Family
from segue.feel.comparison import order, same
from segue.feel.nothing import Null
from segue.feel.numbers import whole
from segue.feel.run import Run
from segue.feel.values import Function, Value, kind

LISTS: Final = Family()
List = list[Any]


def _index(items: List, position: Decimal) -> int:
    """The Python index of a position that must exist."""
    index = whole(position)
    if 0 < index <= len(items):
        return index - 1
    if -len(items) <= index < 0:
        return len(items) + index
    raise Null(f"there is no position {index} in a list of {len(items)}")


@LISTS.add("list contains(list: list, element: any)")
def list_contains(run: Run, items: List, element: Value) -> bool:
    run.step(len(items))
    return any(same(item, element, run) for item in items)


@LISTS.add("count(list: list)")
def count(run: Run, items: List) -> Decimal:
    return Decimal(len(items))


@LISTS.add("sublist(list: list, start position: number, length?: number)")
def sublist(run: Run, items: List, start: Decimal, length: Decimal | None = None) -> List:
    begin = _index(items, start)
    run.produce(len(items) - begin)
    if length is None:
        return items[begin:]
    size = whole(length)
    if size < 1 or begin + size > len(items):
        raise Null(f"there are no {size} items from position {whole(start)} on in a list of {len(items)}")
    return items[begin : begin + size]


@LISTS.add("append(list: list, item...: any)")
def append(run: Run, items: List, more: List) -> List:
    run.produce(len(items) + len(more))
    return [*items, *more]


def _joined(run: Run, lists: List) -> List:
    joined: List = []
    for part in lists:
        if part is None:
            raise Null("one of the lists is null")
        part = part if isinstance(part, list) else [part]
        run.produce(len(part))
        joined += part
    return joined


@LISTS.add("concatenate(list...: any)")
def concatenate(run: Run, lists: List) -> List:
    return _joined(run, lists)


@LISTS.add("insert before(list: list, position: number, newItem: any)")
def insert_before(run: Run, items: List, position: Decimal, item: Value) -> List:
    index = _index(items, position)
    run.produce(len(items) + 1)
    return [*items[:index], item, *items[index:]]


@LISTS.add("remove(list: list, position: number)")
def remove(run: Run, items: List, position: Decimal) -> List:
    index = _index(items, position)
    run.produce(len(items))
    return [*items[:index], *items[index + 1 :]]


@LISTS.add(
    "list replace(list: list, position: number, newItem: any)",
    "list replace(list: list, match: function, newItem: any)",
)
def list_replace(run: Run, items: List, which: Decimal | Function, item: Value) -> List:
    run.produce(len(items))
    if isinstance(which, Decimal):
        index = _index(items, which)
        return [*items[:index], item, *items[index + 1 :]]
    replaced: List = []
    for old in items:
        decision = which.call(run, [old, item])
        if not isinstance(decision, bool):
            raise Null(f"match must give a boolean, got {kind(decision)}")
        replaced.append(item if decision else old)
    return replaced


@LISTS.add("reverse(list: list)")
def reverse(run: Run, items: List) -> List:
    run.produce(len(items))
    return items[::-1]


@LISTS.add("index of(list: list, match: any)")
def index_of(run: Run, items: List, match: Value) -> List:
    run.step(len(items))
    return [Decimal(index) for index, item in enumerate(items, 1) if same(item, match, run)]


@LISTS.add("union(list...: any)")
def union(run: Run, lists: List) -> List:
    return _distinct(run, _joined(run, lists))


@LISTS.add("distinct values(list: list)")
def distinct_values(run: Run, items: List) -> List:
    return _distinct(run, items)


def _distinct(run: Run, items: List) -> List:
    distinct: List = []
    seen: set[tuple[type, Value]] = set()
    odd: List = []
    run.produce(len(items))
    for item in items:
        if isinstance(item, str | Decimal | bool) or item is None:
            key = (type(item), item)
            if key in seen:
                continue
            seen.add(key)
        else:
            run.step(len(odd))
            if any(same(item, other, run) for other in odd):
                continue
            odd.append(item)
        distinct.append(item)
    return distinct


@LISTS.add("flatten(list: list)")
def flatten(run: Run, items: List) -> List:
    flat: List = []
    stack = [iter(items)]
    while stack:
        for item in stack[-1]:
            run.step()
            if isinstance(item, list):
                stack.append(iter(item))
                break
            flat.append(item)
        else:
            stack.pop()
    run.produce(len(flat))
    return flat


class _Sortable:
    """An item that knows which other comes after it, as Python's sort asks."""

    __slots__ = ("item", "precedes", "run")

    def __init__(self, item: Value, precedes: Function | None, run: Run) -> None:
        self.item = item
        self.precedes = precedes
        self.run = run

    def __lt__(self, other: _Sortable) -> bool:
        self.run.step()
        if self.precedes is None:
            found = order(self.item, other.item)
            if found is None:
                raise Null(f"{kind(self.item)} and {kind(other.item)} have no order")
            return found < 0
        decision = self.precedes.call(self.run, [self.item, other.item])
        if not isinstance(decision, bool):
            raise Null(f"precedes must give a boolean, got {kind(decision)}")
        return decision


@LISTS.add("sort(list: list, precedes?: function)")
def sort(run: Run, items: List, precedes: Function | None = None) -> List:
    run.produce(len(items))
    return [each.item for each in sorted(_Sortable(item, precedes, run) for item in items)]
