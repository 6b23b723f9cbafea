"""Logging in and out over the API, and what somebody may do here."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from segue.errors import CallerError
from segue.runtime.beside import beside, passwords
from segue.server.access import csrf_token
from segue.server.accounts import LONGEST, LONGEST_NAME
from segue.server.call import Call
from segue.server.logins import session_cookie
from segue.server.namespaces import visible
from segue.server.problems import Refused
from segue.server.within import whole_of

Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]
Password = Annotated[str, msgspec.Meta(max_length=LONGEST)]


class LoginBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name and password."""

    name: Name
    password: Password


class PasswordBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password as it is, and as it is to be."""

    old: Password
    new: Password


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what they may do.

    Attributes:
        name: empty if that is not known.
        permissions: as the routes name them.
        namespace: for which this holds. namespaces: those that they have a role in.
        own: the namespace of requests that name none.
        login: whether somebody who is not known can log in. account: whether there is an account behind it.
        csrf: what a page sends as X-CSRF-Token with everything that changes something; empty without a session.
        expires_at: when the session ends; None if there is none.
    """

    name: str
    permissions: list[str]
    namespace: str
    namespaces: list[str]
    own: str
    login: bool
    account: bool
    csrf: str
    expires_at: int | None


async def show_session(call: Call[Any, None]) -> SessionView:
    who = call.who
    session = call.accounts.session(who.session) if who.session else None
    return SessionView(
        name=who.name, permissions=sorted(who.may), namespace=call.asked.namespace or call.engine.namespace,
        namespaces=await beside(visible, call.engine, who), own=whole_of(call.engine).namespace,
        login=call.access.login,
        account=bool(who.user), csrf=csrf_token(who.session) if who.session else "",
        expires_at=None if session is None else session[1],
    )  # fmt: skip


async def log_in(call: Call[Any, LoginBody]) -> None:
    call.actor = call.body.name
    token, _ = await call.logins.log_in(call.asked, call.body.name, call.body.password)
    call.cookies.append(session_cookie(call.asked, token))


async def log_out(call: Call[Any, None]) -> None:
    await call.logins.log_out(call.asked)
    call.cookies.append(session_cookie(call.asked, ""))


async def change_password(call: Call[Any, PasswordBody]) -> None:
    """With the old one, so that a session that was left open is not enough. Every session of the user ends."""
    if not call.who.session:
        raise CallerError("a password is changed by whoever has logged in with it")
    await call.logins.check(call.asked, call.who.user, call.body.old)
    await passwords(call.accounts.set_password, call.who.user, call.body.new)
    call.cookies.append(session_cookie(call.asked, ""))


def refuse_unless(allowed: bool, what: str) -> None:
    """Raises ``Refused``: they may not, although the route lets them in."""
    if not allowed:
        raise Refused(403, "not-allowed", "Not allowed", what)
