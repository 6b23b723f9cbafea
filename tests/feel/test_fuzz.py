"""Random expressions by the grammar, and random text: whatever comes out, it is a value or an error of FEEL's own.

``SEGUE_LONG=20000`` tries so many of each kind.
"""

from __future__ import annotations

import datetime as dt
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue import feel
from segue.errors import FeelError
from segue.feel import Limits
from segue.feel.builtins import BUILTINS
from segue.feel.conversion import from_python
from segue.feel.run import Run
from segue.feel.writing import literal

NOW = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)
BUDGET = Limits(steps=20_000, elements=50_000)
CONTEXT = {
    "x": 3,
    "y": None,
    "text": "a b",
    "items": [{"price": 1, "name": "n"}, {"price": 20}, 7],
    "Date-Time": NOW,
    "deep": {"a": {"b": [1, [2, "c"]]}},
}

ATOMS = st.sampled_from(
    [
        *("1", "-2.5", ".5", "1e400", "0", '"a"', '"a.*"', "null", "true", "false", "x", "y", "text", "items", "deep"),
        *("Date-Time", "unknown", "item", "partial", "?", "[]", "{}", "[1..3]", '("a".."c"]', "(< 3)", "(>= 2)"),
        *(
            '@"2024-01-31"',
            '@"10:30:00Z"',
            '@"2024-02-29T10:00:00@Europe/Paris"',
            '@"P1M"',
            '@"-P1DT1H"',
            '@"nonsense"',
        ),
        "10 ** 6000",
    ]
)
FUNCTIONS = st.sampled_from(sorted(BUILTINS))
OPERATORS = st.sampled_from(["+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in"])
TYPES = st.sampled_from(
    ["number", "list<Any>", "context<a: string>", "range<number>", "Any", "nowhere", "date and time"]
)
MEMBERS = st.sampled_from(["a", "price", "name", "year", "time offset", "start included", "hours", "__class__"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    some = st.lists(inner, max_size=3)
    return st.one_of(
        st.tuples(inner, OPERATORS, inner).map(" ".join),
        inner.map(lambda a: f"({a})"),
        inner.map(lambda a: f"-{a}"),
        st.tuples(inner, MEMBERS).map(".".join),
        st.tuples(inner, inner).map(lambda p: f"({p[0]})[{p[1]}]"),
        st.tuples(FUNCTIONS, some).map(lambda p: f"{p[0]}({', '.join(p[1])})"),
        some.map(lambda parts: "[" + ", ".join(parts) + "]"),
        some.map(lambda parts: "{" + ", ".join(f"k{n}: {each}" for n, each in enumerate(parts)) + "}"),
        st.tuples(inner, inner, inner).map(lambda p: f"if {p[0]} then {p[1]} else {p[2]}"),
        st.tuples(inner, inner).map(lambda p: f"for i in {p[0]} return {p[1]}"),
        st.tuples(inner, inner, inner).map(lambda p: f"for i in {p[0]}..{p[1]} return {p[2]}"),
        st.tuples(st.sampled_from(["some", "every"]), inner, inner).map(
            lambda p: f"{p[0]} i in {p[1]} satisfies {p[2]}"
        ),
        st.tuples(inner, inner, inner).map(lambda p: f"{p[0]} between {p[1]} and {p[2]}"),
        st.tuples(inner, inner).map(lambda p: f"[{p[0]}..{p[1]})"),
        st.tuples(inner, TYPES).map(lambda p: f"({p[0]}) instance of {p[1]}"),
        st.tuples(inner, some).map(lambda p: f"(function(item, n) {p[0]})({', '.join(p[1])})"),
        st.tuples(inner, some).map(lambda p: f"{p[0]} in ({', '.join(p[1]) or 'null'})"),
    )


EXPRESSIONS = st.recursive(ATOMS, _grown, max_leaves=12)
LONG = int(os.environ.get("SEGUE_LONG", "0"))
"""So many more examples of each kind."""
FUZZ = settings(max_examples=max(LONG, 400), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _try(text: str) -> None:
    try:
        literal(from_python(feel.evaluate(text, CONTEXT, limits=BUDGET, now=lambda: NOW)), Run(BUDGET))
    except FeelError as error:
        refused = error
    else:
        return
    assert (refused.line, refused.column) >= (1, 1)


@FUZZ
@given(EXPRESSIONS)
def test_an_expression_by_the_grammar_raises_nothing_but_feels_own(text: str) -> None:
    _try(text)


@FUZZ
@given(EXPRESSIONS, st.data())
def test_a_damaged_expression_raises_nothing_but_feels_own(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    piece = data.draw(
        st.sampled_from(["(", ")", "[", "]", "{", "..", '"', ",", "\\", "if", "for", "@", "\x00", " ", "🐎", ""])
    )
    _try(text[:place] + piece + text[place + data.draw(st.integers(0, 3)) :])


@FUZZ
@given(st.text(max_size=40))
def test_text_raises_nothing_but_feels_own(text: str) -> None:
    _try(text)


@FUZZ
@given(EXPRESSIONS)
def test_a_cell_by_the_grammar_raises_nothing_but_feels_own(text: str) -> None:
    try:
        assert feel.unary(text, names=CONTEXT).test(3, CONTEXT, limits=BUDGET, now=lambda: NOW) in (True, False)
    except FeelError:
        return


@FUZZ
@given(EXPRESSIONS)
def test_what_is_written_reads_back_as_the_value(text: str) -> None:
    run = Run(BUDGET)
    try:
        value = from_python(feel.evaluate(text, CONTEXT, limits=BUDGET, now=lambda: NOW))
        written = literal(value, run)
    except FeelError:
        return
    if "function" in written or "…" in written or "@" in written or any(name in written for name in BUILTINS):
        return  # a function has no text that reads back
    assert literal(from_python(feel.evaluate(written)), run) == written


@pytest.mark.parametrize("name", sorted(BUILTINS))
@settings(max_examples=max(LONG // 20, 30), deadline=None)
@given(st.lists(ATOMS, max_size=4))
def test_a_built_in_function_takes_whatever_it_is_given(name: str, arguments: list[str]) -> None:
    _try(f"{name}({', '.join(arguments)})")
