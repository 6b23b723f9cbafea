"""A schedule, or one of its backfills, as every store keeps it, and how it is written and read."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from segue.stores.base import Post, Posted, Started, StartRun


LAST = (1 << 63) - 1
"""The turn of a schedule that is not to be looked at."""


class ScheduleRow(msgspec.Struct, frozen=True, gc=False):
    """A schedule, or one of its backfills, as the store keeps it.

    Attributes:
        backfill: name of the backfill; empty for the schedule itself.
        revision: grows with every write.
        wake: when something is to be done; None while nothing is.
        waits: whether the end of a run may let it go on.
        plan, standing: what it does and where it stands, as JSON that the store does not look into.
    """

    namespace: str
    name: str
    backfill: str
    app: str
    workflow: str
    revision: int
    wake: int | None
    waits: bool
    plan: bytes
    standing: bytes


class WriteSchedule(msgspec.Struct, frozen=True, gc=False):
    """Write a schedule or backfill together with what it sets in motion, if nobody else has written it meanwhile.

    Attributes:
        schedule: as it is to be. Its ``revision`` is the one that was read; 0 if it must not exist yet.
        delete: take it away instead; a schedule takes its backfills with it.
        starts: runs to start. posts: messages, for runs that have to make way for them.
    """

    schedule: ScheduleRow
    delete: bool = False
    starts: tuple[StartRun, ...] = ()
    posts: tuple[Post, ...] = ()


class ScheduleWritten(msgspec.Struct, frozen=True, gc=False):
    """``stale``: somebody else has written, made or deleted it since it was read; nothing was done. ``started`` and
    ``posted`` answer the operation's starts and posts in order."""

    outcome: Literal["written", "stale"]
    revision: int = 0
    started: tuple[Started, ...] = ()
    posted: tuple[Posted, ...] = ()


class SchedulePage(msgspec.Struct, frozen=True, gc=False):
    """Which schedules of a namespace: at most ``limit`` behind ``after``, by name, or ``by_turn``: by when they are to
    be looked at next, which is in most cases when they are due; what never is comes last.

    Attributes:
        find: only those in whose name or workflow this text is found, in capitals or not.
        turn: of a page by turn: the time (µs) of the schedule ``after``.
    """

    limit: int
    after: str = ""
    find: str = ""
    by_turn: bool = False
    turn: int = -1


class ScheduleReads(Protocol):
    """The part of a ``Store`` that reads schedules. They are written by ``WriteSchedule``."""

    def schedules(self, namespace: str, name: str | None = None) -> builtins.list[ScheduleRow]:
        """Schedules with their backfills, by name; ``name``: this one only."""

    def schedule_page(self, namespace: str, where: SchedulePage) -> builtins.list[ScheduleRow]:
        """Schedules of a page in its order, each before its backfills; read in bounded work where nothing is to be
        found, and from an index where there is."""

    def due_schedules(
        self, app: str, now: int, limit: int, *, only: Iterable[str] | None = None
    ) -> builtins.list[ScheduleRow]:
        """Schedules and backfills whose wake time has come, earliest first. ``only``: of these workflows."""

    def waiting_schedules(self, app: str, *, only: Iterable[str] | None = None) -> builtins.list[ScheduleRow]:
        """Schedules and backfills that the end of a run may let go on."""

    def next_schedule(self, app: str, after: int) -> int | None:
        """The earliest wake time of a schedule later than ``after``."""
