"""Mocks of steps: what stands in for a step's function in one world, and what it was called with.

The call itself stays as it is in production: it is encoded and decoded, has its retries and its timeout, and its
outcome is recorded. Only the function is another one.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, ParamSpec, Self, TypeVar

import msgspec

from segue.authoring.python.bound import BoundStep
from segue.authoring.python.definitions import Step, Workflow
from segue.errors import InvalidArgument, PayloadError
from segue.kernel.attempt import CURRENT
from segue.kernel.encoding import Encodings
from segue.kernel.steps import StepRunner

P = ParamSpec("P")
R = TypeVar("R")


class Unset:
    """Stands for an argument that was not given, where None is one."""


UNSET = Unset()


class Called(msgspec.Struct, frozen=True):
    """One attempt of a mocked step.

    Attributes:
        args, kwargs: what the step was called with.
        key: the idempotency key; the attempts of one call share it.
        attempt: its number, from 1.
        run: the caller's id of the run.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    key: str
    attempt: int
    run: str


class Mock(Generic[P, R]):
    """Stands in for a step's function.

    Attributes:
        name: the step's.
        calls: its attempts so far, in order.
    """

    def __init__(self, step: Step[P, R], behave: Callable[..., Any], times: int | None) -> None:
        self.step = step
        self.name = step.name
        self.calls: list[Called] = []
        self._behave = behave
        self._left = times

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stands in no longer: the mock before it, or the step itself, is back. A ``with`` block does it at its end."""
        self._left = 0

    @property
    def spent(self) -> bool:
        """It has stood in as often as it was to."""
        return self._left == 0

    async def attempt(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What an attempt comes to."""
        if self._left is not None:
            self._left -= 1
        current = CURRENT.get()
        self.calls.append(Called(args, kwargs, current.idempotency_key, current.attempt, current.run_id))
        result = self._behave(*args, **kwargs)
        return await result_of(result)

    # --- what a test asks of it -------------------------------------------------------------------------------

    def assert_called(self, *, times: int | None = None) -> None:
        """It was attempted, or attempted so often."""
        if times is None:
            assert self.calls, f"step {self.name!r} was never called"
        else:
            assert len(self.calls) == times, f"step {self.name!r} was to run {times} times: {self._told()}"

    def assert_not_called(self) -> None:
        assert not self.calls, f"step {self.name!r} was not to be called: {self._told()}"

    def assert_called_with(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """One of its attempts, at least, was called with this."""
        wanted = self._bound(args, kwargs)
        found = any(self._bound(call.args, call.kwargs) == wanted for call in self.calls)
        assert found, f"step {self.name!r} was never called with {_arguments(args, kwargs)}: {self._told()}"

    def assert_called_once_with(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """It was attempted once, and with this."""
        self.assert_called(times=1)
        self.assert_called_with(*args, **kwargs)

    def assert_once_per_key(self) -> None:
        """No idempotency key was used by two attempts: nothing was tried again."""
        again = {key: n for key, n in Counter(call.key for call in self.calls).items() if n > 1}
        assert not again, f"step {self.name!r} was attempted more than once under one idempotency key: {self._told()}"

    def _bound(self, args: Any, kwargs: Any) -> Any:
        given = (None, *args) if self.step.spec.executor == "transaction" else args  # its connection comes first
        try:
            bound = inspect.signature(self.step.function).bind(*given, **kwargs)
        except TypeError as error:
            asked = _arguments(args, kwargs)
            raise AssertionError(f"step {self.name!r} is never called with {asked}: {error}") from error
        bound.apply_defaults()
        return bound.arguments

    def _told(self) -> str:
        if not self.calls:
            return "it was not called at all"
        told = [f"attempt {call.attempt} with {_arguments(call.args, call.kwargs)}" for call in self.calls]
        return f"it had {len(told)} attempts: {'; '.join(told)}"


async def result_of(given: Any) -> Any:
    """What a function of the test's gave, which may be plain or async."""
    return await given if inspect.isawaitable(given) else given


def _arguments(args: Iterable[Any], kwargs: dict[str, Any]) -> str:
    return f"({', '.join([*map(repr, args), *(f'{name}={value!r}' for name, value in kwargs.items())])})"


class Mocks:
    """The mocks of one world, by step; the last one that is not spent stands in."""

    def __init__(self) -> None:
        self._by_step: dict[str, list[Mock[Any, Any]]] = {}

    def mock(
        self,
        step: Step[P, R],
        *,
        returns: R | Unset = UNSET,
        raises: BaseException | type[BaseException] | None = None,
        side_effect: Callable[P, R | Awaitable[R]] | None = None,
        times: int | None = None,
        encodings: Encodings,
    ) -> Mock[P, R]:
        """Has something else stand in for a step's function; see ``World.mock``. ``encodings``: by which it is seen
        whether the step may return what the mock does."""
        _refuse_what_is_no_step(step)
        given = [returns is not UNSET, raises is not None, side_effect is not None]
        if sum(given) != 1:
            raise InvalidArgument(f"mock({step.name}) wants one of returns=, raises= and side_effect=")
        if raises is not None and not _is_error(raises):
            raise InvalidArgument(f"mock({step.name}, raises={raises!r}) wants an exception")
        if side_effect is not None and (not callable(side_effect) or _is_error(side_effect)):
            raise InvalidArgument(
                f"mock({step.name}, side_effect={side_effect!r}) wants a function; an error is for raises=, and one "
                "thing after the other is several mocks with times=, of which the last one comes first"
            )
        if times is not None and (not isinstance(times, int) or times < 1):
            raise InvalidArgument(f"mock({step.name}, times={times!r}) would never stand in; times is 1 or more")
        if returns is not UNSET:
            _refuse_other_type(step, returns, encodings)
        made: Mock[P, R] = Mock(step, _behaviour(returns, raises, side_effect), times)
        self._by_step.setdefault(step.name, []).append(made)
        return made

    def standing_in(self, step: str) -> Mock[Any, Any] | None:
        """The mock whose turn it is."""
        return next((mock for mock in reversed(self._by_step.get(step, ())) if not mock.spent), None)


def _refuse_what_is_no_step(step: Any) -> None:
    if isinstance(step, Step):
        return
    if isinstance(step, Workflow):
        raise InvalidArgument(
            f"only a step can be mocked; {step.name!r} is a workflow: mock the steps that it calls, or have another "
            "workflow of its name in its place, with testing.engine(folder, workflows=[…])"
        )
    if inspect.iscoroutine(step):
        step.close()
        raise InvalidArgument("the step has been called already; hand it over as it is: mock(step, …)")
    raise InvalidArgument(
        f"only a step can be mocked; {step!r} is none, give the function that carries @step. People answer by "
        "person(), signals are sent"
    )


def _is_error(thing: Any) -> bool:
    return isinstance(thing, BaseException) or (isinstance(thing, type) and issubclass(thing, BaseException))


def _refuse_other_type(step: Step[Any, Any], value: Any, encodings: Encodings) -> None:
    """Raises ``InvalidArgument`` for a result that the caller of the step could not be handed."""
    if step.spec.by_reference:
        return
    bound = step.bind(encodings, None)
    try:
        bound.decode_result(bound.encode(value))
    except PayloadError as error:
        raise InvalidArgument(f"mock({step.name}, returns={value!r}) is not what the step returns: {error}") from error


def _behaviour(
    returns: Any, raises: BaseException | type[BaseException] | None, side_effect: Callable[..., Any] | None
) -> Callable[..., Any]:
    if side_effect is not None:
        return side_effect
    if raises is None:
        return lambda *args, **kwargs: returns
    error = raises

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


class MockRunner:
    """A step whose function is a mock's. Implements ``kernel.steps.StepRunner``.

    The step is bound once, by itself; laying out its arguments costs more than most mocks do.
    """

    def __init__(self, mock: Mock[Any, Any], bound: BoundStep) -> None:
        self.spec = bound.spec
        if self.spec.executor == "queue":  # nobody serves it: the mock runs here
            self.spec = msgspec.structs.replace(self.spec, executor="loop", queue="")
        self.decode = bound.decode
        self.encode = bound.encode
        self.locate = bound.locate
        self._mock = mock

    def call(self, arguments: Any) -> Any:
        return self._mock.attempt(*arguments)


def is_mocked(runner: StepRunner) -> bool:
    """Whether a mock stands in, which is a coroutine whatever the step is."""
    return isinstance(runner, MockRunner)
