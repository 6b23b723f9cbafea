"""Interceptors: the user's own code around what an engine does, and the headers that travel from one call to the next.

An interceptor is asked before and after: it may look at the call, put headers into it, time it, refuse it by raising,
and look at what came of it. Several are nested, the first one given outermost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
Call = TypeVar("Call")


class StartCall(msgspec.Struct):
    """A run is about to be started by a client.

    Attributes:
        headers: what travels along: into the run, its steps, its children, and what they call.
    """

    workflow: str
    id: str
    args: tuple[Any, ...]
    headers: dict[str, str] = {}


class SendCall(msgspec.Struct):
    """A ``signal``, an ``update`` or a ``query`` is about to be sent by a client to the run of a row.

    Attributes:
        headers: what travels along: to the handler, and what it calls. A query, which leaves no trace, has none.
    """

    kind: str
    name: str
    run: int
    args: tuple[Any, ...]
    headers: dict[str, str] = {}


class RunCall(msgspec.Struct, frozen=True):
    """A workflow is about to run, or to be replayed. What an interceptor does here is code of the workflow: it is done
    again at each replay, and must come to the same.

    Attributes:
        replaying: this part of the run has happened before.
    """

    workflow: str
    id: str
    headers: dict[str, str]
    replaying: bool


class StepCall(msgspec.Struct, frozen=True):
    """An attempt of a step is about to run, on the engine's event loop wherever its function runs."""

    step: str
    key: str
    attempt: int
    workflow: str
    run_id: str
    idempotency_key: str
    headers: dict[str, str]


class Interceptor:
    """Override what you want to be around of. Each method awaits ``proceed(call)`` and returns what it gives."""

    async def start(self, call: StartCall, proceed: Callable[[StartCall], Awaitable[Any]]) -> Any:
        """Around the start of a run, in the client; gives its ``Handle``."""
        return await proceed(call)

    async def send(self, call: SendCall, proceed: Callable[[SendCall], Awaitable[Any]]) -> Any:
        """Around a signal, update or query, in the client; gives the answer."""
        return await proceed(call)

    async def run(self, call: RunCall, proceed: Callable[[RunCall], Awaitable[Any]]) -> Any:
        """Around the workflow, inside the run; gives its result."""
        return await proceed(call)

    async def step(self, call: StepCall, proceed: Callable[[StepCall], Awaitable[Any]]) -> Any:
        """Around each attempt of a step; gives its result (still encoded where it comes from a process). What is
        returned instead becomes the result, what is raised the attempt's failure."""
        return await proceed(call)


def chain(
    interceptors: Sequence[Interceptor], method: str, innermost: Callable[[Any], Awaitable[T]]
) -> Callable[[Any], Awaitable[T]]:
    """``innermost`` with the interceptors around it that have something to say about this."""
    proceed = innermost
    for interceptor in reversed(interceptors):
        if overrides(interceptor, method):
            proceed = _around(getattr(interceptor, method), proceed)
    return proceed


def overrides(interceptor: Interceptor, method: str) -> bool:
    """Whether the interceptor has something to say about this."""
    return getattr(type(interceptor), method, None) is not getattr(Interceptor, method)


def _around(
    method: Callable[[Any, Callable[[Any], Awaitable[T]]], Awaitable[T]], inner: Callable[[Any], Awaitable[T]]
) -> Callable[[Any], Awaitable[T]]:
    return lambda call: method(call, inner)
