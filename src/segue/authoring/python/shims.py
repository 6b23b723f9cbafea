"""Functions that do what a workflow cannot bear, made deterministic on our loop and left alone on others.

Four functions of asyncio order things by address. ``as_completed`` puts the coroutines it is given into a set before it
makes tasks of them; ``gather`` returns a future of a class of its own, which hashes by address; ``wait`` takes futures
that may be either; ``all_tasks`` goes through a set of all tasks of the process. What is replaced is their code, not
their names: a module may have said ``from asyncio import wait`` before segue was imported.

Python warns of coroutines that were never awaited. Those that a run had in hand when it was dropped from memory are
awaited when it has come back.

Each shim looks at the running loop and, unless it is a workflow's, calls the original with what it was given.
"""

from __future__ import annotations

import asyncio
import functools
import warnings
from asyncio import events as _events
from asyncio import tasks as _tasks
from collections.abc import Callable
from types import FunctionType
from typing import Any

from segue.authoring.python.loop import WorkflowFuture, WorkflowLoop, WorkflowTask
from segue.errors import NotDeterministic

_get_running_loop = _events._get_running_loop
_Gathering: type[asyncio.Future[Any]] = _tasks._GatheringFuture  # type: ignore[attr-defined]


class _NumberedGathering(_Gathering):  # type: ignore[valid-type,misc]
    """What ``gather`` returns, with a hash that does not depend on its address."""

    def __hash__(self) -> int:
        return self.number  # type: ignore[no-any-return]


_NUMBERED = (WorkflowFuture, WorkflowTask, _NumberedGathering)


def _gather(original: Callable[..., Any], *aws: Any, **options: Any) -> Any:
    outer = original(*aws, **options)
    loop = _get_running_loop()
    if type(loop) is WorkflowLoop and type(outer) is _Gathering:
        loop.last_number = outer.number = loop.last_number + 1  # type: ignore[attr-defined]
        outer.__class__ = _NumberedGathering
    return outer


def _as_completed(original: Callable[..., Any], fs: Any, **options: Any) -> Any:
    loop = _get_running_loop()
    if type(loop) is WorkflowLoop and not _is_one(fs):
        fs = [_tasks.ensure_future(f, loop=loop) for f in _ordered(loop, fs, "as_completed")]
    return original(fs, **options)


async def _wait(original: Callable[..., Any], fs: Any, **options: Any) -> Any:
    loop = _get_running_loop()
    if type(loop) is WorkflowLoop and not _is_one(fs):
        fs = _ordered(loop, fs, "wait")
    return await original(fs, **options)


def _all_tasks(original: Callable[..., Any], loop: Any = None) -> Any:
    ours = loop or _get_running_loop()
    if type(ours) is WorkflowLoop:
        return {task for task in ours.tasks if not task.done()}
    return original(loop)


def _is_one(fs: Any) -> bool:
    """Whether a single awaitable was given where several belong, which the original refuses."""
    return asyncio.isfuture(fs) or asyncio.iscoroutine(fs)


def _ordered(loop: WorkflowLoop, fs: Any, function: str) -> list[Any]:
    """What was given, each once, in the order in which it was given.

    Raises:
        NotDeterministic: it has no order that would be the same elsewhere.
    """
    items = list(dict.fromkeys(fs))
    if isinstance(fs, (set, frozenset)) and any(asyncio.iscoroutine(f) for f in items):
        for coroutine in filter(asyncio.iscoroutine, items):
            coroutine.close()
        loop.halt(
            NotDeterministic(f"asyncio.{function} was given a set of coroutines, which has no order: give a list")
        )
    if any(asyncio.isfuture(f) and not isinstance(f, _NUMBERED) for f in items):
        loop.halt(
            NotDeterministic(
                f"asyncio.{function} was given a future made by asyncio.Future(), whose place in a set depends on its "
                "address: use asyncio.get_running_loop().create_future()"
            )
        )
    return items


def _warn_unawaited_coroutine(original: Callable[[Any], None], coroutine: Any) -> None:
    loop = _get_running_loop()
    if type(loop) is not WorkflowLoop or not loop.dead:
        original(coroutine)


# The new code of each function of asyncio. It runs among the globals of ``asyncio.tasks``, where the shims are put.


def _gather_code(*coros_or_futures, return_exceptions=False):  # type: ignore[no-untyped-def]
    return _segue_gather(*coros_or_futures, return_exceptions=return_exceptions)  # type: ignore[name-defined] # noqa: F821


def _as_completed_code(fs, *, timeout=None):  # type: ignore[no-untyped-def]
    return _segue_as_completed(fs, timeout=timeout)  # type: ignore[name-defined] # noqa: F821


async def _wait_code(fs, *, timeout=None, return_when=None):  # type: ignore[no-untyped-def]
    return await _segue_wait(fs, timeout=timeout, return_when=return_when)  # type: ignore[name-defined] # noqa: F821


def _all_tasks_code(loop=None):  # type: ignore[no-untyped-def]
    return _segue_all_tasks(loop)  # type: ignore[name-defined] # noqa: F821


_SHIMS: dict[str, tuple[Callable[..., Any], Any]] = {
    "gather": (_gather, _gather_code),
    "as_completed": (_as_completed, _as_completed_code),
    "wait": (_wait, _wait_code),
    "all_tasks": (_all_tasks, _all_tasks_code),
}


def install() -> None:
    """Puts the shims in place. Calling it again changes nothing."""
    names: Any = warnings
    if not isinstance(names._warn_unawaited_coroutine, functools.partial):
        names._warn_unawaited_coroutine = functools.partial(_warn_unawaited_coroutine, names._warn_unawaited_coroutine)
    for name, (shim, code) in _SHIMS.items():
        function = getattr(_tasks, name)
        if f"_segue_{name}" not in vars(_tasks):
            setattr(_tasks, f"_segue_{name}", functools.partial(shim, _copy(function)))
            function.__code__ = code.__code__


def _copy(function: FunctionType) -> FunctionType:
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy
