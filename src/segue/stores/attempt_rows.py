"""Attempts that go on beside the journal: their rows, and the activation of those that wait in a queue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec


class LiveAttempt(msgspec.Struct, frozen=True, gc=False):
    """What is kept of an attempt of a step beside the journal, for as long as the attempt goes on: its last heartbeat,
    and whether its outcome may come from outside. A later one of the same call replaces it; for a closed run nothing
    is kept."""

    run: int
    key: str
    name: str
    attempt: int
    at: int
    details: bytes | None = None
    """JSON of what the heartbeat said."""
    handed_over: bool = False
    queue: str = ""
    """Where it waits until somebody activates it; none for an attempt whose code has run here."""
    seq: int = 0
    """The event that says so, with the arguments."""
    timeout: int = 0
    """µs that it may take from its activation on; 0 for no limit."""
    close_by: int = 0
    """When (µs) the time for all attempts ends; 0 for never."""
    claim: int = 0
    """How often it was activated: each activation has a token of its own, and only the last one's is good."""
    lease: int = 0
    """Until when (µs) nobody else may activate it."""
    began: int = 0
    """When (µs) it was activated last."""
    worker: str = ""
    returned: int = 0
    """How many of its activations ended because the worker gave it back."""


class Head(msgspec.Struct, frozen=True, gc=False):
    """What a replay begins with: the first events of a run, (seq, event), and what is kept of its attempts."""

    events: list[tuple[int, bytes]]
    attempts: list[LiveAttempt]


class ClaimAttempts(msgspec.Struct, frozen=True, gc=False):
    """A worker activates attempts that wait in a queue: those that were never activated, and those whose lease has
    ended. No two workers get the same one. Repeated, it activates further ones."""

    namespace: str
    app: str
    queue: str
    worker: str
    now: int
    until: int
    """The end (µs) of the lease."""
    limit: int = 1
    steps: tuple[str, ...] | None = None
    """The steps that it can carry out; None for any."""


class Claimed(msgspec.Struct, frozen=True, gc=False):
    """The attempts that were activated, as they stand now."""

    attempts: tuple[LiveAttempt, ...]


class QueueFigures(msgspec.Struct, frozen=True):
    """What is in a queue of an app, of one namespace, at a moment.

    Attributes:
        waiting: attempts that could be activated. paused: those that are not, because their step or their run is.
        held: those that a worker has. workers: how many each of these has.
        since: when (µs) the one that waits longest was put there, or was lost or given back; None if none waits.
    """

    namespace: str
    app: str
    queue: str
    waiting: int = 0
    paused: int = 0
    held: int = 0
    workers: dict[str, int] = {}
    since: int | None = None


class AttemptReads(Protocol):
    """What a store can say of attempts that go on."""

    def waits_in(self, namespace: str, app: str, queue: str, now: int, steps: tuple[str, ...] | None = None) -> bool:
        """Whether an attempt in a queue can be activated: of one of these steps, or of any."""

    def queues(self, namespace: str | None, app: str | None, now: int, limit: int = 100_000) -> list[QueueFigures]:
        """What is in queues, of one namespace or any and of one app or any, in that order; empty ones are not there.
        Looks at ``limit`` attempts at most: of more, the figures are too low."""

    def attempts(self, run: int) -> list[LiveAttempt]:
        """What is kept of the attempts of a run that go on."""

    def heads(self, runs: Iterable[int], limit: int) -> dict[int, Head]:
        """What a replay of each run begins with: its first ``limit`` events, all of them if there are fewer, and what
        is kept of its attempts. Runs that are gone are left out."""
