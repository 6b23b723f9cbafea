"""The one place where a commit happens.

Whatever is ready is drained into one transaction; nothing waits for more to come. While a commit is under way the next
batch collects. A commit that fails is kept and tried again with identical rows: only a fence that is proven lost, or a
journal that somebody else has written, lets go of a run.

A small batch is committed in place, on the loop's thread, because handing it to a thread and back costs as much as the
commit itself; a large one, one with a large value or a step's code, or any on a slow disk, goes to the writer's thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol

from segue.errors import FenceLost, StoreError, StoreUnavailable
from segue.runtime import switching
from segue.runtime.beside import promptly
from segue.runtime.resident import Resident, Segment
from segue.stores.base import Answer, Append, Appended, Batch, Fence, Operation, Posted, Started, StartRun, Store
from segue.stores.transacting import Transact, Transacted

log = logging.getLogger("segue.writer")

ROWS_PER_BATCH = 2_000
OPERATIONS_PER_BATCH = 500
OPERATIONS_BESIDE_RUNS = 100
"""Starts, messages and the like that share a batch with runs under way."""
IN_PLACE_ROWS = 64
IN_PLACE_SECONDS = 0.002
RETRY_FIRST = 0.05
RETRY_LONGEST = 5.0

Reply = Callable[[Any], None]


class Owner(Protocol):
    """Who is told what became of a run's segment."""

    def committed(self, run: Resident, segment: Segment, answer: Appended) -> None: ...

    def rejected(self, run: Resident, segment: Segment, answer: Any) -> None: ...

    def stumbled(self, run: Resident, error: Exception) -> None: ...

    def dispossessed(self, error: Exception) -> None: ...


class Aside(Protocol):
    """Where a batch is committed that is not committed in place."""

    def put(self, batch: Batch, done: Callable[[list[Answer] | None, Exception | None], None]) -> None:
        """Commits it and calls ``done`` on the loop's thread."""

    def stop(self) -> None: ...


