"""``@workflow`` and ``@step``: functions that an engine can run, typed as what they were.

A step called inside a workflow becomes a command and is awaited; called anywhere else it just runs. A workflow called
inside a workflow is a child run; called anywhere else it says how to start it.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, ParamSpec, TypeVar, get_args, overload

import msgspec

from segue.authoring.python import registry
from segue.authoring.python.alone import Alone, attempt_of
from segue.authoring.python.bound import BoundStep, BoundWorkflow
from segue.authoring.python.child import ClosePolicy, parent_of, start_child
from segue.authoring.python.classes import ClassForm, HasRun
from segue.authoring.python.decorators import StepDecorator, WorkflowDecorator
from segue.authoring.python.execution import current
from segue.authoring.python.fingerprint import fingerprint
from segue.authoring.python.functions import called, checked_function
from segue.authoring.python.local import run_locally
from segue.authoring.python.mapping import Mapped, map_items
from segue.authoring.python.messages import MessagePolicy, Unfinished, Unknown
from segue.authoring.python.policies import ErrorPolicy
from segue.authoring.python.references import Ref
from segue.authoring.python.registry import FORM, Registry, Workflows, definition_of, refuse_replaced
from segue.authoring.python.scheduling import Schedule, declared, hooks_of
from segue.authoring.python.terms import (
    check_step,
    checked_policy,
    elsewhere,
    executor_of,
    known_as,
    length_of,
    retry_of,
)
from segue.authoring.python.versions import Versioning, check_terms
from segue.errors import InvalidArgument, NotInWorkflow, StepFailed
from segue.kernel.attempt import CURRENT
from segue.kernel.caching import REFERENCE, Cache
from segue.kernel.duration import Duration, microseconds
from segue.kernel.encoding import Encodings
from segue.kernel.names import checked_id, checked_name
from segue.kernel.report import Occasion
from segue.kernel.retry import ONCE, OnExhausted, Retry
from segue.kernel.schedule import Target
from segue.kernel.steps import Executor, StepSpec
from segue.recurrence.rules import Rule

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
K = TypeVar("K", bound=HasRun)


class Step(Generic[P, R]):
    """A function whose outcome is recorded once.

    ``step.function`` is the function itself. ``step.using(...)`` is the same step under other terms for one call.
    """

    def __init__(
        self,
        function: Callable[P, Any],
        spec: StepSpec,
        on_error: ErrorPolicy | None = None,
        key: str | None = None,
        cache: Cache | None = None,
        refresh: bool = False,
    ) -> None:
        self.function = function
        self.spec = spec
        self.name = spec.name
        self.on_error = on_error
        self.key = key
        self.cache = cache
        self.refresh = refresh
        self.bound: tuple[Encodings, BoundStep] | None = None
        functools.update_wrapper(self, function)

    async def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        execution = current()
        if execution is None:
            return await self._run_here(args, kwargs)
        bound = self.bind(execution.encodings, execution.hash_key)
        payload, hash = bound.call_site.encode(args, kwargs)
        spec = self.spec if self.cache is None else self._cached(bound, hash, args, kwargs)
        call = execution.calls.step(
            spec, payload, hash, bound.decode_result, key=self.key, insist=self.on_error is None
        )
        if self.on_error is None:
            return await call  # type: ignore[no-any-return]
        try:
            return await call  # type: ignore[no-any-return]
        except StepFailed as error:
            # A call that is repeated is another call: an explicit key names one only.
            again = self if self.key is None else self.using(key=f"{self.key}'")
            return await self.on_error.handle(  # type: ignore[no-any-return]
                error,
                lambda: again(*args, **kwargs),
                lambda value: bound.decode_result(execution.encodings.encode(value)),
            )

    def _cached(self, bound: BoundStep, hash: str, args: Any, kwargs: Any) -> StepSpec:
        """The terms of one call of a step whose results are cached."""
        assert self.cache is not None
        terms = self.cache.terms(hash, bound.fingerprint, args, kwargs)
        if self.refresh or self.spec.by_reference:
            key = f"{REFERENCE}{terms.key}" if self.spec.by_reference else terms.key
            terms = msgspec.structs.replace(terms, key=key, refresh=self.refresh)
        return msgspec.structs.replace(self.spec, cache=terms)

    async def _run_here(self, args: Any, kwargs: Any) -> R:
        if self.spec.queue:
            raise elsewhere(self.spec)
        if self.spec.by_reference:
            raise NotInWorkflow(f"{self.name}.by_reference() belongs into a workflow; call {self.name} itself")
        if CURRENT.get(None) is None:
            with attempt_of(self.name, Alone()):
                return await self._run_here(args, kwargs)
        if self.spec.executor == "loop":
            return await self.function(*args, **kwargs)  # type: ignore[no-any-return]
        return await asyncio.to_thread(called, self.function, args, kwargs)

    async def map(
        self: Callable[[A], Coroutine[Any, Any, T]], items: Iterable[A], *, concurrency: int | None = None
    ) -> Mapped[T]:
        """Calls the step once for each item, at most ``concurrency`` (100) at a time; returns when all have ended.
        One that fails for good raises nothing here: see ``Mapped.failures``."""
        return await map_items(self, items, concurrency)

    def by_reference(self) -> Step[P, Ref[R]]:
        """The same step, with a ``Ref`` to its result: the workflow does not get to hold the value itself."""
        if self.spec.executor == "queue":
            raise InvalidArgument(f"the result of {self.name} comes from a queue, and is not kept by reference")
        return Step(
            self.function, msgspec.structs.replace(self.spec, by_reference=True), self.on_error, self.key, self.cache,
            self.refresh,
        )  # fmt: skip

    def using(
        self,
        *,
        key: str | None = None,
        retry: Retry | int | None = None,
        timeout: Duration | None = None,
        on_exhausted: OnExhausted | None = None,
        on_error: ErrorPolicy | None = None,
        schedule_to_start: Duration | None = None,
        schedule_to_close: Duration | None = None,
        heartbeat_timeout: Duration | None = None,
        summary: str | None = None,
        cache: Cache | None = None,
        refresh: bool = False,
    ) -> Step[P, R]:
        """The same step under other terms: ``await charge.using(timeout="5s", key="first")(order)``. ``summary`` tells
        whoever looks at the run what this call is about. ``refresh``: it runs, and what is cached of it is replaced."""
        if key is not None:
            key = checked_name(key, "a step's key")
        if summary is not None:
            summary = checked_name(summary, "a step's summary")
        check_step(None, None, False, cache, on_error, on_exhausted or self.spec.on_exhausted)
        given = {
            "retry": None if retry is None else retry_of(retry),
            "on_exhausted": on_exhausted,
            "timeout": length_of(timeout),
            "schedule_to_start": length_of(schedule_to_start),
            "schedule_to_close": length_of(schedule_to_close),
            "heartbeat": length_of(heartbeat_timeout),
            "summary": summary,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        spec = msgspec.structs.replace(self.spec, **changes)
        return type(self)(
            self.function, spec, on_error or self.on_error, key or self.key, cache or self.cache,
            refresh or self.refresh,
        )  # fmt: skip

    def bind(self, encodings: Encodings, hash_key: bytes | None = None) -> BoundStep:
        """The step together with an engine's encodings. Raises ``InvalidArgument`` if another one has its name."""
        if self.bound is None or self.bound[0] is not encodings:
            refuse_replaced("step", self, STEPS.get(self.name))
            self.bound = (encodings, BoundStep(self, encodings, hash_key))
        return self.bound[1]


