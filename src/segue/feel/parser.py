"""Reads an expression into its syntax tree (DMN 1.5, 10.3.1.2), by precedence climbing and with bounded depth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from decimal import Decimal
from typing import Final

import msgspec

from segue.errors import FeelSyntaxError
from segue.feel import ast
from segue.feel.cursor import Cursor
from segue.feel.lexer import KEYWORDS, unescape
from segue.feel.limits import DEFAULT_LIMITS, Limits
from segue.feel.names import Names
from segue.feel.nothing import Null
from segue.feel.numbers import CONTEXT, number
from segue.feel.source import Source
from segue.feel.temporal_text import read_any
from segue.feel.type_parser import TypeParser
from segue.feel.types import Type

OR, AND, COMPARISON, SUM, PRODUCT, POWER = range(1, 7)
LEVELS: Final = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "between", "in"), COMPARISON),
    **dict.fromkeys("+-", SUM),
    **dict.fromkeys("*/", PRODUCT),
    "**": POWER,
}
COMPARISONS: Final = frozenset(("=", "!=", "<", "<=", ">", ">="))
CONSTANTS: Final = {"true": True, "false": False, "null": None}
AFTER_RANGE: Final = frozenset(
    (",", ")", "]", "}", ".", "and", "or", "then", "else", "return", "satisfies", "=", "!=", "instance", "in")
)
AFTER_FILTER: Final = frozenset(("]", ")", "[", ".", "+", "-", "*", "/", "**"))
FREE: Final = 2
FAR: Final = 256
"""Tokens that are looked ahead to see what a bracket after a range's end is."""


class Parsed(msgspec.Struct, frozen=True):
    """A syntax tree, and the names that it reads from outside; those inside a filter may be members of its items."""

    root: ast.Node
    reads: frozenset[str]
    reads_in_filters: frozenset[str]


