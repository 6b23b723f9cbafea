"""Runs attempts of steps: on the loop, in a thread, in a process; with time limits and a request to stop.

An attempt ends in an ``Outcome``, once. A thread cannot be stopped from outside: when its limit and its grace are over
its attempt counts as failed, whatever it still does is ignored, and others have its place.

Where the journal has to say that an attempt was begun, it says so when it is the attempt's turn, and the attempt begins
once that is on disk: what was only waiting for a thread when the process died was not under way.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future as ThreadFuture
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Literal, Protocol

import msgspec

from segue.errors import ENDS_THE_PROGRAM, StepTimeout
from segue.kernel.attempt import CURRENT, Attempt
from segue.kernel.commands import RunStep
from segue.kernel.interception import Interceptor, StepCall, chain, overrides
from segue.kernel.payload import Payload
from segue.kernel.steps import StepRunner
from segue.runtime import switching
from segue.runtime.telling import about_attempt
from segue.runtime.threads import Threads
from segue.runtime.whereabouts import Place

log = logging.getLogger("segue.attempts")

CLEAN_UP = 2.0
"""Seconds that coroutines have for their ``finally`` blocks when the engine closes."""


Limit = Literal["timeout", "schedule_to_start", "schedule_to_close", "heartbeat"]
"""What of a step's terms can end an attempt."""


class Outcome(msgspec.Struct, eq=False):
    """How an attempt ended: with an encoded result, or with an exception."""

    result: Payload | None = None
    error: BaseException | None = None
    cancelled: bool = False


class ProcessPool(Protocol):
    """Where ``executor="process"`` steps run."""

    def run(
        self,
        runner: StepRunner,
        command: RunStep,
        attempt: Attempt,
        begun: Callable[[], None],
        turn: Callable[[Callable[[], None]], None],
    ) -> asyncio.Future[Payload]:
        """Runs the step in a process of its own; cancelling the future kills the process. ``turn`` is called once a
        process is free for it, with what has it begin; ``begun`` when it does."""

    @property
    def waiting(self) -> int:
        """How many steps wait for a free process."""

    async def close(self) -> None: ...

    def kill(self) -> None:
        """Ends all processes at once."""


class Running(msgspec.Struct, eq=False):
    """An attempt under way.

    Attributes:
        started_at: when (µs) it was. done: hears how it ended; None once nobody wants to.
        attempts: among which it runs.
        announce: tells the journal that it begins, if that has to be said; called on the loop, when it is its turn.
        allowed: done once that is on disk; None where nothing has to be said.
        inner: the step itself, where interceptors are around it.
        timers: of its limits, and of its ``grace`` once it has been told to end.
        timed_out: the limit that it has exceeded. stopping: it has been asked to stop.
    """

    attempt: Attempt
    command: RunStep
    runner: StepRunner
    started_at: int
    done: Callable[[Running, Outcome], None] | None
    attempts: Attempts
    announce: Callable[[Running], None] | None = None
    allowed: ThreadFuture[None] | None = None
    future: asyncio.Future[Any] | None = None
    intercepted: bool = False
    inner: asyncio.Future[Any] | None = None
    thread: ThreadFuture[Any] | None = None
    timers: dict[str, asyncio.TimerHandle] | None = None
    timed_out: Limit | None = None
    stopping: bool = False

    def announce_by(self, announce: Callable[[Running], None]) -> None:
        """It does not begin before ``announce`` was called and ``allow`` after that."""
        self.announce, self.allowed = announce, ThreadFuture()

    def allow(self) -> None:
        """Effect: that it begins is on disk."""
        if self.allowed is not None and not self.allowed.done():
            self.allowed.set_result(None)

    def turn(self, begin: Callable[[], None]) -> None:
        """Its turn has come: ``begin`` is called now or, if that is to be told first, once the journal says so."""
        if self.allowed is None:
            begin()
        elif not self.allowed.done():
            self.allowed.add_done_callback(lambda allowed: None if allowed.cancelled() else begin())
            assert self.announce is not None
            self.announce(self)
        elif not self.allowed.cancelled():
            begin()

    def follow(self, future: asyncio.Future[Any]) -> None:
        """The attempt ends with the future, or what is around it goes on from there."""
        if self.intercepted:
            self.inner = future
            return
        self.future = future
        future.add_done_callback(self._ended)

    def _ended(self, future: asyncio.Future[Any]) -> None:
        if not future.cancelled() and future.exception() is None and self.timed_out is None:
            try:
                result = future.result()
                outcome = Outcome(result if type(result) is Payload else self.runner.encode(result))
            except Exception as error:  # the result does not encode
                outcome = Outcome(error=error)
        else:
            outcome = _failure(self, future)
        self.finish(outcome)

    def finish(self, outcome: Outcome) -> None:
        """Reports the outcome; whatever comes after the first is ignored."""
        done = self.leave()
        # What ended the program itself has failed by that: otherwise the next process would end by it, too.
        if done is not None and (not self.attempts.deserted() or isinstance(outcome.error, ENDS_THE_PROGRAM)):
            done(self, outcome)

    def leave(self) -> Callable[[Running, Outcome], None] | None:
        """It has ended; who wants to know how, if anybody still does. Nobody is told: that is the caller's."""
        self.attempts.running.discard(self)
        if self.thread is not None:
            self.attempts.out_of_thread(self)
        if self.allowed is not None:
            self.attempts.out_of_line(self)
        done, self.done = self.done, None
        if self.timers is not None:
            for timer in self.timers.values():
                timer.cancel()
        if self.attempt.over is None:
            self.attempt.over = "it has ended"
        if done is not None:
            self.attempts.before_outcome(self)
        return done


