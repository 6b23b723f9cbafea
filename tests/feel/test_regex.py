"""Regular expressions: XPath's own rules, agreement with Python where both mean the same, and bounded time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue import feel
from segue.errors import FeelLimitExceeded
from segue.feel.nothing import Null
from segue.feel.regex import regex
from segue.feel.run import Run

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\s", "^", "$", "(a)", "(?:b)", "(a|b)", "(ab|a)"])
PATTERNS = st.lists(
    st.tuples(ATOMS, st.sampled_from(["", "", "*", "+", "?", "*?", "+?", "{2}", "{1,2}", "{0,1}?"])).map(
        lambda pair: pair[0] if pair[0] in "^$" else pair[0] + pair[1]
    ),
    max_size=5,
).map("".join)


@given(PATTERNS, st.text("ab1 \n", max_size=8))
def test_it_finds_what_python_finds(pattern: str, text: str) -> None:
    expected = re.compile(pattern.replace("$", r"\Z")).search(text)

    found = regex(pattern, "").search(text, Run())

    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert tuple(found[:2]) == expected.span()
        groups = [(found[i], found[i + 1]) for i in range(2, len(found), 2)]
        assert groups == [expected.span(number) for number in range(1, len(groups) + 1)]


@pytest.mark.parametrize(
    ("pattern", "flags", "text", "found"),
    [
        (r"\p{Lu}+", "", "abCD", True),
        (r"^\P{L}$", "", "1", True),
        (r"\p{IsGreek}", "", "λ", True),
        (r"^[\i-[:]][\c-[:]]*$", "", "na-me", True),
        (r"^[\i-[:]][\c-[:]]*$", "", "na:me", False),
        ("[a-z-[aeiou]]", "", "aei", False),
        ("a b", "x", "ab", True),
        ("[ ]", "x", " ", True),
        ("a.b", "s", "a\nb", True),
        ("a.b", "", "a\nb", False),
        ("^b$", "m", "a\nb\nc", True),
        ("a+b", "q", "a+b", True),
        ("STRASSE", "i", "strasse", True),
        (r"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\10", "", "abcdefghijj", True),
        (r"(a)\10", "", "aa0", True),
    ],
)
def test_xpath_has_rules_of_its_own(pattern: str, flags: str, text: str, found: bool) -> None:
    assert (regex(pattern, flags).search(text, Run()) is not None) is found


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "a)", "[", "[]", "[b-a]", "*", "a**", "a{2,1}", "a{", "a{,2}", "a{1001}", "(?=a)", "(?i)a", r"\z"),
        *(
            r"\1",
            r"(a)\2",
            r"(a\1)",
            r"[\1]",
            r"\p{X}",
            r"\p{IsNowhere}",
            r"\pL",
            "[a[b]]",
            "a{1,1000}" * 9,
            "^*",
            "\\",
        ),
        *("(" * 51 + ")" * 51,),
    ],
)
def test_what_is_no_expression_is_null_with_a_reason(pattern: str) -> None:
    with pytest.raises(Null):
        regex(pattern, "")


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$", "^(a?){100}(a){100}$"]
)
def test_what_backtracks_for_ever_elsewhere_ends_here(pattern: str) -> None:
    assert regex(pattern, "").search("a" * 400 + "!", Run()) is None


def test_references_to_groups_are_bounded_by_the_budget() -> None:
    text = "a" * 2000
    with pytest.raises(FeelLimitExceeded):
        feel.evaluate(f'matches("{text}", "^(a*)(a*)(a*)\\1\\2\\3b$")')


@pytest.mark.parametrize(
    ("replacement", "expected"),
    [
        ("[$0]", "[ab]c"),
        ("$2$1", "bac"),
        ("$3", "c"),
        (r"\$1\\", "$1\\c"),
        ("$12", "a2c"),
        ("$", None),
        (r"\n", None),
    ],
)
def test_replacements(replacement: str, expected: str | None) -> None:
    assert feel.evaluate("replace(t, p, r)", {"t": "abc", "p": "(a)(b)", "r": replacement}) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('replace("abc", "x*", "-")', "-a-b-c-"),
        ('split("a1b22c", "[0-9]+")', ["a", "b", "c"]),
        ('split("ab", "")', ["ab"]),
        ('replace("aaa", "a", "$0$0")', "aaaaaa"),
        ('replace("Mary", "(?:x)|a", "e", "i")', "Mery"),
    ],
)
def test_functions_that_use_them(call: str, expected: object) -> None:
    assert feel.evaluate(call) == expected
