"""Transactional steps: run by the store in its own transaction, with the outcome in the run's inbox by the same commit.

From there the outcome goes the way of every message: into the journal with the commit that consumes it. The message is
named by the step's idempotency key, and is taken once: what is asked for again after a lost acknowledgement, a crash or
a takeover is answered by what the inbox or the journal holds, and the code does not run.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from concurrent.futures import Future, wait
from contextvars import Context
from typing import TYPE_CHECKING, Any

from segue.errors import StepTimeout, StoreUnavailable, Unstorable
from segue.kernel import events as e
from segue.kernel.attempt import derive_key
from segue.kernel.payload import Payload
from segue.runtime import artifacts
from segue.runtime.attempts import Outcome, Running, context_of
from segue.runtime.resident import Resident
from segue.runtime.telling import about_attempt
from segue.runtime.whereabouts import Place
from segue.stores.base import Rejected, StateWrite
from segue.stores.transacting import Lending, Transact, Transacted, Written

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

log = logging.getLogger("segue.transactions")

EXECUTOR = "transaction"
BUDGET = 1_000_000
"""µs that a transaction may take if nothing else is said: everybody else's commits wait for it."""
UNWINDING = 0.1
"""Seconds that code has to come back with the error that its time is over."""


def message_of(uid: str, key: str) -> str:
    """Under which name a step's outcome is taken once: of this run, since messages are known to its whole chain."""
    return f"outcome:{derive_key(uid, key)}"


def start(conductor: Conductor, running: Running) -> None:
    """Hands an attempt to the writer."""
    command = running.command
    budget = BUDGET if command.spec.timeout is None else command.spec.timeout
    work = _Work(conductor, running, running.runner.decode(command.input), context_of(running), budget)
    if running.intercepted:
        running.follow(conductor.new_future())
    operation = Transact(
        running.attempt.run, message_of(running.attempt.uid, command.key), running.started_at, work, budget,
        uid=running.attempt.uid,
    )  # fmt: skip
    conductor.writer.submit(operation, work.answered)


def waits(conductor: Conductor, run: Resident, key: str) -> bool:
    """Whether the outcome of a step is in the run's inbox: then the step is not to be run again."""
    try:
        return any(row.message == message_of(run.uid, key) for row in conductor.store.inbox([run.run]))
    except StoreUnavailable:
        return False  # the store looks again before it runs anything


def received(conductor: Conductor, run: Resident, event: e.Event) -> None:
    """The outcome comes out of the inbox."""
    assert isinstance(event, e.StepCompleted)
    run.active.pop(event.key, None)
    conductor.apply(run, event)


class _Work:
    """One attempt on its way through the writer; called with the connection, it runs the step's code."""

    def __init__(self, conductor: Conductor, running: Running, arguments: Any, context: Context, budget: int) -> None:
        self._conductor = conductor
        self._running = running
        self._arguments = arguments
        self._context = context
        self._budget = budget
        self._result: Any = None
        self._timeout: StepTimeout | None = None

    def __call__(self, transaction: Lending) -> Written:
        """In the store's transaction and on the writer's thread. May be called again after a commit that failed.

        The code has a thread of its own, so that the writer can go on without it. While it hangs everybody's commits
        wait, for as long as its time is or until the engine is closed; what it has written by then is taken back.
        """
        if self._timeout is not None:
            raise self._timeout
        threads = self._conductor.attempts.transacting
        if threads.is_full:  # to wait until one of them comes back would be at the expense of everybody's commits
            raise StepTimeout(
                f"the transaction was not begun: {threads.hanging} others hang in their threads, and no more are made; "
                "restart this process, whose runs go on"
            )
        future: Future[Written] = threads.submit(self._context.run, self._run, transaction)
        threads.wait(future, max(0.0, transaction.left))
        if future.done():
            return future.result()
        self._timeout = transaction.take_back()
        if future.cancel():  # it has not even begun
            raise self._timeout
        wait([future], UNWINDING)  # a statement that was interrupted at its end raises in the code
        place = threads.leave(future)
        if place is not None:
            self._hangs(place)
        raise self._timeout

    def _hangs(self, place: Place) -> None:
        attempt = self._running.attempt
        self._timeout = StepTimeout(f"{self._timeout}; it hangs at {place}")
        closed = self._conductor.attempts.transacting.closed
        when = "before the engine was closed" if closed else f"in its time of {self._budget / 1_000_000:g} s"
        text = (
            f"the transaction of step {attempt.name} of run {attempt.run_id!r} has not come back {when} and hangs in "
            f"its thread at {place}; the others go on without it: put what waits, computes or asks others into a step "
            "before it"
        )
        attempt.host.log(attempt, "WARNING", "log", text)
        log.warning("%s", text, extra=about_attempt(attempt))

    def _run(self, transaction: Lending) -> Written:
        conductor, running = self._conductor, self._running
        command, attempt, journal = running.command, running.attempt, conductor.journal
        transaction.adopt()
        attempt.state_writes = attempt.artifacts = None  # an earlier try of the same commit was rolled back
        # Outside the transaction it would miss what steps of the same commit have written, and overwrite it.
        attempt.state_reader = transaction.read_state
        if attempt.cancel_requested:
            raise CancelledError("the step was cancelled before its turn came")
        args, kwargs = self._arguments
        self._result = result = running.runner.call(((transaction, *args), kwargs))
        payload = result if type(result) is Payload else running.runner.encode(result)
        event = e.StepCompleted(
            conductor.clock.now(), None, None, command.key, command.spec.name, command.attempt, command.hash,
            conductor.host.clean_result(attempt, payload), command.input, running.started_at, conductor.worker,
            command.spec.summary,
        )  # fmt: skip
        body, blobs = journal.write(event)
        writes: dict[tuple[str, str], Any] = attempt.state_writes or {}
        state = tuple(
            StateWrite(scope, key, None if value is None else journal.seal_value(value), attempt.namespace)
            for (scope, key), value in writes.items()
        )
        rows, more = artifacts.written(journal, attempt.artifacts or {})
        return Written(body, (*blobs, *more), state, rows)

    def answered(self, answer: Transacted | Rejected | Exception) -> None:
        """What the store says. Interceptors see it; what is committed they cannot change any more."""
        running, inner = self._running, self._running.inner
        if isinstance(answer, Rejected):
            self._failed(Unstorable(f"the database cannot store what it wrote ({answer.reason})"))
        elif isinstance(answer, Transacted) and answer.error is not None:
            self._failed(answer.error)
        else:
            running.leave()
            if isinstance(answer, Transacted):
                self._committed(answer)
            if inner is not None and not inner.done():
                inner.set_result(self._result)

    def _failed(self, error: BaseException) -> None:
        running, inner = self._running, self._running.inner
        if inner is None:
            running.finish(Outcome(error=error, cancelled=running.stopping))
        elif not inner.done():
            inner.set_exception(error)

    def _committed(self, answer: Transacted) -> None:
        if answer.outcome != "closed":
            self._conductor.poke(answer.run)
        if answer.outbox:
            self._conductor.look_into_outbox()
