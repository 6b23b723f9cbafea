"""Who may do what. Deny by default: a route names the permission that it needs, a request brings a principal or not."""

from __future__ import annotations

import hmac
from typing import get_args
from urllib.parse import urlsplit

from segue.server.accounts import EVERYWHERE, Accounts, Role, role_in
from segue.server.call import Access, Asked, Permission, Principal
from segue.server.cookies import kept
from segue.server.limits import Limit
from segue.server.problems import Refused
from segue.stores.account_rows import KeyRow, UserRow

EVERYTHING = frozenset(get_args(Permission))

_SEEING = frozenset({"public", "known", "runs:read", "tasks:read", "schedules:read", "system:read", "metrics:read"})

ROLES: dict[Role, frozenset[str]] = {
    "viewer": _SEEING,
    "operator": _SEEING | {"runs:act", "tasks:act", "schedules:act"},
    "developer": EVERYTHING - {"access:read", "access:act"},
    "admin": EVERYTHING,
}
"""What each role may do; the larger ones hold the smaller."""


def least_role(permission: str) -> Role:
    """The smallest role that has a permission."""
    return next(role for role, may in ROLES.items() if permission in may)


NOBODY = Principal(name="", may=frozenset({"public"}))
"""Somebody who is not known."""

COOKIE = "segue_session"
CSRF = "x-csrf-token"
"""The header by which a page shows that it is ours, where the browser does not say so."""


_FORWARDED = frozenset(
    {
        "forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "fastly-client-ip",
        "cdn-loop",
    }
)  # fmt: skip
_FORWARDED_TOO = ("x-forwarded", "x-original-", "x-envoy-", "cf-")
"""Headers by which proxies say that they are some, and beginnings of such."""


