"""A crash at every store write: whatever happens to a commit, the outcome is the same and no record ever changes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, get_args

import pytest
import sweep_games as games
import sweep_ledger as ledger
from sweep_game import Game
from sweep_games import Players

from segue.kernel import commands as c
from segue.kernel import events as e

LIVES_ON = ("refuse", "lose")
DIES = ("before", "after")
FAULTS = (*LIVES_ON, *DIES)
MOST_COMMITS = 400


@pytest.fixture(scope="module")
def quiet(players: Players, table: Path) -> Game:
    """A game in which nothing goes wrong."""
    game = games.game(table, "quiet")
    games.finished(players, game)
    return game


@pytest.fixture(scope="module")
def expected(players: Players, quiet: Game) -> dict[str, Any]:
    return games.finished(players, quiet)  # once more: everything that the driver does may be done again


@pytest.fixture(scope="module")
def counts(players: Players, table: Path) -> dict[bool, int]:
    """How many commits there are, with the parts of the scenario at once and one by one."""
    return {apart: _commits(players, table, apart) for apart in (False, True)}


def test_nothing_goes_wrong(quiet: Game, expected: dict[str, Any]) -> None:
    games.check(expected, expected, quiet, one_process=True)
    states = sorted(end["state"] for end in expected.values())
    assert {"completed", "failed", "cancelled", "terminated", "continued"} == set(states)
    (resumed,) = [end for name, end in expected.items() if name.startswith("resumed-again ")]
    assert resumed["result"] == ["bridge", [[2, 3], "said ann"]]
    assert resumed["tasks"] == []  # nobody was asked again


def test_the_scenario_has_every_event_and_every_command(quiet: Game, expected: dict[str, Any]) -> None:
    folder = Path(quiet.folder)
    kinds = ledger.check_end(folder / "runs.db", folder, one_process=True)
    events = _kinds_of(e.Event)
    assert events == {kind.__name__ for kind in get_args(e.AnyEvent)}, "the union is all of them"
    assert events - kinds == set()
    assert _kinds_of(c.Command) - set((folder / "commands").read_text().split()) == set()


def _kinds_of(base: type) -> set[str]:
    """Everything that derives from it, however far down."""
    return {kind.__name__ for kind in base.__subclasses__()} | {
        name for kind in base.__subclasses__() for name in _kinds_of(kind)
    }


@pytest.mark.parametrize("apart", [False, True], ids=["at-once", "one-by-one"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_every_commit(
    players: Players,
    table: Path,
    expected: dict[str, Any],
    counts: dict[bool, int],
    fault: str,
    apart: bool,
    long: bool,
) -> None:
    commits = counts[apart] + 10  # timing decides how many there are: a few more are tried than were counted
    if long or not apart:
        chosen = range(1, commits)
    else:  # every sixth, with one fault after the other
        chosen = range(1 + 6 * FAULTS.index(fault), commits, 6 * len(FAULTS))

    def play(n: int) -> None:
        name = f"{fault}-{apart}-{n}"
        cache = 0 if n % 2 else 1000
        game = games.game(table, name, fault=fault, at=n, cache=cache, apart=apart)
        if fault in LIVES_ON:
            found = games.finished(players, game)
        else:
            found, _ = games.killed_and_finished(players, [game], games.game(table, name, cache=cache))
        games.check(found, expected, game, one_process=fault in LIVES_ON)

    problems = players.at_once(play, chosen)
    assert not problems, "\n\n".join(problems)


def _commits(players: Players, table: Path, apart: bool) -> int:
    game = games.game(table, f"counted-{apart}", apart=apart)
    games.finished(players, game)
    commits = int((Path(game.folder) / "commits").read_text())
    assert 20 < commits < MOST_COMMITS
    return commits


def test_storms_of_faults(players: Players, table: Path, expected: dict[str, Any], long: bool) -> None:
    """One fault after the other, some while the last one is being mended."""

    def play(seed: int) -> None:
        game = games.game(table, f"storm-{seed}", fault="storm", at=seed, cache=0 if seed % 2 else 1000)
        games.check(games.finished(players, game), expected, game, one_process=True)

    problems = players.at_once(play, range(100 if long else 10))
    assert not problems, "\n\n".join(problems)


def test_processes_killed_at_random_moments(
    players: Players, table: Path, expected: dict[str, Any], long: bool
) -> None:
    def play(seed: int) -> None:
        chance = random.Random(seed)
        name = f"killed-{seed}"
        kills = [
            games.game(table, name, kill=chance.uniform(0.01, 1.0), cache=chance.choice((0, 1000)))
            for _ in range(chance.randint(1, 5))
        ]
        last = games.game(table, name, cache=chance.choice((0, 1000)))
        found, _ = games.killed_and_finished(players, kills, last)
        games.check(found, expected, last)

    problems = players.at_once(play, range(200 if long else 15))
    assert not problems, "\n\n".join(problems)
