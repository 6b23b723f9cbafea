"""Faults of the surroundings under a whole engine: the disk, the file, other processes, the people who call."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for fault_kit and the programs

NOT_ROOT = "only root can mount a small disk, and not in every container"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/test.db"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip(NOT_ROOT)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What steps have done outside, in order: lines that ``fault_kit.act`` wrote, in whatever process."""
    file = tmp_path / "world"
    file.touch()
    monkeypatch.setenv("SEGUE_TEST_WORLD", str(file))
    return lambda: file.read_text().splitlines()
