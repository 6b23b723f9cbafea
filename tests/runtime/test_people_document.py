"""docs/people.md, run: its snippets make one module, whose examples play on virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_kit import played

from segue import testing

SNIPPETS, EXAMPLES = played("people")


def test_every_snippet_but_the_imports_has_an_example() -> None:
    assert all("async def example_" in snippet for snippet in SNIPPETS[1:])


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example(name: str, tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        await EXAMPLES[name](world)
