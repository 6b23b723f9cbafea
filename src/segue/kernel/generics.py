"""What annotations of a method mean in a class that derives from generic ones: in ``Base[int]``, ``T`` is ``int``."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import Any, Generic, get_args, get_origin

from segue.kernel.likeness import substitute


def hints_of(
    function: Callable[..., Any], owner: type | None = None, localns: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The annotations of a function, or of a method as the class ``owner`` has it, by parameter.

    Raises:
        NameError: one names something that is not known where the function is defined.
    """
    hints = typing.get_type_hints(function, localns=dict(localns or {}), include_extras=True)
    given = {} if owner is None else _given(owner, function.__name__)
    return {name: substitute(hint, given) for name, hint in hints.items()} if given else hints


def _given(owner: type, method: str) -> dict[Any, Any]:
    """What is given for the type variables of the class that has the method."""
    found: dict[Any, dict[Any, Any]] = {owner: {}}
    waiting = [owner]
    while waiting:
        cls = waiting.pop()
        for base in vars(cls).get("__orig_bases__", cls.__bases__):
            origin = get_origin(base) or base
            if origin is not Generic and origin not in found:
                arguments = (substitute(argument, found[cls]) for argument in get_args(base))
                found[origin] = dict(zip(getattr(origin, "__parameters__", ()), arguments, strict=False))
                waiting.append(origin)
    return next((found.get(cls, {}) for cls in owner.__mro__ if method in vars(cls)), {})
