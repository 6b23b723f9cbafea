"""Compiled expressions and how they are evaluated: the library's front (see ``segue.feel``)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

from segue.errors import FeelEvaluationError, FeelLimitExceeded
from segue.feel import ast
from segue.feel.build_tests import fixed
from segue.feel.builtins import BUILTINS
from segue.feel.builtins import NAMES as BUILTIN_NAMES
from segue.feel.compiler import compile_expression, compile_tests
from segue.feel.conversion import as_moment, from_python, to_python
from segue.feel.limits import DEFAULT_LIMITS, Limits
from segue.feel.names import Names, pattern
from segue.feel.parser import Parsed, Parser
from segue.feel.properties import NAMES as PROPERTY_NAMES
from segue.feel.run import Clock, Run, Scope, Warning
from segue.feel.source import Source
from segue.feel.types import Type
from segue.feel.values import Interval, Value

NowSource = Callable[[], dt.datetime]
MOST_SPELLINGS: Final = 10_000
PROPERTY_MEMBERS: Final = Names(PROPERTY_NAMES)
NO_TYPES: Final[dict[str, Type]] = {}


class Evaluation(msgspec.Struct, frozen=True):
    """What an expression gave, and why parts of it became null."""

    value: Any
    warnings: list[Warning]


class Compiled:
    """What expressions and tests have in common: a text, and the names it reads.

    Attributes:
        text: the text.
        reads: names that it reads from the context, built-in functions left out.
        reads_in_filters: names that it reads inside filters, where they may also be entries of the filtered items.
    """

    __slots__ = ("limits", "reads", "reads_in_filters", "source", "text")

    def __init__(self, source: Source, parsed: Parsed, limits: Limits) -> None:
        self.source = source
        self.text = source.text
        self.reads = parsed.reads - BUILTINS.keys() - {"?"}
        self.reads_in_filters = parsed.reads_in_filters - BUILTINS.keys() - {"?"} - self.reads
        self.limits = limits

    def _run(self, limits: Limits | None, clock: Clock | None, now: NowSource | None) -> Run:
        moment = None if now is None else (lambda: as_moment(now()))
        return Run(limits or self.limits, clock=clock, now=moment)

    def _strictly(self, run: Run) -> None:
        note = run.first_note()
        if note is not None:
            source, at, reason = note
            line, column = source.place(at)
            raise FeelEvaluationError(reason, text=source.text, line=line, column=column)


class Expression(Compiled):
    """A compiled expression; it may be evaluated any number of times, by any number of threads."""

    __slots__ = ("evaluate_in",)

    def __init__(self, source: Source, parsed: Parsed, limits: Limits) -> None:
        super().__init__(source, parsed, limits)
        self.evaluate_in = compile_expression(source, parsed, BUILTINS)

    def __repr__(self) -> str:
        return f"<feel {self.text!r}>"

    def evaluate(
        self,
        context: Mapping[str, Any] | None = None,
        *,
        limits: Limits | None = None,
        clock: Clock | None = None,
        now: NowSource | None = None,
        strict: bool = False,
    ) -> Any:
        """The value, as Python data.

        Args:
            context: variables by name.
            limits: the budget, instead of the one that it was compiled with.
            clock: seconds that only grow, such as ``time.monotonic``; without it wall time is not watched.
            now: what `now()` and `today()` give; without it they are null.
            strict: whether to raise where FEEL makes null of an error.

        Raises:
            FeelLimitExceeded: the budget is used up.
            FeelEvaluationError: ``strict``, and something became null.
            InvalidArgument: the context holds a value that FEEL does not have.
        """
        run = self._run(limits, clock, now)
        value = self._value(context, run)
        if strict:
            self._strictly(run)
        return value

    def explain(
        self,
        context: Mapping[str, Any] | None = None,
        *,
        limits: Limits | None = None,
        clock: Clock | None = None,
        now: NowSource | None = None,
    ) -> Evaluation:
        """The value together with the warnings; the arguments are those of ``evaluate``."""
        run = self._run(limits, clock, now)
        return Evaluation(self._value(context, run), run.warnings)

    def _value(self, context: Mapping[str, Any] | None, run: Run) -> Any:
        try:
            variables = from_python(context, run) if context else {}
            return to_python(self.evaluate_in(Scope(run, variables)), run)
        except (FeelLimitExceeded, RecursionError) as error:
            raise placed(error, self.source) from None


class UnaryTests(Compiled):
    """A compiled cell of a decision table.

    Attributes:
        always: whether it is `-`, for which every input will do.
        constants: the strings, numbers and booleans of which it is a plain list; nothing for any other cell.
        spans: the ranges of numbers of which it is a plain list; nothing for any other cell.
    """

    __slots__ = ("always", "constants", "holds", "spans")

    def __init__(self, source: Source, parsed: Parsed, limits: Limits) -> None:
        super().__init__(source, parsed, limits)
        self.holds = compile_tests(source, parsed, BUILTINS)
        self.always = isinstance(parsed.root, ast.AnyInput)
        self.constants = _constants(parsed.root)
        self.spans = _spans(parsed.root)

    def __repr__(self) -> str:
        return f"<feel tests {self.text!r}>"

    def test(
        self,
        value: Any,
        context: Mapping[str, Any] | None = None,
        *,
        limits: Limits | None = None,
        clock: Clock | None = None,
        now: NowSource | None = None,
    ) -> bool:
        """Whether a value passes; the other arguments are those of ``Expression.evaluate``."""
        run = self._run(limits, clock, now)
        try:
            variables = from_python(context, run) if context else {}
            return self.holds(Scope(run, variables), from_python(value, run)) is True
        except (FeelLimitExceeded, RecursionError) as error:
            raise placed(error, self.source) from None


def _spans(root: ast.Node) -> tuple[Interval, ...] | None:
    if not isinstance(root, ast.UnaryTests) or root.negated:
        return None
    spans = [fixed(test) for test in root.tests]
    found = [span for span in spans if span is not None and Decimal in (type(span.low), type(span.high))]
    return tuple(found) if len(found) == len(root.tests) else None


def _constants(root: ast.Node) -> tuple[Value, ...] | None:
    if not isinstance(root, ast.UnaryTests) or root.negated:
        return None
    values = [test.value for test in root.tests if isinstance(test, ast.Literal)]
    plain = len(values) == len(root.tests) and all(isinstance(value, str | bool | Decimal) for value in values)
    return tuple(values) if plain else None


@contextmanager
def bounded(source: Source) -> Iterator[None]:
    """Gives errors about the budget the text that they happened in."""
    try:
        yield
    except (FeelLimitExceeded, RecursionError) as error:
        raise placed(error, source) from None


def placed(error: FeelLimitExceeded | RecursionError, source: Source) -> FeelLimitExceeded:
    """An error about the budget, with the text that it happened in.

    The nesting of an expression and of calls is counted, but how deep Python's own stack already is when an evaluation
    begins is the caller's affair: where it runs out first, that is the same error.
    """
    if isinstance(error, RecursionError):
        return source.limit_error("nested too deep for the stack that is left", "depth")
    if error.text:
        return error
    return FeelLimitExceeded(error.reason, limit=error.limit, text=source.text)


# --- compiling --------------------------------------------------------------------------------------------------


def expression_of(
    source: Source, names: Names, members: Names, types: Mapping[str, Type], limits: Limits
) -> Expression:
    """Compiles an expression where its names have been gathered already; else as ``compile``."""
    with bounded(source):
        return Expression(source, _parser(source, names, members, types, limits).expression(), limits)


def tests_of(source: Source, names: Names, members: Names, types: Mapping[str, Type], limits: Limits) -> UnaryTests:
    """Compiles a cell of a decision table where its names have been gathered already; else as ``unary``."""
    with bounded(source):
        return UnaryTests(source, _parser(source, names, members, types, limits).unary_tests(), limits)


def _parser(source: Source, names: Names, members: Names, types: Mapping[str, Type], limits: Limits) -> Parser:
    return Parser(source, known=(BUILTIN_NAMES, names), members=(PROPERTY_MEMBERS, members), types=types, limits=limits)


def compile(
    text: str,
    *,
    names: Iterable[str] = (),
    members: Iterable[str] = (),
    types: Mapping[str, Type] = NO_TYPES,
    limits: Limits = DEFAULT_LIMITS,
    name: str = "",
) -> Expression:
    """Compiles an expression.

    Args:
        text: the expression.
        names: variables that will be there. Only those with operators or keywords in their names, such as
            `Date-Time` or `values in a list`, have to be named; words side by side are read as one name anyway.
        members: names of entries within variables, under the same rule.
        types: types by name, for `instance of` and parameters.
        limits: the budget.
        name: the place where the text stands, for warnings.

    Raises:
        FeelSyntaxError: the text is no expression.
        FeelLimitExceeded: it is too long or nests too deep.
    """
    return expression_of(Source(text, name), Names(names), Names(members), types, limits)


def unary(
    text: str,
    *,
    names: Iterable[str] = (),
    members: Iterable[str] = (),
    types: Mapping[str, Type] = NO_TYPES,
    limits: Limits = DEFAULT_LIMITS,
    name: str = "",
) -> UnaryTests:
    """Compiles a cell of a decision table: `-`, `< 10`, `"a", "b"`, `not([1..5])`; arguments as in ``compile``."""
    return tests_of(Source(text, name), Names(names), Names(members), types, limits)


def evaluate(
    text: str,
    context: Mapping[str, Any] | None = None,
    *,
    limits: Limits | None = None,
    clock: Clock | None = None,
    now: NowSource | None = None,
    strict: bool = False,
) -> Any:
    """Compiles a text, or takes it compiled from the last ones, and evaluates it with the context's names known.

    The arguments are those of ``Expression.evaluate``; what is raised, that of it and of ``compile``.
    """
    spellings = frozenset(_spellings(context)) if context else frozenset()
    return _compiled(text, spellings, limits or DEFAULT_LIMITS).evaluate(context, clock=clock, now=now, strict=strict)


@lru_cache(maxsize=1024)
def _compiled(text: str, names: frozenset[str], limits: Limits) -> Expression:
    return compile(text, names=names, members=names, limits=limits)


def _spellings(context: Mapping[str, Any]) -> Iterator[str]:
    """The names in a context that are more than one word, however deep; those that nobody could write are left out."""
    stack: list[Any] = [context]
    seen = 0
    while stack and seen < MOST_SPELLINGS:
        place = stack.pop()
        seen += 1
        if isinstance(place, Mapping):
            yield from (key for key in place if isinstance(key, str) and not key.isidentifier() and pattern(key))
            stack += place.values()
        elif isinstance(place, list | tuple):
            stack += place
