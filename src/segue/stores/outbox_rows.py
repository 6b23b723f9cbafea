"""The part of the store's protocol for the outbox: runs that users' own transactions want to have started."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Protocol

import msgspec


class OutboxRow(msgspec.Struct, frozen=True, gc=False):
    """A workflow that somebody's transaction wants to have started. ``input``: JSON list of its arguments."""

    row: int
    workflow: str
    input: str
    id: str | None
    tags: str
    namespace: str
    uid: str


class SettleOutbox(msgspec.Struct, frozen=True, gc=False):
    """The row of the outbox has become a run, and goes; or it cannot, and ``error`` says why to whoever looks there."""

    row: int
    error: str | None = None


class Settled(msgspec.Struct, frozen=True, gc=False):
    """The outbox's row is settled, now or before."""


class OutboxReads(Protocol):
    """What is read of it."""

    def outbox(self, app: str, limit: int, workflows: Iterable[str]) -> builtins.list[OutboxRow]:
        """What waits in the outbox of one of these workflows and was not refused, oldest first."""
