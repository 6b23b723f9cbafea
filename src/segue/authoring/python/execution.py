"""A workflow coroutine as an ``Execution``: events resolve the futures it awaits, its calls become commands.

The state of a run is the coroutine itself; it comes back by replay. One event at a time is applied, then the loop is
drained to quiescence. The current run is found from the running loop (``current``), never from a global.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any, NoReturn, Protocol
from uuid import UUID

from segue.authoring.python import shims
from segue.authoring.python.calls import Calls
from segue.authoring.python.loop import WorkflowLoop, WorkflowTask
from segue.authoring.python.messages import HEADERS, MessagePolicy, Messages
from segue.errors import (
    CallerError,
    NonDeterminism,
    NotDeterministic,
    NotInWorkflow,
    PayloadError,
    RunTimeout,
)
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.adoption import PATCH, OtherCode, Past
from segue.kernel.encoding import Encodings
from segue.kernel.execution import Deadline, Form
from segue.kernel.failures import describe
from segue.kernel.interception import Interceptor, RunCall, chain
from segue.kernel.payload import Payload

shims.install()
_get_running_loop = asyncio._get_running_loop
_NOT_THE_WORKFLOWS = (NonDeterminism, NotDeterministic, PayloadError)
"""What the run's code cannot be blamed for or cannot mend: the run stands still instead of failing."""


class Definition(Protocol):
    """What an execution needs to know of a workflow."""

    name: str
    version: str
    policy: MessagePolicy

    def begin(self, payload: Payload) -> Coroutine[Any, Any, Any]:
        """The coroutine, called with the decoded input. Raises ``PayloadError``."""

    def encode_result(self, value: Any) -> Payload: ...

    def encode_input(self, args: tuple[Any, ...]) -> tuple[Payload, str]:
        """Arguments for another run of it, and their hash. Raises ``InvalidArgument``, ``PayloadError``."""

    def may_drop(self, step: str) -> bool:
        """Whether a recorded outcome of the step may go unused."""

    def is_pure(self, step: str) -> bool:
        """Whether the step has no side effects, so that it may run again."""

    def mentions(self, step: str) -> bool:
        """Whether the code may come to call the step; True where that cannot be told."""


class ContinueAsNew(BaseException):
    """On its way out of a workflow that goes on as a new run. No ``Exception``: what handles errors lets it pass."""

    def __init__(self, input: Payload, hash: str) -> None:
        super().__init__("the workflow goes on as a new run")
        self.input = input
        self.hash = hash


