"""Signals, updates and queries: what reaches a run while it goes on.

Signals that nobody waits for yet are kept, in order. A handler that is registered later gets what has been kept.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from segue.errors import CallerError, InvalidArgument, PayloadError, UpdateRejected
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.failures import describe
from segue.kernel.payload import Payload

if TYPE_CHECKING:
    from segue.authoring.python.execution import CodeExecution

T = TypeVar("T")


class Channel(Generic[T]):
    """The signals of one name, as the workflow sees them: ``await`` takes the next one, ``async for`` all of them."""

    def __init__(self, messages: Messages, name: str, type: Any) -> None:
        self._messages = messages
        self._name = name
        self._type = type

    def __await__(self) -> Generator[Any, None, T]:
        payload = yield from self._messages.take(self._name).__await__()
        execution = self._messages.execution
        try:
            decoded: T = execution.encodings.decode(payload, self._type)
        except PayloadError as error:
            execution.loop.halt(error)
        return decoded

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            yield await self

    def pending(self) -> int:
        """How many have arrived and were not taken."""
        return self._messages.waiting(self._name)


class Messages:
    """One run's mail."""

    def __init__(self, execution: CodeExecution) -> None:
        self.execution = execution
        self._kept: dict[str, deque[Payload]] = {}
        self._takers: dict[str, deque[asyncio.Future[Payload]]] = {}
        self._signal_handlers: dict[str, Callable[[Payload], Any]] = {}
        self._update_handlers: dict[str, UpdateHandler] = {}
        self._queries: dict[str, Callable[..., Any]] = {}
        self._kept_updates: dict[str, list[e.UpdateAccepted]] = {}

    # --- signals ----------------------------------------------------------------------------------------------

    def signal_received(self, event: e.SignalReceived) -> None:
        handler = self._signal_handlers.get(event.name)
        if handler is not None:
            self.execution.loop.call_soon(self._handle, handler, event.payload)
        elif not self._hand_over(event.name, event.payload):
            self._kept.setdefault(event.name, deque()).append(event.payload)

    def _hand_over(self, name: str, payload: Payload) -> bool:
        """Gives a signal to whoever has waited longest, if anybody does."""
        takers = self._takers.get(name)
        while takers:
            taker = takers.popleft()
            if not taker.done():
                taker.set_result(payload)
                return True
        return False

    async def take(self, name: str) -> Payload:
        """The next signal of this name, first come first served."""
        kept = self._kept.get(name)
        if kept:
            return kept.popleft()
        taker: asyncio.Future[Payload] = self.execution.loop.create_future()
        takers = self._takers.setdefault(name, deque())
        takers.append(taker)
        try:
            return await taker
        except asyncio.CancelledError:
            if taker.cancelled():
                takers.remove(taker)
            elif not self._hand_over(name, taker.result()):
                # Handed over while the wait for it was cancelled, and nobody else waits: it stays the next one.
                self._kept.setdefault(name, deque()).appendleft(taker.result())
            raise

    def waiting(self, name: str) -> int:
        return len(self._kept.get(name, ()))

    def awaited(self) -> list[str]:
        """Names of the signals that somebody waits for."""
        return [name for name, takers in self._takers.items() if any(not taker.done() for taker in takers)]

    def on_signal(self, name: str, handler: Callable[[Payload], Any]) -> None:
        """From now on ``handler`` gets the signals of this name, first those that were kept."""
        self.execution.loop.forbid_in_queries("handle signals")
        self._signal_handlers[name] = handler
        for payload in self._kept.pop(name, ()):
            self.execution.loop.call_soon(self._handle, handler, payload)

    def _handle(self, handler: Callable[[Payload], Any], payload: Payload) -> None:
        # In a callback of its own: one that raises fails the run, and not whoever happened to be there.
        result = handler(payload)
        if asyncio.iscoroutine(result):
            task = self.execution.loop.create_task(result)
            task.add_done_callback(_raise_failure)

    # --- updates ----------------------------------------------------------------------------------------------

    def on_update(self, name: str, handler: UpdateHandler) -> None:
        self.execution.loop.forbid_in_queries("handle updates")
        self._update_handlers[name] = handler
        for event in self._kept_updates.pop(name, ()):
            self._start_update(handler, event)

    def validate_update(self, name: str, payload: Payload) -> None:
        """Lets the validator of an update look at it, before anything is recorded.

        Raises:
            UpdateRejected: it said no.
        """
        handler = self._update_handlers.get(name)
        if handler is not None and handler.validate is not None:
            self.execution.loop.read(handler.validate, payload)

    def update_accepted(self, event: e.UpdateAccepted) -> None:
        handler = self._update_handlers.get(event.name)
        if handler is None:
            self._kept_updates.setdefault(event.name, []).append(event)
        else:
            self._start_update(handler, event)

    def _start_update(self, handler: UpdateHandler, event: e.UpdateAccepted) -> None:
        self.execution.loop.create_task(self._run_update(handler, event))

    async def _run_update(self, handler: UpdateHandler, event: e.UpdateAccepted) -> None:
        try:
            # Asked again: one that came through the inbox was accepted by whoever did not have the run in memory.
            if handler.validate is not None:
                self.execution.loop.read(handler.validate, event.payload)
            result = handler.encode(await handler.run(event.payload))
        except asyncio.CancelledError as error:
            self._refuse_update(event, error)
            raise
        except Exception as error:
            self._refuse_update(event, error)
        else:
            self.execution.issue(c.CompleteUpdate(event.update, result=result))

    def _refuse_update(self, event: e.UpdateAccepted, error: BaseException) -> None:
        failure = describe(error, self.execution.encodings)
        self.execution.issue(c.CompleteUpdate(event.update, failure=failure))

    def leave_unanswered(self) -> None:
        """The run ends: updates that it never came to handle are refused."""
        for event in (event for events in self._kept_updates.values() for event in events):
            self._refuse_update(event, UpdateRejected(f"the run ended without handling updates named {event.name!r}"))

    # --- queries ----------------------------------------------------------------------------------------------

    def on_query(self, name: str, function: Callable[..., Any]) -> None:
        self.execution.loop.forbid_in_queries("answer queries")
        if inspect.iscoroutinefunction(function):
            raise InvalidArgument(f"query {name!r} must be a plain `def`: it only reads, so there is nothing to await")
        self._queries[name] = function

    def answer(self, name: str, arguments: list[Any]) -> Any:
        """Calls a query's function, which may look at everything and change nothing.

        Raises:
            CallerError: no query of this name.
            NotDeterministic: the function tried to change something.
        """
        function = self._queries.get(name)
        if function is None:
            known = ", ".join(sorted(self._queries)) or "none"
            raise CallerError(f"this run answers no query {name!r} (it answers: {known})")
        return self.execution.loop.read(function, *arguments)


def _raise_failure(task: asyncio.Task[Any]) -> None:
    """Nobody awaits the handler of a signal: what it raises is an error of the run, raised here as by a callback."""
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


class UpdateHandler:
    """A registered update: how to run it, how its result is encoded, and who may refuse it beforehand."""

    def __init__(
        self,
        run: Callable[[Payload], Any],
        encode: Callable[[Any], Payload],
        validate: Callable[[Payload], None] | None = None,
    ) -> None:
        self.run = run
        self.encode = encode
        self.validate = validate


def rejected(error: Exception) -> UpdateRejected:
    """A validator's own exception in the caller's terms."""
    return error if isinstance(error, UpdateRejected) else UpdateRejected(f"{type(error).__name__}: {error}")
