#!/usr/bin/env python3
"""Writes ui/src/api/schema.ts from the API's own description, so that a shape is said once, in Python.

    scripts/ui_types.py            writes it
    scripts/ui_types.py --check    says whether it is up to date, by the exit code

It needs segue to be importable. Only what the description uses is understood; anything else raises.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from segue.server.openapi import describe
from segue.server.routes import BASE, ROUTES

TARGET = Path(__file__).resolve().parent.parent / "ui/src/api/schema.ts"
PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def generate() -> str:
    """The text of the file."""
    document = describe(ROUTES, BASE)
    schemas = document["components"]["schemas"]
    parts = ["// Made by scripts/ui_types.py from the API's description. Not to be edited.\n"]
    parts += [_interface(name, schema) for name, schema in schemas.items()]
    parts.append(_operations(document["paths"]))
    return "\n".join(parts)


def _interface(name: str, schema: dict[str, Any]) -> str:
    if "properties" not in schema:
        return f"export type {name} = {_type(schema)}\n"
    required = schema.get("required", [])
    lines = [f"export interface {name} {{"]
    for field, kind in schema["properties"].items():
        lines.append(f"  {_key(field)}{'' if field in required else '?'}: {_type(kind)}")
    return "\n".join([*lines, "}", ""])


def _operations(paths: dict[str, Any]) -> str:
    types, table = ["export interface Operations {"], ["export const ROUTES = {"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            name = operation["operationId"]
            inside = {"path": _parameters(operation, "path"), "query": _parameters(operation, "query")}
            body, gives = operation.get("requestBody"), _gives(operation)
            inside["body"] = "undefined" if body is None else _type(_content(body))
            inside["gives"] = gives
            types.append(f"  {name}: {{ " + "; ".join(f"{key}: {kind}" for key, kind in inside.items()) + " }")
            table.append(f"  {name}: ['{method.upper()}', '{path.removeprefix(BASE)}'],")
    return "\n".join([*types, "}", "", *table, "} as const", ""])


def _parameters(operation: dict[str, Any], place: str) -> str:
    # The namespace is a parameter of every question, and said in one place (ui/src/api/client.ts).
    found = [each for each in operation["parameters"] if each.get("in") == place]
    fields = [f"{_key(each['name'])}{'' if each['required'] else '?'}: {_type(each['schema'])}" for each in found]
    return "{ " + "; ".join(fields) + " }" if fields else "{ [K in never]: never }"


def _gives(operation: dict[str, Any]) -> str:
    # Answers of other statuses that went well are of the same type.
    answer = next(found for status, found in operation["responses"].items() if status != "default")
    return _type(_content(answer)) if "content" in answer else "undefined"


def _content(holder: dict[str, Any]) -> dict[str, Any]:
    (media,) = holder["content"].values()
    schema: dict[str, Any] = media["schema"]
    return schema


def _type(schema: dict[str, Any]) -> str:
    match schema:
        case {"$ref": str(ref)}:
            return ref.rpartition("/")[2]
        case {"enum": list(values)}:
            return " | ".join(json.dumps(value) for value in values)
        case {"const": value}:
            return json.dumps(value)
        case {"anyOf": list(choices)}:
            return " | ".join(dict.fromkeys(map(_type, choices)))
        case {"type": "array", "prefixItems": list(items)}:
            return f"[{', '.join(map(_type, items))}]"
        case {"type": "array"}:
            item = _type(schema.get("items", {}))
            return f"({item})[]" if "|" in item else f"{item}[]"
        case {"type": "object", "additionalProperties": dict(value)}:
            return f"{{ [name: string]: {_type(value)} }}"
        case {"type": "object"}:
            return "{ [name: string]: unknown }"
        case {"type": str(kind)}:
            return PLAIN[kind]
        case _ if set(schema) <= {"default", "description", "title"}:
            return "unknown"
    raise ValueError(f"ui_types does not know what {schema} is in TypeScript")


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


if __name__ == "__main__":
    text = generate()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") != text:
            sys.exit("ui/src/api/schema.ts is not what the API says; run scripts/ui_types.py")
    else:
        TARGET.write_text(text, encoding="utf-8")