class CodeExecution:
    """A run of a Python workflow in memory. Implements ``kernel.execution.Execution``.

    Args:
        definition: the workflow.
        encodings: how values cross the border.
        hash_key: key of the argument hashes, when a codec encrypts.
        interceptors: what is around the workflow.

    What is seldom looked at has its default in the class.

    Attributes:
        events: how many events it has taken in. began: when its code began (µs).
        paused: what has come in since a person paused it, to be seen when it goes on.
    """

    started: e.RunStarted | None = None
    expected_markers: frozenset[str] = frozenset()
    headers: e.Headers | None = None
    began = 0
    _seed = 0
    _random: random.Random | None = None
    _root: asyncio.Task[Any] | None = None
    _closed = False
    _cancel: e.CancelRequested | None = None
    _callback_error: BaseException | None = None
    _timed_out = False
    _next: ContinueAsNew | None = None
    _messages: Messages | None = None

    def __init__(
        self,
        definition: Definition,
        *,
        encodings: Encodings,
        hash_key: bytes | None = None,
        interceptors: Sequence[Interceptor] = (),
    ) -> None:
        self.definition = definition
        self._interceptors = interceptors
        self.encodings = encodings
        self.hash_key = hash_key
        self.replaying = False
        self.past: Past | None = None
        self.carries_headers = False
        self.events = 0
        self.paused: list[e.Event] | None = None
        self.commands: list[c.Command] = []
        self.calls = Calls(self)
        self.loop: WorkflowLoop
        self._patches: dict[str, bool] = {}
        self._last_round: list[WorkflowTask[Any]] = []

    # --- the Execution protocol -------------------------------------------------------------------------------

    @property
    def deadline(self) -> Deadline | None:
        if self._closed or self.paused is not None or not self.loop.timers:
            return None
        return self.loop.deadline

    @property
    def messages(self) -> Messages:
        """The run's mail; most runs never get any."""
        if self._messages is None:
            ending = self._root is not None and self._root.done()
            self._messages = Messages(self, self.definition.policy, ending=ending)
        return self._messages

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def version(self) -> str:
        return self.definition.version

    def apply(self, event: e.Event) -> None:
        loop = self.loop if self.started is not None else self._prepare(event)
        take = self._take if self.paused is None else self._hold_back
        if loop.entered:
            take(event)
        else:
            loop.enter(take, event)

    def within(self, function: Callable[..., None], *args: Any) -> None:
        if self.started is None:  # there is nothing to enter yet
            function(*args)
        else:
            self.loop.enter(function, *args)

    def _hold_back(self, event: e.Event) -> None:
        """Keeps what comes in while a person has paused the run; with the one that lets it go on, all of it is seen."""
        assert self.paused is not None
        if type(event) is e.Resumed and event.key is None:
            kept, self.paused = self.paused, None
            # One at a time, each at its own time: timers that became due meanwhile fire where they belong.
            for earlier in (*kept, event):
                self._take(earlier)
            self._end_last()
        elif type(event) is not e.Paused or event.key is not None:
            self.paused.append(event)

    def _end_last(self) -> None:
        """Puts the end of the run behind what else it asks for: of several events that are seen at once, the first may
        have ended it."""
        ends = [command for command in self.commands if type(command) in c.ENDS]
        if ends:
            self.commands[:] = [command for command in self.commands if type(command) not in c.ENDS]
            self.commands.append(ends[-1])

    def _take(self, event: e.Event) -> None:
        loop = self.loop
        self.events += 1
        # Time first: what became due before the event happened comes before it, whatever delayed its noticing.
        if event.at > loop.now:
            loop.now = event.at
            if loop.timers and loop.due:
                loop.run_ready()
        kind = type(event)
        answer = _ANSWERS.get(kind)
        if answer is not None:
            answer(self.calls, event)
        else:
            _APPLY[kind](self, event)
        loop.run_ready()
        root = self._root
        if root is not None and root.done():
            if self._closed:
                self._end_otherwise(event)
            elif self._messages is None or self._messages.may_end(root):
                self._wind_up(root)
        if self.past is not None and self.past.passed:
            self.calls.keys.check_moved(self.calls.is_open)

    def check_moved(self) -> None:
        self.calls.keys.check_moved(self.calls.is_open)

    def check_takeover(self) -> None:
        self.calls.keys.check_takeover()

    def unclaimed(self) -> list[str]:
        return [] if self.past is None else [call.name for call in self.past.unused(self.definition.may_drop)]

    def outstanding(self) -> list[c.Command]:
        return self.calls.outstanding()

    def signals_awaited(self) -> list[str]:
        return [] if self._messages is None else self._messages.awaited()

    def signal_forms(self) -> dict[str, dict[str, Any]]:
        return self.messages.forms()

    def update_forms(self) -> dict[str, Form]:
        return self.messages.update_forms()

    def query_forms(self) -> dict[str, Form]:
        return self.messages.query_forms()

    def modifiable(self, action: str) -> list[str]:
        return self.calls.modifiable(action)

    def validate_result(self, key: str, payload: Payload) -> None:
        self.calls.validate_result(key, payload)

    def query(self, name: str, arguments: list[Any]) -> Any:
        return self.messages.answer(name, arguments)

    def validate_update(self, name: str, payload: Payload) -> None:
        self.messages.validate_update(name, payload)

    def knows_update(self, update: str) -> bool:
        return self.messages.knows_update(update)

    def updates_behind(self, key: str) -> list[str]:
        return self.messages.behind(key)

    def validate_signal(self, name: str, payload: Payload) -> None:
        self.messages.validate_signal(name, payload)

    def close(self) -> None:
        if self.started is None:
            return  # it was never begun, or is closed
        self.loop.kill()
        # Its parts know each other. Taken apart, they are gone at once; otherwise runs that have left memory pile up in
        # it until the cycle collector comes by (measured: 1.6 kB for each that sleeps).
        self.calls.forget()
        commands = self.commands
        vars(self).clear()
        self._closed, self.started, self.commands = True, None, commands

    @property
    def uid(self) -> str:
        """The run's internal id, from which keys are derived."""
        assert self.started is not None
        return self.started.uid

    @property
    def run_id(self) -> str:
        """The caller's id of the run."""
        assert self.started is not None
        return self.started.id

    @property
    def cancel_requested(self) -> bool:
        return self._cancel is not None

    def outgoing_headers(self) -> e.Headers | None:
        """What goes along with whatever the running code calls."""
        return HEADERS.get(self.headers) if self.carries_headers else None

    # --- applying events --------------------------------------------------------------------------------------

    def _prepare(self, event: e.Event) -> WorkflowLoop:
        if not isinstance(event, e.RunStarted):
            raise NonDeterminism(f"a journal begins with RunStarted, this one with {type(event).__name__}")
        if self.replaying and self.past is None and event.version != self.definition.version:
            raise OtherCode
        self.started = event
        if event.headers:
            self.headers, self.carries_headers = event.headers, True
        seed = int(event.seed or event.uid, 16)
        self._seed = seed
        self.began = event.at if event.begin is None else event.begin
        self.loop = WorkflowLoop(salt=seed, owner=self)  # type: ignore[abstract]
        self.loop.on_error = self._callback_failed
        return self.loop

    def _run_started(self, event: e.RunStarted) -> None:
        if event.begin is None:
            self._begin(event)
        else:
            self.loop.call_at_microsecond(event.begin, self._begin, event).summary = "start"

    def _begin(self, event: e.RunStarted) -> None:
        if self._root is not None:
            return  # cancelled before it began
        if event.timeout is not None:
            self.loop.call_at_microsecond(self.began + event.timeout, self._time_out).summary = "run timeout"
        coroutine = self.definition.begin(event.input)
        if self._interceptors:
            coroutine = self._intercepted(coroutine, event)
        self._root = self.loop.spawn(coroutine, "")

    async def _intercepted(self, workflow: Coroutine[Any, Any, Any], event: e.RunStarted) -> Any:
        async def innermost(call: RunCall) -> Any:
            if call.headers != (event.headers or {}):
                self.headers, self.carries_headers = call.headers, True
            return await workflow

        try:
            call = RunCall(event.workflow, event.id, dict(event.headers or {}), self.replaying)
            return await chain(self._interceptors, "run", innermost)(call)
        finally:
            workflow.close()  # of use only where an interceptor did not go on with it

    def _time_out(self) -> None:
        """The run has taken too long: it is stopped as by a cancellation, and ends as failed."""
        if self._cancel is None and self._root is not None and not self._root.done():
            self._timed_out = True
            self._root.cancel("the run took longer than its timeout")

    def _cancel_requested(self, event: e.CancelRequested) -> None:
        # Repeated requests are no-ops: a second one must not break into the compensation that the first one began.
        if self._cancel is not None or self._timed_out:
            return
        if self._root is None:
            self._root = self.loop.spawn(_never_began(), "")  # it was to begin later, and never does
        self._cancel = event
        self._root.cancel(event.reason or None)  # one that has returned already is left as it is

    def _paused(self, event: e.Paused) -> None:
        self.events -= 1
        if event.key is None:
            self.paused = []
        else:
            self.calls.paused(event)

    def _resumed(self, event: e.Resumed) -> None:
        self.events -= 1
        if event.key is not None:
            self.calls.resumed(event)

    def _incident_opened(self, event: e.IncidentOpened) -> None:
        self.events -= 1  # not all of them are applied before the run is replayed
        self.calls.incident_opened(event)

    def _incident_resolved(self, event: e.IncidentResolved) -> None:
        self.events -= 1
        self.calls.incident_resolved(event)

    def _timer_fired(self, event: e.TimerFired) -> None:
        """Nothing to do: the clock went on, and what is due fires in the drain that follows."""

    def _ignore(self, event: e.Event) -> None:
        """Of interest to the runtime and to readers only."""

    # --- the end ----------------------------------------------------------------------------------------------

    def _wind_up(self, root: asyncio.Task[Any]) -> None:
        """As ``asyncio.run`` does: what is still running is cancelled, once, and waited for; async generators that
        were left open are closed; then the run closes. What compensates is waited for and not cancelled."""
        loop = self.loop
        while all(task.done() for task in self._last_round):
            self._last_round = [task for task in loop.tasks if not task.done()]
            if not self._last_round:
                generators = loop.open_generators()
                if not generators:
                    self._finish(root)
                    return
                self._last_round = [loop.spawn(_close_generators(generators), "/~end")]
            else:
                for task in self._last_round:
                    if not task.shielded:
                        task.cancel()
            loop.run_ready()

    def _finish(self, root: asyncio.Task[Any]) -> None:
        self.calls.keys.check_unused()
        error = asyncio.CancelledError() if root.cancelled() else root.exception()
        error = self._callback_error or error
        self._tell_failures()
        if isinstance(error, ContinueAsNew) and self._cancel is None:
            self._closed = True
            self._next, self.messages.left_to_next = error, True
            self._go_on(error)
            return
        if self._messages is not None:
            self._messages.leave_unanswered()
        if error is None:
            command = self._completion(root.result())
        elif isinstance(error, (asyncio.CancelledError, ContinueAsNew)) and self._cancel is not None:
            command = c.Cancelled(self._cancel.reason)
        else:
            if self._timed_out and isinstance(error, asyncio.CancelledError):
                error = self._timeout()
            command = c.Fail(describe(error, self.encodings))
        self._closed = True
        self.commands.append(command)

    def _go_on(self, to: ContinueAsNew) -> None:
        self.commands.append(c.ContinueAsNew(to.input, to.hash, self.events > 1, self.messages.untaken()))

    def _end_otherwise(self, event: e.Event) -> None:
        """The run has ended in its code, and its journal goes on: the code before it went on for longer. What came for
        it since is for the run that follows; the command that ends it is given anew."""
        if self._next is None:
            return
        if self._cancel is not None:
            self._next = None
            self.messages.leave_unanswered()
            self.commands.append(c.Cancelled(self._cancel.reason))
        elif isinstance(event, (e.SignalReceived, e.UpdateAccepted)):
            self._go_on(self._next)

    def _timeout(self) -> RunTimeout:
        assert self.started is not None
        limit = (self.started.timeout or 0) / 1_000_000
        return RunTimeout(
            f"run {self.started.id!r} took longer than its timeout of {limit:g} s", run_id=self.started.id
        )

    def _completion(self, result: Any) -> c.Command:
        try:
            return c.Complete(self.definition.encode_result(result))
        except PayloadError as error:
            return c.Fail(describe(error, self.encodings))

    def _tell_failures(self) -> None:
        """asyncio tells of a task that failed unasked when the garbage collector finds it; here the run's end does."""
        for task in self.loop.tasks:
            if task is not self._root and task._log_traceback:
                error = task.exception()
                self.commands.append(c.Log("ERROR", f"{task.get_name()} failed, and nobody awaited it: {error!r}"))

    def _callback_failed(self, callback: Callable[..., object], error: BaseException) -> None:
        """A callback raised, and no task is there to take it: that is an uncaught error of the run."""
        if isinstance(error, _NOT_THE_WORKFLOWS):
            self.loop.halted = error
        elif self._callback_error is None:
            self._callback_error = error
            if self._root is not None:
                self._root.cancel(f"a callback failed: {error!r}")

    # --- what workflow code asks for --------------------------------------------------------------------------

    def issue(self, command: c.Command) -> None:
        """Takes a command from running workflow code.

        Raises:
            NotDeterministic: a query tried to act.
        """
        if self.loop.reading:
            self.loop.forbid_in_queries(_in_words(command))
        if not self.loop.dead:
            self.commands.append(command)

    def continue_as_new(self, args: tuple[Any, ...]) -> NoReturn:
        """Ends the run by going on as a new one.

        Raises:
            CallerError: not called by the workflow's own task.
        """
        self.loop.forbid_in_queries("continue as new")
        if asyncio.current_task(self.loop) is not self._root:
            raise CallerError(
                "continue_as_new() ends the run: call it in the workflow's own function, not in a task, a handler or a "
                "callback of it; let that one tell the workflow"
            )
        raise ContinueAsNew(*self.definition.encode_input(args))

    def patched(self, name: str) -> bool:
        """True on runs that reached this place first with the code that has the patch."""
        known = self._patches.get(name)
        if known is None:
            # A journal that passed here without the marker was written by the code before the patch, and the run
            # keeps that answer for good; also when something that is new in this code has kept it from coming here
            # before the end of its journal.
            past = self.past
            known = name in self.expected_markers or (past is not None and name in past.patches)
            if not known and not self.replaying:
                known = past is None or not self._has_been_passed(past)
            if known:
                self.issue(c.RecordMarker(PATCH, name))
            self._patches[name] = known
        return known

    def _has_been_passed(self, past: Past) -> bool:
        """Whether the code before has come further than the current task is now."""
        task = asyncio.current_task(self.loop)
        return isinstance(task, WorkflowTask) and past.lies_ahead(task.path, task.children, self.definition.may_drop)

    @property
    def random(self) -> random.Random:
        """The run's own generator; seeding one costs more than most runs do otherwise.

        Raises:
            NotDeterministic: in a query; the next number belongs to the workflow.
        """
        self.loop.forbid_in_queries("draw random numbers")
        if self._random is None:
            self._random = random.Random(self._seed)
        return self._random

    def uuid4(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)


