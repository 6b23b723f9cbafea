"""The command line as a whole: help, wrong words, output for machines, and interruption before anything was begun."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest
from cli_kit import Folder

import segue as package
from segue.cli.app import call
from segue.cli.commands import COMMANDS, MEANT
from segue.cli.words import length


def test_help(segue: Folder) -> None:
    overview = segue().out
    assert overview == segue("--help").out == segue("help").out
    for command in COMMANDS:
        assert f"  {command.name} " in overview
        assert command.help in overview
    for words in (("run",), ("list",), ("db",), ("db", "restore"), ("task", "list")):
        assert f"Usage: segue {' '.join(words)}" in segue(*words, "--help").out


def test_every_command_that_a_message_names_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    sources = "".join(file.read_text() for file in Path(package.__file__).parent.rglob("*.py"))
    named = set(re.findall(r"`segue ([a-z]+(?: [a-z]+)?)", sources))
    assert {"db restore", "retry", "check"} <= named
    assert {words: call([*words.split(), "--help"]) for words in named} == dict.fromkeys(named, 0)
    capsys.readouterr()


def test_what_a_clock_that_was_put_back_makes_negative_has_no_length() -> None:
    assert [length(us) for us in (-9_390_000_000, 0, 640_000)] == ["0ms", "0ms", "640ms"]


def test_versions(segue: Folder) -> None:
    assert segue("version").out == segue("--version").out
    assert {"segue", "python", "apsw"} <= segue("version", "--json").json.keys()


WRONG = {
    "bogus": 'unknown command "bogus"',
    "lis": 'did you mean "list"',
    "run": "`segue run` needs TARGET (file.py:workflow, module:workflow, or file.py with one workflow); see `segue run",
    "run flows.py:plain --times 3": "the workflow's own arguments stand in their order, without names; see `segue run",
    "show": "`segue show` needs RUN (the run's id, or the beginning of it); see `segue show --help`",
    "show a b": "too much: b; see `segue show --help`",
    "signal a": "`segue signal` needs NAME (the signal's name)",
    "list --limit x": 'unable to convert "x" into int',
    "list --limit 0": "--limit 0 shows nothing",
    "list --bogus": "unknown option: --bogus",
    "db retain --yes --state failed": "--state and --workflow go with a length of time",
    "namespaces eu": "too much: eu; see `segue namespaces --help`",
    "db bogus": "vacuum, retain, backup, restore, export, move, migrate; see `segue db --help`",
    "schedule bogus": "see `segue schedule --help`",
    "logs a": "there is no command 'logs'; that is `segue show RUN --logs`",
    "workflow list": "there is no command 'workflow'; that is `segue workers`, for the workflows that are served",
    "list --url": "--url",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_line_that_does_not_fit(segue: Folder, line: str) -> None:
    told = segue(*line.split(), "--json", code=2).json["error"]
    assert told["type"] == "InvalidArgument"
    assert WRONG[line].casefold() in told["message"].casefold()
    assert not (segue.path / ".segue").exists()


def test_what_others_call_a_command_is_none_here() -> None:
    assert not MEANT.keys() & {command.name for command in COMMANDS}


def test_flags_may_stand_before_the_command(segue: Folder) -> None:
    segue("--url", "sqlite:///a.db", "--app=shop", "run", "flows.py:plain", "1")
    (row,) = json.loads(segue("--json", "--url", "sqlite:///a.db", "list").out)
    assert row["app"] == "shop"


def test_letters_that_a_terminal_lacks(segue: Folder) -> None:
    segue("run", "flows.py:fans", "9", "--id", "a")
    shown = segue("show", "a", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C").out
    assert shown.isascii()
    assert "+ completed" in shown
    assert " - took " in shown
    assert "double x9" in shown
    error = segue("show", "nope", code=2, PYTHONIOENCODING="ascii", PYTHONUTF8="0").err
    assert error.startswith("no run 'nope'")


def test_ctrl_c_before_anything_was_begun(segue: Folder) -> None:
    segue.write("slow.py", "print('importing')\nimport time\ntime.sleep(60)\n")
    for words in (("run", "slow.py"), ("worker", "slow.py")):
        running = segue.on_terminal(*words)
        running.until("importing")
        os.write(running.keyboard, b"\x03")
        assert running.end() == 130
        assert "Traceback" not in running.text


def test_ctrl_c_while_segue_itself_is_imported(segue: Folder) -> None:
    segue.write("cyclopts.py", "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    ended = segue("list", code=-signal.SIGINT, PYTHONPATH=f"{segue.path}:{segue.environment['PYTHONPATH']}")
    assert ended.out == ended.err == ""


def test_ctrl_c_and_ctrl_d_at_a_question(segue: Folder) -> None:
    segue("run", "flows.py:asks", "7", "--id", "a", "--timeout", "300ms", code=5)
    for words, question in ((("terminate", "a"), "Nothing is undone"), (("approve", "a"), "yes or no")):
        for key, code in ((b"\x03", 130), (b"\x04", 2)):
            running = segue.on_terminal(*words)
            running.until(question)
            os.write(running.keyboard, key)
            assert running.end() == code
            assert "Traceback" not in running.text
    assert segue("list", "--state", "open", "--json").json
