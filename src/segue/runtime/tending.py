"""Keeps an owner's lease, takes up the runs of slots that it gains, and lets go of slots that others lack.

Where ownership is a lease, an owner has to be heard of well before that runs out. Each time it is told which slots it
has: runs in new ones are loaded, as after a takeover. Slots above its share are given up, but for those where something
is under way: a step that runs stays with the process that it runs in.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from segue.errors import FenceLost, StoreCorrupt, StoreError, StoreUnavailable
from segue.runtime.beside import promptly
from segue.runtime.differing import Comparison, differences
from segue.runtime.loading import Loading
from segue.runtime.mail import Mail
from segue.runtime.resident import Resident
from segue.runtime.upkeep import Upkeep
from segue.stores.base import Fence, RunFilter, Store
from segue.stores.owning import Holding, Served, Slots, within, without

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
        self._pause = min((conductor.store.lease or LONGEST) / PER_LEASE, LONGEST)
        self._task: asyncio.Task[None] | None = None
        self._again = asyncio.Event()
        self._upkeep = Upkeep(conductor.store)
        self._comparison = Comparison(conductor.app)
        self.gained: Callable[[], None] = lambda: None
        """Called when there are slots that were another owner's."""
        self.heard_at = time.monotonic()
        """When (by the monotonic clock) the store last heard of the owner."""

    def begin(self) -> None:
        """Says what is served, and asks for the first slots; whoever looks for due runs next finds those in them.

        Raises:
            StoreUnavailable, FenceLost: nothing is owned.
        """
        store, definitions = self._conductor.store, self._conductor.definitions
        store.pin(self._fence, definitions.pins())
        if ramps := definitions.ramps():
            store.advertise(self._fence, definitions.versions(), ramps)
        holding = store.tend(self._fence)
        self._conductor.inherited = _newest(store)
        self._conductor.slots = holding.slots
        self._conductor.others = holding.others
        self._surplus = holding.surplus

    def start(self) -> None:
        """Goes on with the lease, if there is one."""
        if self._conductor.store.lease is not None:
            self._task = asyncio.create_task(self._keep())

    def look(self) -> None:
        """Something may have changed among the owners."""
        self._again.set()

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _keep(self) -> None:
        told = ""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._again.wait(), min(SOON, self._pause) if self._surplus else self._pause)
            self._again.clear()
            try:
                await self._tend()
                self._upkeep.look()
                told = ""
            except FenceLost as error:
                self._conductor.dispossessed(error)
                return
            except StoreError as error:  # the fence keeps what was promised, whoever believes what meanwhile
                level = logging.DEBUG if str(error) == told else logging.WARNING
                log.log(level, "cannot go on with the lease (%s); it is tried again and again", error)
                told = str(error)

    async def _tend(self) -> None:
        store = self._conductor.store
        free = self._let_go() if self._surplus and await self._settled() else ()  # which gets no new runs any more
        if free:
            await promptly(store.give, self._fence, free)
        asked_at = time.monotonic()
        holding = await promptly(store.tend, self._fence)
        self.heard_at = asked_at
        if without(holding.slots, self._conductor.slots):  # the others cannot begin runs in them any more
            self._conductor.inherited = await promptly(_newest, store)
        self._conductor.others = holding.others
        self._take_up(holding)
        await self._pass_on(holding.others)
        await self._compare(holding)

    async def _settled(self) -> bool:
        """Whether the batch that was under way is done, and all runs are known that it may have started. One that takes
        long is not waited for: the lease would run out meanwhile."""
        try:
            async with asyncio.timeout(self._pause):
                await self._conductor.writer.settled()
        except TimeoutError:
            return False
        return True

    async def _pass_on(self, others: Sequence[Served]) -> None:
        """Lets others have the runs that they have code for and this owner has not."""
        conductor = self._conductor
        here = conductor.definitions.names()
        workflows = {name for served in others for name in served.serves}.difference(here)
        pinned = [run for run, *kind in self._waiting() if any(served.has(*kind) for served in others)]
        if not workflows and not pinned:
            return
        runs = [run.run for run in pinned]
        conductor.passing = frozenset((*workflows, *runs))
        out, moved = self._take_out(), 0
        try:
            if await self._settled():
                moved = await promptly(conductor.store.pass_on, self._fence, workflows, runs, conductor.clock.now())
        except StoreUnavailable:
            self._bring_back(out)
            raise
        self._bring_back(out)
        if moved:
            log.info("passes %d runs on to workers that have their code", moved)

    def _take_out(self) -> dict[int, Resident]:
        """Takes the runs that are passed on out of memory."""
        conductor = self._conductor
        theirs = {run.run: run for run in conductor.residents.values() if conductor.passes_on(run)}
        for run in theirs.values():
            conductor.drop(run)
            conductor.waiting_for_version.pop(run.run, None)
        return theirs

    def _bring_back(self, out: dict[int, Resident]) -> None:
        """Has those looked at again that were taken out, and those that have come meanwhile: whoever has their code may
        have gone, or have no slots yet."""
        out |= self._take_out()
        self._conductor.passing = frozenset()
        for run in out.values():
            self._conductor.reload(run)

    async def _compare(self, holding: Holding) -> None:
        """Says where others of the app have other code than this owner."""
        conductor, definitions = self._conductor, self._conductor.definitions
        if conductor.settings.strangers == "leave":  # it is here for one workflow, and does not speak for its app
            return
        versions = {name: definitions.version(name) for name in definitions.names()}
        own = Served(versions, definitions.pins(), conductor.worker, holding.since)
        found = await promptly(differences, (own, *holding.others), conductor.clock.now())
        self._comparison.tell(found)

    def _waiting(self) -> list[tuple[Resident, str, str]]:
        """Runs in memory whose version is not here, each with its workflow and version."""
        found = map(self._conductor.residents.get, self._conductor.waiting_for_version)
        return [
            (run, run.workflow, run.started.version) for run in found if run is not None and run.started is not None
        ]

    def _take_up(self, holding: Holding) -> None:
        before = self._conductor.slots
        gained = sum(each.high - each.low + 1 for each in without(holding.slots, before))
        self._conductor.slots = holding.slots
        self._surplus = holding.surplus
        if gained:
            log.info("takes over runs in %d slots of app %r", gained, self._conductor.app)
            self._mail.takeover()
            self._mail.look_later()
            self.gained()
        elif before and not holding.slots:
            log.info("has no slots of app %r any more", self._conductor.app)

    def _let_go(self) -> tuple[Slots, ...]:
        """Takes runs that rest in the surplus out of memory; the parts of it in which nothing is under way here."""
        if not self._surplus:
            return ()
        conductor = self._conductor
        near = conductor.store.slots_of({*conductor.residents, *self._loading.loading})
        surplus = {run: slot for run, slot in near.items() if within(self._surplus, slot)}
        busy = {slot for run, slot in surplus.items() if not self._rests(run)}
        free = without(self._surplus, [Slots(slot, slot) for slot in busy])
        conductor.slots = without(conductor.slots, free)
        for run, slot in surplus.items():
            if slot not in busy:
                conductor.drop(conductor.residents[run])
        return free

    def _rests(self, run: int) -> bool:
        resident = self._conductor.residents.get(run)
        return resident is not None and resident.idle


def _newest(store: Store) -> int:
    """The number of the newest run that there is; beyond all of them where the table is damaged."""
    try:
        return max((row.run for row in store.list(RunFilter(namespace=None, limit=1))), default=0)
    except StoreCorrupt:
        return sys.maxsize
