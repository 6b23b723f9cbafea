"""Moves large values out of the database, to where the settings say, and removes what no run refers to any more there.

Beside everything else, in a thread: no commit waits for it. A value moves in three steps, each on disk before the next:
the place is announced; the bytes are put there; the row says so, and the announcement goes. Wherever that ends, the
value is in the database or at the place, and what lies at a place for nothing is known by name.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from segue.errors import StoreError
from segue.kernel.codec import LIMIT
from segue.runtime.clock import Clock
from segue.runtime.fetching import SIDE
from segue.stores import objects
from segue.stores.base import Store
from segue.stores.place_rows import Placed

log = logging.getLogger("segue.placing")

PAUSE = 2.0
"""Seconds between two looks; after a failure twice the last ones, up to ``LONGEST``."""
LONGEST = 60.0
AT_ONCE = 100
"""Values and places that are asked for at once."""
PATIENCE = 3_600_000_000
"""µs for which what was announced may be on its way. What has not come by then never does."""
IN_A_ROW = 3
"""Values that fail one after the other until it is taken to be the place that fails."""
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
        self._pause = PAUSE
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
        """Lets the value that is on its way get there, for so many seconds, and moves no other. Where it takes longer,
        what it leaves behind is removed by whoever comes next."""
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
            await SIDE.run(self._move_and_clear)
            self._pause = PAUSE
        except StoreError as error:
            if self._closed:
                return
            if self._pause == PAUSE:
                log.warning("%s; large values stay where they are for now", error)
            self._pause = min(2 * self._pause, LONGEST)
        finally:
            self._round = None
            if not self._closed:
                self._look_in(self._pause)

    # --- in a thread ------------------------------------------------------------------------------------------

    def _move_and_clear(self) -> None:
        try:
            self._move_all()
        finally:
            self._clear()

    def _move_all(self) -> None:
        moved = 0
        try:
            while self._base and self._goes_on() and (refs := self._store.places.large(LIMIT, AT_ONCE)):
                tries, before = _Tries(), moved
                for ref in refs:
                    if not self._goes_on():
                        return
                    with tries.one():
                        moved += self._move(ref)
                tries.check()
                if moved == before:
                    return
        finally:
            while moved and self._goes_on() and self._store.shrink(PAGES):
                pass

    def _clear(self) -> None:
        before = self._clock.now() - PATIENCE
        while self._goes_on() and (places := self._store.places.leftovers(before, AT_ONCE)):
            self._remove(places)

    def _goes_on(self) -> bool:
        return not self._closed

    def _move(self, ref: str) -> bool:
        data = self._store.places.look([ref])[0].get(ref)
        if data is None:  # nobody refers to it any more, or another owner has moved it
            return False
        place = objects.place_under(self._base, f"{ref}-{uuid4().hex[:12]}")
        self._store.places.announce(place, self._clock.now())
        try:
            objects.put(place, data)
        except StoreError:
            # Half of it may be there. It stays announced: something slow may yet get there, and is removed later.
            with suppress(StoreError):
                objects.remove(place)
            raise
        if self._store.places.settle(Placed(ref, place)):
            return True
        objects.remove(place)
        self._store.places.cleared([place])
        return False

    def _remove(self, places: list[str]) -> None:
        """Condemned first: what is announced may still be on its way, in a process that was held up."""
        tries = _Tries()
        gone: list[str] = []
        try:
            for place in self._store.places.condemn(places):
                with tries.one():
                    objects.remove(place)
                    gone.append(place)
        finally:
            self._store.places.cleared(gone)
        tries.check()


class _Tries:
    """Goes on after a failure, since it may be one value alone, until several have failed one after the other."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._failed: StoreError | None = None

    @contextmanager
    def one(self) -> Iterator[None]:
        """Raises ``StoreError`` if it is in vain to go on."""
        try:
            yield
            self._in_a_row = 0
        except StoreError as error:
            self._failed = error
            self._in_a_row += 1
            if self._in_a_row == IN_A_ROW:
                raise

    def check(self) -> None:
        """Raises what has failed, if anything has."""
        if self._failed is not None:
            raise self._failed
