"""The page on fleets, followed literally: three workers and a server on one machine, one of them killed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import until

pytestmark = pytest.mark.xdist_group("fleet")
PAGE = Path(__file__).parents[2] / "docs" / "fleet.md"
WALK = PAGE.read_text(encoding="utf-8").partition("\n## How runs are shared")[0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", WALK, re.MULTILINE | re.DOTALL)


async def test_the_page_works_as_it_stands(postgres_database: Callable[[], str], tmp_path: Path) -> None:
    (program,) = blocks("python")
    (tmp_path / "shop.py").write_text(program)
    _, workers, runs = blocks("sh")  # the first one installs
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    place = {**os.environ, "SEGUE_URL": postgres_database(), "PATH": path}

    def segue(*words: str) -> Any:
        command = ["segue", *words, "--json"]
        found = subprocess.run(command, cwd=tmp_path, env=place, capture_output=True, text=True, check=True)
        return json.loads(found.stdout)

    # A person reads what is shown before going on: so does this.
    script = f"{workers}\nread line\n{runs}\nread line\nkill -9 $(jobs -p)\n"
    shell = terminal(script, tmp_path, place)
    assert shell.stdin is not None
    try:
        await until(lambda: len(segue("workers")) == 3)
        assert {tuple(worker["serves"]) for worker in segue("workers")} == {("fulfil",)}
        shell.stdin.write("go on\n")
        shell.stdin.flush()
        await until(lambda: completed(segue("list")) == 6, 120)
        # The one that was killed may have had nothing left to do: then nobody waited for its lease to end.
        await until(lambda: len(segue("workers")) == 2)
    finally:
        shell.stdin.close()
        shell.wait(60)


def terminal(script: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """A shell with jobs, as a person has."""
    return subprocess.Popen(
        ["bash", "-m", "-c", script], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def completed(runs: list[dict[str, Any]]) -> int:
    return sum(run["state"] == "completed" for run in runs)
