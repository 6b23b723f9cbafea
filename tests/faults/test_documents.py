"""docs/faults.md names a test for every fault: each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent.parent
DOCUMENT = TESTS.parent / "docs" / "faults.md"


def test_every_test_that_the_document_names_is_there() -> None:
    text = DOCUMENT.read_text()
    named = set(re.findall(r"`(test_\w+)`", text))
    found = {name for file in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())}
    assert len(named) > 20
    assert named - found == set()
    for path in re.findall(r"`(tests/[\w/.]+)`", text):
        assert (TESTS.parent / path).exists(), path