class Attempts:
    """Starts attempts and stops them.

    Args:
        threads: how many plain functions run at once.
        processes: makes the process pool when the first step needs one.
        interceptors: what is around each attempt.

    Attributes:
        stopwatch: seconds, by which heartbeats are measured; the host has the same one.
        deserted: whether the event loop ends, and has cancelled all that is on it: what an attempt comes to then is not
            the step's, and its run goes on elsewhere.
        transacting: where the code of transactional steps runs.
        prepare: says more of an attempt before it is started. enter: called in the context of its code, before that.
    """

    def __init__(
        self, *, threads: int, processes: Callable[[], ProcessPool], interceptors: Sequence[Interceptor] = ()
    ) -> None:
        self._interceptors = [i for i in interceptors if overrides(i, "step")]
        self._threads = Threads(threads, "segue-step")
        self.transacting = Threads(1, "segue-transaction")
        self._make_processes = processes
        self._processes: ProcessPool | None = None
        self._loop = asyncio.get_running_loop()
        self.stopwatch: Callable[[], float] = time.monotonic
        self.running: set[Running] = set()
        self._in_threads: set[Running] = set()
        self._line: dict[Running, None] = {}
        self._closed = False
        self.deserted: Callable[[], bool] = lambda: False
        self.transact: Callable[[Running], None] = _nowhere
        self.prepare: Callable[[Attempt], None] | None = None
        self.enter: Callable[[Attempt], None] | None = None

    def start(self, running: Running) -> None:
        """Starts an attempt. Never raises: what goes wrong is the attempt's outcome. Nothing is started any more once
        this is closed: its run goes on elsewhere, and an outcome of ours would be the step's."""
        if self._closed:
            return
        self.running.add(running)
        if self.prepare is not None:
            self.prepare(running.attempt)
        spec = running.command.spec
        if spec.schedule_to_start is not None:
            self._limit(running, "schedule_to_start", spec.schedule_to_start)
        if running.allowed is None or spec.executor in ("thread", "process"):  # these know themselves whose turn it is
            self._begin(running)
        else:
            self.line_up(running)

    def _begin(self, running: Running) -> None:
        if self._closed:
            return
        try:
            if self._interceptors:
                self._intercept(running)
            else:
                _START[running.command.spec.executor](self, running)
        except Exception as error:
            self._loop.call_soon(running.finish, Outcome(error=error))

    def line_up(self, running: Running) -> None:
        """Where there is nothing to wait for but the journal. Transactions are announced one at a time: a process that
        goes down with one of them says nothing of the others."""
        if running.command.spec.executor == "transaction":
            self._line[running] = None
            if len(self._line) > 1:
                return
        running.turn(partial(self._begin, running))

    def out_of_line(self, running: Running) -> None:
        """It has ended: it is the turn of the next transaction."""
        if running in self._line:
            head = next(iter(self._line))
            del self._line[running]
            if running is head and self._line and not self._closed:
                following = next(iter(self._line))
                self._loop.call_soon(following.turn, partial(self._begin, following))

    def withdraw(self, running: Running) -> None:
        """Takes back an attempt that has not begun, if the journal was to be told of that: whoever brings its run back
        asks for it again."""
        if running.allowed is not None and not running.allowed.done():
            running.leave()
            self._interrupt(running)

    def _intercept(self, running: Running) -> None:
        """Starts the attempt from inside what is around it: a task of its own on the loop."""
        attempt, who = running.attempt, running.attempt.identity

        async def innermost(call: StepCall) -> Any:
            running.intercepted = True
            _START[running.command.spec.executor](self, running)
            assert running.inner is not None
            try:
                return await running.inner
            except ENDS_THE_PROGRAM as error:
                if running.command.spec.executor == "loop":
                    raise
                # What ends nothing where it was raised would end the program here, in a task of the loop.
                raise RuntimeError(f"the step raised {error!r}") from error

        call = StepCall(
            attempt.name, attempt.key, attempt.attempt, who.workflow, who.id, attempt.idempotency_key,
            dict(attempt.headers or {}),
        )  # fmt: skip
        coroutine: Any = chain(self._interceptors, "step", innermost)(call)
        running.follow(self._loop.create_task(coroutine, context=context_of(running)))

    def load(self) -> dict[str, tuple[int, int]]:
        """How many attempts run, and how many wait for a free thread or process, by executor."""
        found: dict[str, tuple[int, int]] = {}
        for each in self.running:
            executor = each.command.spec.executor
            running, waiting = found.get(executor, (0, 0))
            idle = each.thread is not None and not (each.thread.running() or each.thread.done())
            found[executor] = (running + (not idle), waiting + idle)
        if self._processes is not None and "process" in found:
            together = sum(found["process"])
            waiting = min(self._processes.waiting, together)
            found["process"] = (together - waiting, waiting)
        return found

    def hanging(self) -> dict[str, int]:
        """How many threads hang in code that nobody waits for any more, by executor."""
        return {"thread": self._threads.hanging, "transaction": self.transacting.hanging}

    def in_the_way(self) -> list[ThreadFuture[Any]]:
        """Where so many steps hang in threads that none is left for others: those of which one has to come back."""
        return self._threads.left() if self._threads.is_full else []

    def before_outcome(self, running: Running) -> None:
        """Called when an attempt has ended, before its outcome is reported."""

    def stop(self, running: Running) -> None:
        """Asks an attempt to stop; it still reports how it ended. A thread that has not stopped when its grace is over
        loses its place, and the attempt has ended by that."""
        running.stopping = True
        self._interrupt(running)
        if running.thread is not None and "grace" not in (running.timers or {}):
            self._set_timer(running, "grace", running.command.spec.grace, partial(self._let_go, running))

    async def close(self, grace: float) -> None:
        """Lets attempts end by themselves for ``grace`` seconds, then stops them without recording anything: their
        runs go on elsewhere."""
        self._closed = True
        if self.running and grace > 0:
            tasks = [r.future for r in self.running if r.future is not None]
            tasks += map(end_of, self.transacting.under_way())
            if tasks:
                await asyncio.wait(tasks, timeout=grace)
        stopped = []
        for running in list(self.running):
            running.done = None
            self._interrupt(running)
            if running.future is not None and (running.intercepted or running.command.spec.executor == "loop"):
                running.future.cancel()
                stopped.append(running.future)
        if stopped:  # their ``finally`` blocks may have something to wait for: a process that they have killed, say
            await asyncio.wait(stopped, timeout=CLEAN_UP)
        self._threads.close()
        self.transacting.close()
        for running in list(self._in_threads):
            self.out_of_thread(running)
        if self._processes is not None:
            await self._processes.close()

    def leave_behind(self) -> None:
        """As ``close``, where the event loop was closed before."""
        self._closed = True
        for running in list(self.running):
            running.done = None
            running.attempt.cancel()
            if running.allowed is not None:
                running.allowed.cancel()
        self._threads.close()
        self.transacting.close()
        for running in list(self._in_threads):
            self.out_of_thread(running)
        if self._processes is not None:
            self._processes.kill()

    # --- one way to run per executor --------------------------------------------------------------------------

    def _on_loop(self, running: Running) -> None:
        runner = running.runner
        coroutine = runner.call(runner.decode(running.command.input))
        task = self._loop.create_task(coroutine, name=running.attempt.name, context=context_of(running))
        running.follow(task)
        if running.command.spec.limited:
            self._begun(running)

    def _in_thread(self, running: Running) -> None:
        run = context_of(running).run
        self._in_threads.add(running)
        switching.shorten(switching.COMPUTING)
        try:
            if running.allowed is None and not running.command.spec.limited:
                running.thread = self._threads.submit(run, _performed, running)
            else:
                running.thread = self._threads.submit(self._in_turn, running, run)
        except BaseException:
            self.out_of_thread(running)
            raise
        running.follow(asyncio.wrap_future(running.thread))

    def out_of_thread(self, running: Running) -> None:
        """Nobody waits any more for what an attempt does in its thread."""
        if running in self._in_threads:
            self._in_threads.discard(running)
            switching.restore(switching.COMPUTING)

    def _in_turn(self, running: Running, run: Callable[..., Any]) -> Any:
        if running.allowed is not None:
            assert running.announce is not None
            self._loop.call_soon_threadsafe(running.announce, running)
            running.allowed.result()
        if running.command.spec.limited:
            self._loop.call_soon_threadsafe(self._begun, running)
        return run(_performed, running)

    def _in_process(self, running: Running) -> None:
        if self._processes is None:
            self._processes = self._make_processes()
        begun = partial(self._begun, running)
        future = self._processes.run(running.runner, running.command, running.attempt, begun, running.turn)
        running.follow(future)

    def _in_transaction(self, running: Running) -> None:
        self.transact(running)

    # --- how it ends ------------------------------------------------------------------------------------------

    def _begun(self, running: Running) -> None:
        """It is the attempt's turn: the time that it waited for a free thread or process does not count."""
        if running not in self.running or running.timed_out is not None:
            return
        spec = running.command.spec
        if running.timers is not None and (waiting := running.timers.pop("schedule_to_start", None)) is not None:
            waiting.cancel()
        if spec.timeout is not None:
            self._limit(running, "timeout", spec.timeout)
        if spec.heartbeat is not None:
            running.attempt.beaten_at = self.stopwatch()
            self._limit(running, "heartbeat", spec.heartbeat)

    def close_by(self, running: Running, remaining: int) -> None:
        """Limits an attempt by what is left (µs) of the time for all attempts together."""
        self._limit(running, "schedule_to_close", remaining)

    def _limit(self, running: Running, limit: Limit, after: float) -> None:
        self._set_timer(running, limit, after, partial(self._expire, running, limit))

    def _set_timer(self, running: Running, name: str, after: float, call: Callable[[], object]) -> None:
        if running.timers is None:
            running.timers = {}
        elif name in running.timers:
            running.timers[name].cancel()
        running.timers[name] = self._loop.call_later(after / 1_000_000, call)

    def _expire(self, running: Running, limit: Limit) -> None:
        if running.timed_out is not None:
            return
        if limit == "heartbeat":
            rest = running.attempt.beaten_at + (running.command.spec.heartbeat or 0) / 1_000_000 - self.stopwatch()
            if rest > 0:
                self._limit(running, limit, rest * 1_000_000)
                return
        running.timed_out = limit
        running.attempt.over = exceeded(running.command, limit)
        self._interrupt(running)
        self._set_timer(running, "grace", running.command.spec.grace, partial(self._give_up, running))

    def _give_up(self, running: Running) -> None:
        place = self._let_go(running)
        if place is None:
            log.warning(
                "step %s of run %s did not stop when asked to; it goes on unheard",
                running.attempt.name,
                running.attempt.run_id,
                extra=about_attempt(running.attempt),
            )
        running.finish(Outcome(error=_timeout(running, at=place)))

    def _let_go(self, running: Running) -> Place | None:
        """Gives the place of an attempt's thread to others; the line that it is at, unless it has come back."""
        place = None if running.thread is None else self._threads.leave(running.thread)
        if running.future is not None and (place is not None or running.intercepted):
            running.future.cancel()  # what is around it ends as well, and gives free what it holds
        if place is None:
            return None
        assert running.thread is not None
        running.thread.add_done_callback(lambda _: self.before_outcome(running))  # what it says after its end
        self.running.discard(running)
        self.out_of_thread(running)
        text = (
            f"step {running.attempt.name} of run {running.attempt.run_id!r} did not stop when asked to, and hangs in "
            f"its thread at {place}; others have its place: give what it waits for a limit of its own"
        )
        running.attempt.host.log(running.attempt, "WARNING", "log", text)
        log.warning("%s", text, extra=about_attempt(running.attempt))
        if self._threads.is_full:
            log.error(
                "%d steps hang in their threads, and no more places are made for others: until some come back, steps "
                "in threads wait; restart this process, whose runs go on",
                self._threads.hanging,
            )
        return place

    def _interrupt(self, running: Running) -> None:
        running.attempt.cancel()
        if running.allowed is not None and running.allowed.cancel() and running.future is None:
            running.follow(self._loop.create_future())
        if running.thread is not None and not (running.intercepted and running.thread.done()):
            running.thread.cancel()  # of use only while it waits for its turn
        elif running.future is not None:
            running.future.cancel()


