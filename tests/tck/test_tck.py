"""The DMN Technology Compatibility Kit, by folder: none may drop below what ``recorded.json`` says it has passed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tck_cases import ROOT, folders, run_folder

RECORDED: dict[str, list[int]] = json.loads((Path(__file__).parent / "recorded.json").read_text())
LEAST = 0.98
"""The share of all cases that issue 6 asks for."""

needs_the_kit = pytest.mark.skipif(
    not ROOT.is_dir(), reason="outside test data: ../shared/conformance/dmn-tck is absent"
)


def name(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


@needs_the_kit
@pytest.mark.parametrize("folder", folders(), ids=name)
def test_a_folder_passes_what_it_has_passed(folder: Path, record_property: pytest.RecordProperty) -> None:
    results = run_folder(folder)

    failed = [f"{result.case}: {result.failure}" for result in results if result.failure]
    passed = len(results) - len(failed)
    record_property("tck", [name(folder), passed, len(failed)])
    recorded, total = RECORDED[name(folder)]
    assert len(results) == total, "the kit has changed: look at the new cases, then record them"
    assert passed >= recorded, "\n".join(failed)


def test_what_is_recorded_is_enough() -> None:
    passed, total = (sum(numbers) for numbers in zip(*RECORDED.values(), strict=True))
    assert passed / total >= LEAST


@needs_the_kit
def test_every_folder_is_recorded() -> None:
    assert sorted(RECORDED) == [name(folder) for folder in folders()]
