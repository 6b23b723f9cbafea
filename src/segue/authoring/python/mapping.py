"""``step.map``: one step over many items, so many at a time, with what came of each.

Each item has a task of its own, made in the order of the items: the number in a step's key is the item's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from segue.errors import InvalidArgument, StepFailed

R = TypeVar("R")

AT_ONCE = 100
"""Items under way at a time, if nothing else is said."""

_MISSING: Any = object()


class MapFailure:
    """One item of which nothing came.

    Attributes:
        index: its place among the items. item: the item itself.
        error: why; ``error.failure`` is what was recorded.
    """

    __slots__ = ("error", "index", "item")

    def __init__(self, index: int, item: Any, error: StepFailed) -> None:
        self.index = index
        self.item = item
        self.error = error

    def __repr__(self) -> str:
        return f"<item {self.index}: {self.error}>"


class Mapped(Generic[R]):
    """What came of each item.

    Attributes:
        results: of the items that succeeded, in their order.
        failures: of those that did not, in their order.
    """

    _segue_instead: ClassVar[str] = (
        "what step.map() gives does not encode; pass its .all(), or its .results where some may have failed"
    )

    def __init__(self, step: Callable[[Any], Coroutine[Any, Any, R]], items: list[Any], found: list[Any]) -> None:
        self._step = step
        self._items = items
        self._found = found
        self.results: list[R] = [one for one in found if not isinstance(one, MapFailure)]
        self.failures: list[MapFailure] = [one for one in found if isinstance(one, MapFailure)]

    def __len__(self) -> int:
        """How many items there were."""
        return len(self._items)

    def __repr__(self) -> str:
        return f"<{len(self.results)} results, {len(self.failures)} failures>"

    def __getitem__(self, index: int) -> R:
        """The result of an item, by its place. Raises ``StepFailed`` if it has none."""
        found = self._found[index]
        if isinstance(found, MapFailure):
            raise found.error
        result: R = found
        return result

    def all(self) -> list[R]:
        """Every item's result. Raises the first item's ``StepFailed`` if one has none."""
        for failure in self.failures:
            raise failure.error
        return self.results

    async def retry(self, *, concurrency: int | None = None) -> Mapped[R]:
        """Calls the step once more for the items that failed, and for no other; what came of all of them then."""
        again = await map_items(self._step, [failure.item for failure in self.failures], concurrency)
        found = list(self._found)
        for failure, one in zip(self.failures, again._found, strict=True):
            found[failure.index] = (
                MapFailure(failure.index, one.item, one.error) if isinstance(one, MapFailure) else one
            )
        return Mapped(self._step, self._items, found)


async def map_items(
    step: Callable[[Any], Coroutine[Any, Any, R]], items: Iterable[Any], concurrency: int | None
) -> Mapped[R]:
    """Calls the step for each item; returns when all have ended.

    Raises:
        InvalidArgument: ``concurrency`` is below one; or an item does not fit the step: nothing further is started.
    """
    limit = AT_ONCE if concurrency is None else concurrency
    if limit < 1:
        raise InvalidArgument(f"concurrency= is how many items are under way at a time, at least 1; it is {limit}")
    listed = list(items)
    mapping = _Mapping(step, listed)
    return Mapped(step, listed, await mapping.run(limit))


class _Mapping:
    """Items on their way through a step."""

    def __init__(self, step: Callable[[Any], Coroutine[Any, Any, Any]], items: list[Any]) -> None:
        self._step = step
        self._items = items
        self._found: list[Any] = [_MISSING] * len(items)
        self._running: dict[asyncio.Task[Any], None] = {}
        self._wake: asyncio.Future[None] | None = None
        self._error: BaseException | None = None

    async def run(self, limit: int) -> list[Any]:
        try:
            await self._run(limit)
        except asyncio.CancelledError:
            await self._stop()
            raise
        if self._error is not None:
            await self._stop()
            raise self._error
        return self._found

    async def _run(self, limit: int) -> None:
        waiting = iter(enumerate(self._items))
        more = True
        while self._error is None:
            while more and len(self._running) < limit:
                index, item = next(waiting, (-1, None))
                more = index >= 0
                if more:
                    self._start(index, item)
            if not self._running:
                return
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake

    def _start(self, index: int, item: Any) -> None:
        task = asyncio.create_task(self._step(item))
        self._running[task] = None
        task.add_done_callback(partial(self._ended, index))

    def _ended(self, index: int, task: asyncio.Task[Any]) -> None:
        del self._running[task]
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self._found[index] = task.result()
        elif isinstance(error, StepFailed):
            self._found[index] = MapFailure(index, self._items[index], error)
        else:
            self._error = self._error or error
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _stop(self) -> None:
        """Nothing is left running: a step that was begun ends before whoever undoes it goes on."""
        for task in self._running:
            task.cancel()
        while self._running:
            await asyncio.wait(list(self._running))
