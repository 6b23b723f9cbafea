"""The form of a human task (JSON Schema, as far as forms use it): what it asks for, and whether an answer fits.

An answer that the workflow cannot read would stop the run; whoever answers should hear of it instead.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec

from segue.errors import InvalidArgument

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}

_FORMATS: dict[str, Any] = {
    "date": date,
    "date-time": Annotated[datetime, msgspec.Meta(tz=True)],
    "date-time-local": datetime,
    "partial-date-time": Annotated[datetime, msgspec.Meta(tz=False)],
    "time": Annotated[time, msgspec.Meta(tz=True)],
    "time-local": time,
    "partial-time": Annotated[time, msgspec.Meta(tz=False)],
    "duration": timedelta,
    "uuid": UUID,
    "decimal": Decimal,
}
"""What text of a format is read as. A ``datetime`` of which nothing more is said may have a zone, and need not."""
_LIMITS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "minProperties": "min_length",
    "maxProperties": "max_length",
    "pattern": "pattern",
}
"""What limits a value, and how msgspec calls it, which reads the answer in the end."""


def check(answer: Any, form: dict[str, Any]) -> None:
    """Raises ``InvalidArgument`` when the answer does not fit; ``path`` says where."""
    _check(answer, form, form, "$")


def fields(form: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The fields of a form that is an object, references resolved; nothing for other forms."""
    schema = _resolved(form, form)
    return {name: _resolved(field, form) for name, field in schema.get("properties", {}).items()}


def required(form: dict[str, Any]) -> list[str]:
    """Names of the fields that must be there."""
    return list(_resolved(form, form).get("required", ()))


def outline(form: dict[str, Any]) -> str:
    """The form in one line: ``{"approved": boolean, "comment"?: string}``."""
    return _outline(form, form)


def yes_or_no(form: dict[str, Any], value: bool, comment: str) -> dict[str, Any] | bool:
    """The answer that a plain yes or no stands for.

    Raises:
        InvalidArgument: the form asks for more.
    """
    if _resolved(form, form).get("type") == "boolean":
        return value
    found = fields(form)
    truths = [name for name, field in found.items() if field.get("type") == "boolean"]
    asked = "approved" if "approved" in truths else truths[0] if len(truths) == 1 else None
    if asked is None or set(required(form)) - {asked, "comment"}:
        raise InvalidArgument(f"this task asks for more than yes or no; pass --answer with {outline(form)}")
    answer: dict[str, Any] = {asked: value}
    if comment:
        if "comment" not in found:
            raise InvalidArgument(f"this task takes no comment; its form is {outline(form)}")
        answer["comment"] = comment
    return answer


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        found: dict[str, Any] = root.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
        return found
    return schema


def _check(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str) -> None:
    schema = _resolved(schema, root)
    if "anyOf" in schema:
        _check_any(value, schema["anyOf"], root, path)
        return
    if "const" in schema and value != schema["const"]:
        raise _misfit(value, f"must be {schema['const']!r}", path)
    if "enum" in schema and value not in schema["enum"]:
        raise _misfit(value, f"must be one of {', '.join(map(repr, schema['enum']))}", path)
    kind = schema.get("type")
    if kind in _TYPES and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        raise _misfit(value, f"must be {_a(kind)}", path)
    _check_read(value, schema, path)
    if isinstance(value, dict):
        _check_object(value, schema, root, path)
    if isinstance(value, list):
        first = schema.get("prefixItems", ())
        for index, item in enumerate(value):
            wanted = first[index] if index < len(first) else schema.get("items")
            if isinstance(wanted, dict):
                _check(item, wanted, root, f"{path}[{index}]")


def _check_read(value: Any, schema: dict[str, Any], path: str) -> None:
    """Whether it can be read as what its type is a name for: text as a date, a number within its limits."""
    kind: Any = bytes if schema.get("contentEncoding") == "base64" else _FORMATS.get(schema.get("format", ""))
    limits = {_LIMITS[name]: limit for name, limit in schema.items() if name in _LIMITS}
    if kind is None and limits:
        read = float if schema.get("type") == "number" else type(value)  # 3 is a number, whose limit may be 0.5
        kind = Annotated[read, msgspec.Meta(**limits)]
    if kind is None:
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _misfit(value, f"does not fit: {error}", path) from error


def _check_any(value: Any, schemas: list[dict[str, Any]], root: dict[str, Any], path: str) -> None:
    for schema in schemas:
        try:
            _check(value, schema, root, path)
            return
        except InvalidArgument:
            continue
    raise _misfit(value, f"must be {' or '.join(_outline(schema, root) for schema in schemas)}", path)


def _check_object(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], path: str) -> None:
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        raise InvalidArgument(f"{path}: {', '.join(missing)} is missing; the form is {outline(root)}", path=path)
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", False)
    names = schema.get("propertyNames")
    for name, item in value.items():
        if names is not None:
            _check(name, names, root, f"{path} (key)")
        if name in known:
            _check(item, known[name], root, f"{path}.{name}")
        elif isinstance(others, dict):
            _check(item, others, root, f"{path}.{name}")
        elif known and not others:
            raise InvalidArgument(f"{path}: the form has no field {name!r}; it is {outline(root)}", path=path)


def _misfit(value: Any, wanted: str, path: str) -> InvalidArgument:
    return InvalidArgument(f"{path}: {value!r:.80} {wanted}", path=path)


def _a(kind: str) -> str:
    return {"string": "text", "boolean": "true or false", "array": "a list", "object": "an object"}.get(
        kind, f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
    )


def _outline(schema: dict[str, Any], root: dict[str, Any], depth: int = 0) -> str:
    schema = _resolved(schema, root)
    if "anyOf" in schema:
        return " or ".join(_outline(option, root, depth + 1) for option in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in schema["enum"])
    if "const" in schema:
        return repr(schema["const"])
    if "properties" in schema and depth < 3:
        needed = schema.get("required", ())
        parts = [
            f'"{name}"{"" if name in needed else "?"}: {_outline(field, root, depth + 1)}'
            for name, field in schema["properties"].items()
        ]
        return "{" + ", ".join(parts) + "}"
    if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        return f"[{_outline(schema['items'], root, depth + 1)}, …]"
    return str(schema.get("format") or schema.get("type", "any JSON"))
