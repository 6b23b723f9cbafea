"""Who is let in by a command that listens: this machine as long as nobody has an account, then who is known."""

from __future__ import annotations

import msgspec

from segue.cli.person import person
from segue.cli.scope import Scope
from segue.configuration.settings import provider_table
from segue.engine import Engine
from segue.errors import InvalidArgument
from segue.secrets.variables import resolved
from segue.server.access import FirstLoopback, Known, Loopback
from segue.server.accounts import Accounts
from segue.server.call import Access
from segue.server.oidc import OidcSettings

HERE = ("127.0.0.1", "::1", "localhost")


class Entrance:
    """The access to an engine's database at an address.

    Attributes:
        provider: at which people log in, if one is set.
        advice: what to tell whoever starts it, if nobody has an account and nobody can log in; else empty.
    """

    def __init__(self, engine: Engine, scope: Scope, host: str) -> None:
        self.accounts = Accounts(engine.store.accounts, engine.clock.now)
        self.provider = _provider()
        # Who can log in elsewhere needs no account beforehand; everybody has to, then.
        empty = self.provider is None and not self.accounts.exist()
        here = host in HERE
        first = scope.command("user", "add", "NAME", "--role", "admin", "--everywhere")
        whom = "only this machine is served, without a login" if here else "nobody is let in"
        self.advice = f"nobody has an account: {whom}, until there is one: {first}" if empty else ""
        known = Known(self.accounts, engine.namespace)
        # On another address nobody is let in, not even this machine: what comes by a proxy comes from there as well.
        self.access: Access = FirstLoopback(Loopback(person()), known) if empty and here else known


def _provider() -> OidcSettings | None:
    table = provider_table()
    if table is None:
        return None
    try:
        found = msgspec.convert(table, OidcSettings)
        resolved(found.client_secret)  # one that is not set is told now, not to whoever wants to log in
        return found
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"the setting oidc cannot be used: {error}", path="oidc") from error