class Writer:
    """Drains what is ready into transactions.

    Args:
        store: where to.
        prepare: called for each run when its segment is taken: the last moment to say what state the run is in.

    Attributes:
        aside: a thread of its own, made when the first batch needs one.
        commits, failures: batches that are on disk, and tries that did not come so far.
        timed: hears how many seconds a batch took, from its first try on, and how many operations it held.
    """

    def __init__(self, store: Store, owner: Owner, *, prepare: Callable[[Resident, Segment], None]) -> None:
        self._store = store
        self._owner = owner
        self._prepare = prepare
        self.fence: Fence | None = None
        self._commit_id = 0
        self._dirty: dict[int, Resident] = {}
        self._operations: list[tuple[Operation, Reply]] = []
        self._code: list[tuple[Operation, Reply]] = []  # of steps: in a queue of its own, since it may take long
        self._scheduled: asyncio.Handle | None = None
        self._committing: _Committing | None = None
        self._pause = RETRY_FIRST
        self._cost = 0.0
        self.aside: Aside | None = None
        self._loop = asyncio.get_running_loop()
        self._idle: asyncio.Event | None = None
        self.unavailable: StoreUnavailable | None = None
        self.stopped: Exception | None = None
        self.commits = 0
        self.failures = 0
        self.timed: Callable[[float, int], None] | None = None
        self._awaited: list[asyncio.Future[None]] = []

    # --- what is handed in ------------------------------------------------------------------------------------

    def touch(self, run: Resident) -> None:
        """The run has a segment to write."""
        self._dirty[run.run] = run
        if self._scheduled is None and self._committing is None:
            self._scheduled = self._loop.call_soon(self._flush)

    def submit(self, operation: Operation, reply: Reply) -> None:
        """An operation of its own; ``reply`` gets the answer once it is on disk, or the exception why it never will."""
        if self.stopped is not None:
            self._loop.call_soon(reply, self.stopped)
            return
        (self._code if isinstance(operation, Transact) else self._operations).append((operation, reply))
        if self._scheduled is None and self._committing is None:
            self._scheduled = self._loop.call_soon(self._flush)

    def forget(self, run: Resident) -> None:
        """The run is being dropped; what it had not handed over is void."""
        self._dirty.pop(run.run, None)

    def flush_now(self) -> None:
        """Commits what is ready, in place, if exactly one run is and nothing is under way."""
        if self._committing is None and len(self._dirty) == 1 and not self._operations and not self._code:
            if self._scheduled is not None:
                self._scheduled.cancel()
            self._flush()

    @property
    def depth(self) -> int:
        """How many operations wait for a commit, or are in the one under way."""
        return self.unsettled + len(self._operations) + len(self._code)

    @property
    def unsettled(self) -> int:
        """As ``depth``, but of operations by themselves, such as starts, only those that are under way."""
        return len(self._dirty) + (0 if self._committing is None else len(self._committing.operations))

    @property
    def busy(self) -> bool:
        return self._committing is not None or self._waiting

    @property
    def _waiting(self) -> bool:
        return bool(self._dirty) or bool(self._operations) or bool(self._code)

    async def drained(self) -> None:
        """Waits until everything handed in is on disk, or until it is clear that it will not be for now."""
        while self.busy and self.unavailable is None and self.stopped is None:
            self._idle = self._idle or asyncio.Event()
            await self._idle.wait()

    async def settled(self) -> None:
        """Waits for the end of the batch that is under way, if there is one."""
        if self._committing is not None and self.stopped is None:
            future: asyncio.Future[None] = self._loop.create_future()
            self._awaited.append(future)
            await future

    # --- committing -------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        self._scheduled = None
        if self._committing is not None:
            return
        work = self._take()
        if not work.operations:
            if not self.busy:
                self._wake_idle()
            return
        self._committing = work
        self._commit_id += 1
        work.batch = Batch(self._commit_id, tuple(work.operations), self.fence)
        work.began = time.perf_counter()
        self._attempt(work)

    def _take(self) -> _Committing:
        """The next batch: at most ``ROWS_PER_BATCH`` rows, a run's segment never divided."""
        work = _Committing()
        if self._operations or self._code:
            # Runs that have begun go on first, and others begin by and by: so they end soon, however many are asked
            # for at once, and few are in memory.
            most = OPERATIONS_BESIDE_RUNS if self._dirty else OPERATIONS_PER_BATCH
            taken = [*self._operations[:most], *self._code[:most]]
            del self._operations[:most], self._code[:most]
            for operation, reply in taken:
                work.operations.append(operation)
                work.replies.append(reply)
                if isinstance(operation, Transact) or bool(getattr(operation, "blobs", ())):
                    work.bulky = True
            work.rows += len(taken)
        dirty, rows = self._dirty, work.rows
        while dirty and rows < ROWS_PER_BATCH:
            run = dirty.pop(next(iter(dirty)))
            segment = run.segment
            if segment is None:
                continue
            self._prepare(run, segment)
            run.segment = None
            run.in_flight = segment
            operation = segment.operation(run.run, run.uid if run.read else "")
            work.operations.append(operation)
            run.read = False  # what is lost from here on is told by the number of the batch
            work.replies.append((run, segment))
            rows += len(segment.events) + 1
            if operation.blobs:
                work.bulky = True
        work.rows = rows
        return work

    def _attempt(self, work: _Committing) -> None:
        quick = (work.rows <= IN_PLACE_ROWS and self._cost < IN_PLACE_SECONDS) or len(work.operations) == 1
        quick = quick and self._store.lease is None  # what a network in between takes is not at the loop's expense
        # A store that was down may take its time to say so again: not at the loop's expense.
        if quick and not work.bulky and self.unavailable is None:
            began = time.perf_counter()
            try:
                answers = self._store.commit(work.batch)
            except Exception as error:
                self._failed(work, error)
            else:
                self._cost += 0.2 * (time.perf_counter() - began - self._cost)
                self._settle(work, answers)
            return
        if self.aside is None:
            self.aside = _Thread(self._store, self._loop)
        self.aside.put(work.batch, lambda answers, error: self._from_thread(work, answers, error))

    def _from_thread(self, work: _Committing, answers: list[Answer] | None, error: Exception | None) -> None:
        if self.stopped is not None:
            return
        if error is not None:
            self._failed(work, error)
        else:
            assert answers is not None
            self._cost *= 0.9
            self._settle(work, answers)

    def _settle(self, work: _Committing, answers: list[Answer]) -> None:
        self._committing = None
        self._pause = RETRY_FIRST
        self.unavailable = None
        self.commits += 1
        if self.timed is not None:
            self.timed(time.perf_counter() - work.began, len(work.operations))
        later: list[tuple[Operation, Reply]] = []
        for operation, reply, answer in zip(work.operations, work.replies, answers, strict=True):
            if isinstance(reply, tuple):
                self._answer(*reply, answer)
            elif type(answer) is Transacted and answer.outcome == "later":
                later.append((operation, reply))
            else:
                self._reply(operation, reply, answer)
        self._code[:0] = later
        if self._awaited:
            self._tell_settled()
        if self._waiting and self._scheduled is None and self._committing is None:
            self._scheduled = self._loop.call_soon(self._flush)
        elif not self.busy:
            self._wake_idle()

    def _reply(self, operation: Operation, reply: Reply, answer: Answer) -> None:
        try:
            reply(answer)
        except Exception:  # a defect in what follows from one operation must not keep the others from their answers
            log.exception("%s is on disk, and what was to follow has failed", type(operation).__name__)

    def _tell_settled(self) -> None:
        awaited, self._awaited = self._awaited, []
        for future in awaited:
            if not future.done():
                future.set_result(None)

    def _wake_idle(self) -> None:
        if self._idle is not None:
            self._idle.set()
            self._idle = None

    # --- when it fails ----------------------------------------------------------------------------------------

    def _failed(self, work: _Committing, error: Exception) -> None:
        self.failures += 1
        if not isinstance(error, StoreUnavailable):
            if not isinstance(error, FenceLost):
                log.critical("the store refused a batch for good", exc_info=error)
            if work.uncertain:
                self._acknowledge_what_landed(work)
            self._stop(error)
            self._owner.dispossessed(error)
            return
        if self.unavailable is None:
            log.warning("cannot write (%s); the batch is kept and tried again", error)
        self.unavailable = error
        work.uncertain = True
        self._wake_idle()
        self._loop.call_later(self._pause, self._retry, work)
        self._pause = min(self._pause * 2, RETRY_LONGEST)

    def _retry(self, work: _Committing) -> None:
        if self.stopped is not None:
            return
        # The acknowledgement may be all that was lost: that is resolved by looking, not by guessing.
        try:
            if work.batch.fence is not None and not work.resolved and self._store.landed(work.batch):
                self._resolve(work)
        except StoreError as error:
            self._failed(work, error)
            return
        self._attempt(work)

    def _resolve(self, work: _Committing) -> None:
        """The batch is in. Its appends are answered from the journal; everything else is asked again, which is
        harmless: a uid and a message id are taken once."""
        again = _Committing()
        answers: list[tuple[Resident, Segment, Appended]] = []
        for operation, reply in zip(work.operations, work.replies, strict=True):
            if isinstance(operation, Append) and isinstance(reply, tuple):
                answers.append((*reply, self._look(operation)))
            else:
                again.operations.append(operation)
                again.replies.append(reply)
        for run, segment, answer in answers:
            self._answer(run, segment, answer)
        self._commit_id += 1
        work.operations, work.replies, work.resolved = again.operations, again.replies, True
        work.rows = len(again.operations)
        work.batch = Batch(self._commit_id, tuple(again.operations), self.fence)

    def _acknowledge_what_landed(self, work: _Committing) -> None:
        """An earlier try may be in after all: whoever sent something with it is told so, and does not send it to the
        next owner once more. Nothing else of it is released."""
        try:
            for operation, reply in zip(work.operations, work.replies, strict=True):
                if not isinstance(operation, Append) or not isinstance(reply, tuple) or not operation.events:
                    continue
                if self._look(operation).outcome == "appended":
                    reply[1].acknowledge()
        except StoreError as error:
            log.warning("cannot look what has been written: %s", error)

    def _look(self, operation: Append) -> Appended:
        """The answer to an append as far as the journal tells: not whose inbox a post by id is in."""
        first = next(iter(self._store.journal(operation.run, after=operation.seq - 1)), None)
        if operation.events and (first is None or first[1] != operation.events[0]):
            return Appended("vetoed")
        latest = None if operation.goes_on is None else self._store.latest(operation.run)
        posted = tuple(Posted("posted", None, post.run or 0) for post in operation.posts)
        started = tuple(found_again(self._store, start) for start in operation.starts)
        return Appended("appended", posted, 0 if latest is None else latest.run, started)

    def _answer(self, run: Resident, segment: Segment, answer: Answer) -> None:
        run.in_flight = None
        try:
            if type(answer) is Appended and answer.outcome == "appended":
                self._owner.committed(run, segment, answer)
            else:
                self._owner.rejected(run, segment, answer)
        except Exception as error:  # a defect in one run's effects must not keep the others' from being released
            self._owner.stumbled(run, error)

    def _stop(self, error: Exception) -> None:
        """Nothing more can be written from here, and nobody is left waiting for it: another owner has the runs now, or
        the error is one that no retry mends (a bug, a damaged file), or the engine is being closed."""
        self.stopped = error
        work, self._committing = self._committing, None
        self._dirty.clear()
        waiting = [reply for reply in work.replies if not isinstance(reply, tuple)] if work is not None else []
        waiting += [reply for _, reply in (*self._operations, *self._code)]
        self._operations.clear()
        self._code.clear()
        for reply in waiting:
            reply(error)
        self._tell_settled()

    async def close(self) -> None:
        """Ends the thread. Whatever is kept because the store is down stays undone: it was never acknowledged."""
        if self.stopped is None:
            self._stop(StoreUnavailable("the engine was closed"))
        if self.aside is not None:
            await promptly(self.aside.stop)


