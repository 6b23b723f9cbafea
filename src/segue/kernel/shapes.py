"""Builds values of types that msgspec refuses: unions of plain dataclasses, enums of any value, types that hold them.

A ``Shape`` takes a tree of plain values apart by declared type. Where msgspec can take over it does. A union is read by
what its members look like in JSON, so members that look alike are refused when the type is first seen, not when a value
has already been read as the wrong one.
"""

from __future__ import annotations

import collections.abc as abc
import enum
import typing
from collections.abc import Callable, Iterable
from typing import Any, get_args, get_origin

import msgspec

from segue.errors import PayloadError
from segue.kernel.likeness import (
    alike,
    annotated_members_of,
    describe,
    fields_of,
    is_fixed_tuple,
    is_union,
    late_fields_of,
    tag_of,
    unwrap,
)
from segue.kernel.unsound import unsound

Hook = Callable[[Any, Any], Any]
Shape = Callable[[Any, Hook, str], Any]
"""``shape(tree, hook, path)``: the value, or ``PayloadError`` at a path below ``path``."""

_LISTS: dict[Any, Callable[[Any], Any]] = {
    list: list, set: set, frozenset: frozenset, abc.Sequence: list, abc.Collection: list, abc.Iterable: list,
    abc.MutableSequence: list, abc.Set: set, abc.MutableSet: set,
}  # fmt: skip
_DICTS = (dict, abc.Mapping, abc.MutableMapping)


def build_shape(annotation: Any) -> Shape:
    """The shape of a declared type.

    Raises:
        PayloadError: it has members that look alike in JSON, or is of a kind that cannot be read back.
    """
    return _Builder().shape(annotation)


class _Builder:
    """Builds the shapes of one type; a class that holds itself gets one shape."""

    def __init__(self) -> None:
        self._classes: dict[Any, list[Shape]] = {}

    def shape(self, annotation: Any) -> Shape:
        for each in (annotation, unwrap(annotation)):  # with its limits, if it has any
            if _readable(each):
                return _leaf(each)
        annotation = unwrap(annotation)
        origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
        if is_union(annotation):
            return self._union(annotation)
        if is_fixed_tuple(annotation):
            return self._fixed_tuple([self.shape(item) for item in arguments])
        if origin in _LISTS or origin is tuple:
            return self._list(_LISTS.get(origin, tuple), self.shape(arguments[0]))
        if origin in _DICTS:
            return self._dict(arguments[0], self.shape(arguments[1]))
        if _is_enum(origin):
            return _enum(origin)
        return self._class(annotation, origin)

    def _list(self, make: Callable[[Any], Any], item: Shape) -> Shape:
        def read(tree: Any, hook: Hook, path: str) -> Any:
            items = _expect(list, tree, path)
            return make([item(value, hook, f"{path}[{i}]") for i, value in enumerate(items)])

        return read

    def _fixed_tuple(self, items: list[Shape]) -> Shape:
        def read(tree: Any, hook: Hook, path: str) -> Any:
            values = _expect(list, tree, path)
            if len(values) != len(items):
                raise PayloadError(f"{path}: expected {len(items)} items, got {len(values)}", path=path)
            return tuple(s(value, hook, f"{path}[{i}]") for i, (s, value) in enumerate(zip(items, values, strict=True)))

        return read

    def _dict(self, key: Any, item: Shape) -> Shape:
        kind = unwrap(key)
        members = _members_by_key(kind) if _is_enum(kind) and not _readable(kind) else None
        if members is None and is_union(kind) and not _readable(dict[key, None]):
            raise PayloadError(f"{describe(key)}: keys of these types look alike in JSON (all are text); declare one")

        def read(tree: Any, hook: Hook, path: str) -> Any:
            found = _expect(dict, tree, path)
            values = {name: item(value, hook, f"{path}[{name!r}]") for name, value in found.items()}
            keys: Iterable[Any]
            if members is None:
                keys = msgspec.convert(dict.fromkeys(found), dict[key, None], str_keys=True, dec_hook=hook)
            elif unknown := [name for name in found if name not in members]:
                raise PayloadError(f"{path}: {unknown[0]!r} is no value of {kind.__qualname__}", path=path)
            else:
                keys = [members[name] for name in found]
            return dict(zip(keys, values.values(), strict=True))

        return read

    def _union(self, annotation: Any) -> Shape:
        members = annotated_members_of(annotation)
        kinds = [unwrap(member) for member in members]
        for i, one in enumerate(kinds):
            for other in kinds[:i]:
                if reason := alike(one, other):
                    raise PayloadError(
                        f"{describe(annotation)}: {describe(other)} and {describe(one)} look alike in JSON ({reason}); "
                        "declare one of them, or make them msgspec.Struct classes with tag=True"
                    )
        shapes = [
            (self.shape(member), frozenset(f.name for f in (*(fields_of(member) or ()), *late_fields_of(member))))
            for member in members
        ]

        def read(tree: Any, hook: Hook, path: str) -> Any:
            # The member that leaves the fewest keys of the object unread comes first: classes ignore unknown keys.
            keys = tree.keys() if isinstance(tree, dict) else ()
            failures = []
            for candidate, _ in sorted(shapes, key=lambda entry: sum(key not in entry[1] for key in keys)):
                try:
                    return candidate(tree, hook, path)
                except PayloadError as error:
                    failures.append(str(error))
            raise PayloadError(f"{path}: fits no member of {describe(annotation)}: " + "; ".join(failures), path=path)

        return read

    def _class(self, annotation: Any, origin: Any) -> Shape:
        fields = fields_of(annotation)
        if fields is None:
            raise PayloadError(
                f"{describe(annotation)} cannot be read back from JSON; use a dataclass or register an encoding"
            )
        if annotation in self._classes:
            cell = self._classes[annotation]
            return lambda tree, hook, path: cell[0](tree, hook, path)
        cell = self._classes[annotation] = []
        shapes = [(field, self.shape(field.type)) for field in fields]
        late = [(field.name, self.shape(field.type)) for field in late_fields_of(annotation)]
        as_list, tag = issubclass(origin, tuple), tag_of(origin)

        def read(tree: Any, hook: Hook, path: str) -> Any:
            if not typing.is_typeddict(origin) and isinstance(tree, origin):
                return tree
            if as_list:
                tree = dict(zip([f.name for f in fields], _expect(list, tree, path), strict=False))
            found = _expect(dict, tree, path)
            if tag is not None and found.get(tag[0]) != tag[1]:
                raise PayloadError(f"{path}: expected {tag[0]} to be {tag[1]!r}", path=path)
            values = {}
            for field, shape in shapes:
                if field.name in found:
                    values[field.attribute] = shape(found[field.name], hook, f"{path}.{field.name}")
                elif field.required:
                    raise PayloadError(f"{path}: {describe(annotation)} lacks the field {field.name!r}", path=path)
            made = _construct(origin, values, path)
            for name, shape in late:
                if name in found:
                    object.__setattr__(made, name, shape(found[name], hook, f"{path}.{name}"))
            return made

        cell.append(read)
        return read


