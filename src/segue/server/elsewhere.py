"""Logging in at an OpenID provider: somebody is sent there, comes back with a code, and is given a session here.

Each way there has a state, a nonce and a verifier of its own, is bound to the browser that began it, and is gone with
its first use. What the provider says decides about roles, at every login.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from typing import Any, get_args

import msgspec

from segue.errors import CallerError
from segue.runtime.beside import beside
from segue.server.access import refuse_excess
from segue.server.accounts import Accounts, Role
from segue.server.call import Asked
from segue.server.cookies import keep, kept
from segue.server.limits import Limit
from segue.server.logins import Logins
from segue.server.oidc import OidcSettings, Provider
from segue.server.problems import Refused

COOKIE = "segue_oidc"
PATIENCE = 600_000_000
"""µs for which somebody may take their time at the provider."""
MOST = 10_000
"""People who are on their way at once; of more, the first are forgotten."""
PER_ADDRESS = (1 / 2, 30)
"""Beginnings and returns a second in the long run, and at once, from one address."""


class Way(msgspec.Struct, frozen=True):
    """Somebody on their way to the provider and back; ``to``: the page that they wanted."""

    browser: str
    nonce: str
    verifier: str
    until: int
    to: str


class Elsewhere:
    """The logins at one provider. Ways are kept in memory: whoever began at one server comes back to that one."""

    def __init__(self, settings: OidcSettings, logins: Logins) -> None:
        self.settings = settings
        self._logins = logins
        self._accounts: Accounts = logins.accounts
        self._provider = Provider(settings, self._accounts.now)
        self._ways: OrderedDict[str, Way] = OrderedDict()
        self._by_address = Limit(*PER_ADDRESS, self._accounts.now)

    async def begin(self, asked: Asked, to: str = "") -> tuple[str, str]:
        """Where the browser is sent, and the cookie that it keeps meanwhile. Raises ``Refused``."""
        refuse_excess(self._by_address.take(asked.address))
        state, browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        address = await self._provider.address(state, nonce, verifier)
        self._ways[state] = Way(browser, nonce, verifier, self._accounts.now() + PATIENCE, to)
        if len(self._ways) > MOST:
            self._ways.popitem(last=False)
        return address, cookie(asked, browser)

    async def end(self, asked: Asked, given: dict[str, str]) -> tuple[str, str, str]:
        """The user's name, the session that their browser is to keep, the page that they wanted. Raises ``Refused``."""
        refuse_excess(self._by_address.take(asked.address))
        way = self._ways.pop(given.get("state", ""), None)
        if way is None or way.until <= self._accounts.now() or not _is_browser(asked, way):
            raise _not_begun("this login was not begun here, took too long, or is over: begin anew")
        if given.get("iss", self.settings.issuer) != self.settings.issuer:
            raise _not_begun("another provider has answered than was asked")
        if "error" in given or not given.get("code"):
            said = given.get("error", "nothing")[:100]
            raise Refused(403, "not-logged-in", "Not logged in", f"the provider says: {said}")
        claims = await self._provider.claims(given["code"], way.nonce, way.verifier)
        name = await beside(self._account, claims)
        # Not the session that the browser may have sent: somebody else may have put it there.
        await self._logins.log_out(asked)
        token, _ = await beside(self._accounts.begin_session, name)
        return name, token, way.to

    def _account(self, claims: dict[str, Any]) -> str:
        """The account of whoever the claims are of, with the roles that they give."""
        roles = roles_of(self.settings, claims)
        named = claims.get(self.settings.username)
        try:
            name = self._accounts.follow(
                f"{self.settings.issuer} {claims['sub']}", named if isinstance(named, str) else "", roles
            )
        except CallerError as error:
            raise Refused(403, "not-allowed", "Not allowed", str(error)) from error
        if not roles:
            text = f"{name} has no role here; roles follow from what the provider says"
            raise Refused(403, "not-allowed", "Not allowed", text)
        return name


def roles_of(settings: OidcSettings, claims: dict[str, Any]) -> dict[str, Role]:
    """The role in each namespace: of several, the one that may most."""
    given = claims.get(settings.claim)
    found: dict[str, Role] = {}
    for value in given if isinstance(given, list) else [given]:
        for namespace, role in (settings.roles.get(value, {}) if isinstance(value, str) else {}).items():
            found[namespace] = max(found.get(namespace, role), role, key=get_args(Role).index)
    return found


def _not_begun(why: str) -> Refused:
    return Refused(400, "no-login", "No login", why)


def _is_browser(asked: Asked, way: Way) -> bool:
    return hmac.compare_digest(kept(asked, COOKIE).encode(), way.browser.encode())


def cookie(asked: Asked, browser: str) -> str:
    """What has the browser be known again; an empty one has it forget. Lax: it comes back from another site."""
    return keep(asked, COOKIE, browser, path=f"{asked.base}/login", lifetime=PATIENCE, same_site="Lax")
