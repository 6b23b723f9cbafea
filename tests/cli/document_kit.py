"""Carries out a document: writes the files that it shows, runs its commands in order, keeps what they print."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cli_kit import SOURCE, Folder, Running

DOCS = SOURCE.parent / "docs"
_BLOCK = re.compile(r"(?P<before>[^\n]*)\n+```(?P<language>\w+)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"`(\w+\.(?:py|dmn))`")
_INSTALLS = "python3 -m venv"

# What differs from run to run, and what stands for it.
_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)?"), "DATE"),
    (re.compile(r"\d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"\b\d+(s|m|h) ago\b|\bnow\b"), "AGO"),
    (re.compile(r"(?<![\w-])(<1ms|\d+(\.\d)?(ms|s)|\d+m( \d+s)?)(?![\w-])"), "LENGTH"),
    (re.compile(r"\b\S+:\d+:[0-9a-f]{6}\b"), "WORKER"),
    (re.compile(r"(?<=http://127\.0\.0\.1:)\d+"), "PORT"),
    (re.compile(r"\b[0-9a-f]{16}([0-9a-f]{16})?\b"), "HASH"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "KEY"),
    (re.compile(r"(?<=-)[0-9a-f]{8}\b"), "ID"),
    (re.compile(r"\b\d+(\.\d)? (B|kB|MB)"), "SIZE"),
    (re.compile(r"[━░╌┥][━░╌┥· ]*"), "BAR "),
    (re.compile(r"^([a-z]\w+) +\d[\w.]*$", re.MULTILINE), r"\1 VERSION"),
    (re.compile(rf"\b{re.escape(getpass.getuser())}\b"), "USER"),
    (re.compile(r"\broot\b"), "USER"),
    (re.compile(r'File "[^"]*/'), 'File "'),
    (re.compile(r"^[\s~^]*$\n?", re.MULTILINE), ""),
    (re.compile(r"^ *(LENGTH *)+$\n?", re.MULTILINE), ""),
)


class Shown(NamedTuple):
    """Commands of a document, what it says that they print, and what they printed."""

    commands: str
    said: str
    printed: str


def steady(text: str) -> list[str]:
    """What a command printed, line by line, without what differs from run to run."""
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


class Document:
    """A document at work in a folder. ``segue`` and ``python`` there are those that are tested."""

    def __init__(self, name: str, folder: Folder) -> None:
        self._text = (DOCS / name).read_text()
        self._folder = folder
        self._server: Running | None = None
        (folder.path / "flows.py").unlink()
        programs = folder.path / ".venv" / "bin"
        programs.mkdir(parents=True)
        (programs.parent / "pyvenv.cfg").touch()  # so that it is known as an environment
        forked = f"{sys.executable} -S -E {Path(__file__).with_name('command.py')} {folder.server}"
        for program, call in (("segue", forked), ("python", sys.executable)):
            path = programs / program
            path.write_text(f'#!/bin/sh\nexec {call} "$@"\n')
            path.chmod(0o755)
        self._environment = folder.environment | {"PATH": f"{programs}:{os.environ['PATH']}"}

    def __iter__(self) -> Iterator[Shown]:
        blocks = list(_BLOCK.finditer(self._text))
        for block, following in zip(blocks, [*blocks[1:], None], strict=True):
            code = block["code"]
            if block["language"] in ("python", "xml"):
                self._write(block["before"], code)
            elif block["language"] == "sh" and not code.startswith(_INSTALLS):
                shown = following is not None and following["language"] == "text"
                yield Shown(code, following["code"] if shown and following else "", self._carry_out(code))

    def _write(self, before: str, code: str) -> None:
        (name,) = _FILE.findall(before)
        self._folder.write(name, code)

    def _carry_out(self, code: str) -> str:
        words = code.split()
        command = words[1] if Path(words[0]).name == "segue" else ""
        if command in ("dev", "worker", "server"):
            return self._serve(words[1:])
        if "restore" in words:
            self._stop()
        done = subprocess.run(
            ["sh", "-c", code], cwd=self._folder.path, env=self._environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120, check=False,
        )  # fmt: skip
        self._settle()
        return done.stdout

    def _serve(self, words: list[str]) -> str:
        """What a serving command says when it has begun; it goes on, for the commands that follow."""
        self._stop()
        self._server = self._folder.begin(*words)
        self._server.until(r"serving .*\n" if words[0] == "worker" else r"dashboard .*\n")
        return self._server.text

    def _settle(self) -> None:
        """Waits until whoever serves has done all that can be done."""
        while self._server is not None:
            told = self._folder("db", "stats", "--json").json
            if not told["inbox"] and "running" not in told["runs"]:
                return

    def _stop(self) -> None:
        if self._server is not None:
            self._server.process.terminate()
            self._server.end()
            self._server = None