class Workflow(Generic[P, R]):
    """A coroutine function, or the ``run`` of a class, that an engine runs durably. Its arguments are positional."""

    def __init__(
        self,
        function: Callable[P, Coroutine[Any, Any, R]],
        name: str,
        *,
        policy: MessagePolicy = MessagePolicy(),  # noqa: B008 (immutable)
        form: ClassForm | None = None,
        timeout: int | None = None,
        schedules: tuple[Schedule, ...] = (),
        hooks: Mapping[Occasion, Target] | None = None,
        version: str = "",
        versioning: Versioning = "rolling",
        ramp: float | None = None,
    ) -> None:
        self.function = function
        self.name = name
        self.policy = policy
        self.timeout = timeout
        self.form = form
        self.schedules = schedules
        self.hooks = hooks or {}
        self.label = version
        self.versioning = versioning
        self.ramp = ramp
        source = fingerprint(function if form is None else form.cls)
        self.version = f"{version}/{source}" if version else source
        self._bound: tuple[Encodings, BoundWorkflow] | None = None
        functools.update_wrapper(self, function)

    async def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        execution = current()
        if execution is None:
            raise NotInWorkflow(
                f"{self.name} is a workflow: start it with `await engine.start({self.name}, …)`, or run it to its end "
                f"with `segue.run({self.name}, …)`; inside another workflow, calling it starts a child run"
            )
        return await start_child(self, execution, args, kwargs)  # type: ignore[no-any-return]

    @overload
    async def child(
        self: Callable[[], Coroutine[Any, Any, T]],
        /,
        *,
        id: str | None = ...,
        on_parent_close: ClosePolicy = ...,
        detached: Literal[False] = ...,
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> T: ...
    @overload
    async def child(
        self: Callable[[], Coroutine[Any, Any, Any]],
        /,
        *,
        id: str | None = ...,
        on_parent_close: ClosePolicy = ...,
        detached: Literal[True],
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> str: ...
    @overload
    async def child(
        self: Callable[[A], Coroutine[Any, Any, T]],
        a: A,
        /,
        *,
        id: str | None = ...,
        on_parent_close: ClosePolicy = ...,
        detached: Literal[False] = ...,
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> T: ...
    @overload
    async def child(
        self: Callable[[A], Coroutine[Any, Any, Any]],
        a: A,
        /,
        *,
        id: str | None = ...,
        on_parent_close: ClosePolicy = ...,
        detached: Literal[True],
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> str: ...
    @overload
    async def child(
        self: Callable[[A, B], Coroutine[Any, Any, T]],
        a: A,
        b: B,
        /,
        *,
        id: str | None = ...,
        on_parent_close: ClosePolicy = ...,
        detached: Literal[False] = ...,
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> T: ...
    @overload
    async def child(
        self: Callable[[A, B], Coroutine[Any, Any, Any]],
        a: A,
        b: B,
        /,
        *,
        id: str | None = ...,
        on_parent_close: ClosePolicy = ...,
        detached: Literal[True],
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> str: ...
    @overload
    async def child(
        self: Callable[[A, B, C], Coroutine[Any, Any, T]],
        a: A,
        b: B,
        c: C,
        /,
        *,
        id: str | None = ...,
        on_parent_close: ClosePolicy = ...,
        detached: Literal[False] = ...,
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> T: ...
    @overload
    async def child(
        self: Callable[[A, B, C], Coroutine[Any, Any, Any]],
        a: A,
        b: B,
        c: C,
        /,
        *,
        id: str | None = ...,
        on_parent_close: ClosePolicy = ...,
        detached: Literal[True],
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> str: ...
    @overload
    async def child(
        self: Callable[[A, B, C, D], Coroutine[Any, Any, T]],
        a: A,
        b: B,
        c: C,
        d: D,
        /,
        *,
        id: str | None = ...,
        on_parent_close: ClosePolicy = ...,
        detached: Literal[False] = ...,
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> T: ...
    @overload
    async def child(
        self: Callable[[A, B, C, D], Coroutine[Any, Any, Any]],
        a: A,
        b: B,
        c: C,
        d: D,
        /,
        *,
        id: str | None = ...,
        on_parent_close: ClosePolicy = ...,
        detached: Literal[True],
        delay: Duration | None = ...,
        timeout: Duration | None = ...,
        summary: str = ...,
    ) -> str: ...
    async def child(
        self,
        *args: Any,
        id: str | None = None,
        on_parent_close: ClosePolicy = "cancel",
        detached: bool = False,
        delay: Duration | None = None,
        timeout: Duration | None = None,
        summary: str = "",
    ) -> Any:
        """Starts a child run from inside a workflow and awaits its result, or, if ``detached``, its start.

        Args:
            id: of the caller's own; by default one that no other run has.
            on_parent_close: what becomes of a child that is still open when its parent ends: ``cancel``, ``terminate``
                or ``abandon``.
            detached: the answer is the child's id, as soon as it is started.
            delay, timeout, summary: as in ``Engine.start``.

        Raises:
            NotInWorkflow: there is no workflow here that could be its parent.
            InvalidArgument: there is no such policy, or this can be no id.
        """
        if on_parent_close not in get_args(ClosePolicy):
            raise InvalidArgument(
                f"on_parent_close must be one of {', '.join(get_args(ClosePolicy))}; it is {on_parent_close!r}"
            )
        if id is not None:
            id = checked_id(id, "a child run's id")
        return await start_child(
            self, parent_of(self.name), args, {}, id, on_parent_close, detached, delay, timeout, summary
        )

    async def local(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs it to its end in memory and records nothing; see ``segue.locally``."""
        return await run_locally(self, args, kwargs)  # type: ignore[no-any-return]

    def bind(self, encodings: Encodings, hash_key: bytes | None = None) -> BoundWorkflow:
        """The workflow together with an engine's encodings."""
        if self._bound is None or self._bound[0] is not encodings:
            self._bound = (encodings, BoundWorkflow(self, encodings, hash_key))
        return self._bound[1]


async def child(
    workflow: Any, *args: Any, id: str | None = None, on_parent_close: ClosePolicy = "cancel", detached: bool = False
) -> Any:
    """Starts a child run of a workflow, class form included; as ``Workflow.child``."""
    found = definition_of(workflow)
    if not isinstance(found, Workflow):
        raise InvalidArgument(f"{workflow!r} is not a workflow; decorate it with @workflow")
    start: Any = found.child
    return await start(*args, id=id, on_parent_close=on_parent_close, detached=detached)


WORKFLOWS: Workflows[Workflow[Any, Any]] = registry.WORKFLOWS
STEPS: Registry[Step[Any, Any]] = registry.STEPS


@overload
def workflow(definition: type[K], /) -> type[K]: ...
@overload
def workflow(definition: Callable[P, Awaitable[R]], /) -> Workflow[P, R]: ...
@overload
def workflow(
    *,
    name: str | None = None,
    unknown_signals: Unknown = "keep",
    unknown_updates: Unknown = "refuse",
    unfinished: Unfinished = "cancel",
    timeout: Duration | None = None,
    schedule: Schedule | Rule | Sequence[Schedule] | None = None,
    on_success: Any = None,
    on_failure: Any = None,
    on_incident: Any = None,
    version: str = "",
    versioning: Versioning = "rolling",
    ramp: float | None = None,
) -> WorkflowDecorator: ...
def workflow(
    definition: Any = None,
    /,
    *,
    name: str | None = None,
    unknown_signals: Unknown = "keep",
    unknown_updates: Unknown = "refuse",
    unfinished: Unfinished = "cancel",
    timeout: Duration | None = None,
    schedule: Schedule | Rule | Sequence[Schedule] | None = None,
    on_success: Any = None,
    on_failure: Any = None,
    on_incident: Any = None,
    version: str = "",
    versioning: Versioning = "rolling",
    ramp: float | None = None,
) -> Any:
    """Makes a workflow of a coroutine function, or of a class with an ``async def run``, whose methods take messages.

    Args:
        name: by default the qualified name.
        unknown_signals, unknown_updates: what becomes of messages that the run has no handler for and does not wait
            for: ``"keep"`` them until it has, ``"refuse"`` them, or ``"fail"`` the run.
        unfinished: handlers still under way when the workflow returns: ``"cancel"`` them, or let them ``"finish"``.
        timeout: how long a run may take, unless its start says otherwise.
        schedule: when it is started by itself: ``Cron(…)``, ``Every(…)``, ``Calendar(…)``, a ``Schedule`` or several.
        on_success, on_failure, on_incident: the workflow or step that is run, durably, when a run has completed, has
            failed, or stands still. It takes a ``RunReport``, or nothing.
        version: a label, by which several versions of one name can stand beside each other.
        versioning: ``rolling``: open runs go on with the newest code; ``pinned``: with the version they began with.
        ramp: what percentage of new runs get this version; by default it is the one that all others get.

    Raises:
        InvalidArgument: it is not an ``async def``, nor a class with one, or its terms make no sense.
        DuplicateDefinition: another workflow has the name and version.
    """
    check_terms(version, versioning, ramp)
    policy = checked_policy(MessagePolicy(unknown_signals, unknown_updates, unfinished))
    calls: dict[Occasion, Any] = {"success": on_success, "failure": on_failure, "incident": on_incident}

    def decorate(definition: Any) -> Any:
        form = ClassForm(definition) if inspect.isclass(definition) else None
        if form is None and not inspect.iscoroutinefunction(definition):
            raise InvalidArgument(
                f"@workflow needs an `async def`, or a class with an `async def run`; "
                f"{getattr(definition, '__qualname__', definition)!r} is not one"
            )
        checked_function(definition, "workflow", None)
        known = known_as(name, definition, "workflow")
        made: Workflow[Any, Any] = Workflow(
            definition if form is None else form.function, known, policy=policy, form=form, timeout=length_of(timeout),
            schedules=declared(schedule, known), hooks=hooks_of(calls),
            version=version, versioning=versioning, ramp=ramp,
        )  # fmt: skip
        WORKFLOWS.add(made)
        if form is None:
            return made
        setattr(definition, FORM, made)
        return definition

    return decorate if definition is None else decorate(definition)


@overload
def step(function: Callable[P, Awaitable[R]], /) -> Step[P, R]: ...
@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *,
    name: str | None = None,
    retry: Retry | int | None = None,
    timeout: Duration | None = None,
    executor: Executor | None = None,
    grace: Duration = "10s",
    on_error: ErrorPolicy | None = None,
    on_exhausted: OnExhausted = "raise",
    at_most_once: bool = False,
    pure: bool = False,
    schedule_to_start: Duration | None = None,
    schedule_to_close: Duration | None = None,
    heartbeat_timeout: Duration | None = None,
    cache: Cache | None = None,
    queue: str | None = None,
) -> StepDecorator: ...
def step(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    retry: Retry | int | None = None,
    timeout: Duration | None = None,
    executor: Executor | None = None,
    grace: Duration = "10s",
    on_error: ErrorPolicy | None = None,
    on_exhausted: OnExhausted = "raise",
    at_most_once: bool = False,
    pure: bool = False,
    schedule_to_start: Duration | None = None,
    schedule_to_close: Duration | None = None,
    heartbeat_timeout: Duration | None = None,
    cache: Cache | None = None,
    queue: str | None = None,
) -> Any:
    """Makes a function a step. ``async def`` runs on the event loop, ``def`` in a thread, ``executor="process"`` in a
    process of its own.

    Args:
        retry: a ``Retry``, or just the number of attempts; by default one.
        timeout: how long one attempt may take, from when a thread or process is free for it (start-to-close).
        schedule_to_start: how long one attempt may wait until a thread or process is free for it.
        schedule_to_close: how long all attempts may take together, waits between them included, from the call on.
        heartbeat_timeout: how long an attempt may go without ``segue.heartbeat()``.
        grace: how long a cancelled attempt may take to end by itself.
        on_error: ``skip(default)`` or ``escalate(to)`` instead of raising ``StepFailed``.
        on_exhausted: ``"incident"`` lets the run stand still after the last attempt until a person has acted.
        at_most_once: never run again after a lost process, at the price of one more commit per call.
        pure: without side effects; see ``StepSpec.pure``.
        cache: under which terms a result that was recorded before, in this run or another, stands for a call.
        queue: the step's code is elsewhere: its attempts wait in this queue until a worker activates one over HTTP. The
            function says what the step takes and gives; its body never runs.
    """
    check_step(queue, executor, at_most_once, cache, on_error, on_exhausted)

    def decorate(function: Any) -> Any:
        checked_function(function, "step", current())
        spec = StepSpec(
            name=known_as(name, function, "step"),
            executor="queue" if queue is not None else executor_of(function, executor),
            queue=queue or "",
            retry=ONCE if retry is None else retry_of(retry),
            timeout=length_of(timeout),
            grace=microseconds(grace),
            on_exhausted=on_exhausted,
            at_most_once=at_most_once,
            pure=pure,
            schedule_to_start=length_of(schedule_to_start),
            schedule_to_close=length_of(schedule_to_close),
            heartbeat=length_of(heartbeat_timeout),
        )
        made: Step[Any, Any] = Step(function, spec, on_error, cache=cache)
        STEPS.add(made)
        return made

    return decorate if function is None else decorate(function)
