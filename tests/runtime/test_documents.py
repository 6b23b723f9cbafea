"""The snippets of ``docs/messages.md`` are one program that does what it says."""

from __future__ import annotations

import importlib.util
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from registry_kit import held, holding
from segue import Engine

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "messages.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[ModuleType]:
    with holding([_ours(names) for names in held()]):  # what other files define goes by the names of the document too
        yield _load(tmp_path)


def _ours(names: dict[str, Any]) -> dict[str, Any]:
    return {name: found for name, found in names.items() if found.function.__module__.startswith("segue.")}


def _load(tmp_path: Path) -> ModuleType:
    file = tmp_path / "messages_document.py"
    file.write_text("\n\n".join(SNIPPETS))
    spec = importlib.util.spec_from_file_location("messages_document", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["talk", "first_message", "follow", "traced"])
async def test_the_page_on_messages_does_what_it_says(program: ModuleType, name: str, url: str) -> None:
    function = getattr(program, name)
    if "url" in inspect.signature(function).parameters:
        await function(url)
        return
    async with Engine(url) as engine:
        await function(engine)
