"""Keeps what attempts say in their heartbeats: in memory at once, on disk once a second, never in the journal.

A beat extends the attempt's ``heartbeat_timeout`` by itself. What it says is for the next attempt: that of an attempt
which fails goes into the journal with its failure, that of one whose process dies is found in the store. So a crash
loses the beats of the last second, and no number of beats makes a journal longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from segue.kernel.attempt import Attempt
from segue.kernel.payload import Payload
from segue.stores.attempt_rows import LiveAttempt

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

EVERY = 1.0
"""Seconds from one write to the next, however many beats there are. The first is written at once."""


class Heartbeats:
    """What attempts have said that is not on disk yet, and which of them have a row in the store."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._loop = asyncio.get_running_loop()
        self._said: dict[tuple[int, str], Attempt] = {}
        self._kept: set[tuple[int, str]] = set()
        self._found: dict[tuple[int, str], LiveAttempt] = {}
        self._scheduled = False
        self._written = -EVERY
        self._closed = False

    def heard(self, attempt: Attempt) -> None:
        """An attempt has said something. Called from any thread."""
        if self._closed:
            return
        self._said[attempt.run, attempt.key] = attempt
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon_threadsafe(self._schedule)

    def _schedule(self) -> None:
        self._loop.call_later(max(0.0, self._written + EVERY - self._loop.time()), self._write)

    def _write(self) -> None:
        self._scheduled = False
        if self._closed:
            return
        self._written = self._loop.time()
        said, self._said = self._said, {}
        for place, attempt in said.items():
            if attempt.over is None:
                self._kept.add(place)
                self._conductor.writer.submit(self.row(attempt), _ignore)

    def row(self, attempt: Attempt) -> LiveAttempt:
        """What is kept of an attempt."""
        details = None if attempt.beaten is None else self._conductor.journal.readable(attempt.beaten)
        return LiveAttempt(
            attempt.run, attempt.key, attempt.name, attempt.attempt, self._conductor.clock.now(), details,
            attempt.handed_over,
        )  # fmt: skip

    def keep(self, run: int, key: str) -> None:
        """Something of this call stands in the store."""
        self._kept.add((run, key))

    def settle(self, run: int, key: str) -> bool:
        """The attempt has ended; whether something of it may stand in the store."""
        if not self._said and not self._kept:
            return False
        self._said.pop((run, key), None)
        if (run, key) in self._kept:
            self._kept.discard((run, key))
            return True
        return False

    def load(self, run: int, kept: Iterable[LiveAttempt] | None) -> None:
        """Takes up what is kept of a run's attempts, which is read if it is not given. Raises ``StoreUnavailable``."""
        for row in self._conductor.store.attempts(run) if kept is None else kept:
            self._found[run, row.key] = row
            self.keep(run, row.key)

    def found(self, run: int, key: str) -> Payload | None:
        """What the last heartbeat of an attempt said whose process is gone."""
        row = self._found.pop((run, key), None)
        return None if row is None or row.details is None else self._conductor.journal.payload(row.details)

    def forget(self, run: int) -> None:
        """The run has ended: nothing of it stands in the store."""
        if self._kept:
            self._kept = {place for place in self._kept if place[0] != run}
        if self._found:
            self._found = {place: row for place, row in self._found.items() if place[0] != run}

    def close(self) -> None:
        self._closed = True


def _ignore(answer: Any) -> None:
    """Whether a heartbeat could be kept changes nothing: the next one is kept instead."""
