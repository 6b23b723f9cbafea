"""Plays games in processes of their own, some at a time, and checks what is left on the table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec
import sweep_ledger as ledger
from sweep_game import Game

HERE = Path(__file__).parent
SOURCE = HERE.parent.parent / "src"
KILLED = (137, -9)
AT_A_TIME = 6


class Players:
    """Servers that fork a process for every game."""

    def __init__(self) -> None:
        self._idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
        self._all = [self._start() for _ in range(AT_A_TIME)]
        for server in self._all:
            self._idle.put(server)

    def _start(self) -> subprocess.Popen[str]:
        path = os.pathsep.join([str(SOURCE), str(HERE)])
        return subprocess.Popen(
            [sys.executable, str(HERE / "sweep_process.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip

    def play(self, game: Game) -> int:
        """Plays one game; its process's exit code, or the negative number of the signal that killed it."""
        server = self._idle.get()
        try:
            assert server.stdin is not None
            assert server.stdout is not None
            print(msgspec.json.encode(game).decode(), file=server.stdin, flush=True)
            return int(server.stdout.readline())
        finally:
            self._idle.put(server)

    def at_once(self, play: Callable[[Any], object], what: Iterable[Any]) -> list[str]:
        """Plays for each of ``what``, some at a time; what went wrong, if anything did."""

        def attempt(one: Any) -> str:
            try:
                play(one)
            except AssertionError as error:
                return f"{one}: {error}"
            return ""

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            return [problem for problem in pool.map(attempt, what) if problem]

    def close(self) -> None:
        for server in self._all:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.close()
            server.stdout.close()
            server.wait()


@contextmanager
def players() -> Iterator[Players]:
    made = Players()
    try:
        yield made
    finally:
        made.close()


def game(table: Path, name: str, **more: Any) -> Game:
    """A game in a folder of its own on the table; several of one name are played one after the other in the same."""
    folder = table / name
    folder.mkdir(exist_ok=True)
    return Game(str(folder), **more)


def finished(players: Players, game: Game) -> dict[str, Any]:
    """Plays a game that has to come to its end; how it ended."""
    code = players.play(game)
    assert code == 0, f"exit code {code}\n{log(game)}"
    found: dict[str, Any] = json.loads((Path(game.folder) / "outcome").read_text())
    return found


def killed_and_finished(players: Players, games: Iterable[Game], last: Game) -> tuple[dict[str, Any], int]:
    """Plays games that may be killed on the way, one after the other on the same table, and the last one to its end;
    how it ended, and how many were killed. What was recorded stays."""
    path = Path(last.folder) / "runs.db"
    deaths = 0
    before: ledger.Journals = {}
    for game in games:
        code = players.play(game)
        assert code in (0, *KILLED), f"exit code {code}\n{log(game)}"
        deaths += code != 0
        now = ledger.journals(path)
        ledger.check_growth(before, now)
        before = now
    found = finished(players, last)
    ledger.check_growth(before, ledger.journals(path))
    return found, deaths


def check(found: dict[str, Any], expected: dict[str, Any], game: Game, *, one_process: bool = False) -> None:
    """The outcome is the expected one, and the table is clean."""
    different = {name: (found.get(name), end) for name, end in expected.items() if found.get(name) != end}
    assert not different, f"another outcome: {json.dumps(different, indent=1)}\n{log(game)}"
    assert set(found) == set(expected)
    folder = Path(game.folder)
    ledger.check_end(folder / "runs.db", folder, one_process=one_process)


def log(game: Game) -> str:
    """The end of what the game's processes wrote."""
    file = Path(game.folder) / "log"
    return file.read_text()[-4000:] if file.exists() else ""
