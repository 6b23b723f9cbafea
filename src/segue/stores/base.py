"""What every store can do, in terms that fit SQLite and PostgreSQL alike.

A store persists, claims and fences; it decides nothing about workflows. All writing goes through ``commit``: one call,
one transaction, all or nothing, apart from runs that are vetoed or fenced out, which are left out as a whole and
named in the answer. Calls are synchronous; the writer chooses the thread.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from segue.kernel.ramp import Ramp
from segue.stores.account_rows import HasAccounts
from segue.stores.attempt_rows import AttemptReads, ClaimAttempts, Claimed, LiveAttempt
from segue.stores.backlog import HasBacklog
from segue.stores.cache_rows import CacheEntry, CacheReads
from segue.stores.figure_rows import FigureReads
from segue.stores.log_rows import StepLogs
from segue.stores.namespace_rows import HasNamespaceRows
from segue.stores.outbox_rows import OutboxReads, Settled, SettleOutbox
from segue.stores.owning import NO_RAMPS, Owner, Owning
from segue.stores.people_rows import HasPeople
from segue.stores.place_rows import HasPlaceRows
from segue.stores.schedule_rows import ScheduleReads, ScheduleWritten, WriteSchedule
from segue.stores.search_rows import SearchReads
from segue.stores.task_rows import TaskReads
from segue.stores.transacting import Transact, Transacted

RESIDENT = 1
"""Value of ``runs.wake`` while an owner has the run in memory or work under way for it: due since for ever, so that a
successor loads it at once, and told apart from runs that became due by themselves."""

OpenState = Literal["running", "waiting", "paused", "incident"]
ClosedState = Literal["completed", "failed", "cancelled", "terminated", "continued"]
OPEN: tuple[str, ...] = ("running", "waiting", "paused", "incident")
CLOSED: tuple[str, ...] = ("completed", "failed", "cancelled", "terminated", "continued")

ConflictPolicy = Literal["use-existing", "use-open", "fail", "replace", "terminate-if-running"]


class Blob(msgspec.Struct, frozen=True, gc=False):
    """A large value kept apart under its content address; written once, counted by the runs that refer to it.
    ``data`` None: the value is there already, this run refers to it too."""

    ref: str
    data: bytes | None


# --- what is written ------------------------------------------------------------------------------------------


class StartRun(msgspec.Struct, frozen=True, gc=False):
    """Insert a run and the first event of its journal, if its id is free.

    ``use-existing``: the id's current run is the answer, open or closed, provided ``input_hash`` and ``workflow`` are
    the same. ``use-open``: an open run of the workflow is the answer, whatever its input; a closed one gives its id up.
    ``fail``: a taken id is an error. ``replace``: a closed run gives its id up, an open one is an error.
    ``terminate-if-running``: an open run is terminated first (its journal gets ``terminated_event``), a closed one
    gives its id up. The same ``uid`` twice is always the same run: that is how a lost acknowledgement is resolved. A
    ``parent`` that is closed starts no more children. ``post`` goes to the run that is the answer, started or existing,
    in the same transaction (it names none itself); refused is refused as a whole.
    A run whose beginning is delayed comes with the time as its ``wake`` and ``waiting`` as its ``state``.
    """

    namespace: str
    id: str
    uid: str
    app: str
    workflow: str
    at: int
    event: bytes
    input_hash: str
    version: str = ""
    wake: int = RESIDENT
    on_conflict: ConflictPolicy = "use-existing"
    parent: int | None = None
    tags: dict[str, str] = {}
    blobs: tuple[Blob, ...] = ()
    terminated_event: bytes | None = None
    post: Post | None = None
    state: str = "running"
    summary: str = ""
    rest: Append | None = None
    """The rest of a journal that does not begin here (a fork), with what comes with it; ``run`` is not known yet."""


class Status(msgspec.Struct, frozen=True, gc=False):
    """The new state of a run's row; ``wake`` None means that nothing but a message can wake it."""

    state: str
    wake: int | None
    at: int
    error: str | None = None
    """One line for lists: what an incident or failure says, or who has paused the run and why."""
    timer: str | None = None
    """What the timer that ``wake`` is for is about, where its author has said."""
    awaits: tuple[str, ...] = ()
    """Names of the signals that a run waits for which does nothing meanwhile."""


