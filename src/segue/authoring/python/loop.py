"""The deterministic event loop that workflow code runs on: plain asyncio, driven by events instead of by the machine.

Its clock is the time of the last event, its timers are durable (the runtime turns the earliest one into a journaled
``TimerFired``), its callbacks run in the order they were made. It does no I/O: whatever cannot be replayed raises
``NotDeterministic`` with the name of what to use instead (``unsupported``).

Rules:
- Driven only from a plain callback of the outer loop, never inside one of its tasks: from Python 3.14 on, asyncio
  keeps one current task per thread.
- Standard asyncio iterates sets of futures, which hash by address. Ours hash by creation number, so that iteration
  order is the same in every process. The number is salted per run, because asyncio also keeps all tasks of a process
  in one weak set: a thousand runs' first tasks must not all hash alike there.
- Tasks and async generators are held strongly until they are done; asyncio alone would let the garbage collector end
  one, at a moment of its own.
- A run that is dropped from memory is *dead*: its code still unwinds, but no callback is taken any more and nothing
  that it awaits ever comes, so that ``finally`` blocks cannot act.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
from asyncio import events as _asyncio_events
from asyncio import tasks as _asyncio_tasks
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextvars import Context, copy_context
from types import FrameType
from typing import Any, NoReturn, TypeVar

import msgspec

from segue.authoring.python.unsupported import UNSUPPORTED
from segue.errors import NotDeterministic
from segue.kernel.execution import Deadline

_T = TypeVar("_T")
_get_running_loop = _asyncio_events._get_running_loop
_set_running_loop = _asyncio_events._set_running_loop
_enter_task, _leave_task = _asyncio_tasks._enter_task, _asyncio_tasks._leave_task
_NEVER = 253_402_300_799_000_000
"""The end of the year 9999: when a timer of infinite length fires."""
_COMPACT_ABOVE = 64
_MOST_ROUNDS = 1_000_000
_MOST_AWAITS = 100
_unclosable: list[Any] = []
"""Coroutines that answer every attempt to end them by awaiting something else. Kept for ever, because the garbage
collector would go on trying, on a loop where they can act."""


class WorkflowFuture(asyncio.Future[_T]):
    """A future whose hash is its creation number within the run."""

    __slots__ = ("number",)

    number: int

    def __hash__(self) -> int:
        return self.number


class WorkflowTask(asyncio.Task[_T]):
    """A task that knows its place: ``path`` is the chain of child indices that leads to it from the root task.

    Attributes:
        shielded: it compensates, and so do the tasks it makes: the end of the run waits for it.
        late: what came of the call that this task was cancelled in, None if nothing did.
    """

    __slots__ = ("calls", "children", "number", "path", "shielded")

    number: int
    path: str
    children: int
    calls: dict[str, int]
    shielded: bool
    late: Any = None

    def __hash__(self) -> int:
        # asyncio registers the task in its own weak set during ``__init__``: ``number`` is set before.
        return self.number

    def next_call(self, name: str) -> int:
        """How many calls of ``name`` this task has made before this one."""
        n = self.calls.get(name, 0)
        self.calls[name] = n + 1
        return n


class Dead(BaseException):
    """Raised where a run's code awaits something when the run is dropped from memory. Never the outcome of a run."""


class Handle(msgspec.Struct, eq=False):
    """A callback that waits its turn; the part of ``asyncio.Handle`` that asyncio's own code uses. (A struct, because
    every step makes one, and C makes it three times as fast.)"""

    _callback: Callable[..., object]
    _args: tuple[Any, ...]
    _context: Context
    _cancelled: bool = False

    def cancel(self) -> None:
        self._cancelled = True

    def cancelled(self) -> bool:
        return self._cancelled

    def get_context(self) -> Context:
        return self._context


class TimerHandle(Handle, eq=False):
    """A durable timer."""

    _when: int = 0
    _loop: WorkflowLoop | None = None
    summary: str | None = None

    def when(self) -> float:
        """Seconds since the epoch."""
        return self._when / 1_000_000

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            if self._loop is not None:
                self._loop._timer_cancelled()


