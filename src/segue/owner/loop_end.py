"""Hears of the end of the event loop, for what has to be closed before it.

``asyncio.run``, and whoever else ends a program, cancels every task that is still on the loop. A step that is cancelled
so has not failed, and nobody may record that it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress


class LoopEnd:
    """Carries out ``close`` when all tasks of the running loop are cancelled. The loop waits for it as for any task."""

    def __init__(self, close: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        self._close = close
        self._never: asyncio.Future[None] = loop.create_future()
        self._task = loop.create_task(self._wait(), name="segue-engine")

    @property
    def come(self) -> bool:
        """The task has been cancelled, and so have all others; some may learn of it before this one."""
        return self._task.cancelling() > 0

    async def _wait(self) -> None:
        with suppress(asyncio.CancelledError):
            await self._never
        if self.come:
            await self._close()

    async def done(self) -> None:
        """Waits for what the end of the loop has begun."""
        if not self._task.done():
            await asyncio.wait([self._task])

    async def forget(self) -> None:
        """Listens no longer."""
        if self._task is not asyncio.current_task():
            self._never.cancel()
            await self.done()
