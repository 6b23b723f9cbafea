"""The syntax tree of an expression. Chains of one precedence are flat, so that length is never depth."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.feel.types import Type


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """Part of an expression; ``at`` is its offset in the text."""

    at: int


class Literal(Node, frozen=True):
    """null, true, false, a number, a string, or what an at-literal stands for."""

    value: Any


class BadLiteral(Node, frozen=True):
    """A literal that stands for nothing, such as a 13th month: null, and a warning with the reason."""

    reason: str


class Name(Node, frozen=True):
    """A variable or function by name."""

    name: str


class Chain(Node, frozen=True):
    """Operands of one precedence, from left to right: `a + b - c`, `a and b`, `a = b`."""

    first: Node
    rest: tuple[tuple[str, Node, int], ...]


class Negate(Node, frozen=True):
    """Minus before an operand, ``times`` of them."""

    operand: Node
    times: int


class Between(Node, frozen=True):
    """`value between low and high`."""

    value: Node
    low: Node
    high: Node


class In(Node, frozen=True):
    """`value in tests`: true if one of the tests holds."""

    value: Node
    tests: tuple[Node, ...]


class Comparison(Node, frozen=True):
    """An operator without its left side: a test in `in (…)`, a cell of a decision table, or a range in parentheses."""

    operator: str
    operand: Node


class Tests(Node, frozen=True):
    """Tests in parentheses, which only mean something after `in`."""

    tests: tuple[Node, ...]


class Range(Node, frozen=True):
    """`[low..high]` with its brackets."""

    low: Node
    high: Node
    low_included: bool
    high_included: bool


class ListOf(Node, frozen=True):
    """`[a, b, c]`."""

    items: tuple[Node, ...]


class Context(Node, frozen=True):
    """`{key: value, …}`; each entry sees the ones before it."""

    entries: tuple[tuple[str, Node], ...]


class If(Node, frozen=True):
    """`if … then … else if … then … else …`, flat."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node


class Iterator(msgspec.Struct, frozen=True, kw_only=True):
    """One `name in domain` of a loop; ``to`` is set for `name in domain..to`."""

    name: str
    domain: Node
    to: Node | None
    at: int


class For(Node, frozen=True):
    """`for … return …`; ``partial`` says whether the body reads the results so far.

    ``cost``, here and in other parts that are evaluated more than once, is the number of steps that one time takes
    beyond the first: what stands in the text without going through anything is paid for by its length.
    """

    iterators: tuple[Iterator, ...]
    body: Node
    partial: bool
    cost: int


class Quantified(Node, frozen=True):
    """`some … satisfies …` or `every … satisfies …`."""

    every: bool
    iterators: tuple[Iterator, ...]
    body: Node
    cost: int


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A formal parameter of a function."""

    name: str
    type: Type | None


class Lambda(Node, frozen=True):
    """`function(a, b: number) body`; no body for an external function, which is never called."""

    parameters: tuple[Parameter, ...]
    body: Node | None
    cost: int


class InstanceOf(Node, frozen=True):
    """`value instance of type`."""

    value: Node
    type: Type


class Path(Node, frozen=True):
    """`value.name`."""

    value: Node
    name: str


class Filter(Node, frozen=True):
    """`value[condition]` or `value[index]`."""

    value: Node
    condition: Node
    cost: int


class Call(Node, frozen=True):
    """`function(arguments)`, by position or, where ``names`` is set, by name."""

    function: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...] | None


class Postfix(Node, frozen=True):
    """A value and what follows it, `a.b[c](d).e`, flat: each part's own value is left out (a ``Literal`` of null)."""

    value: Node
    parts: tuple[Path | Filter | Call, ...]


class AnyInput(Node, frozen=True):
    """The cell `-`: every input will do."""


class UnaryTests(Node, frozen=True):
    """A cell of a decision table: holds if one of its tests does, or none of them if ``negated``."""

    tests: tuple[Node, ...]
    negated: bool
