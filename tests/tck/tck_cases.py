"""Reads the test files of the DMN Technology Compatibility Kit and runs their cases against ``segue.authoring.dmn``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from lxml import etree

from segue.authoring import dmn
from segue.authoring.dmn import model as dmn_model
from segue.errors import SegueError
from segue.feel.comparison import same
from segue.feel.conversion import from_python
from segue.feel.run import Run
from segue.feel.temporal_text import read_date, read_date_time, read_duration, read_time

ROOT = Path(__file__).parents[3] / "shared" / "conformance" / "dmn-tck" / "TestCases"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
NOW = dt.datetime(2026, 11, 26, 12, 0, tzinfo=dt.UTC)
CLOSE = Decimal("1e-8")
"""The kit gives decimals of about ten digits."""

Element = etree._Element
READERS = {
    "string": lambda text: text,
    "boolean": lambda text: text == "true",
    "decimal": Decimal,
    "double": Decimal,
    "integer": Decimal,
    "date": read_date,
    "time": read_time,
    "dateTime": read_date_time,
    "duration": read_duration,
}


class Case(msgspec.Struct, frozen=True):
    """One ``testCase``: the nodes that are asked, with what is expected, and the inputs."""

    id: str
    model: Path
    asked: tuple[tuple[str, Any, bool], ...]
    inputs: dict[str, Any]
    service: str | None


class Result(msgspec.Struct, frozen=True):
    """Whether a case passed, and if not, why."""

    case: str
    failure: str


def folders() -> list[Path]:
    """The folders of the kit, one per feature."""
    return sorted(folder for level in ROOT.glob("compliance-level-*") for folder in level.iterdir() if folder.is_dir())


def _local(element: Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if _local(child) == name]


def value_of(element: Element) -> Any:
    """A value as the kit writes it: a simple one, a list of items, or components."""
    components = _children(element, "component")
    if components:
        return {child.get("name"): value_of(child) for child in components}
    for child in element:
        nil = child.get(f"{XSI}nil") == "true"
        match _local(child):
            case "value" if nil:
                return None
            case "value":
                kind = (child.get(f"{XSI}type") or "string").rpartition(":")[2]
                return READERS[kind](child.text or "")
            case "list" if nil:
                return None
            case "list":
                return [value_of(item) for item in _children(child, "item")]
    return None


def cases(folder: Path) -> Iterator[Case]:
    """The cases of a folder, in the order of its files."""
    for file in sorted(folder.glob("*-test-*.xml")):
        root = etree.parse(str(file)).getroot()
        model = folder / (_children(root, "modelName")[0].text or "")
        for case in _children(root, "testCase"):
            asked = []
            for node in _children(case, "resultNode"):
                expected = _children(node, "expected")
                asked.append(
                    (
                        node.get("name") or "",
                        value_of(expected[0]) if expected else None,
                        node.get("errorResult") == "true",
                    )
                )
            inputs = {node.get("name") or "": value_of(node) for node in _children(case, "inputNode")}
            service = case.get("invocableName") if case.get("type") == "decisionService" else None
            yield Case(case.get("id") or "", model, tuple(asked), inputs, service)


def read_model(file: Path) -> dmn.DecisionModel:
    """A model of the kit; what it imports stands beside it."""

    def find(wanted: dmn_model.Import) -> bytes | None:
        for other in sorted(file.parent.glob("*.dmn")):
            data = other.read_bytes()
            if other != file and etree.fromstring(data).get("namespace") == wanted.namespace:
                return data
        return None

    return dmn.read(file.read_bytes(), find=find)


def close(found: Any, expected: Any, run: Run) -> bool:
    """Whether a value is the expected one, numbers up to the digits that the kit gives."""
    if isinstance(found, Decimal) and isinstance(expected, Decimal):
        return abs(found - expected) <= CLOSE * max(1, abs(expected))
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(close(a, b, run) for a, b in zip(found, expected, strict=True))
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(close(found[key], expected[key], run) for key in expected)
    return same(found, expected, run)


def run_folder(folder: Path) -> list[Result]:
    """Runs the cases of a folder. A case that calls external Java is counted as failed, like any other failure."""
    models: dict[Path, dmn.DecisionModel | SegueError] = {}
    results: list[Result] = []
    for case in cases(folder):
        if case.model not in models:
            try:
                models[case.model] = read_model(case.model)
            except SegueError as error:
                models[case.model] = error
        results.append(Result(case.id, _run(models[case.model], case)))
    return results


def _run(model: dmn.DecisionModel | SegueError, case: Case) -> str:
    if isinstance(model, SegueError):
        return f"the model is refused: {model}"
    for name, expected, error in case.asked:
        outcome = model.decide(case.service or name, case.inputs, now=lambda: NOW)
        found = from_python(outcome.value)
        if not close(found, expected, Run()):
            why = "; ".join(map(str, outcome.warnings[:3]))
            return f"{name}: expected {expected!r}{' (an error)' if error else ''}, got {found!r} {why}"
    return ""


if __name__ == "__main__":
    import sys

    passed = total = 0
    for each in folders():
        if len(sys.argv) > 1 and not any(word in each.name for word in sys.argv[1:]):
            continue
        found = run_folder(each)
        failed = [result for result in found if result.failure]
        passed += len(found) - len(failed)
        total += len(found)
        if failed:
            print(f"{each.parent.name}/{each.name}: {len(found) - len(failed)}/{len(found)}")
            for result in failed:
                print("   ", result.case, result.failure[:300])
    print(f"{passed}/{total} = {passed / total:.2%}")
