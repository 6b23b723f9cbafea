"""A folder with workflows in it, and ``segue`` to be called there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for cli_kit: no test module can be imported otherwise

from cli_kit import Folder


@pytest.fixture
def segue(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()
