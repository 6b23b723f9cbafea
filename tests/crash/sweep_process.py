"""Plays the scenario in processes that can be killed: a server forks one for every game, from a warmed-up interpreter.

Run as a program: reads one game per line (JSON) from stdin, answers with its exit code on stdout.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import msgspec
import sweep_driver as driver
import sweep_releases
import sweep_schedules
from sweep_game import Game

from segue.kernel.commands import Command
from segue.runtime.carry import CARRY
from segue.runtime.settings import Settings
from segue.stores.faults import CrashAfter, CrashBefore, Fault, FaultyStore, LoseAcknowledgement, Plan, Refuse
from segue.stores.sqlite.store import SqliteStore

FAULTS: dict[str, type[Fault]] = {
    "refuse": Refuse,
    "lose": LoseAcknowledgement,
    "before": CrashBefore,
    "after": CrashAfter,
}


def play(game: Game) -> None:
    folder = Path(game.folder)
    os.environ["SEGUE_TEST_WORLD"] = str(folder)
    plan = _plan(game)
    seen = _watch_commands()
    store = FaultyStore(SqliteStore.open(folder / "runs.db"), plan)
    asyncio.run(SCENES[game.scene](folder, store, game))
    (folder / "commits").write_text(str(store.commits))
    with (folder / "commands").open("a") as file:
        file.write(" ".join(sorted(seen)) + "\n")


def _plan(game: Game) -> Plan:
    if game.fault == "storm":
        chance = random.Random(game.at)
        return lambda number, batch: chance.choice((Refuse(), LoseAcknowledgement(), None, None, None))
    return {game.at: FAULTS[game.fault]()} if game.fault else {}


async def _play(folder: Path, store: FaultyStore, game: Game) -> None:
    settings = Settings(cache=game.cache)
    async with driver.engine_on(folder / "runs.db", store=store, settings=settings) as engine:
        await driver.drive(engine, apart=game.apart)
        (folder / "outcome").write_text(json.dumps(await driver.outcome_of(engine), indent=1, sort_keys=True))


SCENES = {"everything": _play, "schedules": sweep_schedules.play, "releases": sweep_releases.play}


def _watch_commands() -> set[str]:
    """Names of the commands that are carried out from now on."""
    seen: set[str] = set()

    def watched(kind: type[Command], carry: Any) -> Any:
        def carried(*args: Any) -> None:
            seen.add(kind.__name__)
            carry(*args)

        return carried

    for kind, carry in list(CARRY.items()):
        CARRY[kind] = watched(kind, carry)
    return seen


# --- the server -------------------------------------------------------------------------------------------------


def serve() -> None:
    for line in sys.stdin:
        game = msgspec.json.decode(line, type=Game)
        pid = os.fork()
        if pid == 0:
            _play_and_exit(game)
        if game.kill is not None:
            _kill_later(pid, game.kill)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _play_and_exit(game: Game) -> None:
    code = 1
    try:
        log = os.open(Path(game.folder) / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        play(game)
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(code)


def _kill_later(pid: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return
        time.sleep(0.0005)
    os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    serve()
