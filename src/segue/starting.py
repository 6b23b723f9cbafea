"""How a run is started: its definition, its input and its id, checked and written down in one transaction."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from segue.authoring.python.definitions import WORKFLOWS, Workflow
from segue.client import Direct, Remote, check_options
from segue.errors import (
    FenceLost,
    InvalidArgument,
    NotServed,
    RunAlreadyExists,
    RunClosed,
    RunFailed,
    UnknownWorkflow,
)
from segue.handles import Handle
from segue.kernel import events as e
from segue.kernel.canonical import digest
from segue.kernel.codec import Codec
from segue.kernel.encoding import Encodings
from segue.kernel.payload import Payload
from segue.runtime.children import PYTHON
from segue.runtime.clock import Clock
from segue.runtime.journal import JournalFormat
from segue.serving import Definitions, Duty
from segue.stores.base import RESIDENT, ConflictPolicy, StartRun, Store

if TYPE_CHECKING:
    from segue.engine import Engine

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
R = TypeVar("R")
T = TypeVar("T")
Coro = Coroutine[Any, Any, R]


class Starting:
    """The part of an engine that starts runs. What it builds on is the engine's."""

    app: str
    namespace: str
    clock: Clock
    definitions: Definitions
    encodings: Encodings
    store: Store
    journal: JournalFormat
    _codec: Codec | None
    _duty: Duty | None
    _client: Direct | Remote

    @overload
    async def start(
        self,
        workflow: Callable[[], Coro[R]],
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> Handle[R]: ...
    @overload
    async def start(
        self,
        workflow: Callable[[A], Coro[R]],
        a: A,
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> Handle[R]: ...
    @overload
    async def start(
        self,
        workflow: Callable[[A, B], Coro[R]],
        a: A,
        b: B,
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> Handle[R]: ...
    @overload
    async def start(
        self,
        workflow: Callable[[A, B, C], Coro[R]],
        a: A,
        b: B,
        c: C,
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> Handle[R]: ...
    @overload
    async def start(
        self,
        workflow: Callable[[A, B, C, D], Coro[R]],
        a: A,
        b: B,
        c: C,
        d: D,
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> Handle[R]: ...
    @overload
    async def start(
        self,
        workflow: str,
        /,
        *args: Any,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> Handle[Any]: ...
    async def start(
        self,
        workflow: Any,
        /,
        *args: Any,
        id: str | None = None,
        on_conflict: ConflictPolicy = "use-existing",
        tags: dict[str, str] | None = None,
    ) -> Handle[Any]:
        """Starts a run. Acknowledged once it is on disk.

        Args:
            workflow: a workflow, or the name of one that is known here or served by whoever owns the runs.
            id: the caller's id; the same id again, with the same input, is the same run. By default a new one.
            on_conflict: what happens if the id is taken, see ``stores.base.StartRun``.
            tags: labels to find the run by.

        Raises:
            UnknownWorkflow, InvalidArgument: nothing was started.
            NotServed: another process owns the runs and lacks this workflow; nothing was started.
            RunAlreadyExists: the id is taken by a run with other input, or the policy says to fail.
        """
        check_options(id, on_conflict, tags or {})
        uid = os.urandom(16).hex()
        name, version, returns, payload, hash = self._input(workflow, args, id or uid)
        self._check_served(name, id)
        at = self.clock.now()
        event = e.RunStarted(
            at, None, None, name, id or uid, uid, payload, namespace=self.namespace, version=version, python=PYTHON,
            tags=tags or {}, input_hash=hash,
        )  # fmt: skip
        data, blobs = self.journal.write(event)
        wake = RESIDENT if self._duty is not None else RESIDENT + 1
        policy: ConflictPolicy = "replace" if on_conflict == "terminate-if-running" else on_conflict
        operation = StartRun(
            self.namespace, id or uid, uid, self.app, name, at, data, hash, version, wake, policy, None, tags or {},
            tuple(blobs),
        )  # fmt: skip
        answer = await self._ask(lambda client: client.start(operation, event))
        while answer.outcome == "refused" and policy != on_conflict:
            # Its owner ends it, so that its parent, its children and whoever awaits it learn of that as always.
            await self._end_for_good(answer.run)
            answer = await self._ask(lambda client: client.start(operation, event))
        if answer.outcome == "refused":
            raise RunAlreadyExists(id or uid, answer.reason)
        return Handle(cast("Engine", self), answer.run, id or uid, returns)

    def _input(self, workflow: Any, args: tuple[Any, ...], id: str) -> tuple[str, str, Any, Payload, str]:
        """Name, version, result type of a workflow, the payload and hash of its arguments, for a run of this id."""
        hash_key = self._codec.hash_key if self._codec else None
        if isinstance(workflow, str) and self.definitions.workflow(workflow) is None and self._duty is None:
            owner = self.store.owner(self.app)
            if owner is not None and workflow in owner.serves:
                # Its parameters are known there, not here: by position, unchecked.
                payload, canonical = self.encodings.encode_canonical({"*": args})
                return workflow, owner.serves[workflow], Any, payload, digest(canonical, hash_key)
        definition = self._resolve(workflow)
        if self.definitions.workflow(definition.name) is definition:
            definition = self.definitions.for_new(definition.name, id) or definition
        call_site = definition.bind(self.encodings, hash_key).call_site
        payload, hash = call_site.encode(args, {})
        return definition.name, definition.version, call_site.returns, payload, hash

    def _check_served(self, workflow: str, id: str | None) -> None:
        """A run that its owner has no code for would only stand still. One that is there already may have ended."""
        if self._duty is not None or (id is not None and self.store.find(self.namespace, id) is not None):
            return
        owner = self.store.owner(self.app)
        if owner is not None and workflow not in owner.serves:
            raise NotServed(workflow, self.app, owner.worker, list(owner.serves))

    async def _end_for_good(self, run: int) -> None:
        engine = cast("Engine", self)
        with suppress(RunClosed):
            await engine.terminate(run, "its id was given to a new run")
        with suppress(RunFailed):
            await Handle[Any](engine, run, "").result(through_incidents=True)

    def _resolve(self, workflow: Any) -> Workflow[Any, Any]:
        name = workflow if isinstance(workflow, str) else getattr(workflow, "name", None)
        if isinstance(workflow, Workflow) and self.definitions.workflow(workflow.name) is None:
            WORKFLOWS.add(workflow)
        found = self.definitions.workflow(name) if isinstance(name, str) else None
        if isinstance(workflow, Workflow):
            return workflow
        if found is None:
            if callable(workflow):
                raise InvalidArgument(
                    f"{getattr(workflow, '__qualname__', workflow)!r} is not a workflow; decorate it with @workflow"
                )
            raise UnknownWorkflow(str(name), self.definitions.names())
        return found

    async def _ask(self, question: Callable[[Direct | Remote], Awaitable[T]]) -> T:
        """Asks the runs' owner, and the next one if it is dispossessed meanwhile. Everything that is asked may be asked
        twice: a uid, a message and an update are taken once."""
        while True:
            client = self._client
            try:
                return await question(client)
            except FenceLost:
                if client is self._client:
                    raise
