"""What would need too much is refused in bounded time and memory, with the part of the budget that is used up."""

from __future__ import annotations

import itertools

import pytest

from segue import feel
from segue.errors import FeelError, FeelLimitExceeded
from segue.feel import Limits

DOUBLING = "for i in 1..100 return if i = 1 then {start} else {more}"
LISTS = DOUBLING.format(start="[1]", more="[partial[-1], partial[-1]]")
TIGHT = Limits(steps=100_000, elements=200_000)
"""A tenth of the default, so that the tests take a tenth of the time."""
NESTED = "(for i in 1..1500 return if i = 1 then [1] else [partial[-1]])[-1]"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("(" * 100_000 + "1" + ")" * 100_000, "text"),
        ("(" * 30_000 + "1" + ")" * 30_000, "depth"),
        ("[" * 20_000, "depth"),
        ("{a:" * 10_000, "depth"),
        ("abs(" * 10_000, "depth"),
        ("a[" * 20_000, "depth"),
        ("1 in (" * 8_000, "depth"),
        ("function() " * 5_000 + "1", "depth"),
        ("[1.." * 10_000, "depth"),
        ("1 instance of " + "list<" * 8_000, "depth"),
        ("for " + ",".join(f"v{i} in [1]" for i in range(4_000)) + " return 1", "depth"),
        ("if true then " * 4_000, "depth"),
        ("for i in 1..1000000000 return i", "elements"),
        ("for i in 1..100000, j in 1..100000 return 1", "steps"),
        ("for i in 1..100000 return " + "1+" * 2_000 + "1", "steps"),
        ("[1..9][" + "1+" * 2_000 + "1 > 0][" * 1 + "for i in 1..10000000 return 1]", "elements"),
        (DOUBLING.format(start='"aaaaaaaa"', more="partial[-1] + partial[-1]"), "elements"),
        (LISTS, "steps"),
        (f"string({LISTS})", "steps"),
        (f"{{a: {LISTS}, b: {LISTS}, c: a = b}}.c", "steps"),
        (f"string({NESTED})", "depth"),
        (NESTED, "depth"),
        ("{f: function(x) f(x), r: f(1)}.r", "calls"),
        ("{f: function(x) f(x) + f(x), r: f(1)}.r", "calls"),
        ('for i in 1..100000 return matches("a", "(a{900}){19}" + string(i))', "steps"),
        ('for i in 1..100000 return matches("a", "(a{900}){5}" + string(i))', "steps"),
        ("for i in 1..10000 return context put(if i = 1 then {} else partial[-1], string(i), i)", "elements"),
        ("for i in 1..1000 return concatenate(partial, partial)", "elements"),
        ("distinct values(for i in 1..20000 return [i])", "steps"),
        ("for i in 1..100000 return 2 ** 0.5", "steps"),
        ("for i in 1..100000 return modulo(10 ** 6000, 7)", "steps"),
        ('for i in 1..100000 return range("[1..2' + " " * 50_000 + ']")', "steps"),
        ('for i in 1..100000 return "' + "a" * 30_000 + '" = "' + "a" * 30_000 + '"', "steps"),
        ("for i in 1..100000 return {}." + "a" * 60_000, "steps"),
        ("for i in 1..100000 return " + "a" * 60_000, "steps"),
        ('for i in 1..100000 return number("' + "1" * 40_000 + '")', "steps"),
        ('some i in @"0001-01-01"..@"999999999-01-01" satisfies false', "elements"),
    ],
)
def test_what_needs_too_much_is_refused(text: str, limit: str) -> None:
    with pytest.raises(FeelLimitExceeded) as caught:
        feel.evaluate(text, limits=TIGHT)
    assert caught.value.limit == limit
    assert caught.value.text == text


