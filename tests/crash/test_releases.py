"""A crash at every store write, and another release of the code after it: no call is made twice, none is lost."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import sweep_games as games
import sweep_ledger as ledger
import sweep_releases
from sweep_game import Game
from sweep_games import Players

Outcome = dict[str, Any]
ORDER = {
    "1": r"charge pick-1 pick-2 ship notify",
    "2": r"charge inspect pick-1 pick-2 (insure )?ship notify",
    "3": r"inspect charge pick-1 pick-2 (insure )?ship",
}


def _game(table: Path, name: str, **more: Any) -> Game:
    return games.game(table, name, scene="releases", **more)


@pytest.fixture(scope="module")
def commits(players: Players, table: Path) -> int:
    """How many commits a release has at most."""
    counts = []
    for release in sweep_releases.RELEASES:
        game = _game(table, f"counted-{release}", release=release)
        games.finished(players, game)
        counts.append(int((Path(game.folder) / "commits").read_text()))
    return max(counts)


def check(found: Outcome, game: Game, *, one_process: bool = False) -> None:
    """Each run did what one of the releases that had it says, each call under one idempotency key."""
    folder = Path(game.folder)
    assert set(found) >= {"purchase", "trip", "permit", "parent"}, games.log(game)
    for id, run in found.items():
        assert run["state"] == "RunCompleted", f"{id}: {run}\n{games.log(game)}"
    _check_results(found)
    ledger.check_end(folder / "runs.db", folder, one_process=one_process)
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in (folder / "effects").read_text().splitlines():
        key, run, _, _, what = line.split(" ", 4)
        keys[run, what].add(key)
    assert {call: under for call, under in keys.items() if len(under) > 1} == {}, "one call under several keys"
    ran = {what for run, what in keys if run == "trip"}
    assert "release-1" in ran
    assert ("hold-2" in ran) == ("give-up-2" in ran), "what the new release holds is undone as well"


def _check_results(found: Outcome) -> None:
    order = found["purchase"]
    did = " ".join(order["result"]).replace("-1", "").replace("pick ", "pick-1 ")
    assert re.fullmatch(ORDER[order["releases"][-1]], did), order
    assert order["patched"] == ("insure" in did), order
    assert found["trip"]["result"] == ["undone"]
    for id, what in ("permit", ["ship-1"]), ("parent", ["pick-1", "pick-2"]):
        new = ["inspect-1"] if found[id]["releases"][-1] != "1" else []
        assert found[id]["result"] == [*new, *what], found[id]


def test_each_release_by_itself(players: Players, table: Path) -> None:
    for release in sweep_releases.RELEASES:
        game = _game(table, f"alone-{release}", release=release)
        check(games.finished(players, game), game, one_process=True)


@pytest.mark.parametrize("fault", ["before", "after"])
def test_a_new_release_after_a_crash_at_every_commit(
    players: Players, table: Path, commits: int, fault: str, long: bool
) -> None:
    seen: Counter[str] = Counter()

    def play(n: int) -> None:
        name, cache = f"{fault}-{n}", 0 if n % 2 else 1000
        dies = _game(table, name, fault=fault, at=n, cache=cache)
        last = _game(table, name, release=2 + n % 2, cache=cache)
        found, _ = games.killed_and_finished(players, [dies], last)
        check(found, last)
        for run in found.values():
            seen["taken over"] += len(run["releases"]) > 1
            seen["adopted"] += bool(run["adopted"])
            seen["patched"] += run["patched"]
            seen["passed"] += run["releases"][0] == "1" and len(run["releases"]) > 1 and "insure-1" not in run["result"]

    problems = players.at_once(play, range(1, commits + 5, 1 if long else 2))
    assert not problems, "\n\n".join(problems)
    assert all(seen[what] > 0 for what in ("taken over", "adopted", "patched", "passed")), seen


def test_releases_one_after_the_other_at_random_moments(
    players: Players, table: Path, commits: int, long: bool
) -> None:
    def play(seed: int) -> None:
        chance = random.Random(seed)
        name = f"random-{seed}"
        dying = [
            _game(
                table, name, release=release, cache=chance.choice((0, 1000)),
                **chance.choice(
                    (
                        {"kill": chance.uniform(0.01, 0.3)},
                        {"fault": chance.choice(("before", "after")), "at": chance.randint(1, commits // 2)},
                    )
                ),
            )
            for release in (1, 1, 2, 2, 3)
        ]  # fmt: skip
        found, _ = games.killed_and_finished(players, dying, _game(table, name, release=3, cache=0))
        check(found, dying[0])

    problems = players.at_once(play, range(200 if long else 15))
    assert not problems, "\n\n".join(problems)
