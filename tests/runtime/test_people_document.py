"""docs/people.md, run: its snippets make one module, whose examples play on virtual time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from segue import testing

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "people.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
MODULE: dict[str, Any] = {"__name__": "people_document"}
exec(compile("\n".join(SNIPPETS), str(DOCUMENT), "exec"), MODULE)
EXAMPLES = {name: value for name, value in MODULE.items() if name.startswith("example_")}


def test_every_snippet_but_the_imports_has_an_example() -> None:
    assert all("async def example_" in snippet for snippet in SNIPPETS[1:])


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example(name: str, tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        await EXAMPLES[name](world)