class _Committing:
    """A batch on its way, with whoever waits for its answers."""

    __slots__ = ("batch", "began", "bulky", "operations", "replies", "resolved", "rows", "uncertain")

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.replies: list[Reply | tuple[Resident, Segment]] = []
        self.rows = 0
        self.bulky = False
        self.resolved = False
        self.uncertain = False
        self.began = 0.0
        self.batch: Batch


class _Thread(Aside):
    """Commits one batch after the other, off the loop."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop
        self._queue: SimpleQueue[tuple[Batch, Callable[..., None]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="segue-writer", daemon=True)
        self._thread.start()

    def put(self, batch: Batch, done: Callable[[list[Answer] | None, Exception | None], None]) -> None:
        switching.shorten(switching.COMMITTING)
        self._queue.put((batch, done))

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join(30)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            batch, done = item
            try:
                answers = self._store.commit(batch)
            except Exception as error:
                self._loop.call_soon_threadsafe(done, None, error)
            else:
                self._loop.call_soon_threadsafe(done, answers, None)
            finally:
                switching.restore(switching.COMMITTING)


def found_again(store: Store, start: StartRun) -> Started:
    """What became of a start whose answer was lost."""
    row = store.find(start.namespace, start.id)
    if row is None or row.uid != start.uid:
        return Started("refused", 0, reason="its id is taken")
    return Started("existing", row.run, row.state)
