"""The page on schedules does what it says."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from registry_kit import held, holding
from segue import testing, workflow

PAGE = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@workflow
async def report(what: str) -> str:
    return what


async def test_the_page_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reports.py").write_text(BLOCKS[0])
    monkeypatch.syspath_prepend(tmp_path)
    # What is declared there is no business of other tests' engines in this process.
    with holding(held()):
        await _play(tmp_path)


async def _play(tmp_path: Path) -> None:
    reports = importlib.import_module("reports")
    async with testing.engine(tmp_path, workflows=[reports.nightly, report]) as world:
        names: dict[str, Any] = vars(reports) | {"world": world, "engine": world.engine, "report": report}
        for block in BLOCKS[1:]:
            code = compile(block, "docs/schedules.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            done = eval(code, names)
            if inspect.isawaitable(done):
                await done
        assert len(BLOCKS) == 6


def test_the_page_names_every_policy() -> None:
    from segue.kernel.schedule import OVERLAPS, REPROCESSES

    assert [word for word in OVERLAPS if f"`{word}`" not in PAGE] == []
    assert [word for word in REPROCESSES if f'"{word}"' not in PAGE] == []
