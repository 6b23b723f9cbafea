"""JSON Schema of types: msgspec's, completed by what a form has to know, and of types that msgspec refuses.

Added is which text is read as a date with a time, or as a time, that need not have a zone (``date-time-local`` and
``time-local`` of the OpenAPI format registry) or must not have one (``partial-date-time``, after the ``partial-time``
of RFC 3339, which msgspec has for times), and what the keys of a mapping are (``propertyNames``). Choices stand as they
are declared, where msgspec sorts them.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import inspect as mi

from segue.kernel.likeness import (
    Field,
    annotated_members_of,
    fields_of,
    is_fixed_tuple,
    is_union,
    look,
    tag_of,
    unwrap,
)
from segue.kernel.unsound import unsound

Schema = dict[str, Any]
_CLASSES = (mi.StructType, mi.DataclassType, mi.TypedDictType, mi.NamedTupleType)


def schema_of(annotation: Any) -> Schema:
    """JSON Schema (2020-12) of a type, its references under ``$defs``; what has no schema in it may be anything."""
    builder = _Builder()
    schema = builder.schema(annotation)
    return {**schema, "$defs": builder.defs} if builder.defs else schema


class _Builder:
    """Takes a type apart until msgspec knows the parts. ``defs`` are the schemas of classes, by name."""

    def __init__(self) -> None:
        self.defs: dict[str, Schema] = {}
        self._names: dict[Any, str] = {}

    def schema(self, annotation: Any) -> Schema:
        if unsound(annotation):
            return self._apart(unwrap(annotation))
        try:
            (schema,), defs = msgspec.json.schema_components([annotation])
            of = mi.type_info(annotation)
        except (TypeError, NotImplementedError, NameError):
            return self._apart(unwrap(annotation))
        _complete(of, schema, defs, set())
        _order(annotation, schema)
        if any(self.defs.get(name, found) != found for name, found in defs.items()):
            return {}  # two classes of one name
        self.defs.update(defs)
        return schema

    def _apart(self, annotation: Any) -> Schema:
        origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
        if is_union(annotation):
            return {"anyOf": [self.schema(each) for each in annotated_members_of(annotation)]}
        if isinstance(origin, type) and issubclass(origin, enum.Enum):
            return {"title": origin.__name__, "enum": [each.value for each in origin]}
        if is_fixed_tuple(annotation):
            items = [self.schema(each) for each in arguments]
            return {"type": "array", "minItems": len(items), "maxItems": len(items), "prefixItems": items}
        if arguments and look(annotation) == "array":
            return {"type": "array", "items": self.schema(arguments[0])}
        if arguments and look(annotation) == "object" and fields_of(annotation) is None:
            return {"type": "object", "additionalProperties": self.schema(arguments[1])}
        fields = fields_of(annotation)
        if fields is None or issubclass(origin, tuple):
            return {}
        if annotation not in self._names:
            name = origin.__name__ if origin.__name__ not in self.defs else f"{origin.__module__}.{origin.__qualname__}"
            self._names[annotation] = name
            self.defs[name] = {}  # its place, for a type within itself
            self.defs[name] = self._object(origin, fields)
        return {"$ref": f"#/$defs/{self._names[annotation]}"}

    def _object(self, origin: type, fields: list[Field]) -> Schema:
        tag = tag_of(origin)
        properties: Schema = {} if tag is None else {tag[0]: {"enum": [tag[1]]}}
        required = list(properties) + [each.name for each in fields if each.required]
        defaults = _defaults(origin)
        for each in fields:
            schema = self.schema(each.type)
            if each.attribute in defaults:
                schema = {**schema, "default": defaults[each.attribute]}
            properties[each.name] = schema
        return {"title": origin.__name__, "type": "object", "properties": properties, "required": required}


def _defaults(origin: type) -> dict[str, Any]:
    """The defaults of a class by the names of its fields, as far as they are plain values."""
    given: list[tuple[str, Any]] = []
    if issubclass(origin, msgspec.Struct):
        given = [(each.name, each.default) for each in msgspec.structs.fields(origin)]
    elif dataclasses.is_dataclass(origin):
        given = [(each.name, each.default) for each in dataclasses.fields(origin)]
    plain = (str, int, float, bool, type(None))
    return {name: default for name, default in given if isinstance(default, plain)}


def _complete(of: mi.Type, schema: Schema, defs: dict[str, Schema], seen: set[str]) -> None:
    """Adds to the schema of a type what it lacks; each of ``defs`` once."""
    of = _bare(of)
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in seen:
            return
        seen.add(name)
        schema = defs[name]
    match of:
        case mi.DateTimeType():
            schema.setdefault("format", "partial-date-time" if of.tz is False else "date-time-local")
        case mi.TimeType():
            schema.setdefault("format", "time-local")
        case mi.DictType():
            names = _names(of.key_type)
            if names:
                # From release 0.23 on msgspec says it too, of an enumeration by a reference.
                _complete(of.key_type, schema.get("propertyNames", {}), defs, seen)
                schema["propertyNames"] = names
        case mi.EnumType(cls=cls):
            schema["enum"] = [each.value for each in cls]
    for part, inner in _parts(of, schema):
        _complete(part, inner, defs, seen)
    if isinstance(of, _CLASSES):
        for each in fields_of(of.cls) or ():
            _order(each.type, schema.get("properties", {}).get(each.name, {}))


def _order(annotation: Any, schema: Schema) -> None:
    """Has the choices of a type stand as declared; those of the classes in it are ordered with these."""
    declared = _choices(annotation)
    if not declared:
        return
    for each in _within(schema):
        values = each.get("enum", [])
        chosen = declared.get(_as_set(values))
        if values and chosen is not None:
            each["enum"] = [*chosen, *(value for value in values if value is None)]


def _choices(annotation: Any) -> dict[frozenset[Any], list[Any]]:
    """The values of each ``Literal`` in a type as declared, but None."""
    annotation = unwrap(annotation)
    if get_origin(annotation) is Literal:
        values = [each for each in get_args(annotation) if each is not None]
        return {_as_set(values): values}
    return {values: choices for each in get_args(annotation) for values, choices in _choices(each).items()}


def _as_set(values: Iterable[Any]) -> frozenset[Any]:
    return frozenset((type(each), each) for each in values if each is not None)


def _within(schema: Schema) -> Iterator[Schema]:
    """A schema and those that it is made of, but not those that it refers to."""
    yield schema
    for name in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(name), dict):
            yield from _within(schema[name])
    for name in ("anyOf", "prefixItems"):
        for each in schema.get(name, ()):
            yield from _within(each)


def _parts(of: mi.Type, schema: Schema) -> Iterator[tuple[mi.Type, Schema]]:
    """The types that a type is made of, each with its schema."""
    match of:
        case mi.CollectionType() if "items" in schema:
            yield of.item_type, schema["items"]
        case mi.TupleType():
            yield from _matched(of.item_types, schema.get("prefixItems", ()))
        case mi.DictType() if "additionalProperties" in schema:
            yield of.value_type, schema["additionalProperties"]
        case mi.UnionType():
            yield from _matched(_in_order(of), list(_alternatives(schema)))
        case mi.StructType() | mi.DataclassType() | mi.TypedDictType() | mi.NamedTupleType():
            if "prefixItems" in schema:
                places = schema["prefixItems"]
                yield from zip((each.type for each in of.fields), places[len(places) - len(of.fields) :], strict=True)
            else:
                for each in of.fields:
                    yield each.type, schema["properties"][each.encode_name]


def _matched(types: Sequence[mi.Type], schemas: Sequence[Schema]) -> Iterator[tuple[mi.Type, Schema]]:
    """Each type with its schema; none where msgspec draws some of them together, a choice of values and none, say."""
    if len(types) == len(schemas):
        yield from zip(types, schemas, strict=True)


def _in_order(union: mi.UnionType) -> list[mi.Type]:
    """The types of a union as their schemas stand in ``anyOf``: tagged ones behind the others, none at the end."""

    def place(of: mi.Type) -> int:
        of = _bare(of)
        return 2 if isinstance(of, mi.NoneType) else 1 if isinstance(of, mi.StructType) and not of.array_like else 0

    return sorted(union.types, key=place)


def _alternatives(schema: Schema) -> Iterator[Schema]:
    """Those of ``anyOf``, and in place of one that has alternatives in turn these."""
    for each in schema.get("anyOf", ()):
        if "anyOf" in each:
            yield from _alternatives(each)
        else:
            yield each


def _names(key: mi.Type) -> Schema | None:
    """What the names of an object are whose keys are of a type; nothing where any text will do."""
    match _bare(key):
        case mi.IntType():
            return {"pattern": r"^-?[0-9]+$"}
        case mi.DateType():
            return {"format": "date"}
        case mi.UUIDType():
            return {"format": "uuid"}
        case mi.LiteralType(values=values) if all(isinstance(each, str) for each in values):
            return {"enum": list(values)}
        case mi.EnumType(cls=cls) if all(isinstance(each.value, str) for each in cls):
            return {"enum": [each.value for each in cls]}
    return None


def _bare(of: mi.Type) -> mi.Type:
    while isinstance(of, mi.Metadata):
        of = of.type
    return of
