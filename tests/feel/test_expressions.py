"""What expressions give, as a table; right sides are FEEL too."""

from __future__ import annotations

import datetime as dt
import decimal
from decimal import Decimal

import pytest

from segue import feel
from segue.errors import FeelEvaluationError, FeelSyntaxError

NAMES = {
    "Monthly Salary": 10_000,
    "Date-Time": 5,
    "Date": 2,
    "Time": 1,
    "values in a list": [1, 2],
    "days and nights": 7,
    "x": None,
    "loan": {"term in months": 12, "fixed/variable": "fixed"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 * Monthly Salary", 120_000),
        ("Date-Time", 5),
        ("Date - Time", 1),
        ("Date-Time - Date", 3),
        ("some v in values in a list satisfies v = 2", True),
        ("days and nights + 1", 8),
        ("loan.term in months", 12),
        ("loan.fixed/variable", "fixed"),
        ("{foo+bar: 1}.foo+bar", 1),
        ("for my item in [1, 2] return my item + 1", [2, 3]),
        ("(function(a long name) a long name)(4)", 4),
        ('number(from: "1,5", grouping separator: ".", decimal separator: ",")', Decimal("1.5")),
        ("/* a */ 1 // b\n + 1", 2),
    ],
)
def test_names_are_read_by_what_is_known(text: str, expected: object) -> None:
    assert feel.evaluate(text, NAMES, strict=True) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        # precedence, by DMN 1.5 10.3.1.2: minus binds tighter than **, ** goes from left to right
        ("-3 ** 2", "9"),
        ("2 ** 3 ** 2", "64"),
        ("1 + 2 * 3", "7"),
        ("10 - 4 - 3", "3"),
        ("2 * 3 - -1", "7"),
        ("1 + 1 = 2 and 2 < 3", "true"),
        ("false and true or true", "true"),
        ("5 between 1 and 3 or true", "true"),
        ("1 in [1..3] and 5 in (< 3, > 4)", "true"),
        ("-[1, 2][1]", "-1"),
        ("(1 + 2 instance of number) = null", "true"),
        # ranges in all brackets
        ("[1..3].start included", "true"),
        ("]1..3].start included", "false"),
        ("[1..3[.end included", "false"),
        ("3 in [1..[1, 3][2]]", "true"),
        ("3 in ([0..0[, ]-1..3])", "true"),
        ("{a: [1, 3], r: 2 in [1..a[2] - 1[}.r", "false"),
        ("{a: [1, 3], r: 2 in [1..a[2][}.r", "true"),
        ("{a: 3, r: 3 in [1..a[ or 5 in [1..2]}.r", "false"),
        ("(> 3).start", "3"),
        ("[3..1]", "null"),
        ('[1.."a"]', "null"),
        # filters
        ("[1, 2, 3][item > 1]", "[2, 3]"),
        ("[1, 2, 3][-1]", "3"),
        ("[{a: 1, item: 2}][item = 2].a", "[1]"),
        ("[1, 2, 3][2 - 1]", "1"),
        ("[][1 + 1]", "null"),
        ("[][item > 1]", "[]"),
        ("null[1]", "null"),
        ('[1, 2]["x"]', "null"),
        # three-valued logic
        ("null and false", "false"),
        ("null or true", "true"),
        ("true and 1", "null"),
        ('1 = "1"', "null"),
        ("1 != null", "true"),
        ("[1, null] = [1, null]", "true"),
        ("if null then 1 else 2", "2"),
        ("if 1 then 1 else 2", "null"),
        ("if false then 1 else if true then 2 else 3", "2"),
        # loops
        ("for i in 3..1 return i", "[3, 2, 1]"),
        ("for i in (1..4) return i", "[2, 3]"),
        ("for i in [1, 2], j in [i..3] return i * j", "[1, 2, 3, 4, 6]"),
        ("for i in 1..4 return if i = 1 then 1 else partial[-1] * 2", "[1, 2, 4, 8]"),
        ("(for i in 1..2 return partial)[2]", "[[]]"),
        ("every i in [] satisfies false", "true"),
        ('some i in [1] satisfies "x"', "null"),
        # functions and closures
        ("{add: function(a) function(b) a + b, r: add(1)(2)}.r", "3"),
        ("{fac: function(n) if n < 2 then 1 else n * fac(n - 1), r: fac(20)}.r", "2432902008176640000"),
        ('(function(a: number) a)("x")', "null"),
        ("(function(a: number) a)([1])", "1"),
        ("(function(a: list<number>) a)(1)", "[1]"),
        ("(function(a) a)(b: 1)", "null"),
        ("not_there(1)", "null"),
        ("abs()", "null"),
        ("{a: 1, b: a + 1, a: 2}", "null"),
        ('(function(a) external {java: {class: "java.lang.Math"}})(1)', "null"),
        # numbers: 34 digits
        ("1 / 3 * 3", "0.9999999999999999999999999999999999"),
        ("0.1 + 0.2 = 0.3", "true"),
        ("10 ** 6145", "null"),
        ("1 / 0", "null"),
        ("string(1.500)", '"1.5"'),
        ("string(1E3)", '"1000"'),
        ("0 ** 0", "1"),
        ("0 ** -1", "null"),
        ("0 ** -2.5", "null"),
        ("-1 ** 0.5", "null"),
    ],
)
def test_expressions(left: str, right: str) -> None:
    assert feel.evaluate(left) == feel.evaluate(right)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("1 +", 1, 4),
        ("1 +\n  * 2", 2, 3),
        ("(1 + 2", 1, 7),
        ('"open', 1, 1),
        ("1 /* open", 1, 3),
        ("a[1", 1, 4),
        ("if a then b", 1, 12),
        ("for i return 1", 1, 5),
        ("{a 1}", 1, 2),
        ("f(a: 1, 2)", 1, 9),
        ("1 2", 1, 3),
        ("#", 1, 1),
        ("", 1, 1),
        ("a.1", 1, 2),
        ("1 instance of", 1, 14),
        ("and", 1, 1),
        ('"\\ud800"', 1, 1),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        feel.compile(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_what_becomes_null_is_warned_of_with_its_place() -> None:
    found = feel.compile('1 +\n "a" * 2', name="the price").explain()

    assert found.value is None
    first = found.warnings[0]
    assert (first.line, first.column, first.name) == (2, 6, "the price")
    assert first.reason == "* has no meaning for string and number"
    assert str(first) == "the price, line 2, column 6: * has no meaning for string and number"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("totl + 1", "there is no 'totl' here"),
        ('date("2024-02-30")', "date: there is no date 2024-2-30"),
        ('time("10:00:00@Mars/Olympus")', "time: there is no time zone 'Mars/Olympus'"),
        ("now()", "now: no clock was given to this evaluation"),
        ("[1, 2][3]", "there is no item 3 in a list of 2"),
        ("{a: 1}.b", "the context has no entry 'b'"),
        ("sqrt(-1)", "sqrt: there is no root of a negative number"),
        ('abs("1")', "abs: n must be number or duration, got string"),
    ],
)
def test_strictness_raises_where_null_would_be(text: str, reason: str) -> None:
    assert feel.evaluate(text) is None
    with pytest.raises(FeelEvaluationError) as caught:
        feel.evaluate(text, strict=True)
    assert caught.value.reason == reason


