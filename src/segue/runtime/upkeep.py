"""Has a store that many share looked after, beside everything else: now and then, in a thread."""

from __future__ import annotations

import asyncio
import logging
import time

from segue.errors import StoreError
from segue.runtime.beside import beside
from segue.stores.base import Store

log = logging.getLogger("segue.upkeep")

PAUSE = 15.0
"""Seconds between two times."""


class Upkeep:
    """One worker's part in it. Make it and use it on the loop's thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next = 0.0
        self._under_way: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Begins, if it is time."""
        if self._under_way is None and time.monotonic() >= self._next:
            self._under_way = asyncio.get_running_loop().create_task(self._go_round(), name="segue-upkeep")

    async def _go_round(self) -> None:
        try:
            await beside(self._store.upkeep)
        except StoreError as error:
            log.warning("the database is looked after later: %s", error)
        finally:
            self._next = time.monotonic() + PAUSE
            self._under_way = None
