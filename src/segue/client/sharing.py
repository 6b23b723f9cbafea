"""The way in for one owner among several: its own runs directly, everybody else's through the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from segue.client.answered import Events
from segue.client.ways import Direct, Elsewhere, Remote, Replayed
from segue.kernel import events as e
from segue.stores.base import RESIDENT, Started, StartRun

T = TypeVar("T")

LOOK = 1.0
"""Seconds after which whoever waits for a run looks whether it has moved to another owner."""
KNOWN = 50_000
"""Runs whose slot is remembered."""


class Shared(Direct):
    """What is submitted goes through this owner's writer, whoever owns the run; what needs a run in memory, only for
    runs that are its own."""

    def __init__(self, direct: Direct, remote: Remote) -> None:
        super().__init__(direct._conductor, direct._loading, direct._held)
        self._remote = remote
        self._slots: dict[int, int] = {}
        """Slots of runs that were asked for: a run keeps its slot for as long as it lives."""

    def _owns(self, run: int) -> bool:
        conductor = self._conductor
        if run in conductor.residents:
            return True
        slot = self._slots.get(run)
        if slot is None:
            slot = conductor.store.slots_of([run]).get(run)
            if slot is None:
                return False
            if len(self._slots) == KNOWN:
                self._slots.clear()
            self._slots[run] = slot
        return conductor.owns(slot)

    async def _here(self, run: int, here: Callable[[], Awaitable[T]], elsewhere: Callable[[], Awaitable[T]]) -> T:
        if self._owns(run):
            try:
                return await here()
            except Elsewhere:
                pass  # it has moved just now
        return await elsewhere()

    async def start(self, operation: StartRun, event: e.RunStarted) -> Started:
        if self._conductor.slots:
            return await super().start(operation, event)
        if operation.wake == RESIDENT:  # for its owner to find
            operation = msgspec.structs.replace(operation, wake=RESIDENT + 1)
        return await self._remote.start(operation, event)

    async def update(
        self, run: int, event: e.UpdateAccepted, body: Any, events: Events, *, fresh: bool
    ) -> e.UpdateCompleted:
        return await self._here(
            run,
            lambda: self._moved(run, super(Shared, self).update(run, event, body, events, fresh=fresh)),
            lambda: self._remote.update(run, event, body, events, fresh=fresh),
        )

    async def answer_of(self, run: int, update: str, events: Events) -> e.UpdateCompleted:
        return await self._here(
            run,
            lambda: self._moved(run, super(Shared, self).answer_of(run, update, events)),
            lambda: self._remote.answer_of(run, update, events),
        )

    async def check(self, run: int, event: e.SignalReceived | e.UpdateAccepted) -> None:
        await self._here(run, lambda: super(Shared, self).check(run, event), lambda: self._remote.check(run, event))

    async def query(self, run: int, name: str, arguments: list[Any], replayed: Replayed) -> Any:
        return await self._here(run, lambda: super(Shared, self).query(run, name, arguments, replayed), replayed)

    async def closing_event(self, run: int, events: Events) -> e.Event:
        return await self._here(
            run,
            lambda: self._moved(run, super(Shared, self).closing_event(run, events)),
            lambda: self._remote.closing_event(run, events),
        )

    async def changed(self, run: int, after: int) -> None:
        if self._owns(run):
            await super().changed(run, after)
        else:
            await self._remote.changed(run, after)

    async def _moved(self, run: int, waiting: Awaitable[T]) -> T:
        """Waits, for as long as the run is this owner's.

        Raises:
            Elsewhere: it is not any more.
        """
        task = asyncio.ensure_future(waiting)
        try:
            while True:
                done, _ = await asyncio.wait([task], timeout=LOOK)
                if done:
                    return task.result()
                if not self._owns(run):
                    raise Elsewhere
        finally:
            task.cancel()