class Loopback:
    """For ``segue dev``: whoever is on this machine may do everything; nobody else may do anything.

    A page of another site that makes the browser send something here is not on this machine: it is told by ``Origin``,
    and a name that leads here by a trick of DNS is told by ``Host``. What a proxy on this machine passes on may come
    from anywhere, whatever it says of where: it is told by what proxies add.
    """

    login = False

    def __init__(self, name: str, hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")) -> None:
        self._hosts = hosts
        self._me = Principal(name=name, may=EVERYTHING, everywhere=True, may_everywhere=EVERYTHING)

    async def principal(self, asked: Asked) -> Principal | None:
        if asked.address not in ("127.0.0.1", "::1"):
            return None
        if not self._is_here(asked.headers.get("host", "")) or _passed_on(asked):
            return None
        origin = asked.headers.get("origin")
        if origin is not None and not self._is_here(origin.partition("://")[2]):
            return None
        return self._me

    def _is_here(self, host: str) -> bool:
        name = host if host in self._hosts else host.rpartition(":")[0]
        return name in self._hosts


def _passed_on(asked: Asked) -> bool:
    """Whether a proxy has sent this, as far as it shows.

    HTTP/1.0 is what nginx speaks with whom it asks, unless it is told otherwise; it names the server as Host then, and
    adds no header. No browser and no client of ours has spoken it for long.
    """
    if asked.version == "1.0":
        return True
    return any(name in _FORWARDED or name.startswith(_FORWARDED_TOO) for name in asked.headers)


class Known:
    """For ``segue server``: whoever has logged in, or sends an API key, may do what their role in the namespace of the
    request says.

    Args:
        namespace: of requests that name none.
    """

    RATE, BURST = 50.0, 200
    """Requests of one key or user, a second and at once."""
    STRANGE_RATE, STRANGE_BURST = 2.0, 40
    """Keys and sessions that are none, from one address."""

    login = True

    def __init__(self, accounts: Accounts, namespace: str) -> None:
        self.accounts = accounts
        self._namespace = namespace
        self._asking = Limit(self.RATE, self.BURST, accounts.now)
        self._strange = Limit(self.STRANGE_RATE, self.STRANGE_BURST, accounts.now)

    async def principal(self, asked: Asked) -> Principal | None:
        scheme, _, key = asked.headers.get("authorization", "").partition(" ")
        token = session_token(asked)
        if scheme.lower() == "bearer":
            found = self._by_key(key.strip(), asked)
        elif token:
            found = self._by_session(token, asked)
        else:
            return None
        if found is None:
            refuse_excess(self._strange.take(asked.address))
            return None
        refuse_excess(self._asking.take(found.name))
        return found

    def _by_key(self, text: str, asked: Asked) -> Principal | None:
        found = self.accounts.key(text)
        return None if found is None else key_principal(*found, asked.namespace or self._namespace)

    def _by_session(self, token: str, asked: Asked) -> Principal | None:
        found = self.accounts.session(token)
        if found is None:
            return None
        if asked.method not in ("GET", "HEAD") and not from_own_page(asked):
            sent = asked.headers.get(CSRF, "")
            if not hmac.compare_digest(sent.encode(), csrf_token(token).encode()):
                raise Refused(
                    403, "not-our-page", "Not our page",
                    f"a page of another site may not act for {found[0].name}; a program sends the session's csrf in "
                    f"{CSRF}, or uses an API key",
                )  # fmt: skip
        return user_principal(found[0], asked.namespace or self._namespace, token)


class FirstLoopback:
    """This machine without a login as long as nobody has an account; from the first one on, only who is known."""

    def __init__(self, here: Loopback, known: Known) -> None:
        self._here = here
        self._known = known
        self._chosen: Access | None = None

    @property
    def login(self) -> bool:
        return self._access().login

    async def principal(self, asked: Asked) -> Principal | None:
        return await self._access().principal(asked)

    def _access(self) -> Access:
        # Never back: who removes the last account does not open the server to everybody on the machine.
        if self._chosen is None and self._known.accounts.exist():
            self._chosen = self._known
        return self._chosen or self._here


def user_principal(user: UserRow, namespace: str, session: str = "") -> Principal:
    """A user in a namespace. Without a role there, they may not even look."""
    roles = role_in(user, namespace)
    may = frozenset({"public", "known"}).union(*(ROLES[role] for role in roles))
    reach = frozenset(user.roles) - {EVERYWHERE}
    return Principal(
        name=user.name, may=may, user=user.name, everywhere=EVERYWHERE in user.roles,
        may_everywhere=frozenset().union(*(ROLES[role] for role in role_in(user, EVERYWHERE))),
        reach=reach, tends=_tended(user, reach), session=session,
    )  # fmt: skip


def key_principal(key: KeyRow, owner: UserRow, namespace: str) -> Principal:
    """An API key in a namespace: it may do what it was made for, as far as its owner still may; outside of its own
    namespace, what everybody may."""
    whole = user_principal(owner, namespace)
    here = key.namespace in (namespace, EVERYWHERE)
    own = {key.namespace} if role_in(owner, key.namespace) else set()
    reach = whole.reach if key.namespace == EVERYWHERE else frozenset(own)
    return Principal(
        name=f"{owner.name}/{key.label}", user=owner.name,
        may=whole.may & ({*key.permissions, "public", "known"} if here else {"public"}),
        everywhere=whole.everywhere and key.namespace == EVERYWHERE,
        may_everywhere=whole.may_everywhere & frozenset(key.permissions if key.namespace == EVERYWHERE else ()),
        reach=reach, tends=_tended(owner, reach) if "access:act" in key.permissions else frozenset(),
    )  # fmt: skip


def _tended(user: UserRow, names: frozenset[str]) -> frozenset[str]:
    """Those of these namespaces in which a user looks after access."""
    return frozenset(name for name in names if any("access:act" in ROLES[role] for role in role_in(user, name)))


def session_token(asked: Asked) -> str:
    """What the browser keeps of a session."""
    return kept(asked, COOKIE)


def csrf_token(session: str) -> str:
    """What a page has to know that acts in a session: other sites' pages cannot read it."""
    return hmac.new(session.encode(), b"segue csrf", "sha256").hexdigest()


def from_own_page(asked: Asked) -> bool:
    """Whether the browser itself says that a page of this very origin asks, which no other page can make it say."""
    said = asked.headers.get("sec-fetch-site")
    if said is not None:
        return said == "same-origin"
    origin = urlsplit(asked.headers.get("origin", ""))
    # Browsers leave Sec-Fetch-Site out where the connection is not secure.
    return bool(origin.netloc) and origin.netloc == asked.headers.get("host", "")


def refuse_excess(seconds: float) -> None:
    """Raises ``Refused`` if there is a time to wait."""
    if seconds:
        whole = max(1, round(seconds))
        raise Refused(
            429, "too-often", "Too often", f"too many requests; ask again in {whole} s",
            headers={"retry-after": str(whole)},
        )  # fmt: skip
