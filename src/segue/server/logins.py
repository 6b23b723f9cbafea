"""Logging in with a password, however it comes: limited by address and by name, and always into a new session."""

from __future__ import annotations

from segue.runtime.beside import beside
from segue.server.access import COOKIE, refuse_excess, session_token
from segue.server.accounts import LONGEST_NAME, SESSION, Accounts
from segue.server.call import Access, Asked
from segue.server.cookies import keep
from segue.server.limits import Limit
from segue.server.problems import Refused
from segue.stores.account_rows import UserRow

PER_ADDRESS = (1 / 6, 10)
"""Tries a second in the long run, and at once: ten a minute from one address."""
PER_NAME = (1 / 2, 30)
"""And for one name, from wherever: more, so that nobody is kept out by others who do not know the password."""


class Logins:
    """Logs people in and out of an access that asks for it."""

    def __init__(self, access: Access, accounts: Accounts) -> None:
        self.access = access
        self.accounts = accounts
        self._by_address = Limit(*PER_ADDRESS, accounts.now)
        self._by_name = Limit(*PER_NAME, accounts.now)

    async def log_in(self, asked: Asked, name: str, password: str) -> tuple[str, int]:
        """The session that the browser is to keep, and when it ends.

        Raises:
            Refused: it is the wrong password, somebody tries too often, or nobody has to log in here.
        """
        if not self.access.login:
            raise Refused(409, "no-login", "No login", "this server asks nobody to log in")
        user = await self.check(asked, name, password)
        # Not the session that the browser may have sent: somebody else may have put it there.
        await self.log_out(asked)
        return await beside(self.accounts.begin_session, user.name)

    async def check(self, asked: Asked, name: str, password: str) -> UserRow:
        """The user whose password that is. Raises as ``log_in``."""
        refuse_excess(self._by_address.take(asked.address))
        refuse_excess(self._by_name.take(name[:LONGEST_NAME]))
        user = await self.accounts.verified(name, password)
        if user is None:
            raise Refused(
                401, "wrong-password", "Wrong password", "that is no user's name with their password",
                headers={"www-authenticate": "Bearer"},
            )  # fmt: skip
        return user

    async def log_out(self, asked: Asked) -> None:
        """Ends the session that the browser has, if there is one."""
        token = session_token(asked)
        if token:
            await beside(self.accounts.end_session, token)


def session_cookie(asked: Asked, token: str) -> str:
    """What has the browser keep a session; an empty one has it forget."""
    return keep(asked, COOKIE, token, path=asked.base or "/", lifetime=SESSION, same_site="Strict")
