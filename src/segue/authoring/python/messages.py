"""Signals, updates and queries: what reaches a run while it goes on.

Signals that nobody waits for yet are kept, in order. A handler that is registered later gets what has been kept. What
becomes of names that the run does not know is the workflow's ``MessagePolicy``.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator
from contextvars import Context, ContextVar, copy_context
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

import msgspec

from segue.errors import (
    ENDS_THE_PROGRAM,
    CallerError,
    InvalidArgument,
    NotDeterministic,
    PayloadError,
    QueryFailed,
    SegueError,
    SignalRefused,
    UnknownMessage,
    UpdateRejected,
)
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.canonical import Call
from segue.kernel.execution import Form
from segue.kernel.failures import describe, details_of, message_of, qualified_name, summary
from segue.kernel.payload import Payload
from segue.kernel.schemas import schema_of

if TYPE_CHECKING:
    from segue.authoring.python.execution import CodeExecution
    from segue.kernel.encoding import Encodings

T = TypeVar("T")
Unknown = Literal["keep", "refuse", "fail"]
Unfinished = Literal["cancel", "finish"]

HEADERS: ContextVar[e.Headers | None] = ContextVar("segue_headers")
"""Headers of the message that the running handler handles, on top of its run's."""


class MessagePolicy(msgspec.Struct, frozen=True, gc=False):
    """What a workflow does with messages that are no matter of course.

    Attributes:
        unknown_signals, unknown_updates: of a name that the run has no handler for and does not wait for: ``keep`` it
            until it has, ``refuse`` it, or ``fail`` the run.
        unfinished: handlers under way when the workflow returns: ``cancel`` them, or let them ``finish`` first.
    """

    unknown_signals: Unknown = "keep"
    unknown_updates: Unknown = "refuse"
    unfinished: Unfinished = "cancel"


class Channel(Generic[T]):
    """The signals of one name, as the workflow sees them: ``await`` takes the next one, ``async for`` all of them."""

    def __init__(self, messages: Messages, name: str, type: Any) -> None:
        self._messages = messages
        self._name = name
        self._type = type
        messages.expect(name, type)

    def __await__(self) -> Generator[Any, None, T]:
        event = yield from self._messages.take(self._name).__await__()
        execution = self._messages.execution
        try:
            decoded: T = execution.encodings.decode(event.payload, self._type)
        except PayloadError as error:
            execution.loop.halt(error)
        return decoded

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            yield await self

    def pending(self) -> int:
        """How many have arrived and were not taken."""
        return self._messages.waiting(self._name)


class SignalHandler:
    """A registered handler of signals: a function of the signal's value, or of nothing."""

    def __init__(self, name: str, function: Callable[..., Any], site: Call, encodings: Encodings) -> None:
        self.name = name
        self.function = function
        self._types = site.types
        self._decode = encodings.decode

    @property
    def type(self) -> Any:
        """Of the signal's value."""
        return self._types[0] if self._types else None

    def arguments(self, payload: Payload) -> tuple[Any, ...]:
        """The payload as what the function takes. Raises ``PayloadError``."""
        return (self._decode(payload, self._types[0]),) if self._types else ()


class UpdateHandler:
    """A registered update: how to run it, how its result is encoded, and who may refuse it beforehand."""

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        site: Call,
        encode: Callable[[Any], Payload],
        validate: Callable[..., Any] | None = None,
    ) -> None:
        self.name = name
        self.validate = validate
        self._function = function
        self._site = site
        self._encode = encode

    def form(self) -> Form:
        return _form(self._function, self._site)

    def check(self, payload: Payload, run: str) -> None:
        """Raises ``UpdateRejected`` if the arguments do not fit, or the validator refuses it; ``run``: its id."""
        update = f"update {self.name!r} of run {run!r}"
        try:
            args, kwargs = self._site.decode(payload)
        except PayloadError as error:
            raise UpdateRejected(f"{update} does not take these arguments: {error}") from error
        if self.validate is None:
            return
        try:
            self.validate(*args, **kwargs)
        except (UpdateRejected, NotDeterministic, *ENDS_THE_PROGRAM):
            raise
        except BaseException as error:
            type_name = qualified_name(type(error))
            why = f"{update} was refused by its validator: {type(error).__name__}: {message_of(error)}"
            raise UpdateRejected(why, type=type_name, details=details_of(error)) from error

    async def run(self, payload: Payload) -> Payload:
        args, kwargs = self._site.decode(payload)
        result = self._function(*args, **kwargs)
        return self._encode(await result if asyncio.iscoroutine(result) else result)


