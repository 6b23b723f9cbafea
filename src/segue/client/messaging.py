"""What an engine says to a run: signals, updates, queries, requests to stop. Acknowledged once it is on disk."""

from __future__ import annotations

import functools
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from segue.client.addressing import Address
from segue.client.asking import ask
from segue.client.ways import Direct, Remote
from segue.errors import InvalidArgument, RunClosed, RunNotFound, UpdateFailed, UpdateRejected
from segue.kernel import events as e
from segue.kernel.encoding import Encodings
from segue.kernel.failures import qualified_name
from segue.kernel.interception import Interceptor, SendCall, chain
from segue.kernel.names import actor_of, checked_name, checked_text
from segue.owner.serving import Definitions
from segue.runtime.beside import others
from segue.runtime.clock import Clock
from segue.runtime.journal import JournalFormat
from segue.stores.base import Post, RunRow, Store

T = TypeVar("T")
E = TypeVar("E", bound=e.Event)

_REJECTED = qualified_name(UpdateRejected)


class Messaging:
    """The part of an engine that sends messages. What it builds on is the engine's."""

    namespace: str
    clock: Clock
    definitions: Definitions
    encodings: Encodings
    interceptors: tuple[Interceptor, ...]
    store: Store
    journal: JournalFormat
    if TYPE_CHECKING:

        async def _ask(self, question: Callable[[Direct | Remote], Awaitable[T]]) -> T: ...

        def events_of(self, run: int, *, after: int = 0) -> Iterable[tuple[int, e.Event]]: ...

        def glance(self, run: int, *, after: int = 0) -> Iterable[tuple[int, e.Event]]: ...

        async def filled(self, event: E) -> E: ...

    async def signal(
        self, run: int, name: str | Address, value: Any, *, message: str | None = None, by: str = ""
    ) -> None:
        to = _addressed(name)

        async def send(call: SendCall) -> None:
            event = self.signal_event(to, call.args, message, call.headers, by)
            await self._post(run, "signal", event, message)

        await self._send(send, SendCall("signal", to.name, run, (value,)))

    async def update(
        self, run: int, name: str | Address, args: tuple[Any, ...], *, id: str | None = None, by: str = ""
    ) -> Any:
        to = _addressed(name)

        async def send(call: SendCall) -> Any:
            event = self.update_event(to, call.args, id, call.headers, by)
            body = functools.partial(self.body, event)

            async def update(run: int, again: bool) -> e.UpdateCompleted:
                fresh = id is None and not again
                answered = self._ask(lambda client: client.update(run, event, body, self.glance, fresh=fresh))
                return await self.filled(await answered)

            return self.answer(to, await self._of_the_latest(run, update))

        return await self._send(send, SendCall("update", to.name, run, args))

    async def query(self, run: int, name: str | Address, args: tuple[Any, ...]) -> Any:
        to = _addressed(name)

        async def send(call: SendCall) -> Any:
            async def query(run: int, again: bool) -> Any:
                replayed = functools.partial(
                    others, ask, self.definitions, self.store, self.events_of, run, to.name, list(call.args)
                )
                return await self._ask(lambda client: client.query(run, to.name, list(call.args), replayed))

            return await self._of_the_latest(run, query)

        return await self._send(send, SendCall("query", to.name, run, args))

    async def _of_the_latest(self, run: int, question: Callable[[int, bool], Awaitable[T]]) -> T:
        """Asks the run, and the one that goes on from it if there is one; ``question`` gets the run, and whether
        another one was asked before."""
        again = False
        while True:
            try:
                return await question(run, again)
            except RunClosed as error:
                if error.state != "continued":
                    raise
            run, again = self._latest(run).run, True

    def _latest(self, run: int) -> RunRow:
        row = self.store.latest(run)
        if row is None:
            raise RunNotFound(str(run), self.namespace)
        return row

    async def cancel(self, run: int, reason: str = "", *, by: str = "") -> None:
        checked_text(reason, "the reason")
        await self._post(run, "cancel", e.CancelRequested(self.clock.now(), actor_of(by), None, reason))

    async def terminate(self, run: int, reason: str = "", *, by: str = "") -> None:
        checked_text(reason, "the reason")
        await self._post(run, "terminate", e.RunTerminated(self.clock.now(), actor_of(by), None, reason))

    async def retry(self, run: int, key: str | None = None, *, by: str = "") -> None:
        if key is not None:
            checked_name(key, "a step's key")
        await self._post(run, "resolve", e.IncidentResolved(self.clock.now(), actor_of(by), None, "retry", key))

    # --- from values to events and back -----------------------------------------------------------------------

    def signal_event(
        self, to: Address, args: tuple[Any, ...], message: str | None, headers: dict[str, str], by: str = ""
    ) -> e.SignalReceived:
        """A signal as the journal has it."""
        (value,) = args
        checked_name(to.name, "a signal's name")
        checked_name(message or "", "a signal's message id")
        to.check_value(value, self.encodings)
        payload = self.encodings.encode(value)
        return e.SignalReceived(self.clock.now(), actor_of(by), headers or None, to.name, payload, message or "")

    def update_event(
        self, to: Address, args: tuple[Any, ...], id: str | None, headers: dict[str, str], by: str = ""
    ) -> e.UpdateAccepted:
        """An update as the journal has it."""
        checked_name(to.name, "an update's name")
        update = checked_name(id or os.urandom(16).hex(), "an update's id")
        to.check(args, self.encodings)
        payload = self.encodings.encode_arguments(args)
        return e.UpdateAccepted(self.clock.now(), actor_of(by), headers or None, to.name, update, payload)

    def answer(self, to: Address, completed: e.UpdateCompleted) -> Any:
        """The answer to an update, or its failure raised."""
        failure = completed.failure
        if failure is None:
            return None if completed.result is None else self.encodings.decode(completed.result, to.returns)
        details = None if failure.details is None else self.encodings.decode(failure.details, Any)
        if failure.type == _REJECTED:
            raise UpdateRejected(failure.message, type=failure.cause.type if failure.cause else "", details=details)
        raise UpdateFailed(
            f"update {to.name!r} failed: {failure.type}: {failure.message}",
            update=to.name,
            type=failure.type,
            details=details,
            failure=failure,
        )

    def body(self, event: e.Event) -> tuple[bytes, tuple[Any, ...]]:
        """The event as a row of the inbox, and what is kept apart of it."""
        data, blobs = self.journal.write(event)
        return data, tuple(blobs)

    async def _send(self, send: Callable[[SendCall], Awaitable[T]], call: SendCall) -> T:
        return await chain(self.interceptors, "send", send)(call)

    async def _post(self, run: int, kind: str, event: e.Event, message: str | None = None) -> None:
        body, blobs = self.body(event)
        post = Post(kind, body, message or os.urandom(16).hex(), event.at, run=run, blobs=blobs)
        answer = await self._ask(lambda client: client.post(post, event))
        if answer.outcome == "unknown":
            raise RunNotFound(str(run), self.namespace)
        if answer.outcome == "closed":
            row = self._latest(run)
            raise RunClosed(row.id, row.state)


def _addressed(name: str | Address) -> Address:
    if isinstance(name, Address):
        return name
    if not isinstance(name, str):
        raise InvalidArgument(f"a message's name is text; {name!r} is a {type(name).__name__}")
    return Address(name)
