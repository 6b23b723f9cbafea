"""A schedule as data: its policy, where it stands, and the ids of its runs. Times are µs since the epoch.

What a schedule does at a moment is decided in ``firing``, what a backfill does in ``backfilling``; when its instants
are is the rule's business, which is handed in.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Literal, Protocol

import msgspec

Overlap = Literal["skip", "buffer-one", "buffer-all", "cancel-other", "terminate-other", "allow-all"]
OVERLAPS: tuple[str, ...] = ("skip", "buffer-one", "buffer-all", "cancel-other", "terminate-other", "allow-all")
Order = Literal["oldest", "newest"]
ORDERS: tuple[str, ...] = ("oldest", "newest")
Reprocess = Literal["missing", "failed", "all"]
REPROCESSES: tuple[str, ...] = ("missing", "failed", "all")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Target(msgspec.Struct, frozen=True, array_like=True):
    """What a hook or a deadline runs: a workflow, or a step that is run durably, by name."""

    kind: Literal["workflow", "step"]
    name: str


class Limit(msgspec.Struct, frozen=True):
    """A deadline: by ``within`` µs after the due time, the run must have started or completed; if not, ``target`` is
    run."""

    event: Literal["started", "completed"]
    within: int
    target: Target


class Policy(msgspec.Struct, frozen=True):
    """How a schedule treats its instants.

    Attributes:
        overlap: what happens to an instant while a run of the schedule is open.
        jitter: the longest delay of a run, drawn from the schedule's name and the instant.
        catchup: how late a run may still be started.
        depends_on_past: a run waits until the one before it has completed.
        after: schedules whose runs of the same due time have to have completed before.
        limits: the deadlines.
        start, end: no instants before and from then on.
    """

    overlap: Overlap = "skip"
    jitter: int = 0
    catchup: int = 86_400_000_000
    depends_on_past: bool = False
    after: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    start: int | None = None
    end: int | None = None


class Standing(msgspec.Struct, frozen=True):
    """Where a schedule stands.

    Attributes:
        cursor: the last instant that has been dealt with.
        checked: for each deadline, the last instant for which it has been looked at.
        queue: instants that wait for their turn. open: ids of runs that count as overlapping.
        last: the due time of the last run that was started.
        paused: why nobody is started now; None while it is not paused.
        started, skipped: how many. missed: first and last instant of the last time that runs came too late.
    """

    cursor: int
    checked: tuple[int, ...] = ()
    queue: tuple[int, ...] = ()
    open: tuple[str, ...] = ()
    last: int | None = None
    paused: str | None = None
    started: int = 0
    skipped: int = 0
    missed: tuple[int, int] | None = None


class Backfill(msgspec.Struct, frozen=True):
    """What a backfill is to do: the instants from ``start`` on and before ``end``, ``parallel`` runs at a time."""

    start: int
    end: int
    parallel: int = 1
    order: Order = "oldest"
    reprocess: Reprocess = "missing"
    total: int = 0


class Progress(msgspec.Struct, frozen=True):
    """Where a backfill stands; ``cursor`` is the last instant that has been dealt with. ``done`` once all is over."""

    cursor: int
    open: tuple[str, ...] = ()
    started: int = 0
    skipped: int = 0
    completed: int = 0
    failed: int = 0
    done: bool = False


class Fact(msgspec.Struct, frozen=True):
    """A run as the store has it."""

    id: str
    state: str
    started_at: int
    closed_at: int | None


class Facts(Protocol):
    """What the store knows of runs."""

    def of(self, schedule: str, due: int) -> list[Fact]:
        """All runs of a schedule of this due time: its own, those of backfills, those started by hand."""

    def open(self, id: str) -> bool:
        """Whether the run of this id has not ended."""

    def completed(self, id: str) -> bool: ...


class Instants(Protocol):
    """The instants of a rule; see ``recurrence.rules.Instants``."""

    def after(self, at: int) -> int | None: ...

    def before(self, at: int) -> int | None: ...


class Start(msgspec.Struct, frozen=True):
    """A run to start: its due time, and the period that it is for."""

    id: str
    due: int
    interval: tuple[int, int] | None


def run_id(schedule: str, due: int, backfill: str = "") -> str:
    """The id of a schedule's run: ``nightly@2026-03-29T01:00:00Z``, with ``/backfill`` behind it if there is one."""
    shown = (_EPOCH + timedelta(microseconds=due)).isoformat().replace("+00:00", "Z")
    return f"{schedule}@{shown}/{backfill}" if backfill else f"{schedule}@{shown}"


def first_part(id: str) -> str:
    """The part of a run's id that all runs of the schedule and due time have in common."""
    return id.partition("/")[0]


def run_uid(namespace: str, id: str) -> str:
    """The uid of a schedule's run: the same for every attempt to start it."""
    return blake2b(f"{namespace}\0{id}".encode(), digest_size=16).hexdigest()


def interval_of(instants: Instants, due: int) -> tuple[int, int] | None:
    """The period that a run is for: from the instant before its due time up to it."""
    before = instants.before(due)
    return None if before is None else (before, due)


def delay(name: str, due: int, most: int, following: int | None) -> int:
    """The jitter of an instant: drawn from the schedule's name and the instant, so that it is the same whoever asks,
    and never beyond the following instant, so that the order stays."""
    if following is not None:
        most = min(most, following - due - 1)
    drawn = int.from_bytes(blake2b(f"{name}\0{due}".encode(), digest_size=8).digest())
    return drawn % (most + 1)
