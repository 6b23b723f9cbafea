"""Keeps an owner's lease, takes up the runs of slots that it gains, and lets go of slots that others lack.

Where ownership is a lease, an owner has to be heard of well before that runs out. Each time it is told which slots it
has: runs in new ones are loaded, as after a takeover. Slots above its share are given up, but for those where something
is under way: a step that runs stays with the process that it runs in.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from segue.errors import FenceLost, StoreError
from segue.runtime.loading import Loading
from segue.runtime.mail import Mail
from segue.stores.base import Fence
from segue.stores.owning import Holding, Slots

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

log = logging.getLogger("segue.tending")

PER_LEASE = 4
"""How often an owner is heard of while one lease lasts."""
LONGEST = 10.0
"""Seconds after which an owner looks anyway: hints may be missed."""
SOON = 0.25
"""Seconds after which a surplus is given up: time for steps that are about to end."""


class Tending:
    """The lease of one owner, and its slots."""

    def __init__(self, conductor: Conductor, loading: Loading, mail: Mail, fence: Fence) -> None:
        self._conductor = conductor
        self._loading = loading
        self._mail = mail
        self._fence = fence
        self._surplus: tuple[Slots, ...] = ()
        self._task: asyncio.Task[None] | None = None
        self._again = asyncio.Event()
        self.on_moved: Callable[[], None] = lambda: None
        """Called when runs have gone elsewhere that somebody here may wait for."""

    def begin(self) -> None:
        """Asks for the first slots; whoever looks for due runs next finds those in them.

        Raises:
            StoreUnavailable, FenceLost: nothing is owned.
        """
        holding = self._conductor.store.tend(self._fence)
        self._conductor.slots = holding.slots
        self._surplus = holding.surplus

    def start(self) -> None:
        """Goes on with the lease, if there is one."""
        lease = self._conductor.store.lease
        if lease is not None:
            self._task = asyncio.create_task(self._keep(min(lease / PER_LEASE, LONGEST)))

    def look(self) -> None:
        """Something may have changed among the owners."""
        self._again.set()

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _keep(self, pause: float) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._again.wait(), min(SOON, pause) if self._surplus else pause)
            self._again.clear()
            try:
                await self._tend()
            except FenceLost as error:
                self._conductor.on_dispossessed(error)
                return
            except StoreError as error:  # the fence keeps what was promised, whoever believes what meanwhile
                log.warning("cannot go on with the lease (%s); trying again", error)

    async def _tend(self) -> None:
        store = self._conductor.store
        if self._surplus:
            # It gets no new runs any more; those that a batch under way may start yet are known once that is done.
            await self._conductor.writer.settled()
        free = self._emptied(self._surplus)
        if free:
            self._drop_slots(free)
            await asyncio.to_thread(store.give, self._fence, free)
        holding = await asyncio.to_thread(store.tend, self._fence)
        self._take_up(holding)
        await self._pass_on(holding.elsewhere - set(self._conductor.definitions.names()))

    async def _pass_on(self, workflows: frozenset[str]) -> None:
        """Lets others have the runs that they have code for and this owner has not."""
        if not workflows:
            return
        conductor = self._conductor
        for run in [run for run in conductor.residents.values() if run.workflow in workflows]:
            conductor.drop(run)
            conductor.waiting_for_version.pop(run.run, None)
        await conductor.writer.settled()
        moved = await asyncio.to_thread(conductor.store.pass_on, self._fence, workflows, conductor.clock.now())
        if moved:
            log.info("passes %d runs on to workers that have their code", moved)

    def _take_up(self, holding: Holding) -> None:
        before = {slot for slots in self._conductor.slots for slot in (slots.low, slots.high)}
        gained = _gained(self._conductor.slots, holding.slots)
        self._conductor.slots = holding.slots
        self._surplus = holding.surplus
        if gained:
            log.info("takes over runs in %d slots of app %r", gained, self._conductor.app)
            self._mail.takeover()
            self._mail.look_later()
        elif before and not holding.slots:
            log.info("has no slots of app %r any more", self._conductor.app)

    def _emptied(self, surplus: Iterable[Slots]) -> list[Slots]:
        """The parts of the surplus in which nothing is under way here."""
        surplus = tuple(surplus)
        if not surplus:
            return []
        conductor = self._conductor
        near = {*conductor.residents, *self._loading.loading}
        busy = set()
        for run, slot in conductor.store.slots_of(near).items():
            if _within(surplus, slot):
                resident = conductor.residents.get(run)
                if resident is None or not resident.idle:
                    busy.add(slot)
        return _without(surplus, busy)

    def _drop_slots(self, slots: list[Slots]) -> None:
        """Takes runs that rest in these slots out of memory."""
        conductor = self._conductor
        conductor.slots = tuple(_subtract(conductor.slots, slots))
        for run, slot in conductor.store.slots_of(conductor.residents).items():
            if _within(slots, slot) and run in conductor.residents:
                conductor.drop(conductor.residents[run])
        self.on_moved()


def _within(slots: Iterable[Slots], slot: int) -> bool:
    return any(each.low <= slot <= each.high for each in slots)


def _gained(before: Iterable[Slots], after: Iterable[Slots]) -> int:
    """How many slots there are now that were not there before."""
    fresh: list[Slots] = list(after)
    return sum(each.high - each.low + 1 for each in _subtract(fresh, before))


def _without(slots: Iterable[Slots], busy: set[int]) -> list[Slots]:
    """The slots but for single ones."""
    return _subtract(slots, [Slots(slot, slot) for slot in busy])


def _subtract(slots: Iterable[Slots], taken: Iterable[Slots]) -> list[Slots]:
    """The slots that are in none of the others."""
    left = list(slots)
    for other in taken:
        parts: list[Slots] = []
        for each in left:
            if other.high < each.low or each.high < other.low:
                parts.append(each)
                continue
            if each.low < other.low:
                parts.append(Slots(each.low, other.low - 1, each.clean))
            if other.high < each.high:
                parts.append(Slots(other.high + 1, each.high, each.clean))
        left = parts
    return left
