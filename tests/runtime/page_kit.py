"""A page of the documents as a module: its snippets one after the other, and the examples among them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

DOCUMENTS = Path(__file__).parent.parent.parent / "docs"


def played(name: str) -> tuple[list[str], dict[str, Any]]:
    """The snippets of a page, and its functions whose names begin with ``example_``; they get a world."""
    page = DOCUMENTS / f"{name}.md"
    snippets = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    module: dict[str, Any] = {"__name__": f"{name}_document"}
    exec(compile("\n".join(snippets), str(page), "exec"), module)
    return snippets, {name: value for name, value in module.items() if name.startswith("example_")}
