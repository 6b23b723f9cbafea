"""What must hold whatever is killed: workers, the server, both. The oracle knows segue by its public API only.

A share of it in every run; ``--long`` goes on for minutes.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from fleet_kit import Fleet
from oracle import Oracle

from postgres_kit import OwnServer
from segue import Engine

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.timeout(1200)]

Trouble = Callable[[Fleet, random.Random], Awaitable[None]]


async def kill_a_worker(fleet: Fleet, chance: random.Random) -> None:
    living = [worker for worker in fleet.workers if worker.process.poll() is None]
    await chance.choice(living).kill()
    await fleet.worker()


async def stop_a_worker(fleet: Fleet, chance: random.Random) -> None:
    """For longer than its lease; then it goes on, and must find out."""
    living = [worker for worker in fleet.workers if worker.process.poll() is None]
    worker = chance.choice(living)
    worker.tell(signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(0.2, 3.0))
    worker.tell(signal.SIGCONT)


async def replace_a_worker(fleet: Fleet, chance: random.Random) -> None:
    living = [worker for worker in fleet.workers if worker.process.poll() is None]
    await fleet.worker()
    await chance.choice(living).leave()


async def play(fleet: Fleet, seed: int, rounds: int, trouble: list[Trouble]) -> None:
    chance = random.Random(seed)
    for _ in range(3):
        await fleet.worker()
    async with Engine(fleet.url, own=False) as engine:
        oracle = Oracle(engine)
        for number in range(rounds):
            for each in range(8):
                await oracle.start(number * 8 + each)
            await chance.choice(trouble)(fleet, chance)
        await oracle.check()
    undone = Counter(what for _, what, _ in fleet.done() if what.startswith("undo"))
    done = {what for _, what, _ in fleet.done() if what.endswith(" do") and not what.startswith("undo")}
    assert {what.removeprefix("undo ") for what in undone} >= done, "what was done in a cancelled run is undone"


async def test_nothing_is_lost_when_workers_are_killed_stopped_and_replaced(fleet: Fleet, long: bool) -> None:
    await play(fleet, 1, 60 if long else 6, [kill_a_worker, stop_a_worker, replace_a_worker])


async def test_nothing_is_lost_when_the_server_crashes(fleet: Fleet, server: OwnServer, long: bool) -> None:
    async def crash(fleet: Fleet, chance: random.Random) -> None:
        await asyncio.sleep(chance.uniform(0.1, 1.0))
        await asyncio.to_thread(server.stop, "immediate")
        await asyncio.to_thread(server.start)

    await play(fleet, 2, 40 if long else 4, [crash, kill_a_worker])
