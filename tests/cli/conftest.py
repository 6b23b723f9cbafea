"""A folder with workflows in it, and ``segue`` to be called there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for cli_kit: no test module can be imported otherwise

from cli_kit import SOURCE, Folder

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The socket of a server that runs commands."""
    path = tmp_path_factory.mktemp("commands") / "socket"
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        [sys.executable, str(HERE / "command_server.py"), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment, text=True,
    ) as server:  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield str(path)
        server.stdin.close()


@pytest.fixture
def segue(tmp_path: Path, commands: str) -> Iterator[Folder]:
    folder = Folder(tmp_path, commands)
    yield folder
    folder.close()
