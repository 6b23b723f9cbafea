"""With ``--json``, the JSON is alone on standard output, whatever code prints that a command imports or replays."""

from __future__ import annotations

import signal
import subprocess

import pytest
from cli_kit import Folder

LOUD = """
import subprocess, sys
from segue import query, signal, workflow

print("as it is imported", flush=True)
subprocess.run([sys.executable, "-c", "print('from a command')"], check=True)

@workflow
async def loud() -> None:
    print("on its way", flush=True)

    @query
    def how() -> str:
        print("asked", flush=True)
        return "well"

    await signal("go")
"""


@pytest.fixture
def loud(segue: Folder) -> Folder:
    segue.write("loud.py", LOUD)
    assert segue("run", "loud.py", "--id", "one", "--timeout", "100ms", "--json", code=5).json["ended"] is False
    return segue


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("start", "loud.py:loud"), ""),
        (("schedule", "create", "daily", "loud.py:loud", "--every", "1d"), ""),
        (("check", "loud.py"), "on its way"),
        (("replay", "one", "loud.py"), "on its way"),
        (("query", "one", "how", "--code", "loud.py"), "asked"),
    ],
)
def test_what_code_prints_goes_to_standard_error(loud: Folder, words: tuple[str, ...], printed: str) -> None:
    told = loud(*words, "--json")
    assert isinstance(told.json, dict)
    for text in ("as it is imported", "from a command", printed):
        assert text in told.err


def test_without_it_code_prints_where_it_wants_to(loud: Folder) -> None:
    told = loud("replay", "one", "loud.py")
    assert "on its way" in told.out
    assert "from a command" in told.out


def test_an_export_is_output_as_well(loud: Folder) -> None:
    assert loud("db", "export", "one", "--json").out == loud("db", "export", "one").out != ""


@pytest.mark.parametrize("command", ["worker", "dev"])
def test_commands_that_serve_print_where_they_do_without_it(loud: Folder, command: str) -> None:
    running = loud.begin(command, "loud.py", "--json", stderr=subprocess.DEVNULL)
    running.until("serving loud")
    running.signal(signal.SIGTERM)
    assert running.end() == 0


def test_help_is_for_people(loud: Folder) -> None:
    assert "--on-conflict" in loud("start", "--help", "--json").out
