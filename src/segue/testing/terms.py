"""What ``simulate`` and ``sweep`` are given, refused where a simulation of it would say nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from segue.authoring.python.definitions import STEPS, Step
from segue.errors import InvalidArgument
from segue.testing.moment import Invariant, name_of
from segue.testing.plan import Plan


def invariants_of(given: Any) -> tuple[Invariant, ...]:
    """The invariants.

    Raises:
        InvalidArgument: one of them cannot be called with a ``Moment``, or has to be awaited.
    """
    if callable(given):
        raise InvalidArgument(f"invariants= is a list of functions: invariants=[{_shown(given)}]")
    found = tuple(given)
    for each in found:
        if not callable(each):
            raise InvalidArgument(f"{each!r} is no invariant: that is a function of one argument, the moment")
        _refuse_coroutine(each, "an invariant")
        _bound(each, f"the invariant {_shown(each)}", "the moment")
    return found


def scene_of(given: Callable[..., Any]) -> Callable[..., Any]:
    """The function that sets the scene.

    Raises:
        InvalidArgument: it cannot be called with a ``Scene``, or has to be awaited.
    """
    if not callable(given):
        raise InvalidArgument(f"scene= is a function that sets the scene that it is given; {given!r} is none")
    _refuse_coroutine(given, "what sets the scene")
    _bound(given, f"the scene {_shown(given)}", "the scene")
    return given


def seeds_of(given: Any) -> Sequence[int]:
    """The seeds.

    Raises:
        InvalidArgument: there is none, or one that is not an integer.
    """
    if isinstance(given, str) or not isinstance(given, (int, Iterable)):
        raise InvalidArgument(f"seeds={given!r} is neither a number of seeds nor a list of them, as range(500, 600)")
    found: Sequence[int] = range(given) if isinstance(given, int) else list(given)
    if not found:
        raise InvalidArgument(f"seeds={given!r} names no seed, and nothing would be simulated; seeds=100 is 0 to 99")
    wrong = [seed for seed in found if not isinstance(seed, int)]
    if wrong:
        raise InvalidArgument(f"seed {wrong[0]!r} is not an integer")
    return found


def plan_of(given: Any) -> Plan:
    """The plan.

    Raises:
        InvalidArgument: it is none.
    """
    if not isinstance(given, Plan):
        raise InvalidArgument(f"plan={given!r} is no plan; give what a failure prints: plan=Plan(0, …)")
    return given


def spared(given: Any) -> set[str]:
    """The names of the steps that never fail.

    Raises:
        InvalidArgument: one of them is not a step.
    """
    if isinstance(given, (str, Step)):
        raise InvalidArgument("spare= is a list of steps: spare=[refund]")
    names = {each.name if isinstance(each, Step) else each for each in given}
    unknown = [name for name in names if STEPS.get(name) is None]
    if unknown:
        raise InvalidArgument(f"there is no step {unknown[0]!r} to spare; give the function that carries @step")
    return names


def _refuse_coroutine(function: Any, what: str) -> None:
    inner = inspect.unwrap(function)
    if inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(type(inner).__call__):
        raise InvalidArgument(
            f"{what} is a plain function: {_shown(function)} is `async def`, and nobody would await it; write `def`"
        )


def _bound(function: Any, what: str, argument: str) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C: how it is called says itself
        return
    try:
        signature.bind(None)
    except TypeError as error:
        raise InvalidArgument(f"{what} is called with one argument, {argument}: {error}") from error


def _shown(function: Any) -> str:
    return getattr(function, "__name__", None) or name_of(function)
