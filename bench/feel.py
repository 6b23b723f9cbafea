"""Times FEEL and DMN against the figures of their issue, each beside the same work in plain Python, in the same run.

    python bench/feel.py           for people
    python bench/feel.py --json    for machines

Every result is asserted. What is measured is processor time, since others use the machine too; even so an absolute
figure means little there, and the ratio to plain Python, measured just before, says more.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from segue import feel
from segue.authoring import dmn

ROUNDS = 7
SOME = "total > 100 and (some i in items satisfies i.price > 10)"
ITEMS = {"total": 120, "items": [{"price": 1}, {"price": 2}, {"price": 30}]}
LONG = (
    "if total > 100 and (some i in items satisfies i.price > 10) then sum(for i in items return i.price * i.amount)"
    ' * 1.19 else decimal(total / 3, 2) + string length("name of the customer") + max(1, 2, 33)'
)
REGIONS = ('"eu"', "-")
DMN = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def microseconds(work: Callable[[], Any], count: int) -> float:
    """Processor time per call, the median of several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(count):
            work()
        rounds.append((time.process_time() - began) / count * 1e6)
    return statistics.median(rounds)


def table(rules: int, cell: Callable[[int], str]) -> dmn.DecisionModel:
    """A unique table with one numeric and one text column."""
    rows = "".join(
        f"<rule><inputEntry><text>{cell(n)}</text></inputEntry><inputEntry><text>{REGIONS[n % 2]}</text></inputEntry>"
        f"<outputEntry><text>{n}</text></outputEntry></rule>"
        for n in range(rules)
    )
    inputs = "".join(f"<input><inputExpression><text>{name}</text></inputExpression></input>" for name in ("n", "r"))
    required = "".join(
        f'<informationRequirement><requiredInput href="#{name}"/></informationRequirement>' for name in ("n", "r")
    )
    data = "".join(f'<inputData id="{name}" name="{name}"/>' for name in ("n", "r"))
    return dmn.read(
        f'<definitions xmlns="{DMN}" namespace="bench" name="bench">{data}<decision id="d" name="d">{required}'
        f"<decisionTable>{inputs}<output/>{rows}</decisionTable></decision></definitions>".encode()
    )


def measure() -> list[dict[str, Any]]:
    """All rows."""
    some = feel.compile(SOME)
    ranges = table(1000, lambda n: f"[{10 * n}..{10 * n + 9}]")
    words = table(1000, lambda n: f"{n}, {n + 1000}")
    inputs, word_inputs = {"n": 9984, "r": "eu"}, {"n": 998, "r": "eu"}
    assert some.evaluate(ITEMS) is True
    assert ranges.decide("d", inputs).value == 998
    assert words.decide("d", word_inputs).value == 998
    assert len(LONG) == 200, len(LONG)

    def in_python() -> bool:
        return ITEMS["total"] > 100 and any(item["price"] > 10 for item in ITEMS["items"])  # type: ignore[operator, attr-defined]

    def search() -> int | None:
        return next((n for n in range(1000) if 10 * n <= inputs["n"] <= 10 * n + 9), None)  # type: ignore[operator]

    return [
        row("a condition with some … satisfies, three items", lambda: some.evaluate(ITEMS), 5000, 20, in_python),
        row("a unique table of 1,000 rules, ranges", lambda: ranges.decide("d", inputs), 100, 1000, search),
        row("a unique table of 1,000 rules, constants", lambda: words.decide("d", word_inputs), 500, 1000, search),
        row(
            "compiling 200 characters",
            lambda: feel.compile(LONG),
            300,
            1000,
            lambda: compile("1 + " * 49 + "1", "", "eval"),
        ),
    ]


def row(name: str, work: Callable[[], Any], count: int, bound: float, plain: Callable[[], Any]) -> dict[str, Any]:
    """One measured thing."""
    python = microseconds(plain, count)
    taken = microseconds(work, count)
    return {"what": name, "us": round(taken, 2), "bound_us": bound, "python_us": round(python, 2)}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    found = measure()
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'what':<48} {'µs':>9} {'bound':>7} {'plain Python':>13}")
    for each in found:
        held = "" if each["us"] <= each["bound_us"] else "  not reached"
        print(f"{each['what']:<48} {each['us']:>9} {each['bound_us']:>7} {each['python_us']:>13}{held}")


if __name__ == "__main__":
    main()
