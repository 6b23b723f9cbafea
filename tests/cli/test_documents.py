"""What the documents say that ``segue`` prints is what it prints."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from cli_kit import Folder
from document_kit import DOCS, Document, steady

from segue.cli.commands import COMMANDS

pytestmark = pytest.mark.timeout(900)  # a page has more than a hundred commands, each a process of its own


def test_the_command_line_prints_what_its_page_shows(segue: Folder) -> None:
    for shown in Document("cli.md", segue):
        assert steady(shown.printed) == steady(shown.said), shown.commands


def test_the_page_shows_every_command() -> None:
    text = (DOCS / "cli.md").read_text()
    shown = {line.split()[1] for block in re.findall(r"^```sh\n(.*?)^```$", text, re.S | re.M) for line in calls(block)}
    assert {command.name for command in COMMANDS} - shown == set()


def calls(block: str) -> list[str]:
    return [line for line in block.splitlines() if line.startswith("segue ")]


@pytest.mark.parametrize("name", ["versions.md", "repair.md"])
def test_a_page_about_running_runs_is_what_it_says(segue: Folder, name: str) -> None:
    for command in Document(name, segue):
        if command.said:
            assert steady(command.printed) == steady(command.said), command.commands
        if "order-$n" not in command.commands:  # which shows how runs come to stand still
            assert "Traceback" not in command.printed
            assert "✗" not in command.printed, command.printed


def test_the_quickstart_is_what_it_says(segue: Folder) -> None:
    shown = list(Document("quickstart.md", segue))
    for command in shown:
        if command.said:
            # Two steps at the same time end in either order.
            assert sorted(steady(command.printed)) == sorted(steady(command.said)), command.commands
        assert "Traceback" not in command.printed
    assert len(shown) >= 5


def test_the_page_on_secrets_is_what_it_says(segue: Folder) -> None:
    shown = list(Document("secrets.md", segue))
    for command in shown:
        assert steady(command.printed) == steady(command.said), command.commands
    assert len(shown) >= 3
    program = """
        import asyncio, pathlib, test_sign

        for name in ("test_a_step", "test_a_workflow_in_memory"):
            asyncio.run(getattr(test_sign, name)())
        asyncio.run(test_sign.test_a_workflow(pathlib.Path("world")))
    """
    path = segue.write("all.py", program)
    (segue.path / "world").mkdir()
    subprocess.run([sys.executable, path], cwd=segue.path, env=segue.environment, check=True)
