"""What types look like in JSON, and whether two of them could be mistaken for each other."""

from __future__ import annotations

import collections.abc as abc
import dataclasses
import datetime
import enum
import typing
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin
from uuid import UUID

import msgspec


class Field(NamedTuple):
    """A field of a class: its key in JSON, its name in Python, its declared type."""

    name: str
    attribute: str
    type: Any
    required: bool
    omissible: bool
    """Whether a written object may lack it."""


def describe(annotation: Any) -> str:
    """The annotation as a person writes it."""
    plain = isinstance(annotation, type) and get_origin(annotation) is None
    return annotation.__qualname__ if plain else str(annotation).replace("typing.", "")


def unwrap(annotation: Any) -> Any:
    """The annotation without ``Annotated``, ``NewType``, ``Required`` and alias around it."""
    origin = get_origin(annotation)
    if origin in (typing.Annotated, typing.Required, typing.NotRequired, typing.Final, typing.ClassVar):
        return unwrap(get_args(annotation)[0])
    inner = alias_of(annotation)
    return annotation if inner is None else unwrap(inner)


def alias_of(annotation: Any) -> Any | None:
    """What a ``NewType`` or an alias stands for; None for anything else."""
    inner = getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)
    return None if isinstance(annotation, type) else inner


def is_union(annotation: Any) -> bool:
    """Whether it is a union of types, nothing around it."""
    return get_origin(annotation) in (typing.Union, UnionType)


def is_fixed_tuple(annotation: Any) -> bool:
    """Whether it is a tuple of so many items, each of a type of its own."""
    arguments = get_args(annotation)
    return get_origin(annotation) is tuple and bool(arguments) and arguments[-1] is not Ellipsis


def members_of(annotation: Any) -> list[Any]:
    """The members of a union, nested unions taken apart; of anything else, the thing itself."""
    return [unwrap(member) for member in annotated_members_of(annotation)]


def annotated_members_of(annotation: Any) -> list[Any]:
    """The same, each with what is said of it by ``Annotated``."""
    if is_union(unwrap(annotation)):
        return [inner for member in get_args(unwrap(annotation)) for inner in annotated_members_of(member)]
    return [annotation]


def fields_of(annotation: Any) -> list[Field] | None:
    """The fields of a class that JSON holds as an object (or array, for a NamedTuple); None for anything else."""
    return _fields(annotation, _declared)


def late_fields_of(annotation: Any) -> list[Field]:
    """The fields of a dataclass that its constructor does not take, and sets by itself; none of anything else."""
    return _fields(annotation, _set_late) or []


def _fields(annotation: Any, declared: abc.Callable[[Any], list[Field] | None]) -> list[Field] | None:
    annotation = unwrap(annotation)
    kind = get_origin(annotation) or annotation
    if not isinstance(kind, type):
        return None
    given = dict(zip(getattr(kind, "__parameters__", ()), get_args(annotation), strict=False))
    found = declared(kind)
    return found if found is None or not given else [f._replace(type=substitute(f.type, given)) for f in found]


def _set_late(kind: Any) -> list[Field] | None:
    return _dataclass_fields(kind, init=False) if dataclasses.is_dataclass(kind) else None