class WorkflowLoop(asyncio.AbstractEventLoop):
    """One run's event loop.

    What is seldom looked at has its default in the class.

    Args:
        salt: a number that is the same in every replay of the run (from its uid) and differs between runs.
        owner: whoever the running code belongs to; ``current`` hands it out.

    Attributes:
        now: the time of the last event, in µs.
        dead: the run is being dropped from memory.
        entered: code of the run is being carried out.
        reading: what is running that may only read (a query, a validator, a predicate), in words; "" for none.
        acted: what it was told when it tried to do more than read.
        tasks: those that are not done, in order of creation, and some that are.
        last_number: the creation number given last, salted; whatever is created takes the next one.
        timers: a heap of those that are set, and some that are cancelled: when (µs), which of those made, the timer.
        on_error: called with a callback that raised and its error.
        halted: the run cannot go on, and why (``halt``).
        recheck: asked when nothing is ready any more, whether something has become ready after all.
    """

    acted: NotDeterministic | None = None
    on_error: Callable[[Callable[..., object], BaseException], None] | None = None
    _orphans = 0
    _timers_made = 0
    _timers_cancelled = 0
    _prune_tasks_at = _prune_generators_at = 64

    def __init__(self, *, salt: int = 0, owner: Any = None) -> None:
        self.owner = owner
        self.now = 0
        self.dead = False
        self.entered = False
        self.reading = ""
        self.halted: Exception | None = None
        self.recheck: Callable[[], bool] | None = None
        self.tasks: list[WorkflowTask[Any]] = []
        self.last_number = (salt & 0xFFFFFFFF) << 24
        self._ready: list[Handle] = []
        self.timers: list[tuple[int, int, TimerHandle]] = []
        self._context = Context()
        self._generators: list[AsyncGenerator[Any, Any]] = []

    # --- driving it -------------------------------------------------------------------------------------------

    def enter(self, function: Callable[..., _T], *args: Any) -> _T:
        """Calls ``function`` as code of this run, in the run's own context, so that it finds its loop."""
        outer = _get_running_loop()
        hooks = sys.get_asyncgen_hooks()
        _set_running_loop(self)
        sys.set_asyncgen_hooks(self._hold_generator, _leave_alone)
        self.entered = True
        try:
            return self._context.run(function, *args)
        finally:
            self.entered = False
            sys.set_asyncgen_hooks(*hooks)
            _set_running_loop(outer)

    def run_ready(self) -> None:
        """Runs everything that is ready, and what becomes ready by it, until nothing is. Only within ``enter``.

        Raises:
            NotDeterministic, NonDeterminism, PayloadError: as given to ``halt``; the run cannot go on.
        """
        timers = self.timers
        rounds = 0
        while True:
            # As in asyncio: timers that are due queue up behind what is ready now, in order of (deadline, creation).
            if timers and timers[0][0] <= self.now:
                self._queue_due()
            if not self._ready and (self.recheck is None or not self.recheck()):
                return
            rounds += 1
            if rounds > _MOST_ROUNDS:
                self.halted = _polling()
            ready, self._ready = self._ready, []
            for handle in ready:
                if handle._cancelled:
                    continue
                try:
                    handle._context.run(handle._callback, *handle._args)
                except KeyboardInterrupt:
                    raise
                except BaseException as error:
                    self._callback_failed(handle._callback, error)
                if self.halted is not None:
                    raise self.halted

    def _callback_failed(self, callback: Callable[..., object], error: BaseException) -> None:
        # A task that exits (SystemExit) keeps the error itself, like any other.
        if not isinstance(getattr(callback, "__self__", None), asyncio.Task) and self.on_error is not None:
            self.on_error(callback, error)

    def _queue_due(self) -> None:
        timers = self.timers
        while timers and timers[0][0] <= self.now:
            handle = heapq.heappop(timers)[2]
            if handle._cancelled:
                self._timers_cancelled -= 1
            else:
                handle._loop = None  # cancelling it from now on leaves no gap in the heap
                self._ready.append(handle)

    def halt(self, error: Exception) -> NoReturn:
        """Raises ``error``, which is not the workflow's to handle: whatever its code does with it, the event that led
        here ends with ``error``, and nothing that was asked for after it counts."""
        # Raised in another thread (by call_soon_threadsafe), it is that thread's own: when it comes is chance.
        if not self.reading and _get_running_loop() is self:
            self.halted = error
        raise error

    @property
    def due(self) -> bool:
        """Whether a timer is."""
        return bool(self.timers) and self.timers[0][0] <= self.now

    @property
    def deadline(self) -> Deadline | None:
        """The earliest timer that is set."""
        timers = self.timers
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
            self._timers_cancelled -= 1
        return Deadline(timers[0][0], timers[0][1], timers[0][2].summary) if timers else None

    def read(self, what: str, function: Callable[..., _T], *args: Any) -> _T:
        """Calls a function that may look at everything and change nothing, from outside the run or from its own code.

        Args:
            what: it is called in what it raises.
            function: is called with ``args``.

        Raises:
            NotDeterministic: it tried to change something. Called from outside, what is in memory may no longer be
                what the journal says: the run has to be dropped, and comes back by replay.
        """
        self.reading = what
        try:
            return function(*args) if _get_running_loop() is self else self.enter(function, *args)
        finally:
            self.reading = ""
            acted, self.acted = self.acted, None
            if acted is not None:
                raise acted  # whatever the function made of it

    def forbid_in_queries(self, action: str) -> None:
        """Raises ``NotDeterministic`` while something is running that may only read."""
        if self.reading:
            self.acted = NotDeterministic(
                f"{self.reading} only reads: it must not {action}; leave that to the workflow, or to an update"
            )
            raise self.acted

    # --- dropping it ------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """Drops everything that is suspended, newest first, while nothing can act."""
        self.dead = True
        self._ready.clear()
        self.timers.clear()
        if self._generators or not all(task.done() for task in self.tasks):
            self.enter(self._end_suspended)
        self.tasks.clear()

    def _end_suspended(self) -> None:
        while self.tasks:
            task = self.tasks.pop()
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                _enter_task(self, task)
                _end(task.get_coro())
                _leave_task(self, task)
                # As no more than futures: whoever waits is let go of, and no longer held by what it waits for.
                asyncio.Future.cancel(task)
                if task._fut_waiter is not None:  # type: ignore[attr-defined]
                    asyncio.Future.cancel(task._fut_waiter)  # type: ignore[attr-defined]
        self._generators.clear()

    # --- asyncio's side: callbacks and timers -----------------------------------------------------------------

    def time(self) -> float:
        """Seconds since the epoch, as of the last event."""
        return self.now / 1_000_000

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Handle:  # type: ignore[override]
        handle = Handle(callback, args, copy_context() if context is None else context)
        if self.reading:
            self.forbid_in_queries("wake or start anything")
        if not self.dead:
            self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        return self.call_at_microsecond(self.now + _microseconds(max(delay, 0)), callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        return self.call_at_microsecond(_microseconds(when), callback, *args, context=context)

    def call_at_microsecond(
        self, when: int, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> TimerHandle:
        """``call_at`` for a time in whole µs since the epoch."""
        self.forbid_in_queries("set timers")
        when = min(when, _NEVER)
        handle = TimerHandle(callback, args, copy_context() if context is None else context, False, when, self)
        if not self.dead:
            self._timers_made += 1
            heapq.heappush(self.timers, (when, self._timers_made, handle))
        return handle

    def _timer_cancelled(self) -> None:
        # A workflow that sets a timeout around each of a million steps must not keep a million dead timers.
        self._timers_cancelled += 1
        if self._timers_cancelled > _COMPACT_ABOVE and self._timers_cancelled * 2 > len(self.timers):
            self.timers[:] = [entry for entry in self.timers if not entry[2]._cancelled]
            heapq.heapify(self.timers)
            self._timers_cancelled = 0

    # --- futures and tasks ------------------------------------------------------------------------------------

    def create_future(self) -> WorkflowFuture[Any]:
        future: WorkflowFuture[Any] = WorkflowFuture(loop=self)
        self.last_number = future.number = self.last_number + 1
        return future

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, _T], *, name: str | None = None, context: Context | None = None, **_: Any
    ) -> WorkflowTask[_T]:
        if self.reading:
            coro.close()
            self.forbid_in_queries("start tasks")
        parent = asyncio.current_task(self)
        if isinstance(parent, WorkflowTask):
            path = f"{parent.path}/{parent.children}"
            parent.children += 1
            return self.spawn(coro, path, name=name, context=context, shielded=parent.shielded)
        # Made by a plain callback: counted apart, under a name no task index can take.
        self._orphans += 1
        return self.spawn(coro, f"/~{self._orphans - 1}", name=name, context=context)

    def spawn(
        self,
        coro: Coroutine[Any, Any, _T],
        path: str,
        *,
        name: str | None = None,
        context: Context | None = None,
        shielded: bool = False,
    ) -> WorkflowTask[_T]:
        """A task with a given path."""
        task: WorkflowTask[_T] = WorkflowTask.__new__(WorkflowTask)
        self.last_number = task.number = self.last_number + 1
        task.path = path
        task.children = 0
        task.calls = {}
        task.shielded = shielded
        WorkflowTask.__init__(task, coro, loop=self, name=name or f"workflow{path or '/'}", context=context)
        self.tasks.append(task)
        if len(self.tasks) > self._prune_tasks_at:
            # A task that failed without anybody asking stays, so that the end of the run can tell of it.
            self.tasks = [t for t in self.tasks if not t.done() or t._log_traceback]
            self._prune_tasks_at = max(64, 2 * len(self.tasks))
        return task

    def _hold_generator(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._generators.append(generator)
        if len(self._generators) > self._prune_generators_at:
            self._generators = self.open_generators()
            self._prune_generators_at = max(64, 2 * len(self._generators))

    def open_generators(self) -> list[AsyncGenerator[Any, Any]]:
        """Async generators that were begun and have not come to their end, oldest first."""
        return [generator for generator in self._generators if generator.ag_frame is not None]  # type: ignore[attr-defined]

    # --- what asyncio's own code asks of a loop ---------------------------------------------------------------

    def is_running(self) -> bool:
        return _get_running_loop() is self

    def is_closed(self) -> bool:
        return self.dead

    def get_debug(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Called by destructors, at moments the garbage collector chooses: nothing may follow from it."""

    def get_task_factory(self) -> None:
        return None


def _microseconds(seconds: float) -> int:
    return _NEVER if seconds * 1_000_000 >= _NEVER else round(seconds * 1_000_000)


def _end(coroutine: Any) -> None:
    """Ends a suspended coroutine. One that awaits in a ``finally`` block is ended there again."""
    frames = list(_frames(coroutine))
    # Not by ``close``: that takes an await in a ``finally`` block for an error, tells the caller's frame so, and leaves
    # the callee suspended for the garbage collector to end wherever it happens to run.
    for _ in range(_MOST_AWAITS):
        try:
            coroutine.throw(Dead())
        except BaseException:  # it has ended; whatever its cleanup raised, there is nobody to tell, not even SystemExit
            break
    else:
        _unclosable.append([coroutine, _unclosable])  # in a circle: the interpreter's end lets it be, too
        return
    # What an exception that the code has kept still holds on to: coroutines not yet awaited, generators. Let it go here
    # and not when the garbage collector finds it, which may be while another run is being driven. The frames as well:
    # from Python 3.12 on each knows the one that it ended in, and so this one, which would hold them.
    while frames:
        frames.pop().clear()


def _frames(coroutine: Any) -> Iterator[FrameType]:
    """The frames of a suspended coroutine and of what it awaits."""
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        yield frame
        coroutine = coroutine.cr_await


def _leave_alone(generator: AsyncGenerator[Any, Any]) -> None:
    """Stands in for asyncio's finaliser, which would close a forgotten generator when the garbage collector says so."""


def _polling() -> NotDeterministic:
    return NotDeterministic(
        f"the workflow has gone round {_MOST_ROUNDS:,} times without anything happening: it polls with "
        "asyncio.sleep(0); await what it waits for, or sleep for a length of time"
    )


def _unsupported(name: str, remedy: str) -> Callable[..., NoReturn]:
    def refuse(self: WorkflowLoop, *args: Any, **kwargs: Any) -> NoReturn:
        self.halt(NotDeterministic(f"{name} cannot be replayed, so it is not available inside a workflow: {remedy}"))

    refuse.__name__ = name
    return refuse


for _name, _remedy in UNSUPPORTED.items():
    setattr(WorkflowLoop, _name, _unsupported(_name, _remedy))
WorkflowLoop.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
