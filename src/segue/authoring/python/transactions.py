"""``@step.transaction``: a step whose writes to the store's own database commit together with its outcome.

It gets a connection as its first argument, which the workflow does not pass. ``segue.step`` is made here, because this
is one of the things that it can do.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from segue.authoring.python import definitions
from segue.authoring.python.bound import BoundStep
from segue.authoring.python.definitions import STEPS, Step
from segue.authoring.python.execution import current
from segue.authoring.python.functions import checked_function
from segue.authoring.python.policies import ErrorPolicy
from segue.authoring.python.registry import refuse_replaced
from segue.authoring.python.terms import check_step, known_as, length_of, retry_of
from segue.errors import InvalidArgument, NotInWorkflow
from segue.kernel.canonical import Call
from segue.kernel.duration import Duration
from segue.kernel.encoding import Encodings
from segue.kernel.retry import ONCE, OnExhausted, Retry
from segue.kernel.steps import StepSpec
from segue.kernel.transactions import Transaction

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class TransactionStep(Step[P, R]):
    """A step that runs in a transaction of the store's."""

    def bind(self, encodings: Encodings, hash_key: bytes | None = None) -> BoundStep:
        if self.bound is None or self.bound[0] is not encodings:
            refuse_replaced("step", self, STEPS.get(self.name))
            site = _call_site(self.function, encodings, self.name, hash_key)
            self.bound = (encodings, BoundStep(self, encodings, hash_key, site))
        return self.bound[1]

    def by_reference(self) -> Any:
        raise InvalidArgument(f"{self.name} is a transactional step, whose result is no large one: call it directly")

    async def _run_here(self, args: Any, kwargs: Any) -> R:
        raise NotInWorkflow(
            f"{self.name} is a transactional step: its connection comes from the engine that runs its workflow; in a "
            f"test, call `{self.name}.function(connection, …)` with a connection of your own"
        )


def _call_site(function: Any, encodings: Encodings, name: str, hash_key: bytes | None) -> Call:
    """How a workflow calls it: without the connection."""
    whole = inspect.signature(function)
    first, *rest = whole.parameters.values()
    hints = typing.get_type_hints(function, include_extras=True)
    hints.pop(first.name, None)
    return Call(name, whole.replace(parameters=rest), hints, encodings, hash_key=hash_key)


@overload
def transaction(function: Callable[Concatenate[Transaction, P], R], /) -> Step[P, R]: ...
@overload
def transaction(
    *,
    name: str | None = None,
    retry: Retry | int | None = None,
    timeout: Duration | None = None,
    on_error: ErrorPolicy | None = None,
    on_exhausted: OnExhausted = "raise",
) -> _TransactionDecorator: ...
def transaction(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    retry: Retry | int | None = None,
    timeout: Duration | None = None,
    on_error: ErrorPolicy | None = None,
    on_exhausted: OnExhausted = "raise",
) -> Any:
    """Makes a plain function a step that takes effect exactly once: what it writes through its first argument, a
    ``Transaction``, is committed together with its outcome.

    Args:
        timeout: how long it may take; by default one second. Nobody else commits meanwhile.
        name, retry, on_error, on_exhausted: as for ``step``.

    Raises:
        InvalidArgument: it is an ``async def``, or takes no connection.
    """

    check_step(None, None, False, None, on_error, on_exhausted)

    def decorate(function: Any) -> Any:
        _check(function)
        spec = StepSpec(
            name=known_as(name, function, "step"),
            executor="transaction",
            retry=ONCE if retry is None else retry_of(retry),
            timeout=length_of(timeout),
            on_exhausted=on_exhausted,
        )
        made: TransactionStep[Any, Any] = TransactionStep(function, spec, on_error)
        STEPS.add(made)
        return made

    return decorate if function is None else decorate(function)


def _check(function: Any) -> None:
    checked_function(function, "step.transaction", current())
    title = function.__qualname__
    if inspect.iscoroutinefunction(function):
        raise InvalidArgument(
            f"@step.transaction needs a plain `def`; {title} is an `async def`, and a transaction waits for nobody"
        )
    kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
    if not kinds or kinds[0] not in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
        raise InvalidArgument(f"@step.transaction gives {title} a connection as its first argument, which it lacks")


class _TransactionDecorator:
    """What ``step.transaction(...)`` returns, for the type checker."""

    def __call__(self, function: Callable[Concatenate[Transaction, P], R], /) -> Step[P, R]:
        raise AssertionError("typing only")


class StepDecorator(Generic[F, T]):
    """``segue.step``: the decorator, and what makes the other kinds of steps; typed as these are."""

    def __init__(self, make: F, transaction: T) -> None:
        self._make = make
        self.transaction = transaction
        self.__doc__ = make.__doc__

    @property
    def __call__(self) -> F:
        return self._make


step = StepDecorator(definitions.step, transaction)
