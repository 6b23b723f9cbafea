"""The page on DMN does what it says: its model, its command with its output, and its Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from segue import testing
from segue.kernel import events

PAGE = (Path(__file__).parents[3] / "docs" / "dmn.md").read_text()
RECORDED = Path(__file__).parents[2] / "tck" / "recorded.json"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shipping.dmn").write_text(blocks("xml")[0])
    return tmp_path


def test_the_command_prints_what_the_page_shows(folder: Path) -> None:
    (command,) = blocks("sh")
    command = command.replace("segue ", f"{sys.executable} -m segue.cli ", 1)
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == blocks("text")[0]


@pytest.fixture
def names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "page"}
    for code in blocks("python"):
        exec(compile(code, "dmn.md", "exec"), names)
    return names


def test_the_python_gives_what_the_comments_say(names: dict[str, Any]) -> None:
    told = [line.split("  # ") for code in blocks("python") for line in code.splitlines() if "  # " in line]
    for text, comment in told:
        if not comment.startswith("why"):
            assert eval(text, names) == eval(comment, {"Decimal": Decimal})
    assert names["outcome"].warnings == []


async def test_a_run_keeps_the_explanation_in_its_history(names: dict[str, Any], folder: Path) -> None:
    async with testing.engine(folder) as world:
        order = {"total": 40, "country": "AT", "placed": "2026-11-26"}
        handle = await world.engine.start(names["ship"], order)
        assert await world.result(handle) == "charged 4.9"
        (made,) = [each.event for each in await handle.history() if isinstance(each.event, events.DecisionEvaluated)]
    assert made.explanation is not None
    decided = json.loads(bytes(made.explanation.data))
    assert [each["name"] for each in decided["decisions"]] == ["zone", "shipping fee"]
    (asked,) = decided["decisions"][0]["tables"]
    assert asked["inputs"] == {"order.country": "AT"}
    assert asked["hits"] == [{"rule": 1, "id": "", "outputs": {"output": "near"}, "annotations": {"why": "by road"}}]


def test_the_figures_are_those_that_are_recorded() -> None:
    recorded = json.loads(RECORDED.read_text())
    for level, words in (("", "2,759 of its 2,773 cases"), ("level-2", "all 104 of"), ("level-3", "2,655 of 2,669 of")):
        passed, total = (sum(n) for n in zip(*(v for k, v in recorded.items() if level in k), strict=True))
        assert words in " ".join(PAGE.split())
        assert {f"{passed:,}", f"{total:,}"} >= set(re.findall(r"[\d,]*\d", words))