_ANSWERS: dict[type[e.Event], Callable[[Calls, Any], None]] = {
    e.StepStarted: Calls.step_started,
    e.StepCompleted: Calls.step_completed,
    e.StepFailed: Calls.step_failed,
    e.StepScheduled: Calls.step_scheduled,
    e.StepCached: Calls.step_completed,
    e.ChildStarted: Calls.child_started,
    e.ChildCompleted: Calls.child_completed,
    e.MessageSent: Calls.message_sent,
    e.TaskCompleted: Calls.task_completed,
    e.DecisionEvaluated: Calls.decision_evaluated,
    e.Modified: Calls.modified,
}
"""Events that tell what became of a call."""

_APPLY: dict[type[e.Event], Callable[[CodeExecution, Any], None]] = {
    e.RunStarted: CodeExecution._run_started,
    e.TimerFired: CodeExecution._timer_fired,
    e.CancelRequested: CodeExecution._cancel_requested,
    e.SignalReceived: lambda x, event: x.messages.signal_received(event),
    e.UpdateAccepted: lambda x, event: x.messages.update_accepted(event),
    e.IncidentOpened: CodeExecution._incident_opened,
    e.IncidentResolved: CodeExecution._incident_resolved,
    e.Paused: CodeExecution._paused,
    e.Resumed: CodeExecution._resumed,
    e.RunTerminated: CodeExecution._ignore,
}


async def _never_began() -> None:
    """Stands for a workflow whose run is cancelled before it begins."""


def _raised(task: asyncio.Task[Any]) -> BaseException | None:
    return None if task.cancelled() else task.exception()


def _in_words(command: c.Command) -> str:
    """What a command asks for: "set attributes"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(command).__name__).lower()


async def _close_generators(generators: list[AsyncGenerator[Any, Any]]) -> None:
    for generator in reversed(generators):
        await generator.aclose()


def current() -> CodeExecution | None:
    """The run whose code is running on this thread now, or None outside a workflow."""
    loop = _get_running_loop()
    return loop.owner if type(loop) is WorkflowLoop else None


def require(what: str) -> CodeExecution:
    """The current run.

    Raises:
        NotInWorkflow: called from anywhere else.
    """
    execution = current()
    if execution is None:
        raise NotInWorkflow(f"{what} only means something inside a workflow")
    return execution