class Query:
    """A registered query."""

    def __init__(self, name: str, function: Callable[..., Any], site: Call) -> None:
        self.name = name
        self._function = function
        self._site = site

    def form(self) -> Form:
        return _form(self._function, self._site)

    def answer(self, arguments: list[Any], execution: CodeExecution) -> Any:
        """The answer, as whoever asks from another process would get it: a copy, so that nobody holds on to the run's
        own objects."""
        encodings = execution.encodings
        # As an update's are: whoever asks over the API has dates and amounts as JSON has them.
        args, kwargs = self._site.decode(encodings.encode_arguments(tuple(arguments)))
        try:
            answer = self._function(*args, **kwargs)
        except (SegueError, *ENDS_THE_PROGRAM):
            raise
        except BaseException as error:  # a CancelledError, say, would cancel whoever asks
            why = f"query {self.name!r} of run {execution.run_id!r} raised {summary(describe(error))}"
            raise QueryFailed(why, query=self.name, type=qualified_name(type(error))) from error
        return encodings.decode(encodings.encode(answer), self._site.returns)


class _Kept(NamedTuple, Generic[T]):
    """A message that nobody has taken, and as which of them it came."""

    number: int
    event: T


class Messages:
    """One run's mail.

    Attributes:
        handling: handlers that are under way, with what they handle.
        left_to_next: the run goes on as a new one; what comes still is for that one.
    """

    left_to_next = False

    def __init__(self, execution: CodeExecution, policy: MessagePolicy, *, ending: bool = False) -> None:
        self.execution = execution
        self.handling: dict[asyncio.Task[Any], str] = {}
        self._paths: dict[asyncio.Task[Any], tuple[str, str]] = {}
        self._policy = policy
        self._ending = ending
        self._kept: dict[str, deque[_Kept[e.SignalReceived]]] = {}
        self._takers: dict[str, deque[asyncio.Future[e.SignalReceived]]] = {}
        self._expected: dict[str, list[Any]] = {}
        self._signal_handlers: dict[str, SignalHandler] = {}
        self._update_handlers: dict[str, UpdateHandler] = {}
        self._queries: dict[str, Query] = {}
        self._kept_updates: dict[str, list[_Kept[e.UpdateAccepted]]] = {}
        self._came = 0
        self._updates: set[str] = set()

    # --- signals ----------------------------------------------------------------------------------------------

    def expect(self, name: str, type: Any) -> None:
        """The workflow takes signals of this name, as values of this type."""
        if not self.execution.loop.reading:
            types = self._expected.setdefault(name, [])
            if type not in types:
                types.append(type)

    def validate_signal(self, name: str, payload: Payload) -> None:
        """Looks at a signal before anything is recorded.

        Raises:
            SignalRefused: the run takes none of this name, or it does not fit what the run takes.
        """
        if self._unknown_signal(name) and self._policy.unknown_signals == "refuse":
            raise SignalRefused(self._no_such("signal", name, self._known_signals()))
        handler = self._signal_handlers.get(name)
        types = self._expected.get(name, ())
        error: PayloadError | None = None
        for read in [handler.arguments] if handler else [self._reader(type) for type in types]:
            try:
                read(payload)
                return
            except PayloadError as problem:
                error = problem
        if error is not None:
            run = self.execution.run_id
            raise SignalRefused(f"signal {name!r} does not fit what run {run!r} takes: {error}; nothing was recorded")

    def _reader(self, type: Any) -> Callable[[Payload], Any]:
        return lambda payload: self.execution.encodings.decode(payload, type)

    def signal_received(self, event: e.SignalReceived) -> None:
        handler = self._signal_handlers.get(event.name)
        if self.left_to_next:
            self._keep(event)
        elif handler is not None:
            self._deliver(handler, event)
        elif self._unknown_signal(event.name) and self._policy.unknown_signals != "keep":
            self._set_aside(event.name)
        elif not self._hand_over(event):
            self._keep(event)

    def _keep(self, event: e.SignalReceived) -> None:
        self._came += 1
        self._kept.setdefault(event.name, deque()).append(_Kept(self._came, event))

    def _unknown_signal(self, name: str) -> bool:
        return name not in self._signal_handlers and name not in self._expected

    def _known_signals(self) -> list[str]:
        return sorted({*self._signal_handlers, *self._expected})

    def _set_aside(self, name: str) -> None:
        """One that came through the inbox, where nobody could refuse it."""
        why = self._no_such("signal", name, self._known_signals())
        if self._policy.unknown_signals == "fail":
            self.execution.loop.call_soon(_raise, UnknownMessage(why))
        else:
            self.execution.commands.append(c.Log("WARNING", f"set aside: {why}"))

    def _no_such(self, kind: str, name: str, known: list[str]) -> str:
        listed = ", ".join(known) or "none"
        verb = "takes" if kind == "signal" else "answers"
        return f"run {self.execution.run_id!r} {verb} no {kind} {name!r} (it {verb}: {listed})"

    def _hand_over(self, event: e.SignalReceived) -> bool:
        """Gives a signal to whoever has waited longest, if anybody does."""
        takers = self._takers.get(event.name)
        while takers:
            taker = takers.popleft()
            if not taker.done():
                taker.set_result(event)
                return True
        return False

    async def take(self, name: str) -> e.SignalReceived:
        """The next signal of this name, first come first served."""
        kept = self._kept.get(name)
        if kept:
            return kept.popleft().event
        taker: asyncio.Future[e.SignalReceived] = self.execution.loop.create_future()
        takers = self._takers.setdefault(name, deque())
        takers.append(taker)
        try:
            return await taker
        except asyncio.CancelledError:
            if taker.cancelled():
                takers.remove(taker)
            elif not self._hand_over(taker.result()):
                # Handed over while the wait for it was cancelled, and nobody else waits: it stays the next one.
                self._kept.setdefault(name, deque()).appendleft(_Kept(0, taker.result()))
            raise

    def waiting(self, name: str) -> int:
        return len(self._kept.get(name, ()))

    def awaited(self) -> list[str]:
        """Names of the signals that somebody waits for."""
        return [name for name, takers in self._takers.items() if any(not taker.done() for taker in takers)]

    def forms(self) -> dict[str, dict[str, Any]]:
        """JSON Schema of the values that its signals have, by name; ``null`` of those that have none."""
        return {name: schema_of(self._value_type(name)) for name in self._known_signals()}

    def _value_type(self, name: str) -> Any:
        handler = self._signal_handlers.get(name)
        if handler is not None:
            return handler.type
        types = self._expected[name]
        return types[0] if len(types) == 1 else Any

    def on_signal(self, handler: SignalHandler) -> None:
        """From now on ``handler`` gets the signals of its name, first those that were kept."""
        self.execution.loop.forbid_in_queries("handle signals")
        self._signal_handlers[handler.name] = handler
        for kept in self._kept.pop(handler.name, ()):
            self._deliver(handler, kept.event)

    def _deliver(self, handler: SignalHandler, event: e.SignalReceived) -> None:
        # In a callback of its own: one that raises fails the run, and not whoever happened to be there.
        self.execution.loop.call_soon(self._handle, handler, event.payload, context=self._context(event.headers))

    def _handle(self, handler: SignalHandler, payload: Payload) -> None:
        result = handler.function(*handler.arguments(payload))
        if asyncio.iscoroutine(result):
            task = self.execution.loop.create_task(result)
            self._track(task, f"signal {handler.name!r}")
            task.add_done_callback(_raise_failure)

    # --- updates ----------------------------------------------------------------------------------------------

    def on_update(self, handler: UpdateHandler) -> None:
        self.execution.loop.forbid_in_queries("handle updates")
        self._update_handlers[handler.name] = handler
        for kept in self._kept_updates.pop(handler.name, ()):
            self._start_update(handler, kept.event)

    def update_forms(self) -> dict[str, Form]:
        return {name: handler.form() for name, handler in sorted(self._update_handlers.items())}

    def validate_update(self, name: str, payload: Payload) -> None:
        """Looks at an update before anything is recorded.

        Raises:
            UpdateRejected: the run answers no such update, its arguments do not fit, or its validator said no.
        """
        handler = self._update_handlers.get(name)
        if self._ending:
            raise UpdateRejected(self._about_to_end())
        if handler is not None:
            self._check(handler, payload)
        elif self._policy.unknown_updates == "refuse":
            raise UpdateRejected(self._no_such("update", name, sorted(self._update_handlers)))

    def _check(self, handler: UpdateHandler, payload: Payload) -> None:
        run = self.execution.run_id
        what = f"the validator of update {handler.name!r} of run {run!r}"
        self.execution.loop.read(what, handler.check, payload, run)

    def knows_update(self, update: str) -> bool:
        return update in self._updates

    def update_accepted(self, event: e.UpdateAccepted) -> None:
        if event.update in self._updates:
            return  # its caller was handed from one owner to the next, and could not know that it was here already
        self._updates.add(event.update)
        handler = self._update_handlers.get(event.name)
        if self.left_to_next:
            self._keep_update(event)
        elif handler is not None and not self._ending:
            self._start_update(handler, event)
        elif self._policy.unknown_updates == "keep":
            self._keep_update(event)
        else:
            self._refuse_unasked(event)

    def _keep_update(self, event: e.UpdateAccepted) -> None:
        self._came += 1
        self._kept_updates.setdefault(event.name, []).append(_Kept(self._came, event))

    def _refuse_unasked(self, event: e.UpdateAccepted) -> None:
        """One that came through the inbox, where nobody could refuse it."""
        why = self._no_such("update", event.name, sorted(self._update_handlers))
        if self._ending:
            why = self._about_to_end()
        elif self._policy.unknown_updates == "fail":
            self.execution.loop.call_soon(_raise, UnknownMessage(why))
        self._refuse_update(event, UpdateRejected(why))

    def _about_to_end(self) -> str:
        return f"run {self.execution.run_id!r} is about to end and takes no more updates"

    def _start_update(self, handler: UpdateHandler, event: e.UpdateAccepted) -> None:
        task = self.execution.loop.create_task(self._run_update(handler, event), context=self._context(event.headers))
        self._track(task, f"update {event.name!r} ({event.update})")
        self._paths[task] = (task.path, event.update)

    async def _run_update(self, handler: UpdateHandler, event: e.UpdateAccepted) -> None:
        try:
            # Asked again: one that came through the inbox was accepted by whoever did not have the run in memory.
            self._check(handler, event.payload)
            result = await handler.run(event.payload)
        except asyncio.CancelledError as error:
            ended = f"the run ended before update {event.name!r} was finished"
            self._refuse_update(event, asyncio.CancelledError(ended) if self._ending else error)
            raise
        except ENDS_THE_PROGRAM:
            raise
        except BaseException as error:
            self._refuse_update(event, error)
        else:
            self.execution.issue(c.CompleteUpdate(event.update, result=result))

    def _refuse_update(self, event: e.UpdateAccepted, error: BaseException) -> None:
        failure = describe(error, self.execution.encodings)
        self.execution.issue(c.CompleteUpdate(event.update, failure=failure))

    # --- the end of the run -----------------------------------------------------------------------------------

    def may_end(self, root: asyncio.Task[Any]) -> bool:
        """The workflow has returned: whether what is under way may be cancelled now. From here on nothing begins."""
        if not self._ending:
            self._ending = True
            if self.handling and self._policy.unfinished == "cancel" and not root.cancelled():
                cancelled = ", ".join(self.handling.values())
                text = f"the workflow returned while handlers were under way, which are cancelled: {cancelled}"
                self.execution.commands.append(c.Log("WARNING", text))
        wait = self._policy.unfinished == "finish" and not root.cancelled() and not self.execution.cancel_requested
        return not (wait and self.handling)

    def untaken(self) -> tuple[e.SignalReceived | e.UpdateAccepted, ...]:
        """What nobody has taken, in order: for the run that goes on from this one."""
        kept: list[_Kept[Any]] = [each for queue in self._kept.values() for each in queue]
        kept += [each for queue in self._kept_updates.values() for each in queue]
        # Several may have one time: of a clock that stands still, or of one that is behind the journal.
        return tuple(each.event for each in sorted(kept, key=lambda each: (each.event.at, each.number)))

    def leave_unanswered(self) -> None:
        """The run ends: updates that it never came to handle are refused."""
        for event in (each.event for queue in self._kept_updates.values() for each in queue):
            self._refuse_update(event, UpdateRejected(f"the run ended without handling updates named {event.name!r}"))

    # --- queries ----------------------------------------------------------------------------------------------

    def on_query(self, query: Query) -> None:
        self.execution.loop.forbid_in_queries("answer queries")
        self._queries[query.name] = query

    def query_forms(self) -> dict[str, Form]:
        return {name: query.form() for name, query in sorted(self._queries.items())}

    def answer(self, name: str, arguments: list[Any]) -> Any:
        """Asks a query's function, which may look at everything and change nothing.

        Raises:
            CallerError: no query of this name.
            InvalidArgument: the arguments do not fit it, or its answer does not encode.
            NotDeterministic: the function tried to change something.
            QueryFailed: the function raised.
        """
        query = self._queries.get(name)
        if query is None:
            raise CallerError(self._no_such("query", name, sorted(self._queries)))
        try:
            what = f"query {name!r} of run {self.execution.run_id!r}"
            return self.execution.loop.read(what, query.answer, arguments, self.execution)
        except PayloadError as error:
            why = f"query {name!r} of run {self.execution.run_id!r}: {error}"
            raise InvalidArgument(why, path=error.path) from error

    # --- handlers under way -----------------------------------------------------------------------------------

    def behind(self, key: str) -> list[str]:
        """Updates whose handler made the call of this key, itself or in a task that it started."""
        return [update for path, update in self._paths.values() if key.startswith(f"{path}/")]

    def _track(self, task: asyncio.Task[Any], what: str) -> None:
        self.handling[task] = what
        task.add_done_callback(self._handled)

    def _handled(self, task: asyncio.Task[Any]) -> None:
        del self.handling[task]
        self._paths.pop(task, None)

    def _context(self, headers: e.Headers | None) -> Context | None:
        """The context of a handler: with the headers of its message, if there are any."""
        if not headers:
            return None
        self.execution.carries_headers = True
        context = copy_context()
        context.run(HEADERS.set, {**(self.execution.headers or {}), **headers})
        return context


def _form(function: Callable[..., Any], site: Call) -> Form:
    return Form(site.positional, site.schema(), (inspect.getdoc(function) or "").partition("\n")[0])


def _raise(error: Exception) -> None:
    raise error


def _raise_failure(task: asyncio.Task[Any]) -> None:
    """Nobody awaits the handler of a signal: what it raises is an error of the run, raised here as by a callback."""
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
