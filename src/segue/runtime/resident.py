"""A run in memory, and the part of its journal that is not on disk yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from segue.kernel.commands import RunStep, SendMessage
from segue.kernel.events import (
    DecisionEvaluated,
    Event,
    RunStarted,
    Spared,
    StepCompleted,
    StepFailed,
    StepScheduled,
    TaskCompleted,
)
from segue.kernel.execution import Execution
from segue.kernel.payload import Payload
from segue.stores.attempt_rows import LiveAttempt
from segue.stores.base import RESIDENT, Append, Blob, GoOn, Post, StartRun, StateWrite, Status, TaskRow
from segue.stores.cache_rows import CacheEntry

Effect = tuple[Callable[..., None], tuple[Any, ...]]
"""What may happen only once the segment is on disk: a function and its arguments."""

NEVER = 1 << 62
"""A time (µs) that does not come."""


class Withheld(Exception):
    """Nothing came of what was asked: the run left memory before it was on disk. It may be asked again."""


def answer(future: asyncio.Future[Any], value: Any) -> None:
    """Effect: whoever asked learns what is now on disk."""
    if not future.done():
        future.set_result(value)


def refuse(future: asyncio.Future[Any], error: Exception) -> None:
    """Effect: whoever asked learns why not, now that what it was refused for is on disk."""
    if not future.done():
        future.set_exception(error)


class Finished(msgspec.Struct, eq=False):
    """An attempt that has ended: the event that says how, and the keyed state it wrote. Kept until the event is on
    disk, whatever becomes of the run in memory, so that no side effect is repeated.

    Attributes:
        blob: its result, if that is only referred to.
        refused: it was part of a segment that the database cannot store. Once more, and it is taken for the cause.
    """

    event: StepCompleted | StepFailed | StepScheduled
    state: dict[tuple[str, str], Any] | None
    blob: Blob | None = None
    artifacts: dict[str, Payload] | None = None
    refused: bool = False


class Extras(msgspec.Struct, eq=False):
    """What a segment rarely has: everything but events, a status and effects."""

    posts: list[Post] = []
    sent: list[tuple[int, SendMessage, Post]] = []
    """Posts whose sender wants to know what became of them, by their place among all."""
    tasks: list[TaskRow] = []
    closed_tasks: list[str] = []
    reassigned: dict[str, str] = {}
    attributes: dict[str, Any] = {}
    published: dict[str, bytes | None] = {}
    starts: list[StartRun] = []
    state: list[StateWrite] = []
    blobs: list[Blob] = []
    attempts: list[LiveAttempt] = []
    settled: list[str] = []
    summary: str | None = None
    goes_on: GoOn | None = None
    cached: list[CacheEntry] = []
    artifacts: dict[str, bytes] = {}
    remembered: list[str] = []


class Segment(msgspec.Struct, eq=False):
    """Events of one run that are committed together, what becomes true with them, and what is released by them.

    Attributes:
        witnessed: the events themselves, if somebody wants to hear of them. since: when what came before happened.
    """

    seq: int
    events: list[bytes] = []
    effects: list[Effect] = []
    finished: list[Finished] = []
    consumed: list[int] = []
    status: Status | None = None
    check_inbox: bool = False
    closes: bool = False
    witnessed: list[Event] | None = None
    since: int = 0
    _extras: Extras | None = None

    @property
    def extras(self) -> Extras:
        if self._extras is None:
            self._extras = Extras()
        return self._extras

    def witness(self, event: Event, since: int) -> None:
        """Keeps an event for those who want to hear of it; ``since``: when the one before it happened."""
        if self.witnessed is None:
            self.witnessed, self.since = [], since
        self.witnessed.append(event)

    @property
    def sent(self) -> list[tuple[int, SendMessage, Post]]:
        return [] if self._extras is None else self._extras.sent

    def attach(self, artifacts: dict[str, bytes], blobs: list[Blob]) -> None:
        """Artifacts by name, and the values of large ones."""
        self.extras.artifacts.update(artifacts)
        self.extras.blobs.extend(blobs)

    @property
    def empty(self) -> bool:
        """Nothing to write: what it releases need not wait."""
        return not (self.events or self.status or self.consumed or self._extras)

    def withhold(self) -> None:
        """It will not be written: whoever waits for an answer from it may ask again."""
        for function, args in self.effects:
            if function in (answer, refuse) and not args[0].done():
                args[0].set_exception(Withheld())

    def acknowledge(self) -> None:
        """It is on disk, and its run goes on elsewhere: whoever waits for an answer from it gets the answer."""
        for function, args in self.effects:
            if function in (answer, refuse):
                function(*args)

    def operation(self, run: int, uid: str = "") -> Append:
        """The segment as the store takes it. ``uid``: if the store has to see whether the run is still that one."""
        more = self._extras
        events, consumed = tuple(self.events), tuple(self.consumed)
        if more is None:
            return Append(run, self.seq, events, self.status, self.check_inbox, consumed, plain=True, uid=uid)
        return Append(
            run, self.seq, events, self.status, self.check_inbox, consumed, tuple(more.posts), tuple(more.tasks),
            tuple(more.closed_tasks), more.reassigned, more.attributes, more.published, tuple(more.state),
            tuple(more.blobs), tuple(more.attempts), tuple(more.settled), more.summary, more.goes_on,
            tuple(more.starts), tuple(more.cached), more.artifacts, tuple(more.remembered), False, uid,
        )  # fmt: skip


class Resident(msgspec.Struct, eq=False, kw_only=True):
    """A run that its owner has in memory.

    Attributes:
        run: its row. id, uid, namespace, workflow: who it is.
        execution: None while the run stands still on an incident that replay cannot pass.
        seq: number of its last event, on disk or not. durable: number of the last one on disk.
        at: time of its last event. deadline: its earliest timer, ``NEVER`` if none is set.
        active: calls under way on this side, by key: while there is one, the run is not idle.
        row_wake: what ``runs.wake`` says on disk or will say with what is in flight. row_state, row_awaits: too.
        incidents: keys of the calls that stand still until a person acts ("" for the run as a whole).
        children: row and close policy of each child that was started and has not answered, by its call's key.
        taken: inbox rows that became events and are not deleted on disk yet.
        read: it was read from the store, and nothing was written for it since.
        inherited: another process may have begun it.
        orphaned: its last owner ended without a word, so what it had under way is lost.
        unread: there may be mail in the inbox that could not be read when it was looked for.
        came_closed: its journal leads to its end by itself, so that no message can come before that.
        started: its first event.
        awaited: attempts whose outcome comes from outside, by key.
        held: calls of steps that are paused for all runs, by key, each with the step's name.
        fetched: calls of steps whose cached result is being fetched from outside the database, by key.
        spared: of a fork, calls whose outcomes another run has recorded, by key.
        paused: who has paused it and why, if somebody has. withheld: work that a predecessor began waits meanwhile.
        decided: what is answered without anybody outside and not recorded yet, in order, if any: decisions, and tasks
            whose answers a fork is spared. recording: one of them just now is.
        segment: what is not handed to the writer yet. in_flight: what the writer is committing.
    """

    run: int
    id: str
    uid: str
    namespace: str
    workflow: str
    execution: Execution | None
    seq: int = 0
    durable: int = 0
    at: int = 0
    deadline: int = NEVER
    active: dict[str, Any] = {}
    children: dict[str, tuple[int, str]] = {}
    row_wake: int | None = RESIDENT
    row_state: str = "running"
    row_awaits: tuple[str, ...] = ()
    segment: Segment | None = None
    in_flight: Segment | None = None
    incidents: dict[str, None] = {}
    incident_text: str | None = None
    closed: bool = False
    came_closed: bool = False
    parent: Any = None
    started: RunStarted | None = None
    awaited: dict[str, Any] = {}
    held: dict[str, str] = {}
    fetched: dict[str, RunStep] = {}
    spared: dict[str, Spared] = {}
    paused: str | None = None
    withheld: bool = False
    taken: dict[int, None] = {}
    unread: bool = False
    read: bool = False
    inherited: bool = False
    orphaned: bool = False
    decided: list[DecisionEvaluated | TaskCompleted] | None = None
    recording: bool = False

    def open_segment(self) -> Segment:
        """The segment that takes further events."""
        segment = self.segment
        if segment is None:
            segment = self.segment = Segment(self.seq + 1)
        return segment

    def waits_for(self, key: str) -> bool:
        """Whether the outcome of an attempt that was handed over just now is waited for: the workflow may have given it
        up before. Where its code stands still, whoever brings it back will see."""
        return self.execution is None or key in self.awaited

    @property
    def idle(self) -> bool:
        """Nothing under way, no mail unread and nothing waiting for the disk: the run could leave memory."""
        return not self.active and not self.unread and self.segment is None and self.in_flight is None
