"""How a run is started: its definition, its input and its id, checked and written down in one transaction."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, get_args, overload

import msgspec

from segue.authoring.python.classes import Run0, Run1, Run2, Run3, Run4
from segue.authoring.python.definitions import WORKFLOWS, Workflow
from segue.authoring.python.registry import definition_of, refuse_called, refuse_replaced
from segue.client.handles import Handle
from segue.client.messaging import Messaging
from segue.client.ways import Direct, Remote
from segue.client.with_start import WithStart
from segue.errors import (
    CallerError,
    FenceLost,
    Incident,
    InvalidArgument,
    NotServed,
    RunAlreadyExists,
    RunClosed,
    RunFailed,
    RunNotFound,
    UnknownWorkflow,
)
from segue.kernel import events as e
from segue.kernel.canonical import digest
from segue.kernel.codec import Codec
from segue.kernel.duration import Duration, microseconds
from segue.kernel.interception import StartCall, chain
from segue.kernel.names import actor_of, checked_id, checked_name, checked_text
from segue.kernel.payload import Payload
from segue.owner.serving import Duty
from segue.runtime.children import PYTHON
from segue.stores.base import CLOSED, RESIDENT, ConflictPolicy, Post, Started, StartRun

if TYPE_CHECKING:
    from segue.engine import Engine

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
R = TypeVar("R")
T = TypeVar("T")
_POLICIES: tuple[str, ...] = get_args(ConflictPolicy)
Coro = Coroutine[Any, Any, R]

Takes0 = Callable[[], Coro[R]] | type[Run0[R]]
"""A workflow of no argument: a function or a class; and so on."""
Takes1 = Callable[[A], Coro[R]] | type[Run1[A, R]]
Takes2 = Callable[[A, B], Coro[R]] | type[Run2[A, B, R]]
Takes3 = Callable[[A, B, C], Coro[R]] | type[Run3[A, B, C, R]]
Takes4 = Callable[[A, B, C, D], Coro[R]] | type[Run4[A, B, C, D, R]]

ELSEWHERE = (
    "this engine was opened on another event loop, and its runs live there: hand the call over with "
    "`asyncio.run_coroutine_threadsafe(…, engine.loop)`, or use a `segue.Client`, which any thread may"
)
_ENDED = "the event loop on which this engine was opened has ended: open it and use it within one `asyncio.run(…)`"


class Asked(msgspec.Struct, frozen=True):
    """What is asked of a start, beside the arguments.

    Attributes:
        id: the caller's. uid: the internal one of a new run.
        delay, timeout: µs. actor: who asks.
    """

    workflow: Any
    post: Post | None
    id: str | None
    uid: str
    on_conflict: ConflictPolicy
    tags: dict[str, str]
    delay: int
    timeout: int | None
    summary: str
    actor: str | None


class Called(NamedTuple):
    """How a workflow is called.

    Attributes:
        returns: the type of its result. timeout: how long (µs) a run may take, as the workflow itself says.
        payload, hash: of its arguments.
    """

    workflow: str
    version: str
    returns: Any
    timeout: int | None
    payload: Payload
    hash: str


class Starting(Messaging):
    """The part of an engine that starts runs. What it builds on is the engine's."""

    app: str
    loop: asyncio.AbstractEventLoop
    _codec: Codec | None
    _duty: Duty | None
    _client: Direct | Remote

    @overload
    async def start(
        self,
        workflow: Takes0[R],
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> Handle[R]: ...
    @overload
    async def start(
        self,
        workflow: Takes1[A, R],
        a: A,
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> Handle[R]: ...
    @overload
    async def start(
        self,
        workflow: Takes2[A, B, R],
        a: A,
        b: B,
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> Handle[R]: ...
    @overload
    async def start(
        self,
        workflow: Takes3[A, B, C, R],
        a: A,
        b: B,
        c: C,
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> Handle[R]: ...
    @overload
    async def start(
        self,
        workflow: Takes4[A, B, C, D, R],
        a: A,
        b: B,
        c: C,
        d: D,
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
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
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> Handle[Any]: ...
    async def start(
        self,
        workflow: Any,
        /,
        *args: Any,
        id: str | None = None,
        on_conflict: ConflictPolicy = "use-existing",
        tags: dict[str, str] | None = None,
        delay: Duration | None = None,
        timeout: Duration | None = None,
        summary: str = "",
        **named: Any,
    ) -> Handle[Any]:
        """Starts a run. Acknowledged once it is on disk. The workflow's arguments are given by position.

        Args:
            workflow: a workflow, or the name of one that is known here or served by whoever owns the runs.
            id: the caller's id; the same id again, with the same input, is the same run. By default a new one.
            on_conflict: what happens if the id is taken, see ``stores.base.StartRun``.
            tags: labels to find the run by.
            delay: how long to wait before the workflow's code begins.
            timeout: how long it may take from then on; by default what ``@workflow(timeout=…)`` says. When it is over,
                the run is stopped, what it did is undone, and it ends as failed (``RunTimeout``).
            summary: what the run is about, shown wherever runs are listed.

        Raises:
            UnknownWorkflow, InvalidArgument: nothing was started.
            NotServed: another process owns the runs and lacks this workflow; nothing was started.
            RunAlreadyExists: the id is taken by a run with other input, or the policy says to fail.
        """
        if named:
            raise InvalidArgument(
                f"start() has no option {next(iter(named))!r}; arguments of the workflow are given by position: "
                f"start({self._name_of(workflow)}, …)"
            )
        handle, _ = await self.start_with(
            workflow, args, None, id=id, on_conflict=on_conflict, tags=tags, delay=delay, timeout=timeout,
            summary=summary,
        )  # fmt: skip
        return handle

    def start_with(
        self,
        workflow: Any,
        args: tuple[Any, ...],
        post: Post | None,
        *,
        id: str | None,
        on_conflict: ConflictPolicy,
        tags: dict[str, str] | None,
        delay: Duration | None = None,
        timeout: Duration | None = None,
        summary: str = "",
        by: str = "",
    ) -> Coroutine[Any, Any, tuple[Handle[Any], Started]]:
        """Starts a run, with a message for it if there is one; as ``start``. ``by``: who does, for the journal."""
        id, labels = _checked_options(id, on_conflict, {} if tags is None else tags)
        summary = checked_text(summary, "a run's summary")
        uid = self._new_uid()
        asked = Asked(
            workflow, post, id, uid, on_conflict, labels, microseconds(delay) if delay else 0,
            None if timeout is None else microseconds(timeout), summary, actor_of(by),
        )  # fmt: skip
        if not self.interceptors:
            return self._start(asked, StartCall("", id or uid, args))
        return self._start_intercepted(asked, StartCall(self._name_of(workflow), id or uid, args))

    async def _start_intercepted(self, asked: Asked, call: StartCall) -> tuple[Handle[Any], Started]:
        answers: list[Started] = []

        async def innermost(call: StartCall) -> Handle[Any]:
            handle, answer = await self._start(asked, call)
            answers.append(answer)
            return handle

        handle = await chain(self.interceptors, "start", innermost)(call)
        return handle, answers[-1] if answers else Started("existing", handle.run)

    async def _start(self, asked: Asked, call: StartCall) -> tuple[Handle[Any], Started]:
        self._whom_to_ask()  # where it cannot be asked, nothing else is of interest
        operation, event, returns = self._first(asked, call)
        start = partial(_start_at, operation, event)
        answer = await self._ask(start)
        while answer.outcome == "refused" and operation.on_conflict != asked.on_conflict:
            # Its owner ends it, so that its parent, its children and whoever awaits it learn of that as always.
            await self._end_for_good(answer.run)
            answer = await self._ask(start)
        if answer.outcome == "refused":
            raise RunAlreadyExists(event.id, answer.reason)
        return Handle(cast("Engine", self), answer.run, event.id, returns), answer

    def _first(self, asked: Asked, call: StartCall) -> tuple[StartRun, e.RunStarted, Any]:
        """What a start writes: the run's row, and its first event. And the type of the run's result."""
        uid = asked.uid
        id = asked.id or uid
        name, version, returns, own_limit, payload, hash = self._input(asked.workflow, call.args, id)
        if self._duty is None:
            self._check_served(name, asked.id)
        at = self.clock.now()
        begin = at + asked.delay if asked.delay else None
        event = e.RunStarted(
            at, asked.actor, call.headers or None, name, id, uid, payload, namespace=self.namespace,
            version=version, python=PYTHON, tags=asked.tags, input_hash=hash, begin=begin,
            timeout=own_limit if asked.timeout is None else asked.timeout, summary=asked.summary,
        )  # fmt: skip
        data, blobs = self.journal.write(event)
        wake = begin or (RESIDENT if self._duty is not None else RESIDENT + 1)
        policy: ConflictPolicy = "replace" if asked.on_conflict == "terminate-if-running" else asked.on_conflict
        operation = StartRun(
            self.namespace, id, uid, self.app, name, at, data, hash, version, wake, policy, None, asked.tags,
            tuple(blobs), None, asked.post, "running" if begin is None else "waiting",
            self.journal.seal_text(asked.summary) if asked.summary else "",
        )  # fmt: skip
        return operation, event, returns

    # --- with a message ---------------------------------------------------------------------------------------

    @overload
    def with_start(
        self, workflow: Takes0[R], /, *, id: str, on_conflict: ConflictPolicy = ..., tags: dict[str, str] | None = ...
    ) -> WithStart[R]: ...
    @overload
    def with_start(
        self,
        workflow: Takes1[A, R],
        a: A,
        /,
        *,
        id: str,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> WithStart[R]: ...
    @overload
    def with_start(
        self,
        workflow: Takes2[A, B, R],
        a: A,
        b: B,
        /,
        *,
        id: str,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> WithStart[R]: ...
    @overload
    def with_start(
        self,
        workflow: str,
        /,
        *args: Any,
        id: str,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> WithStart[Any]: ...
    def with_start(
        self,
        workflow: Any,
        /,
        *args: Any,
        id: str,
        on_conflict: ConflictPolicy = "use-open",
        tags: dict[str, str] | None = None,
    ) -> WithStart[Any]:
        """A run that is to get a message, and is started if it is not there:
        ``await engine.with_start(Cart, "ann", id="cart-ann").update(Cart.add, item)``.

        Args:
            on_conflict: by default an open run of the id takes the message, whatever its input, and a closed one gives
                its id up; see ``stores.base.StartRun``.
        """
        return WithStart(cast("Engine", self), workflow, args, id=id, on_conflict=on_conflict, tags=tags)

    async def check_message(self, id: str, event: e.SignalReceived | e.UpdateAccepted) -> None:
        """Has the run that is there look at a message that may start it, before anything is recorded."""
        row = self.store.find(self.namespace, id)
        if row is None or row.state in CLOSED:
            return
        with suppress(RunClosed, RunNotFound, Incident):  # it closes, or stands still: the transaction decides
            await self._ask(lambda client: client.check(row.run, event))

    async def answer_of(self, run: int, update: str) -> e.UpdateCompleted:
        """The answer to an update that has been accepted."""
        engine = cast("Engine", self)
        return await engine.filled(await self._ask(lambda client: client.answer_of(run, update, engine.glance)))

    def _new_uid(self) -> str:
        """32 hexadecimal digits that no other run has; the testing kit draws them from its seed."""
        return os.urandom(16).hex()

    def _input(self, workflow: Any, args: tuple[Any, ...], id: str = "") -> Called:
        """How a workflow is called, for a run of this id."""
        hash_key = self._codec.hash_key if self._codec else None
        if isinstance(workflow, str) and self.definitions.workflow(workflow) is None and self._duty is None:
            owner = self.store.owner(self.app)
            if owner is not None and workflow in owner.serves:
                # Its parameters are known there, not here: by position, unchecked.
                payload, canonical = self.encodings.encode_canonical({"*": args})
                return Called(workflow, owner.version(workflow, id), Any, None, payload, digest(canonical, hash_key))
        definition = self._resolve(workflow)
        name = definition.name
        if self.definitions.workflow(name) is definition:
            definition = self.definitions.for_new(name, id) or definition
        call_site = definition.bind(self.encodings, hash_key).call_site
        payload, hash = call_site.encode(args, {})
        return Called(name, definition.version, call_site.returns, definition.timeout, payload, hash)

    def _check_served(self, workflow: str, id: str | None) -> None:
        """A run that its owner has no code for would only stand still. One that is there already may have ended."""
        if id is not None and self.store.find(self.namespace, id) is not None:
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

    def _name_of(self, workflow: Any) -> str:
        return workflow if isinstance(workflow, str) else str(getattr(definition_of(workflow), "name", workflow))

    def _resolve(self, workflow: Any) -> Workflow[Any, Any]:
        workflow = definition_of(workflow)
        if isinstance(workflow, Workflow):
            served = self.definitions.workflow(workflow.name)
            if served is None:
                WORKFLOWS.add(workflow)
            refuse_replaced("workflow", workflow, served)
            return workflow
        refuse_called(workflow)
        name = workflow if isinstance(workflow, str) else getattr(workflow, "name", None)
        found = self.definitions.workflow(name) if isinstance(name, str) else None
        if found is None:
            if callable(workflow):
                raise InvalidArgument(
                    f"{getattr(workflow, '__qualname__', workflow)!r} is not a workflow; decorate it with @workflow"
                )
            owner = None if self._duty is not None else self.store.owner(self.app)
            there = () if owner is None else owner.serves
            raise UnknownWorkflow(str(name), sorted({*self.definitions.names(), *there}))
        return found

    def _whom_to_ask(self) -> Direct | Remote:
        if asyncio.get_running_loop() is not self.loop:
            raise CallerError(_ENDED if self.loop.is_closed() else ELSEWHERE)
        return self._client

    async def _ask(self, question: Callable[[Direct | Remote], Awaitable[T]]) -> T:
        """Asks the runs' owner, and the next one if it is dispossessed meanwhile. Everything that is asked may be asked
        twice: a uid, a message and an update are taken once.

        Raises:
            CallerError: the engine is not open on this event loop.
        """
        while True:
            client = self._whom_to_ask()
            try:
                return await question(client)
            except FenceLost:
                if client is self._client:
                    raise


def _start_at(operation: StartRun, event: e.RunStarted, client: Direct | Remote) -> Awaitable[Started]:
    return client.start(operation, event)


def _checked_options(id: str | None, on_conflict: str, tags: Any) -> tuple[str | None, dict[str, str]]:
    """What ``start`` is given beside the workflow and its arguments; refused before anything is written. The id and
    the tags."""
    if id is not None:
        id = checked_id(id, "a run's id")
    if on_conflict not in _POLICIES:
        raise InvalidArgument(f"on_conflict must be one of {', '.join(_POLICIES)}; it is {on_conflict!r}")
    if not isinstance(tags, dict):
        raise InvalidArgument(f"tags must be a dict of text to text; {tags!r} is a {type(tags).__name__}")
    labels = {checked_name(n, "a tag's name"): checked_text(value, f"the tag {n!r}") for n, value in tags.items()}
    return id, labels
