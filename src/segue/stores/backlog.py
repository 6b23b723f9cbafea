"""What waits for somebody to do something about it: counted when it is asked for, and never further than a limit."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is of what somebody may have to do something about. Each count ends at the limit.

    Attributes:
        open: open runs of the namespace by (state, workflow).
        due: runs of the app whose time has come and that no owner has in memory.
        messages: what waits in inboxes of the app's runs. oldest: since when (µs) the first of it does.
        tasks: open human tasks of the namespace. overdue: those of them that are past their time.
    """

    open: dict[tuple[str, str], int]
    due: int
    messages: int
    oldest: int | None
    tasks: int
    overdue: int


class HasBacklog(Protocol):
    """A store that can be asked how much there is to do."""

    def backlog(self, namespace: str, app: str, now: int, limit: int = 100_000) -> Backlog:
        """What there is at this moment; ``now`` in µs."""
