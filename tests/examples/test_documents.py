"""What ``docs/examples.md`` says an example prints is what it prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from example_kit import EXAMPLES, script

DOCUMENT = EXAMPLES.parent / "docs" / "examples.md"
SHOWN = re.findall(
    r"^```sh\npython examples/(\w+)\.py ?(\w*)\n```\n\n```text\n(.*?)^```$",
    DOCUMENT.read_text(),
    re.DOTALL | re.MULTILINE,
)


@pytest.mark.parametrize(("name", "argument", "printed"), SHOWN, ids=[name for name, _, _ in SHOWN])
def test_an_example_prints_what_the_document_shows(name: str, argument: str, printed: str, tmp_path: Path) -> None:
    assert script(name, tmp_path, *filter(None, [argument])).split() == printed.split()


def test_the_document_shows_what_examples_print() -> None:
    assert [name for name, _, _ in SHOWN] == ["order", "etl", "onboarding", "loan"]