class Parser:
    """Reads one text."""

    def __init__(
        self,
        source: Source,
        *,
        known: Iterable[Names] = (),
        members: Iterable[Names] = (),
        types: Mapping[str, Type],
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.cursor = Cursor(source, known, members, limits)
        self.type_parser = TypeParser(self.cursor, types)

    def expression(self) -> Parsed:
        """The whole text as one expression.

        Raises:
            FeelSyntaxError: it is none.
            FeelLimitExceeded: it is too long or nests too deep.
        """
        return self._whole(self.climb(OR))

    def unary_tests(self) -> Parsed:
        """The whole text as a cell of a decision table: `-`, tests, or `not(tests)`."""
        cursor = self.cursor
        if cursor.token.kind == "end" or (cursor.at("-") and cursor.tokens[1].kind == "end"):
            cursor.index = len(cursor.tokens) - 1
            cursor.token = cursor.tokens[-1]
            return self._whole(ast.AnyInput(at=0))
        if cursor.at("not") and cursor.next_is("("):
            return self._negated_or_not()
        return self._tests(negated=False)

    def _negated_or_not(self) -> Parsed:
        """`not(…)` around all of the cell, or else a test that begins with a call of the function `not`.

        Which it is shows only at the end, since ranges such as `(1..2]` make brackets that do not match.
        """
        afresh = copy(self)
        afresh.cursor = copy(self.cursor)
        afresh.type_parser = copy(self.type_parser)
        afresh.cursor.begin_anew()
        afresh.type_parser.cursor = afresh.cursor
        self.cursor.advance(2)
        try:
            return self._tests(negated=True)
        except FeelSyntaxError as first:
            try:
                return afresh._tests(negated=False)
            except FeelSyntaxError as second:
                raise max(first, second, key=lambda error: (error.line, error.column)) from None

    def _tests(self, *, negated: bool) -> Parsed:
        cursor = self.cursor
        tests = [self.test()]
        while cursor.take(","):
            tests.append(self.test())
        if negated:
            cursor.expect(")")
        return self._whole(ast.UnaryTests(at=0, tests=tuple(tests), negated=negated))

    def _whole(self, root: ast.Node) -> Parsed:
        cursor = self.cursor
        if cursor.token.kind != "end":
            raise cursor.error(f"unexpected {cursor.found()}")
        return Parsed(root, frozenset(cursor.reads), frozenset(cursor.reads_in_filters))

    # --- operators ----------------------------------------------------------------------------------------------

    def climb(self, level: int) -> ast.Node:
        """An expression whose operators bind at least as tight as ``level``."""
        cursor = self.cursor
        cursor.descend()
        left = self.operand()
        while (found := LEVELS.get(cursor.token.text, 0)) >= level and cursor.token.kind in ("symbol", "word"):
            if cursor.at("between"):
                left = self._between(left)
            elif cursor.at("in"):
                left = self._in(left)
            else:
                left = self._chain(left, found)
        cursor.depth -= 1
        return left

    def _chain(self, first: ast.Node, level: int) -> ast.Node:
        cursor = self.cursor
        rest: list[tuple[str, ast.Node, int]] = []
        while LEVELS.get(cursor.token.text) == level and cursor.token.text not in ("between", "in"):
            operator = cursor.advance()
            rest.append((operator.text, self.climb(level + 1), operator.start))
        return ast.Chain(at=first.at, first=first, rest=tuple(rest))

    def _between(self, value: ast.Node) -> ast.Node:
        at = self.cursor.advance().start
        low = self.climb(SUM)
        self.cursor.expect("and")
        return ast.Between(at=at, value=value, low=low, high=self.climb(SUM))

    def _in(self, value: ast.Node) -> ast.Node:
        at = self.cursor.advance().start
        if self.cursor.token.text in COMPARISONS:
            return ast.In(at=at, value=value, tests=(self.test(),))
        tests = self.climb(SUM)
        return ast.In(at=at, value=value, tests=tests.tests if isinstance(tests, ast.Tests) else (tests,))

    def test(self) -> ast.Node:
        """One test: a comparison without its left side, or an expression."""
        cursor = self.cursor
        if cursor.token.text in COMPARISONS and cursor.token.kind == "symbol":
            operator = cursor.advance()
            return ast.Comparison(at=operator.start, operator=operator.text, operand=self.climb(SUM))
        return self.climb(OR)

    # --- operands -----------------------------------------------------------------------------------------------

    def operand(self) -> ast.Node:
        """A value with the signs before it and all that follows it: members, filters, calls, `instance of`."""
        cursor = self.cursor
        at = cursor.token.start
        times = 0
        while cursor.at("-") and cursor.token.kind == "symbol":
            cursor.advance()
            times += 1
        value = self.primary()
        parts = self._parts(value)
        if parts:
            value = ast.Postfix(at=value.at, value=value, parts=parts)
        while cursor.at("instance") and cursor.next_is("of"):
            place = cursor.advance(2).start
            value = ast.InstanceOf(at=place, value=value, type=self.type_parser.read())
        if not times:
            return value
        if isinstance(value, ast.Literal) and isinstance(value.value, Decimal):
            return ast.Literal(at=at, value=CONTEXT.minus(value.value) if times % 2 else value.value)
        return ast.Negate(at=at, operand=value, times=times)

    def _parts(self, after: ast.Node) -> tuple[ast.Path | ast.Filter | ast.Call, ...]:
        cursor = self.cursor
        parts: list[ast.Path | ast.Filter | ast.Call] = []
        nothing = ast.Literal(at=0, value=None)
        while cursor.token.kind == "symbol":
            at = cursor.token.start
            if cursor.take("."):
                parts.append(ast.Path(at=at, value=nothing, name=cursor.member()))
            elif cursor.at("("):
                parts.append(self._call(at))
            elif cursor.at("[") and not self._opens_after_range(after):
                cursor.advance()
                cursor.in_filter += 1
                begin = cursor.index
                with cursor.binding("item"):
                    condition = self.climb(OR)
                cursor.in_filter -= 1
                cost = self._cost(begin)
                cursor.expect("]")
                parts.append(ast.Filter(at=at, value=nothing, condition=condition, cost=cost))
            else:
                break
        return tuple(parts)

    def _opens_after_range(self, after: ast.Node) -> bool:
        """Whether `[` here closes a range such as `[1..10[`, and is no filter on its upper end.

        A filter on a constant means nothing, and what follows a range cannot begin a condition; else it is a filter if
        its `]` is followed by what can follow a filter there.
        """
        if not self.range_ends:
            return False
        tokens, begin = self.cursor.tokens, self.cursor.index
        following = tokens[begin + 1]
        if isinstance(after, ast.Literal) or following.text in AFTER_RANGE or following.kind == "end":
            return True
        depth = 0
        for place in range(begin, min(begin + FAR, len(tokens) - 1)):
            depth += {"[": 1, "]": -1}.get(tokens[place].text, 0)
            if depth == 0:
                return tokens[place + 1].text not in AFTER_FILTER
        return True

    range_ends = 0

    def _call(self, at: int) -> ast.Call:
        cursor = self.cursor
        cursor.advance()
        arguments: list[ast.Node] = []
        names: list[str] = []
        while not cursor.at(")"):
            name = cursor.name_before(":")
            if name is not None:
                names.append(name)
                cursor.advance()
            if len(names) != (len(arguments) + 1 if name is not None else 0):
                raise cursor.error("arguments are either all by position or all by name")
            arguments.append(self.climb(OR))
            if not cursor.take(","):
                break
        cursor.expect(")")
        return ast.Call(
            at=at,
            function=ast.Literal(at=at, value=None),
            arguments=tuple(arguments),
            names=tuple(names) if names else None,
        )

    # --- values -------------------------------------------------------------------------------------------------

    def primary(self) -> ast.Node:
        """A literal, a name, something in brackets, or a loop, condition or function."""
        cursor = self.cursor
        token = cursor.token
        match token.kind:
            case "number":
                cursor.advance()
                return self._literal(token.start, number, token.text)
            case "string":
                return ast.Literal(at=token.start, value=self._string())
            case "at":
                return self._literal(token.start, read_any, self._string())
            case "word":
                return self._word()
            case "symbol":
                match token.text:
                    case "(":
                        return self._parenthesis()
                    case "[" | "]":
                        return self._bracket()
                    case "{":
                        return self._context()
        raise cursor.error(f"expected an expression, found {cursor.found()}")

    def _string(self) -> str:
        token = self.cursor.advance()
        try:
            return unescape(token.text.removeprefix("@").lstrip())
        except ValueError as error:
            raise self.cursor.error(str(error), token) from None

    def _literal(self, at: int, read: object, text: str) -> ast.Node:
        assert callable(read)
        try:
            return ast.Literal(at=at, value=read(text))
        except Null as null:
            return ast.BadLiteral(at=at, reason=null.reason)

    def _word(self) -> ast.Node:
        cursor = self.cursor
        token = cursor.token
        name = cursor.longest(cursor.known)
        if name is None:
            match token.text:
                case "true" | "false" | "null":
                    cursor.advance()
                    return ast.Literal(at=token.start, value=CONSTANTS[token.text])
                case "if":
                    return self._if()
                case "for":
                    return self._for()
                case "some" | "every":
                    return self._quantified()
                case "function" if cursor.next_is("("):
                    return self._lambda()
            if token.text in KEYWORDS:
                raise cursor.error(f"expected an expression, found the word {token.text!r}")
            name = cursor.name()
        cursor.read(name)
        return ast.Name(at=token.start, name=name)

    def _parenthesis(self) -> ast.Node:
        cursor = self.cursor
        at = cursor.advance().start
        first = self.test()
        if cursor.at(".."):
            return self._range(at, first, low_included=False)
        tests = [first]
        while cursor.take(","):
            tests.append(self.test())
        cursor.expect(")")
        return first if len(tests) == 1 else ast.Tests(at=at, tests=tuple(tests))

    def _bracket(self) -> ast.Node:
        cursor = self.cursor
        opening = cursor.advance()
        at = opening.start
        if opening.text == "[" and cursor.take("]"):
            return ast.ListOf(at=at, items=())
        first = self.climb(OR)
        if cursor.at("..") or opening.text == "]":
            return self._range(at, first, low_included=opening.text == "[")
        items = [first]
        while cursor.take(","):
            items.append(self.climb(OR))
        cursor.expect("]")
        return ast.ListOf(at=at, items=tuple(items))

    def _range(self, at: int, low: ast.Node, *, low_included: bool) -> ast.Node:
        cursor = self.cursor
        cursor.expect("..")
        self.range_ends += 1
        high = self.climb(SUM)
        self.range_ends -= 1
        closing = cursor.expect("]", ")", "[")
        return ast.Range(at=at, low=low, high=high, low_included=low_included, high_included=closing.text == "]")

    def _context(self) -> ast.Node:
        cursor = self.cursor
        at = cursor.advance().start
        entries: list[tuple[str, ast.Node]] = []
        with cursor.binding():
            while not cursor.at("}"):
                if cursor.token.kind == "string":
                    key: str | None = self._string()
                else:
                    key = cursor.name_before(":")
                if key is None:
                    raise cursor.error(f"expected key: value, found {cursor.found()}")
                cursor.expect(":")
                entries.append((key, self.climb(OR)))
                cursor.bind(key)
                cursor.members[-1].add((key,))
                if not cursor.take(","):
                    break
        cursor.expect("}")
        return ast.Context(at=at, entries=tuple(entries))

    # --- conditions, loops, functions ---------------------------------------------------------------------------

    def _if(self) -> ast.Node:
        cursor = self.cursor
        at = cursor.token.start
        branches: list[tuple[ast.Node, ast.Node]] = []
        while True:
            cursor.expect("if")
            condition = self.climb(OR)
            cursor.expect("then")
            branches.append((condition, self.climb(OR)))
            cursor.expect("else")
            if not cursor.at("if"):
                return ast.If(at=at, branches=tuple(branches), otherwise=self.climb(OR))

    def _iterators(self) -> tuple[ast.Iterator, ...]:
        """`name in domain, …`, each bound for what comes after it."""
        cursor = self.cursor
        iterators: list[ast.Iterator] = []
        while True:
            at = cursor.token.start
            name = cursor.name_before("in")
            if name is None:
                raise cursor.error(f"expected a variable and the word in, found {cursor.found()}")
            cursor.advance()
            domain = self.climb(OR)
            to = self.climb(OR) if cursor.take("..") else None
            iterators.append(ast.Iterator(name=name, domain=domain, to=to, at=at))
            cursor.bind(name)
            if not cursor.take(","):
                return tuple(iterators)
            cursor.descend()

    def _for(self) -> ast.Node:
        cursor = self.cursor
        at = cursor.advance().start
        depth = cursor.depth
        with cursor.binding():
            begin = cursor.index
            iterators = self._iterators()
            cursor.expect("return")
            cursor.bind("partial")
            cursor.partials.append(False)
            body = self.climb(OR)
            partial = cursor.partials.pop()
        cursor.depth = depth
        return ast.For(at=at, iterators=iterators, body=body, partial=partial, cost=self._cost(begin))

    def _quantified(self) -> ast.Node:
        cursor = self.cursor
        opening = cursor.advance()
        depth = cursor.depth
        with cursor.binding():
            begin = cursor.index
            iterators = self._iterators()
            cursor.expect("satisfies")
            body = self.climb(OR)
        cursor.depth = depth
        every, cost = opening.text == "every", self._cost(begin)
        return ast.Quantified(at=opening.start, every=every, iterators=iterators, body=body, cost=cost)

    def _lambda(self) -> ast.Node:
        cursor = self.cursor
        at = cursor.advance(2).start
        parameters: list[ast.Parameter] = []
        while not cursor.at(")"):
            name = cursor.name_before(":", ",", ")")
            if name is None:
                raise cursor.error(f"expected a parameter, found {cursor.found()}")
            type_ = self.type_parser.read() if cursor.take(":") else None
            parameters.append(ast.Parameter(name=name, type=type_))
            if not cursor.take(","):
                break
        cursor.expect(")")
        external = cursor.take("external")
        begin = cursor.index
        with cursor.binding(*(parameter.name for parameter in parameters)):
            body = self.climb(OR)
        cost = self._cost(begin)
        return ast.Lambda(at=at, parameters=tuple(parameters), body=None if external else body, cost=cost)

    def _cost(self, begin: int) -> int:
        """The steps that what has been read since a token takes; what is short is free."""
        return max(0, ((self.cursor.token.start - self.cursor.tokens[begin].start) >> 4) - FREE)
