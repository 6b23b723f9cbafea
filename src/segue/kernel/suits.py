"""Whether a value is plainly of another type than the declared one: a check of its class, never of its content."""

from __future__ import annotations

import collections.abc as abc
import typing
from typing import Any, get_origin

from segue.kernel.likeness import describe, members_of

_LISTS: tuple[type, ...] = (list, tuple, set, frozenset)
_TAKEN_FOR: dict[Any, tuple[type, ...]] = {
    None: (type(None),),
    float: (float, int),
    bytes: (bytes, bytearray, memoryview),
    dict: (dict,),
    abc.Mapping: (dict,),
    abc.MutableMapping: (dict,),
} | dict.fromkeys((*_LISTS, abc.Sequence, abc.Collection, abc.Iterable, abc.Set, abc.MutableSequence), _LISTS)
"""Classes whose values JSON turns into the declared type just as well."""

_PLAIN = frozenset({str, int, float, bool, type(None), bytes, bytearray, dict, *_LISTS})
"""Only values of these classes, and of such as stand for others, are refused; of the rest, the encoder knows more."""


class Suits:
    """Tells whether a value may be passed for a declared type.

    Attributes:
        name: the type, as a person writes it.
        exact: classes that suit without looking further.
    """

    __slots__ = ("_classes", "exact", "name")

    def __init__(self, name: str, classes: tuple[type, ...]) -> None:
        self.name = name
        self.exact = frozenset(classes)
        self._classes = classes

    def __call__(self, value: Any) -> bool:
        kind = type(value)
        return (
            kind in self.exact
            or (kind not in _PLAIN and instead_of(kind) is None)
            or (kind is not bool and isinstance(value, self._classes))
        )


def instead_of(kind: type) -> str | None:
    """What to do where a value of the class stands for another one and is passed in its place; None for most."""
    return getattr(kind, "_segue_stands_for", None)


def suits(annotation: Any) -> Suits | None:
    """The check for a declared type, or None when any class may do."""
    classes: list[type] = []
    for member in members_of(annotation):
        kind = get_origin(member) or member
        found = (dict,) if typing.is_typeddict(kind) else _TAKEN_FOR.get(kind, (kind,))
        if kind in (object, Any) or getattr(kind, "_is_protocol", False) or not all(isinstance(c, type) for c in found):
            return None
        classes.extend(found)
    return Suits(describe(annotation), tuple(classes))
