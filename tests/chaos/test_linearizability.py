"""What many clients ask of one run at once, through several engines, is as if it had been asked one after the other."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import time
from pathlib import Path
from typing import Any, NamedTuple

import ledger_program
import pytest
from fleet_kit import Fleet
from ledger_program import Ledger
from linearizing import Operation, is_linearizable

from segue import Engine, Settings
from segue.errors import RunClosed, RunNotFound

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.timeout(1200)]
LEASE = 4.0
PROGRAM = Path(ledger_program.__file__)


class State(NamedTuple):
    """Of a run: its number once it has been started, and what it holds."""

    run: int = 0
    entries: tuple[int, ...] = ()
    heard: tuple[int, ...] = ()
    cancelled: bool = False


def ledger(state: State, operation: Operation) -> State | None:
    """What a run answers, and what becomes of it."""
    match operation.name:
        case "start":
            return state._replace(run=operation.answer) if state.run in (0, operation.answer) else None
        case "enter" if operation.answer is None:
            return state if state.cancelled else None
        case "enter":
            entries = (*state.entries, operation.argument)
            return state._replace(entries=entries) if len(entries) == operation.answer and not state.cancelled else None
        case "hear":
            return state._replace(heard=(*state.heard, operation.argument))
        case "cancel":
            return state._replace(cancelled=True)
        case "missing":
            return state if not state.run else None
        case _:
            return state if state.run and (state.entries, state.heard) == operation.answer else None


class Client:
    """Asks one thing after the other, through one engine, and notes when and what it was told."""

    def __init__(self, number: int, engine: Engine, history: list[Operation], id: str) -> None:
        self._number, self._engine, self._history, self._id = number, engine, history, id
        self.heard: list[int] = []

    async def play(self, chance: random.Random, many: int) -> None:
        for n in range(many):
            value = self._number * 1000 + n
            began = time.monotonic()
            name, argument, answer = await self._ask(chance.choice(("start", "enter", "enter", "hear", "read")), value)
            # A signal is kept when it is acknowledged, and has its effect later.
            ended = math.inf if name == "hear" else time.monotonic()
            self._history.append(Operation(began, ended, name, argument, answer))

    async def enter_until_closed(self) -> None:
        """The run is being cancelled: who was told a number is in it, who was told that it has ended is not."""
        for n in itertools.count(500):
            began, value = time.monotonic(), self._number * 1000 + n
            _, _, answer = await self._ask("enter", value)
            self._history.append(Operation(began, time.monotonic(), "enter", value, answer))
            if answer is None:
                return

    async def _ask(self, what: str, value: int) -> tuple[str, Any, Any]:
        if what == "start":
            return "start", None, (await self._engine.start(Ledger, id=self._id)).run
        try:
            handle = await self._engine.handle(self._id)
        except RunNotFound:
            return "missing", None, None
        if what == "read":
            entries, heard = await handle.query(Ledger.read)
            return "read", None, (tuple(entries), tuple(heard))
        if what == "hear":
            await handle.signal("hear", value)
            self.heard.append(value)
            return "hear", value, None
        try:
            return "enter", value, await handle.update(Ledger.enter, value)
        except RunClosed:
            return "enter", value, None


async def record(engines: list[Engine], id: str, seed: int, many: int) -> None:
    """Has clients ask at random, and proves that it could have been one after the other."""
    history: list[Operation] = []
    clients = [Client(n, engines[n % len(engines)], history, id) for n in range(4)]
    chance = random.Random(seed)
    await asyncio.gather(*[client.play(random.Random(chance.random()), many) for client in clients])
    handle = await engines[0].start(Ledger, id=id)
    wanted = sum(len(client.heard) for client in clients)
    async with asyncio.timeout(60):
        while True:
            began = time.monotonic()
            entries, heard = await handle.query(Ledger.read)
            if len(heard) == wanted:
                break
            await asyncio.sleep(0.02)
    history[:] = [
        operation._replace(ended=began) if operation.ended == math.inf else operation for operation in history
    ]
    history.append(Operation(began, time.monotonic(), "read", None, (tuple(entries), tuple(heard))))
    history.append(Operation(began, began, "start", None, handle.run))
    began = time.monotonic()
    await asyncio.gather(handle.cancel("enough"), *[client.enter_until_closed() for client in clients[1:]])
    history.append(Operation(began, time.monotonic(), "cancel"))
    began = time.monotonic()
    entries, heard = await handle.query(Ledger.read)
    history.append(Operation(began, time.monotonic(), "read", None, (tuple(entries), tuple(heard))))
    assert is_linearizable(history, ledger, State()), "\n".join(map(str, sorted(history)))
    for client in clients:
        assert [value for value in heard if value in client.heard] == client.heard, "signals of one sender overtook"


async def test_what_clients_of_one_run_are_told_fits_one_order(fleet: Fleet, long: bool) -> None:
    workers = [await fleet.worker(lease=LEASE, program=PROGRAM) for _ in range(2)]
    async with (
        Engine(fleet.url, workflows=[Ledger], settings=Settings(lease=LEASE)) as owner,
        Engine(fleet.url, workflows=[Ledger], own=False) as one,
        Engine(fleet.url, workflows=[Ledger], own=False) as other,
    ):
        for round in range(40 if long else 3):
            recording = [record([owner, one, other], f"r{round}-{n}", round * 100 + n, 8) for n in range(6)]
            tasks = [asyncio.create_task(each) for each in recording]
            if round % 2:  # its runs go on elsewhere in the middle of it all
                await workers.pop().kill()
                workers.append(await fleet.worker(lease=LEASE, program=PROGRAM))
            await asyncio.gather(*tasks)


# --- the checker itself -----------------------------------------------------------------------------------------------

START = Operation(0, 1, "start", None, 7)


@pytest.mark.parametrize(
    ("history", "fits"),
    [
        ([START, Operation(2, 3, "enter", 5, 1), Operation(4, 5, "read", None, ((5,), ()))], True),
        ([START, Operation(2, 3, "enter", 5, 1), Operation(4, 5, "read", None, ((), ()))], False),
        ([START, Operation(2, 4, "enter", 5, 1), Operation(3, 5, "read", None, ((), ()))], True),
        ([START, Operation(2, 4, "enter", 5, 1), Operation(3, 5, "enter", 6, 1)], False),
        ([START, Operation(2, 4, "enter", 5, 2), Operation(3, 5, "enter", 6, 1)], True),
        ([START, Operation(2, 3, "start", None, 8)], False),
        ([START, Operation(2, 3, "missing")], False),
        ([START, Operation(2, 9, "hear", 1), Operation(4, 5, "read", None, ((), (1,)))], True),
        ([START, Operation(2, 3, "hear", 1), Operation(4, 5, "read", None, ((), ()))], False),
        ([START, Operation(2, math.inf, "hear", 1), Operation(4, 5, "read", None, ((), ()))], True),
        ([START, Operation(2, 3, "cancel"), Operation(4, 5, "enter", 1, 1)], False),
    ],
)  # fmt: skip
def test_the_checker(history: list[Operation], fits: bool) -> None:
    assert is_linearizable(history, ledger, State()) == fits