_START: dict[str, Callable[[Attempts, Running], None]] = {
    "loop": Attempts._on_loop,
    "thread": Attempts._in_thread,
    "process": Attempts._in_process,
    "transaction": Attempts._in_transaction,
}


def end_of(call: ThreadFuture[Any]) -> asyncio.Future[Any]:
    """To wait for the end of a call, whatever it is: that is somebody else's matter."""
    future: asyncio.Future[Any] = asyncio.wrap_future(call)
    future.add_done_callback(lambda ended: None if ended.cancelled() else ended.exception())
    return future


def _nowhere(running: Running) -> None:
    raise AssertionError("whoever puts the runtime together says where transactional steps run")


def _performed(running: Running) -> Any:
    """What a step gives, in its own thread: to read and write large values there does not hold up the loop."""
    runner = running.runner
    result = runner.call(runner.decode(running.command.input))
    return result if running.intercepted else runner.encode(result)  # what is around it wants to see it


def context_of(running: Running) -> Context:
    """What the code of an attempt finds itself in."""
    if running.intercepted:
        return copy_context()  # with what interceptors have put there, such as a span
    context = Context()
    context.run(CURRENT.set, running.attempt)
    if running.attempts.enter is not None:
        context.run(running.attempts.enter, running.attempt)
    return context


