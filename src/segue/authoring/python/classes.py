"""The class form of a workflow: ``run`` is what happens, methods take the messages, the instance is the run's state.

Each run, and each replay of one, has an instance of its own. All handlers are registered before the first line of
``run``, so that a message which comes with the start finds them.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from segue.authoring.python.execution import require
from segue.authoring.python.handlers import MARK, Update, register_methods
from segue.authoring.python.loop import WorkflowLoop
from segue.errors import InvalidArgument

A = TypeVar("A", contravariant=True)
B = TypeVar("B", contravariant=True)
C = TypeVar("C", contravariant=True)
D = TypeVar("D", contravariant=True)
R = TypeVar("R", covariant=True)
Coro = Coroutine[Any, Any, R]


class HasRun(Protocol):
    """An instance of a workflow's class."""

    @property
    def run(self) -> Callable[..., Coroutine[Any, Any, Any]]: ...


class Run0(Protocol[R]):
    """One whose ``run`` takes nothing."""

    def run(self) -> Coro[R]: ...


class Run1(Protocol[A, R]):
    """One whose ``run`` takes one argument; and so on."""

    def run(self, a: A, /) -> Coro[R]: ...


class Run2(Protocol[A, B, R]):
    def run(self, a: A, b: B, /) -> Coro[R]: ...


class Run3(Protocol[A, B, C, R]):
    def run(self, a: A, b: B, c: C, /) -> Coro[R]: ...


class Run4(Protocol[A, B, C, D, R]):
    def run(self, a: A, b: B, c: C, d: D, /) -> Coro[R]: ...


class ClassForm:
    """What a class says about its runs.

    Raises:
        InvalidArgument: it is no workflow's class; the text says why.
    """

    def __init__(self, cls: type[Any]) -> None:
        self.cls = cls
        self.function: Callable[..., Any] = _run_of(cls)
        self.handlers = _handlers_of(cls)
        self._takes_input = _takes_input(cls, self.function)
        _guard(cls)

    def call(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """Makes the run's instance, has its methods take the run's messages, and calls ``run``."""
        instance = self.cls(*args, **kwargs) if self._takes_input else self.cls()
        register_methods(instance, self.handlers, require("a workflow's class").encodings)
        coroutine: Coroutine[Any, Any, Any] = instance.run(*args, **kwargs)
        return coroutine


def _run_of(cls: type[Any]) -> Callable[..., Any]:
    function: Any = inspect.getattr_static(cls, "run", None)
    if not inspect.iscoroutinefunction(function):
        raise InvalidArgument(f"@workflow on a class needs an `async def run(self, …)`; {cls.__qualname__} has none")
    found: Callable[..., Any] = function
    return found


def _handlers_of(cls: type[Any]) -> dict[str, Any]:
    """Methods that take messages, in the order of their names; a subclass's own come in the place of its parents'."""
    members = inspect.getmembers_static(cls, lambda member: isinstance(member, Update) or hasattr(member, MARK))
    return dict(members)


def _takes_input(cls: type[Any], run: Callable[..., Any]) -> bool:
    """Whether the constructor takes the run's arguments. It may take nothing instead."""
    if cls.__init__ is object.__init__:
        return False
    constructor = list(inspect.signature(cls.__init__).parameters.values())[1:]
    if [p.name for p in constructor] == [p.name for p in list(inspect.signature(run).parameters.values())[1:]]:
        return bool(constructor)
    if any(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in constructor):
        raise InvalidArgument(
            f"{cls.__qualname__}.__init__ has to take nothing, or the same as {cls.__qualname__}.run: it is called "
            "with the run's arguments, before any handler"
        )
    return False


def _guard(cls: type[Any]) -> None:
    """Has attributes of an instance stay as they are while a query or a validator runs."""

    def refuse(action: str) -> None:
        loop = asyncio._get_running_loop()
        if type(loop) is WorkflowLoop and loop.reading:
            loop.forbid_in_queries(action)

    def __setattr__(self: Any, name: str, value: Any) -> None:
        refuse(f"set self.{name}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:
        refuse(f"delete self.{name}")
        super(cls, self).__delattr__(name)

    if "__setattr__" not in cls.__dict__:
        cls.__setattr__ = __setattr__  # type: ignore[assignment]
    if "__delattr__" not in cls.__dict__:
        cls.__delattr__ = __delattr__  # type: ignore[assignment]
