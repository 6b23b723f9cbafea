"""A crash at every store write of schedules: none fires twice, none is lost, whatever the clock does meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sweep_games as games
import sweep_ledger as ledger
from sweep_game import Game
from sweep_games import Players

LIVES_ON = ("refuse", "lose")
FAULTS = (*LIVES_ON, "before", "after")


def _game(table: Path, name: str, **more: Any) -> Game:
    return games.game(table, name, scene="schedules", **more)


@pytest.fixture(scope="module")
def expected(players: Players, table: Path) -> dict[str, Any]:
    game = _game(table, "quiet")
    games.finished(players, game)
    return games.finished(players, game)  # once more: what is done is not done again


@pytest.fixture(scope="module")
def commits(players: Players, table: Path) -> int:
    game = _game(table, "counted")
    games.finished(players, game)
    return int((Path(game.folder) / "commits").read_text())


def test_nothing_goes_wrong(expected: dict[str, Any]) -> None:
    runs = {id: state for id, state in expected.items() if "@" in id}
    own = {name: [id for id in runs if id.startswith(f"{name}@") and "/" not in id] for name in expected.keys() - runs}
    assert {name: len(ids) for name, ids in own.items()} == {"work": 5, "after-work": 5, "jittered": 3, "failing": 4}
    assert sum("/fill" in id for id in runs) == 5
    assert sum("/on-failure/" in id for id in runs) == sum("/deadline-0/" in id for id in runs) == 4
    assert {state for id, state in runs.items() if not id.startswith("failing")} == {"completed"}
    assert expected["work"] == [5, 0, False, 0, [[5, 5, True]]]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_every_commit(
    players: Players, table: Path, commits: int, expected: dict[str, Any], fault: str, long: bool
) -> None:
    every = 1 if long else 3

    def play(n: int) -> None:
        game = _game(table, f"{fault}-{n}", fault=fault, at=n, cache=0 if n % 2 else 1000)
        if fault in LIVES_ON:
            found = games.finished(players, game)
        else:
            found, _ = games.killed_and_finished(
                players, [game], _game(table, f"{fault}-{n}", cache=0 if n % 2 else 1000)
            )
        assert found == expected, games.log(game)
        ledger.check_end(Path(game.folder) / "runs.db", Path(game.folder), one_process=fault in LIVES_ON)

    problems = players.at_once(play, range(1 + FAULTS.index(fault) % every, commits + 5, every))
    assert not problems, "\n\n".join(problems)
