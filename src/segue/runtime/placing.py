"""Moves large values out of the database, to where the settings say, and removes what no run refers to any more there.

Beside everything else, in threads: no commit waits for it. A value moves in three steps, each on disk before the next:
the place is announced; the bytes are put there; the row says so, and the announcement goes. Wherever that ends, the
value is in the database or at the place, and what lies at a place for nothing is known by name.

Several values are on their way at the same time. What they ask of the database at about the same time is one
transaction, and there is one such at a time: a commit meets at most one of them before it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Set
from contextlib import suppress
from uuid import uuid4

from segue.errors import StoreError
from segue.kernel.codec import LIMIT
from segue.runtime.clock import Clock
from segue.runtime.fetching import Side
from segue.runtime.several import MOST, PutOff, Several, Together
from segue.stores import objects
from segue.stores.base import Store
from segue.stores.place_rows import Placed

log = logging.getLogger("segue.placing")

PAUSE = 2.0
"""Seconds between two looks; while the place is away, and for what it does not take, twice the last ones each time, up
to ``LONGEST``."""
LONGEST = 60.0
AT_ONCE = 500
"""Values and places that are asked for at once."""
PATIENCE = 3_600_000_000
"""µs for which what was announced may be on its way. What has not come by then never does."""
PAGES = 500
"""Pages of the file given back at once."""


class Placing:
    """What one owner does of it. Make it and use it on the loop's thread.

    Args:
        base: the URL under which values go; "" moves none, and looks after those that have been moved.
        mine: whether it is this owner that does it now: one of several is enough.
    """

    def __init__(self, store: Store, clock: Clock, base: str, mine: Callable[[], bool]) -> None:
        self._store = store
        self._clock = clock
        self._base = base
        self._mine = mine
        self._side = Side(MOST + 1)  # its own: who fetches values does not wait for those that move
        self._reading, turn = threading.Lock(), threading.Lock()
        self._announce = Together(self._announce_all, turn)
        self._settle = Together(self._settle_all, turn)
        self._values: PutOff[str] = PutOff(PAUSE, LONGEST)
        self._leftovers: PutOff[str] = PutOff(PAUSE, LONGEST)
        self._moved = 0
        self._pause = PAUSE
        self._told = False
        self._next: asyncio.TimerHandle | None = None
        self._round: asyncio.Task[None] | None = None
        self._closed = False

    def look(self) -> None:
        """Looks from now on, if there is anything to do. It begins with that, and when the work may have become this
        owner's. Raises ``StoreError``."""
        if self._next is not None or self._round is not None or self._closed:
            return
        if self._base or self._store.places.any() or self._store.places.leftovers(self._clock.now(), 1):
            self._look_in(0)

    async def close(self, patience: float) -> None:
        """Lets the values that are on their way get there, for so many seconds, and moves no other. Where it takes
        longer, what they leave behind is removed by whoever comes next."""
        self._closed = True
        if self._next is not None:
            self._next.cancel()
        if self._round is not None:
            await asyncio.wait([self._round], timeout=patience)
            if self._round is not None:
                self._round.cancel()

    def _look_in(self, seconds: float) -> None:
        self._next = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self._next = None
        if self._mine():
            self._round = asyncio.get_running_loop().create_task(self._go_round(), name="segue-placing")
        else:
            self._look_in(PAUSE)

    async def _go_round(self) -> None:
        try:
            await self._side.run(self._move_and_clear)
            self._pause = PAUSE
            self._told = bool(self._values) or bool(self._leftovers)
        except StoreError as error:
            self._tell(error)
            self._pause = min(2 * self._pause, LONGEST)
        finally:
            self._round = None
            if not self._closed:
                self._look_in(self._pause)

    def _tell(self, error: StoreError) -> None:
        if not self._told and not self._closed:
            log.warning("%s; large values stay where they are for now", error)
            self._told = True

    # --- in threads -------------------------------------------------------------------------------------------

    def _move_and_clear(self) -> None:
        try:
            self._move_all()
        finally:
            self._clear()

    def _move_all(self) -> None:
        moves: Several[str] = Several(self._side, self._goes_on)
        waiting = self._values.waiting()
        before = self._moved
        try:
            while self._base and self._goes_on() and (found := self._to_move(but=waiting | moves.failed)):
                already = self._moved, len(moves.failed)
                moves.each(found, self._move)
                if (self._moved, len(moves.failed)) == already:
                    break
            self._check(moves)
        finally:
            self._values.tried(waiting, moves.failed)
            while self._moved > before and self._goes_on() and self._store.shrink(PAGES):
                pass

    def _to_move(self, but: Set[str]) -> list[tuple[str, int]]:
        found = self._store.places.large(LIMIT, AT_ONCE + len(but))
        return [(ref, size) for ref, size in found.items() if ref not in but]

    def _clear(self) -> None:
        """Condemned first: what is announced may still be on its way, in a process that was held up."""
        removals: Several[str] = Several(self._side, self._goes_on)
        waiting = self._leftovers.waiting()
        before = self._clock.now() - PATIENCE
        try:
            while self._goes_on() and (places := self._to_remove(before, but=waiting | removals.failed)):
                gone: list[str] = []

                def remove(place: str, gone: list[str] = gone) -> None:
                    objects.remove(place)
                    gone.append(place)

                try:
                    removals.each(((place, 0) for place in self._store.places.condemn(places)), remove)
                finally:
                    self._store.places.cleared(gone)
            self._check(removals)
        finally:
            self._leftovers.tried(waiting, removals.failed)

    def _to_remove(self, before: int, but: Set[str]) -> list[str]:
        found = self._store.places.leftovers(before, AT_ONCE + len(but))
        return [place for place in found if place not in but]

    def _check(self, ended: Several[str]) -> None:
        """What has failed is put off, and said; the next round comes as soon as ever."""
        try:
            ended.check()
        except StoreError as error:
            self._tell(error)

    def _goes_on(self) -> bool:
        return not self._closed

    def _move(self, ref: str) -> None:
        with self._reading:  # over one connection, however many wait for the place
            data = self._store.places.look([ref])[0].get(ref)
        if data is None:  # nobody refers to it any more, or another owner has moved it
            return
        place = objects.place_under(self._base, f"{ref}-{uuid4().hex[:12]}")
        self._announce(place)
        try:
            objects.put(place, data)
        except StoreError:
            # Half of it may be there. It stays announced: something slow may yet get there, and is removed later.
            with suppress(StoreError):
                objects.remove(place)
            raise
        del data
        if not self._settle(Placed(ref, place)):
            objects.remove(place)
            self._store.places.cleared([place])

    def _announce_all(self, places: list[str]) -> Iterable[None]:
        self._store.places.announce(places, self._clock.now())
        return [None] * len(places)

    def _settle_all(self, placed: list[Placed]) -> Iterable[bool]:
        there = self._store.places.settle(placed)
        self._moved += len(there)
        return [each in there for each in placed]