def _failure(running: Running, future: asyncio.Future[Any]) -> Outcome:
    if running.timed_out:
        # Whatever the limit made the step do, it is the limit that ended it.
        return Outcome(error=_timeout(running, None if future.cancelled() else future.exception()))
    if future.cancelled():
        return Outcome(error=asyncio.CancelledError("the step was cancelled"), cancelled=running.stopping)
    return Outcome(error=future.exception(), cancelled=running.stopping)


def _timeout(running: Running, cause: BaseException | None = None, *, at: Place | None = None) -> StepTimeout:
    assert running.timed_out is not None
    hangs = "" if at is None else f"; it hangs at {at}"
    error = StepTimeout(exceeded(running.command, running.timed_out) + hangs)
    error.__cause__ = cause
    return error


def exceeded(command: RunStep, limit: Limit) -> str:
    """What is said of an attempt that a limit has ended."""
    text = _NOBODY if limit == "schedule_to_start" and command.spec.queue else _EXCEEDED[limit]
    seconds = (getattr(command.spec, limit) or 0) / 1_000_000
    return text.format(attempt=command.attempt, step=command.spec.name, queue=command.spec.queue, limit=seconds)


_NOBODY = (
    "attempt {attempt} of {step} was not begun within its schedule_to_start of {limit:g} s: no worker of the queue "
    "{queue!r} has activated it"
)
_EXCEEDED: dict[Limit, str] = {
    "timeout": "attempt {attempt} of {step} took longer than its timeout of {limit:g} s",
    "schedule_to_start": "attempt {attempt} of {step} was not begun within its schedule_to_start of {limit:g} s: no "
    "thread or process was free for it",
    "schedule_to_close": "{step} was not done within its schedule_to_close of {limit:g} s, which ended at attempt "
    "{attempt}",
    "heartbeat": "attempt {attempt} of {step} gave no heartbeat for {limit:g} s, its heartbeat_timeout",
}
