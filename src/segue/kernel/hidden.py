"""Finds what JSON would change in silence: attributes of attrs classes that begin with ``_``, which msgspec leaves out,
and keys that are numbers or text, which are all text there."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from segue.kernel.likeness import describe, fields_of, is_union, members_of, unwrap


def lost(annotation: Any) -> str | None:
    """What would not come back of values of a type, and what to declare instead; None if all does."""
    return _lost(annotation, set())


def _lost(annotation: Any, seen: set[Any]) -> str | None:
    bare = unwrap(annotation)
    kind = get_origin(bare) or bare
    inner = [each for each in get_args(bare) if each is not ...]
    if isinstance(kind, type) and not is_union(bare) and bare not in seen:
        seen.add(bare)
        if issubclass(kind, Mapping) and inner and _may_be_both(inner[0]):
            return f"the keys of {describe(bare)} may be numbers or text, and all are text in JSON; declare one of them"
        attributes = getattr(kind, "__attrs_attrs__", None)
        if attributes is not None:
            found = next((each.name for each in attributes if each.init and each.name.startswith("_")), None)
            if found is not None:
                return (
                    f"the attribute {found!r} of {describe(kind)} would be lost: JSON leaves out what begins with '_' "
                    "in classes of attrs; name it without, or make the class a dataclass"
                )
            inner += _types(kind)
        elif not hasattr(kind, "model_validate_json"):  # a pydantic model has rules of its own
            inner += [each.type for each in fields_of(bare) or ()]
    return next((found for each in inner if (found := _lost(each, seen)) is not None), None)


def _may_be_both(key: Any) -> bool:
    kinds: list[Any] = []
    for member in members_of(key):
        kinds += map(type, get_args(member)) if get_origin(member) is Literal else [member]
    known = [kind for kind in kinds if isinstance(kind, type)]
    return any(issubclass(kind, str) for kind in known) and any(issubclass(kind, (int, float)) for kind in known)


def _types(kind: type) -> list[Any]:
    try:
        return list(typing.get_type_hints(kind).values())
    except NameError:  # msgspec says which one, when it reads the type
        return []
