"""What ``@workflow(…)`` and ``@step(…)`` return to the type checker, which thereby keeps parameters and results."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from segue.authoring.python.classes import HasRun

if TYPE_CHECKING:
    from segue.authoring.python.definitions import Step, Workflow

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K", bound=HasRun)


class WorkflowDecorator:
    """What ``workflow(...)`` returns, for the type checker."""

    @overload
    def __call__(self, definition: type[K], /) -> type[K]: ...
    @overload
    def __call__(self, definition: Callable[P, Awaitable[R]], /) -> Workflow[P, R]: ...
    def __call__(self, definition: Any, /) -> Any:
        raise AssertionError("typing only")


class StepDecorator:
    """What ``step(...)`` returns, for the type checker: it keeps the function's parameters and result."""

    @overload
    def __call__(self, function: Callable[P, Awaitable[R]], /) -> Step[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Step[P, R]: ...
    def __call__(self, function: Any, /) -> Any:
        raise AssertionError("typing only")