def test_an_expression_says_what_it_reads() -> None:
    price = feel.compile("sum(for i in items return i.price * rate)[item > floor] + {a: 1, b: a}.b + total price")

    assert price.reads == {"items", "rate", "total price"}
    assert price.reads_in_filters == set(), "floor is a built-in function"
    assert feel.compile("staff[department = wanted].name").reads_in_filters == {"department", "wanted"}


@pytest.mark.parametrize(
    ("cell", "value", "holds"),
    [
        ("-", None, True),
        ("", 1, True),
        ("< 10", 5, True),
        ("< 10", "5", False),
        ('"a", "b"', "b", True),
        ("not(1, 2)", 3, True),
        ("not(1, 2)", 2, False),
        ("not(null)", None, False),
        ("not((0..3], < 0)", 3, False),
        ("not((0..3], < 0)", 0, True),
        ("not(flag) or ? > 3", 4, True),
        ("not(1), 2", False, False),
        ("[1..5), > 10", 5, False),
        ("[1..5), > 10", 11, True),
        ("? > 3 and ? < limit", 5, True),
        ('contains(?, "x")', "axb", True),
        ("flag", False, False),
        ("flag", 7, True),
        ("known", 2, True),
        ("null", None, True),
        ("limit", 9, True),
        ("even(?)", 3, False),
        ("not(flag)", False, True),
        ('date("2024-01-01")', dt.date(2024, 1, 1), True),
    ],
)
def test_cells_of_decision_tables(cell: str, value: object, holds: bool) -> None:
    context = {"limit": 9, "flag": True, "known": [1, 2, 3]}
    assert feel.unary(cell).test(value, context) is holds


@pytest.mark.parametrize(
    "text",
    [
        "-(1 / 3)",
        "1 / 3 + 1 / 7",
        "decimal(1 / 3, 33)",
        "modulo(1 / 3, 2)",
        "odd(1.0000000000000000000000000000000001)",
        "floor(1234567.891, 2)",
        "mean(1, 2, 4)",
        "stddev([1, 2, 4])",
        "for i in 12345678..12345680 return -i",
        'string(time(10, 20, 30.123456789, @"PT1H").second)',
        'number("12345678901234567890.5")',
        "2 ** 0.5",
        "-12345678901234567890.5",
        '@"P1234567D" * 1.23456789',
        "1234567 in [1234566.5..1234567.5]",
    ],
)
def test_the_callers_own_decimal_context_changes_nothing(text: str) -> None:
    expected = feel.evaluate(text)
    with decimal.localcontext(decimal.Context(prec=3, Emax=5, rounding=decimal.ROUND_UP)):
        assert feel.compile(text).evaluate() == expected


def test_a_moment_comes_only_from_whoever_evaluates() -> None:
    noon = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)

    assert feel.evaluate("now()", now=lambda: noon) == noon
    assert feel.evaluate("today()", now=lambda: noon) == dt.date(2026, 11, 26)


def test_an_expression_is_compiled_once_and_used_by_all() -> None:
    double = feel.compile("a * 2")

    assert [double.evaluate({"a": number}) for number in range(3)] == [0, 2, 4]
    assert repr(double) == "<feel 'a * 2'>"
