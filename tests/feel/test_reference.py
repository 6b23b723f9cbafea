"""Every line of the language reference gives what it says, and every built-in function stands in it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from segue import feel
from segue.feel.builtins import BUILTINS
from segue.feel.limits import Limits
from segue.feel.properties import NAMES

PAGE = Path(__file__).parents[2] / "docs" / "feel.md"
NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)


def lines() -> list[tuple[int, str]]:
    """The lines in blocks of FEEL, with their numbers."""
    found: list[tuple[int, str]] = []
    inside = False
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```feel"
        elif inside and line.strip():
            found.append((number, line))
    return found


@pytest.mark.parametrize("line", [pytest.param(line, id=f"feel.md:{number}") for number, line in lines()])
def test_a_line_gives_what_it_says(line: str) -> None:
    text, arrow, expected = line.rpartition("→")
    assert arrow, "a line is an expression, an arrow, and what it gives"
    found, wanted = (feel.evaluate(side.strip(), now=lambda: NOW) for side in (text, expected))
    assert found == wanted
    assert type(found) is type(wanted)


def test_every_function_and_member_is_in_the_reference() -> None:
    text = "\n".join(line for _, line in lines())
    missing = [name for name in BUILTINS if not re.search(rf"(?<![\w]){re.escape(name)}\(", text)]
    missing += [name for name in NAMES if f".{name}" not in text]
    assert missing == []


def test_the_limits_are_those_in_the_reference() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE.read_text(), re.MULTILINE))
    limits = Limits()
    assert told == {name: str(getattr(limits, name)) for name in Limits.__struct_fields__}
