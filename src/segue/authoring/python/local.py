"""``workflow.local(…)``: a whole workflow in memory, with no engine and no record, on the same deterministic loop.

Steps run as they would, with their retries and time limits, in this process; child runs run beside it; keyed state,
large results and artifacts live as long as the call. What needs somebody outside (a person, a signal, the store's
database) is answered by what the caller gives, or refused with what to use instead. Other runs are not there.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextvars import Context
from typing import Any, TypeVar, cast
from uuid import uuid4

import msgspec

from segue.authoring.python.alone import Alone, Nobody
from segue.authoring.python.bound import BoundStep
from segue.authoring.python.execution import CodeExecution, Definition, current
from segue.authoring.python.registry import STEPS, WORKFLOWS, definition_of, refuse_called
from segue.errors import CallerError, PayloadError, RunCancelled, RunFailed, SecretNotFound, StepTimeout
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.attempt import CURRENT, Attempt
from segue.kernel.encoding import Encodings
from segue.kernel.failures import describe
from segue.kernel.payload import Payload
from segue.kernel.reference import brought_back, keep_apart
from segue.kernel.retry import NoVerdict, next_attempt

R = TypeVar("R")


FindSecret = Callable[[str], str]
THREADS = 32
"""Plain functions that run at once."""


def _nowhere(name: str) -> str:
    raise SecretNotFound(name, [])


find_secret: FindSecret = _nowhere
"""Finds a secret for calls that are given none. ``segue`` puts it here: settings and back ends are no matter of this
layer."""


class NobodyAnswers(CallerError):
    """The run waits for somebody that a local one does not have. ``waits``: for what."""

    def __init__(self, waits: str, remedy: str) -> None:
        super().__init__(f"{waits}; {remedy}")
        self.waits = waits


class Surroundings(Alone):
    """What the steps of one call find around them. They share keyed state and large results.

    Attributes:
        answers: of people, by the name of the task. signals: values by the signal's name, in order.
        skip: waits take no time.
    """

    def __init__(
        self,
        encodings: Encodings,
        *,
        secrets: Mapping[str, str] | FindSecret | None,
        answers: Mapping[str, Any],
        signals: Mapping[str, list[Any]],
        skip: bool,
    ) -> None:
        super().__init__(secrets if isinstance(secrets, Mapping) else None)
        self._find = None if isinstance(secrets, Mapping) else secrets or find_secret
        self.encodings = encodings
        self.answers = answers
        self.signals = signals
        self._skip = skip
        self._skipped = 0
        self._kept: dict[str, bytes] = {}
        self.places = asyncio.Semaphore(THREADS)

    def now(self) -> int:
        """µs since 1970, with what was skipped."""
        return time.time_ns() // 1_000 + self._skipped

    def wait(self, until: int) -> float:
        """Seconds to wait until then: none, if waits are skipped and nothing else can happen meanwhile."""
        left = max(0, until - self.now())
        if self._skip:
            self._skipped += left
            return 0
        return left / 1_000_000

    def _secret(self, name: str) -> str:
        if self._find is not None:
            return self._find(name)
        if name not in self._secrets:
            raise SecretNotFound(name, ["the secrets= of segue.locally"])
        return self._secrets[name]

    def keep(self, payload: Payload, step: str) -> Payload:
        """A reference to a value."""
        ref, address, data = keep_apart(payload, step, None)
        self._kept[address] = data
        return ref

    def read_reference(self, attempt: Attempt, ref: str, encoding: str) -> tuple[Payload, Encodings]:
        if ref not in self._kept:
            raise PayloadError(f"$: nothing is kept under {ref} in this call")
        return brought_back(encoding, self._kept[ref], None), self.encodings

    def take_over(self, attempt: Attempt) -> None:
        """Keyed state that a step has written, now that it has succeeded."""
        writes: dict[tuple[str, str], bytes | None] = attempt.state_writes or {}
        for key, value in writes.items():
            if value is None:
                self._state.pop(key, None)
            else:
                self._state[key] = value


class _OneThread:
    """An executor that has a thread for each call, which keeps no program from ending: it may never come back."""

    @staticmethod
    def submit(function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        threading.Thread(target=_settle, args=(future, function, args), name="segue-step", daemon=True).start()
        return future


def _settle(future: Future[Any], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function(*args))
    except BaseException as error:
        future.set_exception(error)


class Local:
    """One run in memory. Its execution is driven from plain callbacks of the outer loop only."""

    def __init__(self, definition: Definition, around: Surroundings, *, id: str, uid: str) -> None:
        self._around = around
        self._execution = CodeExecution(definition, encodings=around.encodings)
        self._who = Nobody(0, id, uid, "default", definition.name)
        self._definition = definition
        self._loop = asyncio.get_running_loop()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._children: dict[str, Local] = {}
        self._signals = {name: list(values) for name, values in around.signals.items()}
        self._timer: asyncio.TimerHandle | None = None
        self._coming = 0
        """Events that are on their way."""
        self.ended: asyncio.Future[c.Command] = self._loop.create_future()

    def start(self, input: Payload) -> None:
        who = self._who
        self._soon(
            e.RunStarted(self._around.now(), "local", None, who.workflow, who.id, who.uid, input,
                         version=self._definition.version)
        )  # fmt: skip

    def cancel(self, reason: str) -> None:
        """Asks it to stop, as ``handle.cancel`` does."""
        self._soon(e.CancelRequested(self._around.now(), "local", None, reason))

    def _soon(self, event: e.Event) -> None:
        self._coming += 1
        self._loop.call_soon(self._come, event, self._execution)

    def _come(self, event: e.Event, of: CodeExecution) -> None:
        self._coming -= 1
        if of is self._execution:
            self._apply(event)
        else:  # it went on as a new run meanwhile
            self._go_on()

    def _apply(self, event: e.Event) -> None:
        if self.ended.done():
            return
        try:
            self._execution.apply(msgspec.structs.replace(event, at=max(event.at, self._now)))
            commands, self._execution.commands = self._execution.commands, []
            for command in commands:
                carry = _CARRY.get(type(command))
                if carry is not None:
                    carry(self, command)
            self._go_on()
        except Exception as error:  # the run cannot go on: whoever called it is told why
            self._fail(error)

    @property
    def _now(self) -> int:
        started = self._execution.started
        return 0 if started is None else self._execution.loop.now

    def _fail(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)

    def _go_on(self) -> None:
        """Signals that are waited for, then time; if nothing can happen any more, says so."""
        if self.ended.done() or self._coming:
            return
        for name in self._execution.signals_awaited():
            if self._signals.get(name):
                value = self._around.encodings.encode(self._signals[name].pop(0))
                self._soon(e.SignalReceived(self._around.now(), "local", None, name, value))
                return
        deadline = self._execution.deadline
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None and not self._tasks:
            self._timer = self._loop.call_later(self._around.wait(deadline.at), self._fire)
        elif deadline is not None:
            left = max(0, deadline.at - self._around.now()) / 1_000_000
            self._timer = self._loop.call_later(left, self._fire)
        elif not self._tasks:
            waits = ", ".join(self._execution.signals_awaited()) or "something that nobody will send"
            self._fail(NobodyAnswers(f"the run waits for {waits}", "give it with signals={name: [values]}"))

    def _fire(self) -> None:
        deadline = self._execution.deadline
        if deadline is not None:
            self._apply(e.TimerFired(max(self._around.now(), deadline.at), None, None, deadline.timer))

    async def result(self) -> Any:
        """How it ended: what a handle's ``result`` would give or raise."""
        try:
            command = await self.ended
        finally:
            await self._close()
        if isinstance(command, c.Complete):
            return self._execution.definition.decode_result(command.result)  # type: ignore[attr-defined]
        if isinstance(command, c.Fail):
            failure = command.failure
            raise RunFailed(
                f"run {self._who.id!r} failed: {failure.type}: {failure.message}", run_id=self._who.id, failure=failure
            )
        raise RunCancelled(f"run {self._who.id!r} was cancelled", run_id=self._who.id)

    async def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        self._loop.call_soon(self._execution.close)

    # --- commands ---------------------------------------------------------------------------------------------

    def _begin(self, key: str, coroutine: Any) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks[key] = task
        task.add_done_callback(lambda task: self._over(key, task))

    def _over(self, key: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error if isinstance(error, Exception) else CallerError(repr(error)))

    def _run_step(self, command: c.RunStep) -> None:
        self._begin(command.key, self._attempt(command))

    async def _attempt(self, command: c.RunStep) -> None:
        spec, around = command.spec, self._around
        attempt = Attempt(self._who, command.key, spec.name, command.attempt, around)
        event: e.Event
        try:
            result = await self._call(command, attempt)
        except (Exception, asyncio.CancelledError) as error:
            stopped = isinstance(error, asyncio.CancelledError)
            if self.ended.done() or self._tasks.get(command.key) is not asyncio.current_task():
                raise
            wrong: BaseException = error
            try:
                retry_at, retryable = (None, False) if stopped else next_attempt(
                    spec.retry, command.failures + 1, error, now=around.now(), draw=random.random()
                )  # fmt: skip
            except NoVerdict as none:
                wrong, retry_at, retryable = none.error, None, False
            failure = describe(wrong, around.encodings, retryable=retryable)
            event = e.StepFailed(
                around.now(), None, None, command.key, spec.name, command.attempt, command.hash, failure, retry_at
            )
        else:
            around.take_over(attempt)
            event = e.StepCompleted(
                around.now(), None, None, command.key, spec.name, command.attempt, command.hash, result
            )
        del self._tasks[command.key]
        self._soon(event)

    async def _call(self, command: c.RunStep, attempt: Attempt) -> Payload:
        spec = command.spec
        step = STEPS.get(spec.name)
        if spec.executor == "transaction":
            raise CallerError(f"{spec.name} is a transactional step, and there is no database here: use an engine")
        if spec.executor == "queue":
            raise CallerError(
                f"{spec.name} waits in the queue {spec.queue!r}, and there is no database here: use an engine"
            )
        assert step is not None, "the workflow has just called it"
        runner: BoundStep = step.bind(self._around.encodings)
        context = Context()
        context.run(CURRENT.set, attempt)
        arguments = runner.decode(command.input)
        if spec.executor == "loop":
            work: asyncio.Future[Any] = self._loop.create_task(runner.call(arguments), context=context)
        else:
            work = self._loop.create_task(self._in_thread(context, runner, arguments))
        try:
            result = await asyncio.wait_for(work, None if spec.timeout is None else spec.timeout / 1_000_000)
        except asyncio.CancelledError:
            attempt.cancel()
            raise
        except TimeoutError as error:
            if work.cancelled():
                attempt.cancel()
                raise StepTimeout(f"{spec.name} took longer than its timeout") from error
            raise
        if attempt.handed_over:
            raise CallerError(f"{spec.name} is completed from outside, and nobody is here: use an engine")
        payload = runner.encode(result)
        return self._around.keep(payload, spec.name) if spec.by_reference else payload

    async def _in_thread(self, context: Context, runner: BoundStep, arguments: Any) -> Any:
        async with self._around.places:  # until it has come back, or nobody waits for it any more
            return await self._loop.run_in_executor(cast(Any, _OneThread), context.run, runner.call, arguments)

    def _cancel_step(self, command: c.CancelStep) -> None:
        task = self._tasks.get(command.key)
        if task is not None:
            task.cancel()

    def _stand_still(self, command: c.StandStill) -> None:
        failure = command.failure
        self._fail(
            RunFailed(
                f"step {command.name} would stand still on an incident: {failure.type}: {failure.message}",
                run_id=self._who.id,
                failure=failure,
            )
        )

    def _start_child(self, command: c.StartChild) -> None:
        workflow = WORKFLOWS.get(command.workflow)
        assert workflow is not None, "the parent has just called it"
        child = self._children[command.key] = Local(
            workflow.bind(self._around.encodings), self._around, id=command.id, uid=command.uid
        )
        self._soon(
            e.ChildStarted(
                self._around.now(), None, None, command.key, command.workflow, command.id, command.uid, command.hash
            )
        )
        self._begin(command.key, self._child(command.key, child, command.input))

    async def _child(self, key: str, child: Local, input: Payload) -> None:
        child.start(input)
        try:
            command = await child.ended
        finally:
            await child._close()
        result = command.result if isinstance(command, c.Complete) else None
        failure = command.failure if isinstance(command, c.Fail) else None
        state = "completed" if result is not None else "failed" if failure is not None else "cancelled"
        del self._tasks[key]
        self._soon(e.ChildCompleted(self._around.now(), None, None, key, state, result, failure))

    def _cancel_child(self, command: c.CancelChild) -> None:
        if command.key in self._children:
            self._children[command.key].cancel(command.reason)

    def _open_task(self, command: c.OpenTask) -> None:
        if command.name not in self._around.answers:
            raise NobodyAnswers(
                f"the run asks {command.assignee} to answer {command.name!r}, and nobody is here",
                f"give it with answers={{{command.name!r}: …}}",
            )
        answer = self._around.encodings.encode(self._around.answers[command.name])
        self._soon(e.TaskCompleted(self._around.now(), f"user:{command.assignee}", None, command.key, answer))

    def _send(self, command: c.SendMessage) -> None:
        self._soon(
            e.MessageSent(
                self._around.now(), None, None, command.key, command.kind, command.id, command.name, command.hash,
                "unknown",
            )
        )  # fmt: skip

    def _decided(self, command: c.RecordDecision) -> None:
        self._soon(command.event)

    def _continue(self, command: c.ContinueAsNew) -> None:
        # What this run has left behind ends with it, and is not the next one's: that may call by the same keys.
        left, self._tasks, self._children = self._tasks, {}, {}
        for task in left.values():
            task.cancel()
        self._loop.call_soon(self._execution.close)
        self._execution = CodeExecution(self._definition, encodings=self._around.encodings)
        self._who.uid = uuid4().hex
        self.start(command.input)
        for event in command.kept:
            self._soon(event)

    def _log(self, command: c.Log) -> None:
        self._around.lines.append((command.level, command.message))

    def _attach(self, command: c.Attach) -> None:
        self._around.artifacts[command.name] = command.value

    def _end(self, command: c.Command) -> None:
        self.ended.set_result(command)


