"""Decision tables: every hit policy, types and allowed values of columns, and what is said of rules that matched."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from dmn_models import decision, input_data, read, table

from segue.authoring import dmn

RULES = ("> 0 | 10", "> 5 | 20", "> 5 | 20", "> 9 | 5", "< 0 | 7")


def ask(policy: str, value: Any, *rules: str, values: str = "", default: str = "") -> dmn.Outcome:
    asked = table(policy, "x", "y", *(rules or RULES), values=values, default=default)
    return read(input_data("x") + decision("d", asked, "input:x")).decide("d", {"x": value})


@pytest.mark.parametrize(
    ("policy", "value", "expected"),
    [
        ("UNIQUE", 3, 10),
        ("UNIQUE", -1, 7),
        ("UNIQUE", 6, None),
        ("UNIQUE", 0, None),
        ("UNIQUE", None, None),
        ("UNIQUE", "3", None),
        ("FIRST", 10, 10),
        ("FIRST", -1, 7),
        ("ANY", 3, 10),
        ("ANY", 6, None),
        ("PRIORITY", 6, 20),
        ("PRIORITY", 10, 5),
        ("RULE ORDER", 10, [10, 20, 20, 5]),
        ("RULE ORDER", 0, []),
        ("OUTPUT ORDER", 10, [5, 20, 20, 10]),
        ("COLLECT", 10, [10, 20, 20, 5]),
        ("COLLECT", 0, []),
        ("COLLECT/SUM", 10, 55),
        ("COLLECT/SUM", 0, None),
        ("COLLECT/MIN", 10, 5),
        ("COLLECT/MAX", 10, 20),
        ("COLLECT/COUNT", 10, 4),
        ("COLLECT/COUNT", 0, 0),
    ],
)
def test_hit_policies(policy: str, value: Any, expected: Any) -> None:
    assert ask(policy, value, values="5, 7, 20, 10").value == expected


def test_any_wants_the_same_output_of_all() -> None:
    assert ask("ANY", 6, "> 0 | 1", "> 5 | 1.0").value == 1
    outcome = ask("ANY", 6, "> 0 | 1", "> 5 | 2")
    assert outcome.value is None
    assert outcome.warnings[0].reason == "rules match that give different outputs, and the hit policy is any"


def test_what_no_rule_covers_has_the_default() -> None:
    assert ask("UNIQUE", 0, default="-1").value == -1
    assert ask("COLLECT", 0, default="-1").value == [-1]
    assert ask("UNIQUE", 3, default="-1").value == 10


def test_an_output_outside_the_allowed_values_is_null_with_a_warning() -> None:
    outcome = ask("FIRST", 3, values="20, 5")
    assert outcome.value is None
    assert "not among the values" in outcome.warnings[0].reason


def test_several_outputs_are_a_context() -> None:
    asked = table("PRIORITY", "x", "a, b", '> 0 | "q"; 1', '> 1 | "p"; 2', values='"p", "q", 1, 2')
    outcome = read(input_data("x") + decision("d", asked, "input:x")).decide("d", {"x": 5})
    assert outcome.value == {"a": "p", "b": 2}


def test_cells_see_the_input_and_the_other_requirements() -> None:
    asked = table("UNIQUE", "x, y", "z", "? > y; - | x + y", "[0..y]; - | 0", 'not(null, 1), "a"; < 0 | -1')
    model = read(input_data("x") + input_data("y") + decision("d", asked, "input:x", "input:y"))
    assert model.decide("d", {"x": 5, "y": 3}).value == 8
    assert model.decide("d", {"x": 2, "y": 3}).value == 0


def test_constants_are_looked_up_by_kind_and_value() -> None:
    rules = ('"1" | "text"', '1 | "number"', 'true | "truth"', 'null | "none"', '"1", 2 | "both"')
    model = read(input_data("x") + decision("d", table("COLLECT", "x", "y", *rules), "input:x"))

    asked: list[Any] = ["1", 1, 1.0, True, None, 2, ["1"]]
    found = [model.decide("d", {"x": value}).value for value in asked]

    assert found == [["text", "both"], ["number"], ["number"], ["truth"], ["none"], ["both"], []]


def test_an_explanation_says_which_rules_matched_and_with_what() -> None:
    outcome = ask("COLLECT/SUM", 6)

    (made,) = outcome.decisions
    (asked,) = made.tables
    assert made.requirements == {"x": 6}
    assert made.value == outcome.value == Decimal(50)
    assert asked.hit_policy == "COLLECT +"
    assert asked.inputs == {"x": 6}
    assert [(hit.rule, hit.outputs["output"]) for hit in asked.hits] == [(1, 10), (2, 20), (3, 20)]


def test_a_table_of_a_thousand_rules_gives_the_one_that_matches() -> None:
    rules = [f"[{10 * n}..{10 * n + 9}] | {n}" for n in range(1000)]
    model = read(input_data("x") + decision("d", table("UNIQUE", "x", "y", *rules), "input:x"))
    assert [model.decide("d", {"x": value}).value for value in (0, 5555, 9999, 10_000)] == [0, 555, 999, None]
