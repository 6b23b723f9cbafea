"""Assembles the application: the route table on Starlette, the dashboard, the login, and what lies around them."""

from __future__ import annotations

from itertools import groupby

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match
from starlette.routing import Route as Place
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from segue.engine import Engine
from segue.server.accounts import Accounts
from segue.server.answering import Answering, problem_response
from segue.server.call import Access, Route
from segue.server.door import Door
from segue.server.elsewhere import Elsewhere
from segue.server.logins import Logins
from segue.server.oidc import OidcSettings
from segue.server.openapi import describe
from segue.server.problems import Problem
from segue.server.routes import BASE, ROUTES
from segue.server.static import Dashboard
from segue.server.wanted import path_of


def application(
    engine: Engine, access: Access, *, accounts: Accounts | None = None, base: str = "",
    provider: OidcSettings | None = None,
) -> ASGIApp:  # fmt: skip
    """The whole API over one engine, as an ASGI application.

    Args:
        engine: open already; the application neither opens nor closes it.
        access: who may do what.
        accounts: those of the engine's store, if they are not to be made here.
        base: the path before everything, ``/segue`` say, where a proxy leaves it on. One that a proxy takes off needs
            no setting.
        provider: at which people may log in too.
    """
    description = msgspec.json.encode(describe(ROUTES, BASE))
    logins = Logins(access, accounts or Accounts(engine.store.accounts, engine.clock.now))
    answering = Answering(engine, logins)
    door = Door(engine, logins, None if provider is None else Elsewhere(provider, logins))

    async def openapi(request: Request) -> Response:
        return Response(description, media_type="application/json")

    places = [_place(answering, list(routes)) for _, routes in groupby(sorted(ROUTES, key=_turn), _path)]
    places += _for_machines(answering)
    places.append(Place(f"{BASE}/openapi.json", openapi))
    places += door.places()
    dashboard = Dashboard(shut=door.shut)
    places += dashboard.routes()

    async def not_there(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        page = error.status_code == 404 and not path_of(request).startswith("/api/")
        return (await dashboard.nowhere(request) if page else None) or await _not_there(request, error)

    app = Starlette(routes=places, exception_handlers={HTTPException: not_there})
    app.router.redirect_slashes = False
    return SecurityHeaders(Below(app, base) if base else app)


def machine_application(engine: Engine, access: Access, *, accounts: Accounts) -> ASGIApp:
    """What machines ask of a worker that serves no dashboard: figures, and whether it is alive and ready."""
    app = Starlette(
        routes=_for_machines(Answering(engine, Logins(access, accounts))),
        exception_handlers={HTTPException: _not_there},
    )
    app.router.redirect_slashes = False
    return SecurityHeaders(app)


MACHINES = ("/metrics", "/health", "/ready")
"""What machines look for at the top, outside the API."""


def _for_machines(answering: Answering) -> list[Place]:
    return [_place(answering, [route], base="") for route in ROUTES if route.path in MACHINES]


def _path(route: Route) -> str:
    return route.path


def _turn(route: Route) -> str:
    """What is asked first: names may have slashes, so a longer path comes before what would take its end for a name."""
    return route.path + "\x7f"


class Ending(Place):
    """A place whose path goes on behind a name that may have slashes: ``/workflows/{name:path}/grid``.

    What goes on is written with a slash, and one inside a name as ``%2F``; the decoded path does not tell the two
    apart, and the page of a workflow ``orders/grid`` would be the grid of ``orders``.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        end = self.path.rpartition(":path}")[2].encode()
        raw: bytes | None = scope.get("raw_path")
        if raw is not None and not raw.partition(b"?")[0].endswith(end):
            return Match.NONE, {}
        return super().matches(scope)


def _place(answering: Answering, routes: list[Route], base: str = BASE) -> Place:
    """All that can be asked at one path: a method that cannot is answered with those that can."""
    by_method: dict[str, Route] = {route.method: route for route in routes}

    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await answering.answer(by_method[method], request)

    kind = Ending if ":path}/" in routes[0].path else Place
    return kind(base + routes[0].path, answer, methods=list(by_method))


class Below:
    """Serves an application below a path, and nothing beside it."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        self._app = app
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if not path.startswith(self._base + "/"):
            answer = PlainTextResponse(f"there is nothing here; everything lies below {self._base}/", 404)
            await answer(scope, receive, send)
            return
        await self._app({**scope, "root_path": self._base}, receive, send)


class SecurityHeaders:
    """Puts the headers on every answer that keep a browser from doing more with it than it should."""

    HEADERS = (
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
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


async def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: ("not-found", "Not found"), 405: ("wrong-method", "Wrong method")}
    type, title = words.get(error.status_code, ("http", error.detail))
    detail = f"{request.method} {request.url.path} is not there; {BASE}/openapi.json lists what is"
    answer = problem_response(Problem(f"segue:{type}", title, error.status_code, detail))
    answer.headers.update(error.headers or {})
    return answer