def _construct(origin: Any, values: dict[str, Any], path: str) -> Any:
    try:
        return origin(**values)
    except Exception as error:
        raise PayloadError(f"{path}: {origin.__qualname__} refused its fields: {error}", path=path) from error


def _leaf(annotation: Any) -> Shape:
    def read(tree: Any, hook: Hook, path: str) -> Any:
        try:
            return msgspec.convert(tree, annotation, str_keys=True, dec_hook=hook)
        except PayloadError:
            raise
        except Exception as error:
            text, _, where = str(error).rpartition(" - at `$")
            below = path + where.rstrip("`") if text else path
            raise PayloadError(f"{below}: {text or error}", path=below) from error

    return read


def _enum(kind: type[enum.Enum]) -> Shape:
    """Enums whose values are not all text or all integers: the member whose value reads the same in JSON."""
    by_json = {msgspec.json.encode(member.value): member for member in kind}

    def read(tree: Any, hook: Hook, path: str) -> Any:
        if isinstance(tree, kind):
            return tree
        try:
            return by_json[msgspec.json.encode(tree)]
        except KeyError:
            raise PayloadError(f"{path}: {tree!r} is no value of {kind.__qualname__}", path=path) from None

    return read


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _members_by_key(kind: type[enum.Enum]) -> dict[str, enum.Enum]:
    """The members of such an enum by what they are as keys of an object. One that can be no key is left out: nothing
    has been written with it.

    Raises:
        PayloadError: two of them are the same key.
    """
    found: dict[str, enum.Enum] = {}
    for member in kind:
        try:
            (key,) = msgspec.json.decode(msgspec.json.encode({member: None}))
        except TypeError:
            continue
        if found.setdefault(key, member) is not member:
            raise PayloadError(
                f"{describe(kind)}: {found[key].name} and {member.name} are the same key, {key!r}, in JSON; give one "
                "another value, or pass a list of pairs"
            )
    return found


def _expect(kind: type, tree: Any, path: str) -> Any:
    if not isinstance(tree, kind):
        name = "array" if kind is list else "object"
        raise PayloadError(f"{path}: expected {name}, got {type(tree).__name__}", path=path)
    return tree


def _readable(annotation: Any) -> bool:
    """Whether msgspec reads the type by itself."""
    try:
        if unsound(annotation):
            return False
        msgspec.json.Decoder(annotation, dec_hook=lambda kind, tree: tree)
    except TypeError:
        return False
    except Exception as error:
        raise PayloadError(f"{describe(annotation)} cannot be read back: {error}") from error
    return True
