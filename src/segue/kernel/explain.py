"""Says where in a value encoding failed, and what to do about it.

msgspec tells neither, so the value is walked once it has failed, and only then.
"""

from __future__ import annotations

import dataclasses
import inspect
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import msgspec

from segue.errors import PayloadError

Attempt = Callable[[Any], Any]
"""Encodes a value, or raises."""
REGISTER = "register an encoding for it"


def explain(value: Any, attempt: Attempt, error: Exception, otherwise: str) -> PayloadError:
    """The error for a value that ``attempt`` refused with ``error``: the path to the culprit, and a remedy, or
    ``otherwise``."""
    try:
        path, culprit, error = _culprit(value, "$", attempt, error, [])
    except RecursionError as deep:  # nested so deeply that it cannot be walked either
        path, culprit, error = "$", value, deep
    return PayloadError(f"{path}: {_remedy(culprit, error, otherwise)}", path=path)


def _culprit(value: Any, path: str, attempt: Attempt, error: Exception, above: list[int]) -> tuple[str, Any, Exception]:
    if id(value) in above:
        return path, value, RecursionError("it contains itself")
    for step, child in _children(value):
        try:
            attempt(child)
        except Exception as cause:
            return _culprit(child, path + step, attempt, cause, [*above, id(value)])
    return path, value, error


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case Mapping():
            for key, item in value.items():
                yield (f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"), item
        case list() | tuple() if not hasattr(value, "_fields"):
            yield from ((f"[{i}]", item) for i, item in enumerate(value))
        case set() | frozenset():
            yield from ((f"{{{item!r}}}", item) for item in value)
        case _:
            yield from ((f".{name}", getattr(value, name)) for name in _field_names(value) if hasattr(value, name))


def _field_names(value: Any) -> tuple[str, ...]:
    kind = type(value)
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    if hasattr(kind, "__attrs_attrs__"):
        return tuple(attribute.name for attribute in kind.__attrs_attrs__)
    names: Any = getattr(kind, "model_fields", None) or getattr(kind, "_fields", ())
    return tuple(names)


def _remedy(value: Any, error: Exception, otherwise: str) -> str:
    kind = type(value)
    if isinstance(error, RecursionError):
        return "the value contains itself, or is nested too deeply; pass ids instead of the objects themselves"
    if isinstance(value, str):
        return "the text holds a lone surrogate, which is not Unicode; pass it as bytes"
    if isinstance(value, Mapping):
        return _mapping_remedy(value, error)
    if isinstance(value, (set, frozenset)):
        return f"the set has no order that could be repeated ({error}); pass a list"
    if not isinstance(error, NotImplementedError):
        return f"{kind.__qualname__} does not encode: {error}"
    ours: str | None = getattr(kind, "_segue_instead", None)  # one of segue's own says what to pass in its place
    return (
        ours
        or next((text for test, text in _REMEDIES if test(value)), None)
        or (
            f"{kind.__module__}.{kind.__qualname__} does not encode; make it a dataclass, a msgspec.Struct or a "
            f"pydantic model, or {otherwise}"
        )
    )


def _mapping_remedy(value: Mapping[Any, Any], error: Exception) -> str:
    odd_keys = [key for key in value if not isinstance(key, (str, int, float)) or isinstance(key, bool)]
    if not odd_keys:
        return f"the dict does not encode: {error}"
    odd = odd_keys[0]
    return f"the key {odd!r} is a {type(odd).__name__}; keys are text or numbers, so pass a list of pairs instead"


_REMEDIES: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (inspect.isroutine, "functions do not encode; pass the data that it needs, or make it a step and call that"),
    (inspect.isclass, "classes do not encode; pass the class's name"),
    (lambda v: isinstance(v, ModuleType), "modules do not encode; import it where it is used"),
    (lambda v: isinstance(v, Awaitable), "it was never awaited; write `await` in front of the call"),
    (lambda v: isinstance(v, io.IOBase), "open files do not encode; pass segue.File.from_path(...) or the path"),
    (lambda v: isinstance(v, Iterator), "iterators do not encode; make it a list"),
    (inspect.isasyncgen, "iterators do not encode; make it a list"),
    (lambda v: isinstance(v, range), "ranges do not encode; make it a list"),
    (lambda v: isinstance(v, BaseException), "exceptions do not encode; raise it, or pass str(error)"),
    (lambda v: hasattr(v, "get_secret_value"), "secrets do not leave the process; keep a SecretRef in its place"),
    (lambda v: type(v).__name__ == "LazyFrame", "a query that has not run does not encode; call .collect() on it"),
    (lambda v: isinstance(v, complex), "complex numbers do not encode; pass a tuple of two floats"),
    (
        lambda v: type(v).__module__ in ("_thread", "threading", "socket", "ssl", "multiprocessing", "sqlite3"),
        "locks, sockets and connections do not encode; open it inside the step that uses it",
    ),
)
