"""The synchronous edge: ``segue.run`` for scripts and notebooks, ``Client`` for programs that are not async.

Thin: everything happens in an engine on an event loop of its own, in a thread.
"""

from __future__ import annotations

import asyncio
import builtins
import os
import threading
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar, overload

from segue.authoring.python.execution import current
from segue.client.describing import NamespaceInfo
from segue.client.following import Recorded
from segue.client.handles import Handle, HumanTask
from segue.client.starting import Takes0, Takes1, Takes2, Takes3, Takes4
from segue.client.with_start import WithStart
from segue.configuration.settings import read_settings
from segue.engine import OPEN, Engine
from segue.errors import CallerError
from segue.kernel.duration import Duration
from segue.stores.base import ConflictPolicy, RunFilter, RunRow
from segue.stores.search_rows import FoundRuns
from segue.sync_schedules import SyncSchedules

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
R = TypeVar("R")
T = TypeVar("T")
Coro = Coroutine[Any, Any, R]

LAST = 1.0
"""Seconds for what has been cancelled to come to its end."""


@overload
def run(workflow: Takes0[R], /, *, id: str | None = None, url: str | None = None) -> R: ...
@overload
def run(workflow: Takes1[A, R], a: A, /, *, id: str | None = None, url: str | None = None) -> R: ...
@overload
def run(workflow: Takes2[A, B, R], a: A, b: B, /, *, id: str | None = None, url: str | None = None) -> R: ...
@overload
def run(workflow: Takes3[A, B, C, R], a: A, b: B, c: C, /, *, id: str | None = None, url: str | None = None) -> R: ...
@overload
def run(
    workflow: Takes4[A, B, C, D, R],
    a: A,
    b: B,
    c: C,
    d: D,
    /,
    *,
    id: str | None = None,
    url: str | None = None,
) -> R: ...
def run(workflow: Any, /, *args: Any, id: str | None = None, url: str | None = None) -> Any:
    """Runs a workflow to its end and returns its result. Works in scripts and inside a running event loop (notebooks).

    With an ``id``, a run that was broken off is gone on with, and one that has ended answers at once.

    Raises:
        RunFailed, RunCancelled, RunTerminated, Incident: how it ended, or why it stands still.
    """
    # Other programs keep their runs in the same file; they are left to those who have the code.
    with Client(url, settings=read_settings(strangers="leave")) as client:
        return client.start(workflow, *args, id=id).result()


