"""What must come of runs, whatever happens around them. It knows segue by its public API only."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import fleet_program

from segue import Engine, Handle, RunCancelled
from segue.errors import RunClosed, StoreUnavailable


class Oracle:
    """Starts runs, says what must come of each, and looks whether it did.

    Attributes:
        refusals: what was told instead of an acknowledgement.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.refusals: list[str] = []
        self._expected: list[tuple[Handle[Any], Any]] = []

    async def start(self, number: int) -> None:
        """Starting, signalling and cancelling may be repeated, as everybody does whose server does not answer."""
        while True:
            chance = random.Random(number)
            try:
                self._expected.append(await self._start(number, chance))
                return
            except StoreUnavailable as error:
                self.refusals.append(str(error))
                await asyncio.sleep(0.05)

    async def start_many(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            await self.start(number)

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
        outcomes = Counter(r.event.key for r in history if type(r.event).__name__ == "StepCompleted")
        assert set(outcomes.values()) <= {1}, f"{handle.id}: {outcomes}"
