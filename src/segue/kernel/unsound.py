"""Types that msgspec takes, and ends the process with.

Of unions, msgspec 0.22 mistakes the place of one member's details for another's: of a limit (``Meta(ge=1)``, a length,
a pattern) beside a tuple of a fixed length when it reads a value, of a pattern beside a list, a tuple, a set or a dict
when it lets go of what it has built. Such a union is taken apart by ``shapes``, which hands each member to msgspec by
itself; so is whatever holds one.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec

from segue.kernel.likeness import alias_of, annotated_members_of, fields_of, is_fixed_tuple, is_union, look, unwrap


def unsound(annotation: Any) -> bool:
    """Whether there is such a union in a type, or in a class that it names."""
    return _unsound(annotation, set())


def _unsound(annotation: Any, seen: set[Any]) -> bool:
    bare = unwrap(annotation)
    union = is_union(bare)
    if union and _mistaken(annotated_members_of(bare)):
        return True
    if any(_unsound(each, seen) for each in get_args(bare) if each is not ...):
        return True
    if union or not isinstance(get_origin(bare) or bare, type) or bare in seen:
        return False
    seen.add(bare)
    return any(_unsound(each.type, seen) for each in fields_of(bare) or ())


def _mistaken(union: list[Any]) -> bool:
    limits = [each for member in union for each in _limits(member)]
    if any(each.pattern is not None for each in limits):
        return any(look(kind) in ("array", "object") and fields_of(kind) is None for kind in map(unwrap, union))
    return bool(limits) and any(map(is_fixed_tuple, map(unwrap, union)))


def _limits(member: Any) -> Iterator[msgspec.Meta]:
    while True:
        said = getattr(member, "__metadata__", ())
        yield from (each for each in said if isinstance(each, msgspec.Meta) and _says_limit(each))
        if get_origin(member) is typing.Annotated:
            member = get_args(member)[0]
        elif (inner := alias_of(member)) is not None:
            member = inner
        else:
            return


def _says_limit(meta: msgspec.Meta) -> bool:
    bounds = (meta.ge, meta.gt, meta.le, meta.lt, meta.multiple_of, meta.min_length, meta.max_length, meta.pattern)
    return any(each is not None for each in bounds)
