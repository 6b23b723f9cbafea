"""Assembles the application: the route table on Starlette, and around each handler decoding, permission, problems."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any, get_origin, get_type_hints

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as Place
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from segue.engine import Engine
from segue.server.access import NOBODY, Access
from segue.server.call import Call, Nothing, Route
from segue.server.live import Sent
from segue.server.openapi import describe
from segue.server.problems import MEDIA_TYPE, Problem, Refused, problem_of
from segue.server.routes import BASE, ROUTES
from segue.server.static import pages

LARGEST_BODY = 16 * 1024 * 1024
"""Bytes of a request that are read; more is refused before it is kept."""

_encode = msgspec.json.Encoder().encode


def application(engine: Engine, access: Access) -> ASGIApp:
    """The whole API over one engine, as an ASGI application.

    Args:
        engine: open already; the application neither opens nor closes it.
        access: who may do what.
    """
    description = _encode(describe(ROUTES, BASE))

    async def openapi(request: Request) -> Response:
        return Response(description, media_type="application/json")

    places = [
        Place(BASE + route.path, partial(_answer, engine, access, route), methods=[route.method], name=route.summary)
        for route in ROUTES
    ]
    places.append(Place(f"{BASE}/openapi.json", openapi))
    places += pages()
    app = Starlette(routes=places, exception_handlers={HTTPException: _not_there})
    app.router.redirect_slashes = False
    return SecurityHeaders(app)


class SecurityHeaders:
    """Puts the headers on every answer that keep a browser from doing more with it than it should."""

    HEADERS = (
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (
            b"content-security-policy",
            b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            b"font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'self'; "
            b"frame-ancestors 'none'",
        ),
    )

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self.HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


async def _answer(engine: Engine, access: Access, route: Route, request: Request) -> Response:
    number = uuid.uuid4().hex[:12]
    try:
        call = await _call(engine, access, route, request)
        if route.stream:
            return StreamingResponse(
                _stream(route.handler(call), number),
                media_type="text/event-stream",
                headers={"cache-control": "no-store", "x-accel-buffering": "no"},
            )
        answer = await route.handler(call)
        if route.gives is None:
            return Response(status_code=route.status)
        return Response(_encode(answer), route.status, {"cache-control": "no-store"}, media_type="application/json")
    except ClientDisconnect:
        raise
    except Exception as error:  # every failure of a handler has an answer
        return _problem(problem_of(error, number))


async def _call(engine: Engine, access: Access, route: Route, request: Request) -> Call[Any, Any]:
    who = access.principal(dict(request.headers), request.client.host if request.client else None) or NOBODY
    if route.needs not in who.may:
        if who is NOBODY:
            raise Refused(401, "unknown-caller", "Unknown caller", "log in, or send an API key; then ask again")
        raise Refused(403, "not-allowed", "Not allowed", f"{who.name} lacks the permission {route.needs}")
    query = _query(route, request)
    body = None if route.body is None else await _body(route, request)
    return Call(engine, who, request.path_params, query, body)


def _query(route: Route, request: Request) -> Any:
    lists = {name for name, kind in get_type_hints(route.query).items() if get_origin(kind) is list}
    given: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
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


async def _body(route: Route, request: Request) -> Any:
    # Only JSON: a form that another site's page sends without asking has another type.
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "not-json", "Not JSON", f"send application/json, not {kind or 'an untyped body'}")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LARGEST_BODY:
            raise Refused(413, "too-large", "Too large", f"a request may have {LARGEST_BODY:,} bytes")
    try:
        return msgspec.json.decode(data, type=route.body)
    except msgspec.MsgspecError as error:
        raise _invalid(error, "the body") from error


def _converted(given: Mapping[str, Any], kind: Any, what: str) -> Any:
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error, what) from error


def _invalid(error: Exception, what: str) -> Refused:
    text, _, where = str(error).partition(" - at `")
    return Refused(422, "invalid-argument", "Invalid argument", f"{what}: {text}", where.rstrip("`"))


async def _stream(sent: AsyncIterator[Sent], number: str) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    try:
        async for event, data, id in sent:
            head = b"" if id is None else b"id: %d\n" % id
            yield head + b"event: %b\ndata: %b\n\n" % (event.encode(), _encode(data))
    except Exception as error:  # the headers are out: the stream itself says what went wrong
        yield b"event: problem\ndata: %b\n\n" % _encode(problem_of(error, number))


async def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: ("not-found", "Not found"), 405: ("wrong-method", "Wrong method")}
    type, title = words.get(error.status_code, ("http", error.detail))
    detail = f"{request.method} {request.url.path} is not there; {BASE}/openapi.json lists what is"
    return _problem(Problem(f"segue:{type}", title, error.status_code, detail))


def _problem(problem: Problem) -> Response:
    return Response(_encode(problem), problem.status, {"cache-control": "no-store"}, media_type=MEDIA_TYPE)