def _declared(kind: Any) -> list[Field] | None:
    if issubclass(kind, msgspec.Struct):
        return _struct_fields(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass_fields(kind)
    if typing.is_typeddict(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        needed = {name: _is_required(hint, kind.__required_keys__, name) for name, hint in hints.items()}
        return [Field(name, name, hint, needed[name], not needed[name]) for name, hint in hints.items()]
    if issubclass(kind, tuple) and hasattr(kind, "_field_defaults"):
        hints = typing.get_type_hints(kind, include_extras=True)
        return [Field(n, n, hints.get(n, Any), n not in kind._field_defaults, False) for n in kind._fields]
    if hasattr(kind, "model_fields") and hasattr(kind, "model_validate_json"):
        return [Field(n, n, f.annotation, f.is_required(), False) for n, f in kind.model_fields.items()]
    return None


def _is_required(hint: Any, by_class: frozenset[str], name: str) -> bool:
    """Whether a TypedDict needs the key. The class itself does not see ``NotRequired`` in annotations kept as text."""
    origin = get_origin(hint)
    return origin is typing.Required or (origin is not typing.NotRequired and name in by_class)


def _dataclass_fields(kind: Any, *, init: bool = True) -> list[Field]:
    hints = typing.get_type_hints(kind, include_extras=True)
    missing = dataclasses.MISSING
    return [
        Field(f.name, f.name, hints[f.name], f.default is missing and f.default_factory is missing, False)
        for f in dataclasses.fields(kind)
        if f.init is init
    ]


def _struct_fields(kind: type[msgspec.Struct]) -> list[Field] | None:
    config = kind.__struct_config__
    if config.array_like:
        return None
    found = [
        Field(f.encode_name, f.name, f.type, f.required, config.omit_defaults and not f.required)
        for f in msgspec.structs.fields(kind)
    ]
    return found


def substitute(annotation: Any, given: dict[Any, Any]) -> Any:
    """The annotation with what is given for its type variables in their place."""
    if annotation in given:
        return given[annotation]
    parameters = getattr(annotation, "__parameters__", ())
    return annotation[tuple(given.get(p, p) for p in parameters)] if parameters else annotation


_TEXTS = (datetime.datetime, datetime.date, datetime.time, datetime.timedelta, UUID, Decimal)
"""Text of a syntax of its own: no two of them read the same text, though any text may happen to look like one."""
_ARRAYS = (list, tuple, set, frozenset, abc.Sequence, abc.Set, abc.Collection, abc.Iterable, abc.MutableSequence)


def look(annotation: Any) -> str:
    """What JSON has for values of this type."""
    kind = get_origin(annotation) or annotation
    if annotation in (None, NoneType):
        return "null"
    if kind is Literal or (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        return "values"
    if kind in (bool, int, float):
        return str(kind.__name__)
    if kind in _TEXTS:
        return f"text:{kind.__name__}"
    if kind is Any or not isinstance(kind, type):
        return "anything"
    if kind in _ARRAYS or (issubclass(kind, tuple) and fields_of(kind)):
        return "array"
    if fields_of(kind) is not None or kind in (dict, abc.Mapping, abc.MutableMapping):
        return "object"
    if issubclass(kind, (str, bytes, bytearray, memoryview)) or kind.__name__.endswith("Path"):
        return "text"
    return "apart" if kind is not object else "anything"


def alike(one: Any, other: Any) -> str | None:
    """Why a value of ``one`` could be read as ``other``, or None when it could not."""
    looks = look(one), look(other)
    if "anything" in looks:
        return "one of them can be anything"
    if "values" in looks:
        return _alike_values(one, other, looks)
    if looks[0] != looks[1]:
        either_text = "text" in looks and all(name.startswith("text") for name in looks)
        return "both are text" if either_text else None
    if looks[0] == "object":
        return _alike_objects(one, other)
    if looks[0] == "array":
        return _alike_arrays(one, other)
    return None if looks[0] == "apart" else f"both are {looks[0].replace('text:', 'text, ')}"


def _values(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [member.value for member in annotation]


def _alike_values(one: Any, other: Any, looks: tuple[str, str]) -> str | None:
    if looks == ("values", "values"):
        shared = {msgspec.json.encode(v) for v in _values(one)} & {msgspec.json.encode(v) for v in _values(other)}
        return "they share values" if shared else None
    values, plain = (one, other) if looks[0] == "values" else (other, one)
    if get_origin(values) is Literal and plain in {type(v) for v in _values(values)}:
        return None  # the literal "a" and the text "a" are the same value
    fits = {type(v).__name__ for v in _values(values)} & {look(plain), "str" if look(plain).startswith("text") else ""}
    return "the values of one are values of the other" if fits else None


def _alike_objects(one: Any, other: Any) -> str | None:
    mine, others = fields_of(one), fields_of(other)
    if mine is None or others is None:
        if mine is None and others is None:
            return alike(_item(one), _item(other))
        return "one has any keys"
    if tag_of(one) is not None and tag_of(other) is not None and tag_of(one) != tag_of(other):
        return None
    names, other_names = {f.name: f for f in mine}, {f.name: f for f in others}
    extra = [f for f in mine if f.name not in other_names] + [f for f in others if f.name not in names]
    if any(not f.omissible for f in extra):
        return None
    for name in names.keys() & other_names.keys():
        pairs = [(a, b) for a in members_of(names[name].type) for b in members_of(other_names[name].type)]
        if not any(a == b or alike(a, b) for a, b in pairs):
            return None
    return "the same fields"


def tag_of(annotation: Any) -> tuple[str, Any] | None:
    """The field and value by which a tagged ``msgspec.Struct`` is known."""
    config = getattr(get_origin(annotation) or annotation, "__struct_config__", None)
    return None if config is None or config.tag is None else (config.tag_field, config.tag)


def _item(annotation: Any) -> Any:
    arguments = get_args(annotation)
    return arguments[-1] if arguments and arguments[-1] is not Ellipsis else arguments[0] if arguments else Any


def _alike_arrays(one: Any, other: Any) -> str | None:
    if (get_origin(one) or one) is not (get_origin(other) or other):
        return "both are arrays"
    pairs = [(a, b) for a in members_of(_item(one)) for b in members_of(_item(other))]
    return "both are arrays of the same" if any(a == b or alike(a, b) for a, b in pairs) else None