class Post(msgspec.Struct, frozen=True, gc=False):
    """A message for a run's inbox. The run is named by row, or by namespace and id (then: its current run). One that
    has gone on passes on to the last run of its chain what is no answer (``child``, ``task``, ``step``, ``outcome``).

    ``message`` is unique per chain: the same one twice is stored once, for as long as the run that got it is kept.
    ``kind`` is ``signal``, ``cancel``, ``terminate``, ``update``, ``task``, ``child``, ``step``, ``pause``, ``resume``,
    ``resolve``, ``outcome``; ``body`` is an encoded event that its owner stamps and applies.
    """

    kind: str
    body: bytes
    message: str
    at: int
    run: int | None = None
    namespace: str = "default"
    id: str = ""
    blobs: tuple[Blob, ...] = ()


class TaskRow(msgspec.Struct, frozen=True, gc=False):
    """A human task to open."""

    key: str
    name: str
    assignee: str
    at: int
    due: int | None = None
    form: bytes | None = None
    subject: bytes | None = None


class CompleteTask(msgspec.Struct, frozen=True, gc=False):
    """Close an open task with an outcome and tell its run, in one transaction; a task that is not open refuses."""

    task: int
    by: str
    at: int
    outcome: bytes
    """JSON of the answer, for the task's row."""
    body: bytes
    """The ``TaskCompleted`` event, for the run's inbox."""
    blobs: tuple[Blob, ...] = ()


class StateWrite(msgspec.Struct, frozen=True, gc=False):
    """Keyed state, durable across runs; ``value`` None deletes."""

    scope: str
    key: str
    value: bytes | None
    namespace: str = "default"


class TellStep(msgspec.Struct, frozen=True, gc=False):
    """What somebody outside says of an attempt that was handed over: its outcome (``body``, an event for the run's
    inbox), or, without one, a heartbeat or its return. An attempt that is not waited for any more refuses; the same
    ``message`` again is the same outcome."""

    run: int
    key: str
    attempt: int
    at: int
    message: str = ""
    body: bytes | None = None
    details: bytes | None = None
    blobs: tuple[Blob, ...] = ()
    claim: int = 0
    """The activation that speaks."""
    until: int = 0
    """With a heartbeat: the new end (µs) of the lease."""
    returns: bool = False
    """Not a heartbeat: its worker gives it back, and it waits to be activated again."""


class HoldStep(msgspec.Struct, frozen=True, gc=False):
    """A step is paused for all runs of an app in a namespace, or goes on: ``resuming`` until its owner has told every
    run that waits, ``running`` then."""

    namespace: str
    app: str
    step: str
    at: int
    by: str = ""
    reason: str = ""
    state: Literal["paused", "resuming", "running"] = "paused"


class GoOn(msgspec.Struct, frozen=True, gc=False):
    """The next run of a chain, under the same id, with the same parent and tags: inserted with its first event, in the
    commit that closes the one before. It gets ``kept``, messages that nobody took, and what waits in the inbox, in this
    order; but no answers to what the run before has asked for."""

    uid: str
    at: int
    event: bytes
    version: str = ""
    blobs: tuple[Blob, ...] = ()
    kept: tuple[Post, ...] = ()


