"""What must hold whatever is killed: workers, the server, both. The oracle knows segue by its public API only.

A share of it in every run; ``--long`` goes on for minutes.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import fleet_program
import pytest
from fleet_kit import Fleet

from postgres_kit import OwnServer
from segue import Engine, Handle, RunCancelled
from segue.errors import RunClosed, StoreUnavailable
from segue.kernel import events as e

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


class Oracle:
    """Starts runs, says what must come of each, and looks whether it did."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._expected: list[tuple[Handle[Any], Any]] = []

    async def start(self, number: int) -> None:
        """Starting, signalling and cancelling may be repeated, as everybody does whose server does not answer."""
        while True:
            chance = random.Random(number)
            try:
                self._expected.append(await self._start(number, chance))
                return
            except StoreUnavailable:
                await asyncio.sleep(0.05)

    async def _start(self, number: int, chance: random.Random) -> tuple[Handle[Any], Any]:
        id = f"run-{number}"
        match chance.randrange(5):
            case 0:
                handle: Handle[Any] = await self._engine.start(fleet_program.walks, number, id=id)
                wanted: Any = [f"{number}-{i}" for i in range(4)]
            case 1:
                handle = await self._engine.start(fleet_program.meets, number, id=id)
                with suppress(RunClosed):
                    await handle.signal("go", "on", message=f"go-{number}")
                wanted = f"{number} on"
            case 2:
                handle = await self._engine.start(fleet_program.sleeps, chance.uniform(0, 3), id=id)
                wanted = "awake"
            case 3:
                handle = await self._engine.start(fleet_program.leads, number, id=id)
                wanted = [f"{number * 10 + part}-{i}" for part in range(2) for i in range(4)]
            case _:
                handle = await self._engine.start(fleet_program.undoes, number, id=id)
                with suppress(RunClosed):  # cancelled before, and the answer was lost
                    await handle.cancel("enough")
                wanted = RunCancelled
        return handle, wanted

    async def check(self) -> None:
        for handle, wanted in self._expected:
            try:
                assert await handle.result(timeout=120) == wanted
            except RunCancelled:
                assert wanted is RunCancelled
            await self._check_journal(handle)

    async def _check_journal(self, handle: Handle[Any]) -> None:
        """Numbered without a gap, and every outcome recorded once."""
        history = await handle.history()
        assert [recorded.seq for recorded in history] == list(range(1, len(history) + 1))
        outcomes = Counter(r.event.key for r in history if isinstance(r.event, e.StepCompleted))
        assert set(outcomes.values()) <= {1}, f"{handle.id}: {outcomes}"


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