@pytest.mark.parametrize(
    "text",
    [
        "for i in 1..1000000000 return i",
        "every i in 1..1000000000 satisfies i > 0",
        "for i in 1..40000, j in 1..40000 return 1",
        'string length(string join(for i in 1..100000 return "a thousand thousand letters"))',
    ],
)
def test_a_billion_elements_are_refused_by_the_default_budget(text: str) -> None:
    with pytest.raises(FeelLimitExceeded):
        feel.evaluate(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1+" * 30_000 + "1", 30_001),
        ("-" * 60_000 + "1", 1),
        ("true and " * 7_000 + "true", True),
        ("if false then 1 else " * 2_500 + "2", 2),
        ("a" + ".a" * 30_000, None),
        ("[1]" + "[1]" * 20_000, 1),
        ("(" * 90 + "1" + ")" * 90, 1),
        (f"count(flatten({NESTED}))", 1),
        ("{f: function(x) if x = 0 then 0 else 1 + f(x - 1), r: f(90)}.r", 90),
        ("string length(string(10 ** 6000))", 6001),
        ("10 ** 10 ** 10", 10**100),
        ("[1][10 ** 6000]", None),
        ("decimal(1, 10 ** 6000)", None),
        ("date(10 ** 6000, 1, 1)", None),
        ("exp(10 ** 6000)", None),
        ("9" * 60_000, None),
    ],
)
def test_what_is_only_long_or_large_is_not(text: str, value: object) -> None:
    assert feel.evaluate(text) == value


def test_wall_time_is_watched_with_the_clock_that_is_handed_in() -> None:
    ticks = itertools.count()
    limits = Limits(seconds=3)

    with pytest.raises(FeelLimitExceeded) as caught:
        feel.evaluate("for i in 1..100000 return i", limits=limits, clock=lambda: float(next(ticks)))

    assert caught.value.limit == "seconds"
    assert next(ticks) < 10


def test_a_budget_is_set_by_the_caller() -> None:
    text = "for i in 1..10 return i"
    for limits in (Limits(text=5), Limits(steps=5), Limits(elements=5)):
        with pytest.raises(FeelLimitExceeded):
            feel.evaluate(text, limits=limits)
    with pytest.raises(FeelLimitExceeded):
        feel.evaluate("((1))", limits=Limits(depth=2))
    assert len(feel.evaluate(text)) == 10


def test_warnings_are_kept_up_to_a_number() -> None:
    found = feel.compile("for i in 1..10000 return i + null").explain()
    assert len(found.warnings) == Limits().warnings


# --- sandbox -------------------------------------------------------------------------------------------------------

ESCAPES = [
    '"".__class__',
    '"".__class__.__mro__[1].__subclasses__()',
    "abs.__globals__",
    "abs.__self__",
    "(function(a) a).body.__code__",
    "v.__dict__",
    "v.__init__.__globals__",
    "v.keys()",
    "v.__class__",
    "[].append(1)",
    "date(2024, 1, 1).replace(1)",
    '@"P1D".nanos',
    "[1..2].low",
    '"{0.__class__}".format(1)',
    '"%s" % 1',
    'f"{1}"',
    '__import__("os")',
    'import("os")',
    "import os",
    'open("/etc/passwd")',
    'eval("1")',
    'exec("1")',
    "globals()",
    "__builtins__",
    "lambda: 1",
    'get value(v, "__class__")',
    'function(x) external {java: {class: "java.lang.Runtime", method signature: "exec(java.lang.String)"}}("id")',
    '(function(x) external {java: {class: "java.lang.Runtime", method signature: "exec(java.lang.String)"}})("id")',
    '(function(x) external {pmml: {document: "/etc/passwd", model: "m"}})(1)',
    'instance of "os"',
    "scope.run",
    "run.limits",
    "now",
    "`id`",
    "$(id)",
    "v; v",
    "v = (w := 1)",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_nothing_leads_out_of_an_expression(text: str) -> None:
    try:
        value = feel.evaluate(text, {"v": {"a": 1}})
    except FeelError:
        return
    assert value is None or isinstance(value, bool | feel.Function)
