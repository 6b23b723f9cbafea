"""Starting a run together with a message for it, in one transaction: the run that is there takes it, or a new one.

Either both are on disk or neither is, so no crash leaves a run without the message that it was started for.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from segue.client.addressing import Address, Addressee, address
from segue.client.handles import Handle
from segue.errors import InvalidArgument, RunClosed
from segue.kernel import events as e
from segue.kernel.interception import SendCall, chain
from segue.stores.base import ConflictPolicy, Post

if TYPE_CHECKING:
    from segue.engine import Engine

A = TypeVar("A")
R = TypeVar("R")


class WithStart(Addressee, Generic[R]):
    """A run that is started if it is not there, with the message that it is to get. Nothing happens until that is sent.

    Attributes:
        handle: the run, once a message has been sent; None before.
    """

    def __init__(
        self,
        engine: Engine,
        workflow: Any,
        args: tuple[Any, ...],
        *,
        id: str,
        on_conflict: ConflictPolicy,
        tags: dict[str, str] | None,
    ) -> None:
        if on_conflict == "terminate-if-running":
            raise InvalidArgument(
                "with_start takes no on_conflict='terminate-if-running': the run that is there is meant"
            )
        if not id:
            raise InvalidArgument("with_start needs an id=: by it the run is found that is there already")
        self._engine = engine
        self._workflow = workflow
        self._args = args
        self._options: dict[str, Any] = {"id": id, "on_conflict": on_conflict, "tags": tags}
        self.handle: Handle[R] | None = None

    @overload
    async def signal(self, signal: str, value: Any = None, /, *, message: str | None = None) -> Handle[R]: ...
    @overload
    async def signal(self, signal: Callable[[Any], Any], /, *, message: str | None = None) -> Handle[R]: ...
    @overload
    async def signal(
        self, signal: Callable[[Any, A], Any], value: A, /, *, message: str | None = None
    ) -> Handle[R]: ...
    async def signal(self, signal: Any, value: Any = None, /, *, message: str | None = None) -> Handle[R]:
        """Sends a signal, starting the run if it is not there.

        Args:
            message: an id under which it is taken only once.

        Raises:
            SignalRefused, RunAlreadyExists, RunClosed: nothing was started and nothing sent.
        """
        to = address("signal", signal)
        engine = self._engine

        async def send(call: SendCall) -> Handle[R]:
            event = engine.signal_event(to, call.args, message, call.headers)
            return await self._start("signal", message or os.urandom(16).hex(), event)

        return await chain(engine.interceptors, "send", send)(SendCall("signal", to.name, 0, (value,)))

    async def _update(self, to: Address, args: tuple[Any, ...], id: str | None) -> Any:
        engine = self._engine

        async def send(call: SendCall) -> Any:
            event = engine.update_event(to, call.args, id, call.headers)
            handle = await self._start("update", f"update:{event.update}", event)
            answered = await engine.answer_of(handle.run, event.update)
            return engine.answer(to, answered)

        return await chain(engine.interceptors, "send", send)(SendCall("update", to.name, 0, args))

    async def _start(self, kind: str, message: str, event: e.SignalReceived | e.UpdateAccepted) -> Handle[R]:
        engine = self._engine
        await engine.check_message(self._options["id"], event)
        body, blobs = engine.body(event)
        post = Post(kind, body, message, event.at, blobs=blobs)
        handle, answer = await engine.start_with(self._workflow, self._args, post, **self._options)
        self.handle = handle
        if answer.posted is not None and answer.posted.outcome == "closed":
            raise RunClosed(handle.id, answer.posted.state)
        return handle
