"""Following a run from any process: its events as they come to be on disk, what it publishes, how far its steps are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from segue.kernel import events as e
from segue.runtime.reports import EVERY

if TYPE_CHECKING:
    from segue.engine import Engine

PAGE = 500
"""Events that are read at a time."""


class Recorded(msgspec.Struct, frozen=True):
    """An event with its place in the journal."""

    seq: int
    event: e.Event


class Published(msgspec.Struct, frozen=True):
    """The workflow has published a value under this name, which may be a new one in the place of another."""

    name: str
    value: Any


class Progress(msgspec.Struct, frozen=True):
    """How far a step says it is. Not in the journal: of reports in quick succession, not every one is kept.

    Attributes:
        at: µs since the epoch.
        total: None if the step did not say.
    """

    step: str
    key: str
    attempt: int
    at: int
    done: float
    total: float | None = None
    message: str = ""


Live = Recorded | Published | Progress


class Following:
    """One look after the other at a run."""

    def __init__(self, engine: Engine, run: int, after: int) -> None:
        self._engine = engine
        self._run = run
        self.after = after
        self._line = 0
        self._published: dict[str, Any] = {}
        self.ended = False

    async def events(self) -> AsyncIterator[Recorded]:
        """Events that have come since the last look."""
        more = True
        while more:
            events = await self._engine.read_events(self._run, after=self.after, limit=PAGE)
            for seq, event in events:
                self.after = seq
                self.ended = self.ended or isinstance(event, e.CLOSING)
                yield Recorded(seq, event)
            more = len(events) == PAGE

    def published(self) -> Iterator[Published]:
        """Values that are new or different since the last look."""
        known, self._published = self._published, self._engine.published(self._run)
        for name, value in self._published.items():
            if name not in known or known[name] != value:
                yield Published(name, value)

    def progress(self) -> Iterator[Progress]:
        """Reports since the last look."""
        for line in self._engine.reports(self._run, after=self._line):
            self._line = line.row
            step, said = msgspec.json.decode(line.text)
            yield Progress(step, line.key, line.attempt, line.at, said["done"], said["total"], said["message"])


async def follow(engine: Engine, run: int, after: int) -> AsyncIterator[Recorded]:
    """Events, until the run ends."""
    following = Following(engine, run, after)
    while True:
        async for recorded in following.events():
            yield recorded
        if following.ended:
            return
        await engine.changed(run, following.after)


async def follow_all(engine: Engine, run: int, after: int) -> AsyncIterator[Live]:
    """Events, published values and progress, until the run ends."""
    following = Following(engine, run, after)
    while True:
        async for recorded in following.events():
            yield recorded
        for published in following.published():
            yield published
        for progress in following.progress():
            yield progress
        if following.ended:
            if not engine.owner:
                await asyncio.sleep(EVERY)  # what was reported last is on its way to the log file
                for progress in following.progress():
                    yield progress
            return
        change = asyncio.ensure_future(engine.changed(run, following.after))
        try:
            await asyncio.wait([change], timeout=EVERY)
        finally:
            change.cancel()
