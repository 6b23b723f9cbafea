"""The login as a page of its own, without a script: it works where the dashboard has not been loaded yet."""

from __future__ import annotations

import html
import uuid
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from segue.engine import Engine
from segue.server import elsewhere
from segue.server.access import from_own_page
from segue.server.auditing import note
from segue.server.call import Asked
from segue.server.decoding import asked_of, read_limited
from segue.server.elsewhere import Elsewhere
from segue.server.logins import Logins, session_cookie
from segue.server.problems import Refused, problem_of
from segue.server.wanted import PARAMETER, checked, parameter, path_of, wanted

Gate = Callable[[Request], Awaitable[Response | None]]
"""Keeps somebody from a page: what they get instead, None if they may see it."""


async def everybody(request: Request) -> None:
    """The gate that is open."""


FORM = "application/x-www-form-urlencoded"
_NOT_KEPT = {"cache-control": "no-store"}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>segue</title><link rel="icon" href="data:,">
<style>/* The colours and sizes are those of ui/src/theme/tokens.css. */
:root{{color-scheme:light dark;--line:light-dark(#868e9a,#6b7480);--accent:light-dark(#4a49ce,#5655d4)}}
body{{font:13px/20px -apple-system,"Segoe UI",Inter,Roboto,"Noto Sans","Liberation Sans",system-ui,sans-serif;
max-width:320px;margin:15vh auto;padding:0 16px;color:light-dark(#14171c,#eceef1);background:light-dark(#fff,#121519)}}
h1{{font-size:18px;margin:0 0 16px}} label{{display:block;margin-top:14px;font-weight:550}}
input,button,.button{{font:inherit;width:100%;height:32px;margin-top:4px;padding:0 10px;box-sizing:border-box;
border:1px solid var(--line);border-radius:6px;background:none;color:inherit}}
button{{margin-top:20px;font-weight:550;cursor:pointer;color:#fff;background:var(--accent);border-color:var(--accent)}}
.button{{display:block;line-height:30px;text-align:center;text-decoration:none}} a{{color:light-dark(#4a49ce,#a3a4f8)}}
:focus-visible{{outline:2px solid light-dark(#4a49ce,#a3a4f8);outline-offset:1px}}
[role=alert]{{color:light-dark(#b81c26,#ff9090)}}
</style>
<main><h1>segue</h1>{said}{form}</main>"""
_LOG_IN = """<form method="post" action="login"><input type="hidden" name="to" value="{to}">
<label>Name<input name="name" autocomplete="username" required
autofocus></label><label>Password<input name="password" type="password" autocomplete="current-password" required>
</label><button>Log in</button></form>"""
# A link: where the answer to a form leads is bound by the content security policy, which knows this site only.
_ELSEWHERE = """<p><a class="button" href="login/oidc{to}">Sign in with {name}</a></p>"""
_ARRIVED = """<meta http-equiv="refresh" content="0;url=../../{to}"><p>You are signed in.
<a href="../../{to}">Go to the dashboard</a></p>"""
_AGAIN = """<p><a href="{login}">Back to the login</a></p>"""
_LOG_OUT = """<form method="post" action="logout"><p>You are {name}. <a href="./">Go to the dashboard</a></p>
<button>Log out</button></form>"""


class Door:
    """Pages to log in and out, and who is sent there."""

    def __init__(self, engine: Engine, logins: Logins, elsewhere: Elsewhere | None = None) -> None:
        self._engine = engine
        self._elsewhere = elsewhere
        self._logins = logins
        self._access = logins.access

    def places(self) -> list[Route]:
        places = [
            Route("/login", self.show, methods=["GET"]),
            Route("/login", self.log_in, methods=["POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
        ]
        if self._elsewhere is not None:
            places.append(Route("/login/oidc", self.leave, methods=["GET"]))
            places.append(Route("/login/oidc/callback", self.come_back, methods=["GET"]))
        return places

    async def shut(self, request: Request) -> Response | None:
        """Sends whoever has to log in first to the login."""
        if not self._access.login or await self._access.principal(asked_of(request)) is not None:
            return None
        return _see(up(request) + "login" + parameter(wanted(request)))

    async def show(self, request: Request) -> Response:
        if not self._access.login:
            return _see("./")
        who = await self._access.principal(asked_of(request))
        return _page("", self._form(_to(request)) if who is None else _LOG_OUT.format(name=html.escape(who.name)))

    def _form(self, to: str) -> str:
        """``to``: the page that is wanted."""
        here = _LOG_IN.format(to=html.escape(to))
        if self._elsewhere is None:
            return here
        return _ELSEWHERE.format(name=html.escape(self._elsewhere.settings.name), to=parameter(to)) + here

    async def leave(self, request: Request) -> Response:
        """Sends the browser to the provider."""
        assert self._elsewhere is not None
        asked, number = asked_of(request), uuid.uuid4().hex[:12]
        try:
            address, kept = await self._elsewhere.begin(asked, _to(request))
        except Refused as error:
            return self._refused(error, number, "../login")
        answer = _see(address)
        answer.headers.append("set-cookie", kept)
        return answer

    async def come_back(self, request: Request) -> Response:
        """The browser is back from the provider, with what shows who it is."""
        assert self._elsewhere is not None
        asked, number, name = asked_of(request), uuid.uuid4().hex[:12], "oidc:"
        try:
            name, token, to = await self._elsewhere.end(asked, dict(request.query_params))
        except Refused as error:
            answer = self._refused(error, number, "../../login")
        else:
            # A page of ours, not a redirect: that would still be the other site's doing, for which a browser sends no
            # strict cookie.
            answer = _page("", _ARRIVED.format(to=html.escape(to)))
            answer.headers.append("set-cookie", session_cookie(asked, token))
        answer.headers.append("set-cookie", elsewhere.cookie(asked, ""))
        await self._note(asked, name, "log_in_elsewhere", answer.status_code, number)
        return answer

    def _refused(self, error: Refused, number: str, login: str = "", to: str = "") -> Response:
        problem = problem_of(error, number)
        form = _AGAIN.format(login=login) if login else self._form(to)
        answer = _page(f'<p role="alert">{html.escape(problem.detail)}</p>', form, problem.status)
        answer.headers.update(error.headers)
        return answer

    async def log_in(self, request: Request) -> Response:
        asked, name, to, number = asked_of(request), "", "", uuid.uuid4().hex[:12]
        try:
            _refuse_others(asked)
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
                raise Refused(415, "not-a-form", "Not a form", f"send {FORM}")
            name, password, to = _given(await read_limited(request))
            token, _ = await self._logins.log_in(asked, name, password)
        except Refused as error:
            answer = self._refused(error, number, to=to)
        else:
            answer = _see("./" + to)
            answer.headers.append("set-cookie", session_cookie(asked, token))
        await self._note(asked, name, "log_in", answer.status_code, number)
        return answer

    async def log_out(self, request: Request) -> Response:
        asked, number = asked_of(request), uuid.uuid4().hex[:12]
        try:
            _refuse_others(asked)
            who = await self._access.principal(asked)
        except Refused as error:
            return self._refused(error, number)
        await self._logins.log_out(asked)
        answer = _see("login")
        answer.headers.append("set-cookie", session_cookie(asked, ""))
        await self._note(asked, "" if who is None else who.name, "log_out", answer.status_code, number)
        return answer

    async def _note(self, asked: Asked, actor: str, action: str, outcome: int, number: str) -> None:
        if actor:
            await note(
                self._logins.accounts.rows, asked, at=self._engine.clock.now(), namespace=self._engine.namespace,
                actor=actor, action=action, outcome=outcome, number=number,
            )  # fmt: skip


def _refuse_others(asked: Asked) -> None:
    """A page of another site must not log anybody in or out: not even into an account of its own."""
    if not from_own_page(asked):
        raise Refused(403, "not-our-page", "Not our page", "this form was sent by another site's page")


def _to(request: Request) -> str:
    """The page that an address of the login says is wanted."""
    return checked(request.query_params.get(PARAMETER, ""))


def _given(data: bytes) -> tuple[str, str, str]:
    """Name and password of a form, and the page that is wanted. Raises ``Refused``."""
    try:
        given = parse_qs(data.decode(), max_num_fields=10)
    except ValueError as error:  # not UTF-8, or too many fields
        raise Refused(422, "invalid-argument", "Invalid argument", "the form cannot be read") from error
    name, password, to = (given.get(field, [""])[0] for field in ("name", "password", PARAMETER))
    return name, password, checked(to)


def _page(said: str, form: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(said=said, form=form), status, dict(_NOT_KEPT))


def _see(address: str) -> Response:
    return RedirectResponse(address, 303, dict(_NOT_KEPT))


def up(request: Request) -> str:
    """From a page to where the application lies, whatever path a proxy puts before it."""
    depth = path_of(request).count("/") - 1
    return "../" * depth or "./"