async def _settle() -> None:
    """Lets what has been cancelled come to its end, as ``asyncio.run`` does; not for ever, if it does not."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=LAST)


class Client:
    """An engine for synchronous code: ``with Client("sqlite:///orders.db") as client:``; takes what an engine takes."""

    def __init__(self, url: str | None = None, **options: Any) -> None:
        self._engine = Engine(url, **options)
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread
        self._process: int | None = None
        """Where it is open."""

    def __enter__(self) -> Client:
        _refuse_in_workflows()
        if self._process == os.getpid():
            raise CallerError("this client is open already; whoever opened it first would find it closed by the second")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="segue-client", daemon=True)
        self._thread.start()
        self._process = os.getpid()
        try:
            self._wait(self._engine.open())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process != os.getpid():
            return  # a fork leaves the block: the engine is the other process's, and nobody turns its loop here
        try:
            self._wait(self._engine.close())
        finally:
            self._end()

    def _end(self) -> None:
        try:
            self._wait(_settle())
        finally:
            self._process = None
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def wait(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Runs a coroutine on the engine's loop and returns its result.

        Raises:
            CallerError: the client is not open in this process, or it would wait for an engine that cannot go on before
                this call returns.
        """
        try:
            _refuse_in_workflows()
            self._refuse_elsewhere()
            _refuse_beside_its_owner(self._engine)
        except CallerError:
            coroutine.close()
            raise
        return self._wait(coroutine, timeout)

    def _refuse_elsewhere(self) -> None:
        if self._process is None:
            raise CallerError("this client is not open: use it inside `with Client(…) as client:`")
        if self._process != os.getpid():
            raise CallerError(
                "this client was opened in the process of which this one is a fork, and its thread stayed there: open "
                "one here, `with Client(…) as client:`"
            )

    def _wait(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout)
        except (KeyboardInterrupt, TimeoutError):
            future.cancel()
            raise

    @overload
    def start(
        self,
        workflow: Takes0[R],
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> SyncHandle[R]: ...
    @overload
    def start(
        self,
        workflow: Takes1[A, R],
        a: A,
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> SyncHandle[R]: ...
    @overload
    def start(
        self,
        workflow: Takes2[A, B, R],
        a: A,
        b: B,
        /,
        *,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> SyncHandle[R]: ...
    @overload
    def start(
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
    ) -> SyncHandle[R]: ...
    @overload
    def start(
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
    ) -> SyncHandle[R]: ...
    @overload
    def start(
        self,
        workflow: str,
        /,
        *args: Any,
        id: str | None = ...,
        on_conflict: ConflictPolicy = ...,
        tags: dict[str, str] | None = ...,
    ) -> SyncHandle[Any]: ...
    def start(self, workflow: Any, /, *args: Any, **options: Any) -> SyncHandle[Any]:
        """As ``Engine.start``."""
        return self.handle_of(self.wait(self._engine.start(workflow, *args, **options)))

    @overload
    def with_start(self, workflow: Takes0[R], /, *, id: str, **options: Any) -> SyncWithStart[R]: ...
    @overload
    def with_start(self, workflow: Takes1[A, R], a: A, /, *, id: str, **options: Any) -> SyncWithStart[R]: ...
    @overload
    def with_start(self, workflow: Takes2[A, B, R], a: A, b: B, /, *, id: str, **options: Any) -> SyncWithStart[R]: ...
    @overload
    def with_start(self, workflow: str, /, *args: Any, id: str, **options: Any) -> SyncWithStart[Any]: ...
    def with_start(self, workflow: Any, /, *args: Any, id: str, **options: Any) -> SyncWithStart[Any]:
        """As ``Engine.with_start``."""
        return SyncWithStart(self, self._engine.with_start(workflow, *args, id=id, **options))

    @property
    def schedules(self) -> SyncSchedules:
        """As ``Engine.schedules``."""
        return SyncSchedules(self, self._engine.schedules)

    def handle_of(self, handle: Handle[R]) -> SyncHandle[R]:
        """The same run, for synchronous code."""
        return SyncHandle(self, handle)

    @overload
    def handle(self, id: str, returns: type[R]) -> SyncHandle[R]: ...
    @overload
    def handle(self, id: str) -> SyncHandle[Any]: ...
    def handle(self, id: str, returns: Any = Any) -> SyncHandle[Any]:
        """As ``Engine.handle``."""
        return self.handle_of(self.wait(self._engine.handle(id, returns)))

    def list(self, where: RunFilter | None = None) -> list[RunRow]:
        """As ``Engine.list``."""
        return self.wait(self._engine.list(where))

    def search(self, where: RunFilter) -> FoundRuns:
        """As ``Engine.search``."""
        return self.wait(self._engine.search(where))

    def namespaces(self) -> builtins.list[NamespaceInfo]:
        """As ``Engine.namespaces``."""
        return self.wait(self._engine.namespaces())

    def describe_namespace(self, name: str | None = None, **what: Any) -> NamespaceInfo:
        """As ``Engine.describe_namespace``."""
        return self.wait(self._engine.describe_namespace(name, **what))

    def tasks(self, *, assignee: str | None = None, **which: Any) -> builtins.list[HumanTask]:
        """As ``Engine.tasks``."""
        return self.wait(self._engine.tasks(assignee=assignee, **which))

    def complete_step(self, token: str, result: Any = None) -> None:
        """As ``Engine.complete_step``."""
        self.wait(self._engine.complete_step(token, result))

    def fail_step(
        self, token: str, error: BaseException | str, *, retryable: bool = True, retry_after: Duration | None = None
    ) -> None:
        """As ``Engine.fail_step``."""
        self.wait(self._engine.fail_step(token, error, retryable=retryable, retry_after=retry_after))

    def complete_task(self, task: HumanTask, answer: Any, *, by: str = "") -> None:
        """As ``Engine.complete_task``."""
        self.wait(self._engine.complete_task(task, answer, by=by))


class SyncWithStart(Generic[R]):
    """A run that is started if it is not there, with the message that it is to get: ``WithStart`` without ``await``."""

    def __init__(self, client: Client, with_start: WithStart[R]) -> None:
        self._client = client
        self._with_start = with_start

    @property
    def handle(self) -> SyncHandle[R] | None:
        """The run, once a message has been sent."""
        handle = self._with_start.handle
        return None if handle is None else self._client.handle_of(handle)

    def signal(self, signal: Any, value: Any = None, *, message: str | None = None) -> SyncHandle[R]:
        return self._client.handle_of(self._client.wait(self._with_start.signal(signal, value, message=message)))

    def update(self, update: Any, *args: Any, id: str | None = None) -> Any:
        return self._client.wait(self._with_start.update(update, *args, id=id))


class SyncHandle(Generic[R]):
    """A run, from synchronous code: the same methods as ``Handle``, without ``await``."""

    def __init__(self, client: Client, handle: Handle[R]) -> None:
        self._client = client
        self._handle = handle
        self.id = handle.id

    def result(self, *, timeout: float | None = None, through_incidents: bool = False) -> R:
        return self._client.wait(self._handle.result(timeout=timeout, through_incidents=through_incidents))

    def status(self) -> RunRow:
        return self._client.wait(self._handle.status())

    def signal(self, signal: Any, value: Any = None, *, message: str | None = None) -> None:
        self._client.wait(self._handle.signal(signal, value, message=message))

    def update(self, update: Any, *args: Any, id: str | None = None) -> Any:
        return self._client.wait(self._handle.update(update, *args, id=id))

    def query(self, query: Any, *args: Any) -> Any:
        return self._client.wait(self._handle.query(query, *args))

    def cancel(self, reason: str = "") -> None:
        self._client.wait(self._handle.cancel(reason))

    def terminate(self, reason: str = "") -> None:
        self._client.wait(self._handle.terminate(reason))

    def pause(self, reason: str = "", *, by: str = "") -> None:
        self._client.wait(self._handle.pause(reason, by=by))

    def resume(self, *, by: str = "") -> None:
        self._client.wait(self._handle.resume(by=by))

    def retry(self, key: str | None = None) -> None:
        self._client.wait(self._handle.retry(key))

    def skip(self, call: str, result: Any = None, *, by: str = "") -> None:
        self._client.wait(self._handle.skip(call, result, by=by))

    def edit_input(self, call: str, *args: Any, by: str = "", **kwargs: Any) -> None:
        self._client.wait(self._handle.edit_input(call, *args, by=by, **kwargs))

    def history(self) -> list[Recorded]:
        return self._client.wait(self._handle.history())


def _refuse_in_workflows() -> None:
    if current() is not None:
        raise CallerError(
            "segue.run() and segue.Client start an engine of their own, which a workflow must not: `await wf(x)` "
            "starts a child run, and whatever else has side effects belongs into a step"
        )


def _refuse_beside_its_owner(engine: Engine) -> None:
    """Whoever waits here keeps this thread's event loop from turning; what is waited for must not run on it."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    for other in list(OPEN):
        if other.loop is loop and other.owner and (other.database, other.app) == (engine.database, engine.app):
            raise CallerError(
                f"the engine that owns the runs of app {engine.app!r} in {engine.database} works on this very event "
                "loop, and cannot go on while this call waits for it; use `await engine.start(…)`, or make the call in "
                "a thread (a step that is a plain `def` runs in one)"
            )
