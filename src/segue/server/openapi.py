"""The description of the API in OpenAPI 3.1, made of the route table and the types that it names."""

from __future__ import annotations

import re
from typing import Any

import msgspec

import segue
from segue.kernel.names import NAMESPACE_FORM
from segue.server.call import NAMESPACE, Nothing, Route
from segue.server.problems import MEDIA_TYPE, Problem

_REFS = "#/components/schemas/{name}"
_VARYING = re.compile(r"\{(\w+)(?::(\w+))?\}")
_TYPES = {"int": {"type": "integer"}, "path": {"type": "string"}, None: {"type": "string"}}


def describe(routes: tuple[Route, ...], base: str) -> dict[str, Any]:
    """The OpenAPI document of these routes under ``base``."""
    types = _types(routes)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFS)
    of = dict(zip(map(_identity, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = base + _VARYING.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, of, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "segue", "version": segue.__version__, "description": "Durable workflows: see and steer."},
        "paths": paths,
        "components": {"schemas": components, "parameters": {NAMESPACE: _NAMESPACE}},
    }


def _types(routes: tuple[Route, ...]) -> list[Any]:
    wanted = [Problem] + [kind for route in routes for kind in (route.query, route.body, route.gives)]
    return list({_identity(kind): kind for kind in wanted if kind is not None}.values())


def _identity(kind: Any) -> str:
    return repr(kind)


def _operation(route: Route, of: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "x-permission": route.needs,
        "parameters": [*_path_parameters(route), *_query_parameters(route, of, components), *_namespace(route)],
        "responses": _responses(route, of),
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": of[_identity(route.body)]}},
        }
    return operation


def _responses(route: Route, of: dict[str, Any]) -> dict[str, Any]:
    usual = _response(route, of)
    if route.version is not None:
        usual = usual | {"headers": {"ETag": {"description": "Names the answer.", "schema": {"type": "string"}}}}
    others = {str(status): usual | {"description": why} for status, why in route.also.items()}
    same = {"304": {"description": "It is what If-None-Match names."}} if route.version is not None else {}
    return {str(route.status): usual} | others | same | {"default": _problem(of)}


def _response(route: Route, of: dict[str, Any]) -> dict[str, Any]:
    if route.text:
        return {"description": route.summary, "content": {route.text: {"schema": {"type": "string"}}}}
    if route.gives is None:
        return {"description": "Done."}
    media = "text/event-stream" if route.stream else "application/json"
    return {"description": route.summary, "content": {media: {"schema": of[_identity(route.gives)]}}}


def _problem(of: dict[str, Any]) -> dict[str, Any]:
    return {"description": "What went wrong.", "content": {MEDIA_TYPE: {"schema": of[_identity(Problem)]}}}


def _namespace(route: Route) -> list[dict[str, Any]]:
    """What is public is of no namespace; asked who they are, somebody is told what they may do in the one they name.
    A path may name it by itself."""
    named = (route.needs != "public" or route.method == "GET") and not route.within
    return [{"$ref": f"#/components/parameters/{NAMESPACE}"}] if named else []


_NAMESPACE = {
    "name": NAMESPACE,
    "in": "query",
    "required": False,
    "description": "Whose runs; the server's own if it is left out.",
    "schema": {"type": "string", "pattern": f"^{NAMESPACE_FORM}$"},
}


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _TYPES[kind]}
        for name, kind in ((found[1], found[2]) for found in _VARYING.finditer(route.path))
    ]


def _query_parameters(route: Route, of: dict[str, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    if route.query is Nothing:
        return []
    schema = components[of[_identity(route.query)]["$ref"].rpartition("/")[2]]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": kind}
        for name, kind in schema["properties"].items()
    ]
