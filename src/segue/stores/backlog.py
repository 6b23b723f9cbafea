"""What waits for somebody to do something about it: counted when it is asked for, and never further than a limit."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """How much an app has to do that nobody does yet. Each count ends at the limit.

    Attributes:
        due: runs of the app whose time has come and that no owner has in memory.
        messages: what waits in inboxes of the app's runs. oldest: since when (µs) the first of it does.
    """

    due: int
    messages: int
    oldest: int | None


class OpenWork(msgspec.Struct, frozen=True, kw_only=True):
    """What is open in a namespace. Each count ends at the limit.

    Attributes:
        runs: open runs by (state, workflow).
        tasks: open human tasks. overdue: those of them that are past their time.
    """

    runs: dict[tuple[str, str], int]
    tasks: int
    overdue: int


class HasBacklog(Protocol):
    """A store that can be asked how much there is to do."""

    def backlog(self, app: str, now: int, limit: int = 100_000) -> Backlog:
        """What there is at this moment; ``now`` in µs."""

    def open_work(self, namespace: str, now: int, limit: int = 100_000) -> OpenWork:
        """What is open at this moment; ``now`` in µs."""
