"""Who is let in by a command that listens: this machine as long as nobody has an account, then who is known."""

from __future__ import annotations

from getpass import getuser

from segue.cli.scope import Scope
from segue.engine import Engine
from segue.errors import InvalidArgument
from segue.server.access import FirstLoopback, Known, Loopback
from segue.server.accounts import Accounts
from segue.server.call import Access

HERE = ("127.0.0.1", "::1", "localhost")


class Entrance:
    """The access to an engine's database at an address.

    Attributes:
        empty: nobody has an account. first: the command that makes the first one.

    Raises:
        InvalidArgument: nobody has an account, and others than this machine could ask.
    """

    def __init__(self, engine: Engine, scope: Scope, host: str, flag: str = "--host") -> None:
        self.accounts = Accounts(engine.store.accounts, engine.clock.now)
        self.empty = not self.accounts.exist()
        self.first = scope.command("user", "add", "NAME", "--role", "admin", "--everywhere")
        if self.empty and host not in HERE:
            raise InvalidArgument(
                f"nobody has an account yet, and {flag} {host} would let everybody in; make one first: {self.first}"
            )
        known = Known(self.accounts, engine.namespace)
        self.access: Access = FirstLoopback(Loopback(getuser()), known) if self.empty else known
