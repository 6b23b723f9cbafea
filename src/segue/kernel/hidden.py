"""Finds attributes that msgspec leaves out in silence when it writes: those of attrs classes that begin with ``_``."""

from __future__ import annotations

import typing
from typing import Any, get_args, get_origin

from segue.kernel.likeness import fields_of, is_union, unwrap


def hidden(annotation: Any) -> tuple[type, str] | None:
    """The first such attribute of a class that a type names, and that the class's constructor takes."""
    return _hidden(annotation, set())


def _hidden(annotation: Any, seen: set[Any]) -> tuple[type, str] | None:
    bare = unwrap(annotation)
    kind = get_origin(bare) or bare
    inner = [each for each in get_args(bare) if each is not ...]
    if isinstance(kind, type) and not is_union(bare) and bare not in seen:
        seen.add(bare)
        attributes = getattr(kind, "__attrs_attrs__", None)
        if attributes is None:
            inner += [each.type for each in fields_of(bare) or ()]
        else:
            found = next((each.name for each in attributes if each.init and each.name.startswith("_")), None)
            if found is not None:
                return kind, found
            inner += _types(kind)
    return next((found for each in inner if (found := _hidden(each, seen)) is not None), None)


def _types(kind: type) -> list[Any]:
    try:
        return list(typing.get_type_hints(kind).values())
    except NameError:  # msgspec says which one, when it reads the type
        return []