class Append(msgspec.Struct, frozen=True, gc=False):
    """More of one run's journal, and all that has to become true together with it.

    Attributes:
        seq: number of the first of ``events``; the last one in the store must be ``seq - 1``, otherwise somebody
            else has written this journal and the run is ``lost``.
        check_inbox: veto this run if its inbox holds a row that is not in ``consumed``: it is about to close, or a
            deadline won, and something that came before must be seen first.
        consumed: inbox rows that became events here, or that are dropped.
        artifacts: name → JSON of what is kept with the run for people to look at.
        remembered: ids of messages that did not come by the inbox; a message of the same id is a duplicate from now on.
        published: name → JSON of values readers may see; None removes.
        reassigned: task key → new assignee. closed_tasks: keys of tasks withdrawn.
        attempts: of which something is to be kept. settled: keys of calls of which nothing is to be kept any more.
        summary: what the run is about, if that has changed.
        goes_on: the run that follows this one.
        starts: runs that this one sets in motion (hooks).
        plain: says that whatever comes after ``consumed`` is empty, as it mostly is: nobody has to look.
        uid: with the first append of a run that was read from the store: whose journal it is taken for. The fence is
            void where the number is another run's by now, since the database was set back; empty: nobody has to look.
    """

    run: int
    seq: int
    events: tuple[bytes, ...] = ()
    status: Status | None = None
    check_inbox: bool = False
    consumed: tuple[int, ...] = ()
    posts: tuple[Post, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    closed_tasks: tuple[str, ...] = ()
    reassigned: dict[str, str] = {}
    attributes: dict[str, Any] = {}
    published: dict[str, bytes | None] = {}
    state: tuple[StateWrite, ...] = ()
    blobs: tuple[Blob, ...] = ()
    attempts: tuple[LiveAttempt, ...] = ()
    settled: tuple[str, ...] = ()
    summary: str | None = None
    goes_on: GoOn | None = None
    starts: tuple[StartRun, ...] = ()
    cached: tuple[CacheEntry, ...] = ()
    artifacts: dict[str, bytes] = {}
    remembered: tuple[str, ...] = ()
    plain: bool = False
    uid: str = ""


Operation = (
    StartRun
    | Append
    | Post
    | CompleteTask
    | LiveAttempt
    | TellStep
    | ClaimAttempts
    | HoldStep
    | WriteSchedule
    | Transact
    | SettleOutbox
)


class Fence(msgspec.Struct, frozen=True, gc=False):
    """Proof of ownership: checked inside the transaction, void as soon as a successor has bumped the epoch."""

    app: str
    epoch: int
    clean: bool = True
    """Whether the predecessor gave the ownership back, or ended without a word."""


class Batch(msgspec.Struct, frozen=True, gc=False):
    """One transaction. ``commit_id`` is unique per writer and grows; the store keeps the last one per owner, so that
    ``Store.landed`` can answer whether a batch whose acknowledgement was lost is in. A batch without ``fence`` comes
    from a client that owns nothing; it may hold no ``Append`` and no ``Transact``."""

    commit_id: int
    operations: tuple[Operation, ...]
    fence: Fence | None = None


# --- what is answered -----------------------------------------------------------------------------------------


class Started(msgspec.Struct, frozen=True, gc=False):
    """``outcome``: ``started``; ``existing`` (the same run: use it); ``refused`` (``reason`` says why)."""

    outcome: Literal["started", "existing", "refused"]
    run: int
    state: str = "running"
    reason: str = ""
    replaced: int | None = None
    """The run that was terminated or gave its id up, if any: whoever has it in memory has to drop it."""
    posted: Posted | None = None
    """What became of ``StartRun.post``."""


class Posted(msgspec.Struct, frozen=True, gc=False):
    """``row`` is the inbox row, None when refused or when the message was there already."""

    outcome: Literal["posted", "duplicate", "closed", "unknown"]
    row: int | None = None
    run: int = 0
    state: str = ""


class Appended(msgspec.Struct, frozen=True, gc=False):
    """``vetoed``: an inbox row has to be seen first. ``lost``: the journal was written by somebody else.
    ``posted`` answers the append's posts in order, ``started`` its starts; ``next`` is the run that goes on from this
    one."""

    outcome: Literal["appended", "vetoed", "lost"]
    posted: tuple[Posted, ...] = ()
    next: int = 0
    started: tuple[Started, ...] = ()


APPENDED = Appended("appended")
"""What most appends are answered with."""


class TaskAnswered(msgspec.Struct, frozen=True, gc=False):
    outcome: Literal["completed", "not-open", "unknown"]
    run: int = 0
    row: int | None = None


class StepTold(msgspec.Struct, frozen=True, gc=False):
    """``attempt`` is the one that is waited for now, 0 if none is."""

    outcome: Literal["told", "not-awaited"]
    run: int = 0
    attempt: int = 0


class Noted(msgspec.Struct, frozen=True, gc=False):
    """It is kept, or there is nothing any more to keep it for."""


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """The database cannot store this operation (a number, text or value out of its range), and would not the next
    time either; it was left out as a whole, the rest of the batch is in. ``run`` is 0 where none is named."""

    run: int
    reason: str


Answer = (
    Started | Posted | Appended | TaskAnswered | StepTold | Claimed | Noted | ScheduleWritten | Transacted | Settled
    | Rejected
)  # fmt: skip


# --- what is read ---------------------------------------------------------------------------------------------


class RunRow(msgspec.Struct, frozen=True, gc=False):
    run: int
    namespace: str
    id: str
    uid: str
    app: str
    workflow: str
    version: str
    state: str
    wake: int | None
    started_at: int
    changed_at: int
    closed_at: int | None
    parent: int | None
    error: str | None
    input_hash: str
    tags: dict[str, str]
    attributes: dict[str, Any]
    chain: int | None = None
    """The first run of its chain, once it has gone on as a new one or is one that did."""
    summary: str = ""
    timer: str | None = None
    awaits: tuple[str, ...] = ()
    slot: int = 0


class InboxRow(msgspec.Struct, frozen=True, gc=False):
    row: int
    run: int
    kind: str
    message: str
    at: int
    body: bytes


class Task(msgspec.Struct, frozen=True, gc=False):
    task: int
    run: int
    run_id: str
    namespace: str
    key: str
    name: str
    assignee: str
    state: Literal["open", "completed", "withdrawn"]
    opened_at: int
    due: int | None
    form: bytes | None
    subject: bytes | None
    closed_at: int | None = None
    closed_by: str | None = None
    outcome: bytes | None = None
    claimed_by: str | None = None
    claimed_at: int | None = None


class RunFilter(msgspec.Struct, frozen=True, gc=False):
    """Conditions that all hold; times in µs, ``started_until`` not included. The newest come first; ``after`` is the
    cursor: runs older than that row. ``text``: words of a run's id, workflow, labels and so on (``run_words``)."""

    namespace: str | None = "default"
    app: str | None = None
    states: tuple[str, ...] = ()
    workflow: str | None = None
    id: str | None = None
    id_prefix: str | None = None
    tags: dict[str, str] = {}
    attributes: dict[str, Any] = {}
    started_from: int | None = None
    started_until: int | None = None
    parent: int | None = None
    chain: int | None = None
    after: int | None = None
    limit: int = 50
    text: str | None = None


class StoreStats(msgspec.Struct, frozen=True, gc=False):
    runs: dict[str, int]
    events: int
    payloads: int
    inbox: int
    tasks: int
    bytes: int
    schema: int


class Ended(msgspec.Struct, frozen=True):
    """Runs that have ended, in these states; ``workflow``: of this one only; ``but_not``: not of these; ``app``: of
    this one only; ``namespace``: in this one only; ``not_in``: in none of these."""

    states: tuple[str, ...] = CLOSED
    workflow: str | None = None
    but_not: tuple[str, ...] = ()
    app: str | None = None
    namespace: str | None = None
    not_in: tuple[str, ...] = ()


ALL_ENDED = Ended()


class Store(
    AttemptReads, CacheReads, FigureReads, HasAccounts, HasBacklog, HasNamespaceRows, HasPeople, HasPlaceRows,
    OutboxReads, Owning, ScheduleReads, SearchReads, TaskReads, Protocol,
):  # fmt: skip
    """A database that holds runs. Reading and writing may go on side by side; ``commit`` is called by one thread at a
    time, reads by any."""

    def commit(self, batch: Batch) -> list[Answer]:
        """Carries out the batch in one transaction; the answers are in the order of the operations.

        Raises:
            FenceLost: the fence is void; nothing was written.
            StoreUnavailable: nothing was written, or the acknowledgement was lost: ask ``landed``.
        """

    def landed(self, batch: Batch) -> bool:
        """Whether a batch with a fence is in the database."""

    def own(self, app: str, worker: str, serves: Mapping[str, str] | None = None) -> Fence | None:
        """Becomes an owner of the app's runs, with a new epoch, or, where there is one at a time, None while somebody
        else is; of which of them, ``tend`` says. ``serves``: what the worker has code for, and in which version."""

    def advertise(self, fence: Fence, serves: Mapping[str, str], ramps: Mapping[str, Ramp] = NO_RAMPS) -> None:
        """Says anew what the owner serves, and which versions beside those it ramps up. Nothing happens when the fence
        is void."""

    def owner(self, app: str) -> Owner | None:
        """Who owns the app's runs at this moment, None when nobody alive does."""

    def release(self, fence: Fence, *, clean: bool = True) -> None:
        """Gives ownership back, for a successor. ``clean=False``: work was under way of which nobody knows the end."""

    def changed(self) -> bool:
        """Whether another connection has committed since the last call: a hint, never the truth."""

    def pulse(self) -> int:
        """A number that is another one after every commit, whoever made it: for screens, which look again then."""

    def due(self, app: str, now: int, limit: int, *, only: Iterable[str] | None = None) -> list[RunRow]:
        """Runs whose wake time has come and that are not in memory, earliest first. ``only``: of these workflows."""

    def begun(self, app: str, *, only: Iterable[str] | None = None) -> list[int]:
        """Runs that are in their owner's memory with something under way, oldest first: after its end, those that its
        successor has to go on with. ``only``: of these workflows."""

    def next_wake(self, app: str, after: int) -> int | None:
        """The earliest wake time later than ``after``."""

    def inbox(self, runs: Iterable[int]) -> list[InboxRow]:
        """Waiting messages of these runs, in order of arrival."""

    def knows_message(self, run: int, message: str) -> bool:
        """Whether the run, or one before it in its chain, got a message of this id; it may wait in the inbox."""

    def runs_since_message(self, run: int, message: str) -> builtins.list[int]:
        """Runs of its chain, in order, from the one that got a message of this id; none if there is no such."""

    def inbox_runs(self, app: str, limit: int, *, only: Iterable[str] | None = None) -> list[int]:
        """Runs with waiting messages, longest waiting first. ``only``: of these workflows."""

    def journal(self, run: int, *, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """(seq, event) of a run in order, read in pages, so that a million events never stand in memory at once."""

    def event(self, run: int, seq: int) -> bytes | None: ...

    def tail(self, run: int, limit: int) -> list[tuple[int, bytes]]:
        """The last events of a run, (seq, event), newest first."""

    def last_events(self, runs: Iterable[int]) -> dict[int, int]:
        """The number of the last event of each of these runs; those that are gone are left out."""

    def run(self, run: int) -> RunRow | None: ...

    def runs(self, runs: Iterable[int]) -> dict[int, RunRow]:
        """Those of the runs that there are, by number."""

    def find(self, namespace: str, id: str) -> RunRow | None:
        """The current run of an id."""

    def latest(self, run: int) -> RunRow | None:
        """The run, or the last one of its chain, which its first run names also once that is deleted."""

    def list(self, where: RunFilter) -> builtins.list[RunRow]: ...

    def tasks(
        self, namespace: str, *, state: str | None = "open", assignee: str | None = None, run: int | None = None,
        task: int | None = None,
    ) -> builtins.list[Task]: ...  # fmt: skip

    def blobs(self, refs: Iterable[str]) -> dict[str, bytes]: ...

    def refs(self, run: int) -> builtins.list[str]:
        """Content addresses of the large values that a run refers to."""

    def published(self, run: int) -> dict[str, bytes]: ...

    def artifacts(self, run: int) -> dict[str, bytes]:
        """What is kept with the run for people to look at, by name, in the order in which the names came."""

    def state(self, namespace: str, scope: str, key: str) -> bytes | None: ...

    def held(self, app: str) -> builtins.list[HoldStep]:
        """The app's steps that are paused or resuming, in every namespace."""

    def retain(self, closed_before: int, limit: int, which: Ended = ALL_ENDED) -> int:
        """Deletes up to ``limit`` of these runs that closed before (µs), with all that is theirs; returns how many.

        A child run stays as long as its parent is open. Others write between its transactions, which are short.
        """

    def oldest(self, which: Ended) -> int | None:
        """When (µs) the first of these runs closed that ``retain`` would delete."""

    def shrink(self, pages: int = 500) -> bool:
        """Gives up to ``pages`` of free space back to the file system; True while there is more to give."""

    def redact(self, run: int, events: Sequence[tuple[int, bytes]], told: bytes, refs: Iterable[str] = ()) -> bool:
        """Erasure of personal data, the only writing that changes a journal: puts each (seq, event) in the place of
        what stands there, appends ``told``, the event that tells of it, and deletes the run's references to ``refs``
        (the values too, unless another run refers to them), its attributes, published values, error line, input hash,
        log lines, and what its tasks were about. The caller has the events keep their kind, time and keys.

        It needs no fence: only a closed run is changed, whose journal nobody writes any more. False, with nothing
        changed, if the run is open or gone.
        """

    def stats(self) -> StoreStats: ...

    def backup(self, target: str) -> None:
        """Writes a consistent copy of the database to a new file, while work goes on; step logs are not in it."""

    @property
    def logs(self) -> StepLogs: ...

    def close(self, *, clean: bool = True) -> None:
        """Gives back what is owned and closes; may be called again. ``clean=False``: as the process would by dying."""
