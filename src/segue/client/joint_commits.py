"""Commits of a process that owns no runs: what is asked for while one is under way shares the next one.

A start or a message costs a transaction, and a transaction costs client and database more than what it carries. Nothing
waits for more to come: who asks alone is committed alone.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque

from segue.errors import StoreUnavailable
from segue.runtime.beside import promptly
from segue.runtime.resident import answer, refuse
from segue.stores.base import Answer, Batch, Operation, Store

_Asked = tuple[Operation, asyncio.Future[Answer]]

TOGETHER = 100
"""Operations that share a commit at most."""


class JointCommits:
    """Commits operations of one event loop's tasks, one transaction at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ids = itertools.count(1)
        self._asked: deque[_Asked] = deque()
        self._at_work: asyncio.Task[None] | None = None

    async def commit(self, operation: Operation) -> Answer:
        """The answer to an operation, once it is on disk.

        Raises:
            StoreUnavailable: it may be in or not.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked.append((operation, future))
        if self._at_work is None:
            self._at_work = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        try:
            while self._asked:
                await self._commit(self._take())
        finally:
            self._at_work = None

    def _take(self) -> list[_Asked]:
        """The next ones, but for those that nobody awaits any more."""
        taken = [self._asked.popleft() for _ in range(min(len(self._asked), TOGETHER))]
        return [asked for asked in taken if not asked[1].done()]

    async def _commit(self, together: list[_Asked]) -> None:
        if not together:
            return
        batch = Batch(next(self._ids), tuple(operation for operation, _ in together))
        try:
            answers = await promptly(self._store.commit, batch)
        except Exception as error:
            if len(together) == 1 or isinstance(error, StoreUnavailable):
                for _, future in together:
                    refuse(future, error)
                return
            for asked in together:  # it is one of them that does not go in: the others are not to suffer for it
                await self._commit([asked])
            return
        for (_, future), told in zip(together, answers, strict=True):
            answer(future, told)
