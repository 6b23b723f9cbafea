"""``@signal``, ``@update``, ``@query``: functions that take a run's messages, as closures of a workflow or as methods.

Inside a running workflow the decorator registers the function at once. On a method in the body of a class it marks
it, and each run of the class registers it for its own instance (``classes``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from segue.authoring.python.execution import require
from segue.authoring.python.messages import Channel, Query, SignalHandler, UpdateHandler
from segue.errors import InvalidArgument
from segue.kernel.canonical import Call
from segue.kernel.encoding import Encodings
from segue.kernel.names import checked_name

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")

MARK = "__segue_message__"
"""Attribute of a method that takes signals or answers queries: which of them."""


@overload
def signal(name: str, /) -> Channel[Any]: ...
@overload
def signal(name: str, type: type[T], /) -> Channel[T]: ...
@overload
def signal(function: F, /) -> F: ...
def signal(name: Any, type: Any = Any, /) -> Any:
    """Signals of one name: ``await signal("paid", Decimal)`` takes the next one, ``async for`` all of them.

    As a decorator it makes a function their handler, under its own name; it takes the signal's value, or nothing.
    """
    if not callable(name):
        execution = require("signal()")
        return Channel(execution.messages, checked_name(name, "a signal's name"), type)
    _refuse_parameters(name)
    if is_method(name):
        setattr(name, MARK, "signal")
        return name
    execution = require("signal()")
    encodings = execution.encodings
    execution.messages.on_signal(SignalHandler(name.__name__, name, _site(name, encodings), encodings))
    return name


def query(function: F) -> F:
    """Makes a function answer queries under its name. It may read everything and change nothing.

    Raises:
        InvalidArgument: it is an ``async def``.
    """
    if inspect.iscoroutinefunction(function):
        raise InvalidArgument(
            f"query {function.__name__!r} must be a plain `def`: it only reads, so there is nothing to await"
        )
    if is_method(function):
        setattr(function, MARK, "query")
        return function
    execution = require("query()")
    execution.messages.on_query(Query(function.__name__, function, _site(function, execution.encodings)))
    return function


class Update(Generic[P, R]):
    """A function that answers updates; ``.validator`` takes one that may refuse them before anything is recorded.

    It can be called as what it was, by the workflow's own code.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.function = function
        self.name: str = getattr(function, "__name__", "")
        self.validate: Callable[..., Any] | None = None
        self._handler: UpdateHandler | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    @overload
    def __get__(self, instance: None, owner: Any) -> Update[P, R]: ...
    @overload
    def __get__(self: Update[Concatenate[S, Q], R], instance: S, owner: Any) -> Callable[Q, R]: ...
    def __get__(self, instance: Any, owner: Any) -> Any:
        return self if instance is None else self.function.__get__(instance, owner)

    def validator(self, function: Callable[P, object]) -> Callable[P, object]:
        """Has ``function`` look at each update of this name, in a plain ``def`` that only reads. What it raises
        refuses the update."""
        if inspect.iscoroutinefunction(function):
            raise InvalidArgument(
                f"the validator of update {self.name!r} must be a plain `def`: it only reads, so there is nothing to "
                "await"
            )
        self.validate = function
        if self._handler is not None:
            self._handler.validate = function
        return function

    def handler(self, encodings: Encodings, instance: Any = None) -> UpdateHandler:
        """How a run carries it out; ``instance``: of the class whose method it is."""
        function, validate = self.function, self.validate
        if instance is not None:
            function = function.__get__(instance)
            validate = None if validate is None else validate.__get__(instance)
        site = _site(self.function, encodings, None if instance is None else type(instance))
        return UpdateHandler(self.name, function, site, encodings.encode, validate)

    def register(self) -> None:
        """Has the current run answer updates by it."""
        execution = require("update()")
        self._handler = self.handler(execution.encodings)
        execution.messages.on_update(self._handler)


def update(function: Callable[P, R]) -> Update[P, R]:
    """Makes a function answer updates under its name; as ``async def`` it may call steps and wait."""
    made = Update(function)
    if not is_method(function):
        made.register()
    return made


def register_methods(instance: Any, handlers: dict[str, Any], encodings: Encodings) -> None:
    """Has the current run's messages taken by the methods of ``instance``."""
    messages = require("a workflow's class").messages
    for name, declared in handlers.items():
        if isinstance(declared, Update):
            messages.on_update(declared.handler(encodings, instance))
            continue
        function, site = getattr(instance, name), _site(declared, encodings, type(instance))
        if getattr(declared, MARK) == "signal":
            messages.on_signal(SignalHandler(name, function, site, encodings))
        else:
            messages.on_query(Query(name, function, site))


def is_method(function: Any) -> bool:
    """Whether the function stands in the body of a class, by its qualified name."""
    place, _, _ = function.__qualname__.rpartition(".")
    return bool(place) and not place.endswith("<locals>")


def _refuse_parameters(function: Any) -> None:
    least = 1 if is_method(function) else 0
    if len(inspect.signature(function).parameters) > least + 1:
        raise InvalidArgument(
            f"the handler of signal {function.__name__!r} takes the signal's value or nothing; put several into one "
            "object"
        )


# --- call sites -----------------------------------------------------------------------------------------------

_SITES: dict[tuple[int, int, int], tuple[CodeType, Any, Any, Encodings, type | None, Call]] = {}
"""By the identity of code, encodings and class, which are kept alive here: a closure is made anew in each run and
replay, and what its parameters are takes longer to find out than a replay of a hundred events."""
_MOST_SITES = 10_000


def _site(function: Any, encodings: Encodings, owner: type | None = None) -> Call:
    """How the function is called; ``owner``: the class whose method it is."""
    method = owner is not None
    code = getattr(function, "__code__", None)
    if code is None:
        return Call.of(function, encodings, method=method, owner=owner)
    key = (id(code), id(encodings), id(owner))
    found = _SITES.get(key)
    # Without `from __future__ import annotations` these are objects, which may differ from closure to closure.
    if found is not None and found[1] == function.__annotations__ and found[2] == function.__defaults__:
        return found[5]
    site = Call.of(function, encodings, name=function.__name__, method=method, owner=owner)
    if len(_SITES) < _MOST_SITES:
        _SITES[key] = (code, function.__annotations__, function.__defaults__, encodings, owner, site)
    return site