_CARRY: dict[type[c.Command], Callable[[Local, Any], None]] = {
    c.RunStep: Local._run_step,
    c.CancelStep: Local._cancel_step,
    c.StandStill: Local._stand_still,
    c.StartChild: Local._start_child,
    c.CancelChild: Local._cancel_child,
    c.OpenTask: Local._open_task,
    c.SendMessage: Local._send,
    c.RecordDecision: Local._decided,
    c.Log: Local._log,
    c.Attach: Local._attach,
    c.ContinueAsNew: Local._continue,
    c.Complete: Local._end,
    c.Fail: Local._end,
    c.Cancelled: Local._end,
}
"""What is left out is written for readers of a record, and there is none."""


async def locally(
    workflow: Callable[..., Coroutine[Any, Any, R]],
    /,
    *args: Any,
    encodings: Encodings | None = None,
    secrets: Mapping[str, str] | None = None,
    answers: Mapping[str, Any] | None = None,
    signals: Mapping[str, list[Any]] | None = None,
    skip_waits: bool = False,
) -> R:
    """Runs a workflow to its end in memory, on the loop that replays it in an engine, and records nothing.

    Args:
        encodings: how values are written; by default JSON alone (``segue.encodings.default_encodings()`` for tables).
        secrets: by name; by default from where an engine would take them (docs/secrets.md).
        answers: of people, by the name of the task. signals: values by name, in order.
        skip_waits: waits take no time when nothing else is under way.

    Raises:
        RunFailed, RunCancelled: how it ended.
        CallerError: it waits for somebody who is not here.
    """
    result: R = await run_locally(
        workflow, args, {}, encodings=encodings, secrets=secrets, answers=answers, signals=signals,
        skip_waits=skip_waits,
    )  # fmt: skip
    return result


async def run_locally(
    workflow: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    encodings: Encodings | None = None,
    secrets: Mapping[str, str] | FindSecret | None = None,
    answers: Mapping[str, Any] | None = None,
    signals: Mapping[str, list[Any]] | None = None,
    skip_waits: bool = False,
) -> Any:
    """``locally``, with keyword arguments of the workflow's; ``secrets`` may be what finds them."""
    if current() is not None:
        raise CallerError("a workflow awaits the other workflow; running one locally is for programs and notebooks")
    used = encodings or Encodings()
    refuse_called(workflow)
    workflow = definition_of(workflow)
    bound = workflow.bind(used)
    input, _ = bound.call_site.encode(args, kwargs)
    around = Surroundings(
        used, secrets=secrets, answers=answers or {}, signals=signals or {}, skip=skip_waits
    )  # fmt: skip
    run = Local(bound, around, id="local", uid=uuid4().hex)
    run.start(input)
    return await run.result()
