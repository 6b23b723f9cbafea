"""From a request to the types that its route names; what does not fit is refused with the place that is at fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_origin, get_type_hints

import msgspec
from starlette.requests import Request

from segue.errors import InvalidArgument
from segue.kernel.names import checked_namespace
from segue.server.call import NAMESPACE, Asked, Nothing, Route
from segue.server.problems import Refused
from segue.server.wanted import path_of

LARGEST_BODY = 16 * 1024 * 1024
"""Bytes of a request that are read; more is refused before it is kept."""


def asked_of(request: Request) -> Asked:
    """What a request tells of who asks, but for its namespace."""
    return Asked(
        request.method, path_of(request), dict(request.headers),
        request.client.host if request.client else "", request.url.scheme == "https",
        request.scope.get("root_path", ""), version=request.scope["http_version"],
    )  # fmt: skip


def named_namespace(request: Request, route: Route) -> str:
    """The namespace that a request names, "" if it names none. Raises ``Refused``: there can be none of the name."""
    named = [request.path_params[route.within]] if route.within else request.query_params.getlist(NAMESPACE)
    try:
        names = [checked_namespace(name) for name in named]
    except InvalidArgument as error:
        raise Refused(400, "invalid-namespace", "Invalid namespace", str(error), f"$.{NAMESPACE}") from error
    if len(names) > 1:
        raise Refused(400, "invalid-namespace", "Invalid namespace", "a request has one namespace", f"$.{NAMESPACE}")
    return names[0] if names else ""


def decoded_query(route: Route, request: Request) -> Any:
    """Raises ``Refused``."""
    lists = {name for name, kind in get_type_hints(route.query).items() if get_origin(kind) is list}
    given: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name == NAMESPACE:
            continue
        check_text(value, f"$.{name}")
        if name in lists:
            given.setdefault(name, []).append(value)
        elif name in given:
            raise Refused(422, "invalid-argument", "Invalid argument", f"{name} is given twice", f"$.{name}")
        else:
            given[name] = value
    resumed = request.headers.get("last-event-id", "")
    if route.stream and resumed.isdecimal():
        given["after"] = resumed
    return _converted(given, route.query, "the query") if route.query is not Nothing or given else Nothing()


def decoded_path(request: Request) -> dict[str, Any]:
    """Raises ``Refused``."""
    for name, value in request.path_params.items():
        check_text(str(value), f"$.{name}")
    return request.path_params


def check_text(value: str, path: str) -> None:
    """Refuses what no database can look for, whichever it is."""
    if "\0" in value:
        raise Refused(422, "invalid-argument", "Invalid argument", "a name holds no NUL character", path)


async def read_body(request: Request) -> bytes:
    """The body, which has to be JSON: a form that another site's page sends without asking has another type.

    Raises:
        Refused: it is something else, or too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "not-json", "Not JSON", f"send application/json, not {kind or 'an untyped body'}")
    return await read_limited(request)


async def read_limited(request: Request) -> bytes:
    """The body, whatever it is. Raises ``Refused``: it is too large."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LARGEST_BODY:
            raise Refused(413, "too-large", "Too large", f"a request may have {LARGEST_BODY:,} bytes")
    return bytes(data)


def decoded_body(route: Route, data: bytes) -> Any:
    """Raises ``Refused``."""
    try:
        return msgspec.json.decode(data, type=route.body)
    except msgspec.MsgspecError as error:
        raise _invalid(error, "the body") from error
    except RecursionError as error:
        raise Refused(422, "invalid-argument", "Invalid argument", "the body is nested too deeply") from error


def _converted(given: Mapping[str, Any], kind: Any, what: str) -> Any:
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error, what) from error


def _invalid(error: Exception, what: str) -> Refused:
    text, _, where = str(error).partition(" - at `")
    return Refused(422, "invalid-argument", "Invalid argument", f"{what}: {text}", where.rstrip("`"))
