"""Users, API keys and sessions: made, checked and taken away. Knows nothing of HTTP."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Literal, get_args

import msgspec
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from segue.errors import CallerError, InvalidArgument, KeyNotFound, UserNotFound
from segue.kernel.names import checked_name, checked_namespace
from segue.runtime.beside import passwords
from segue.server.etags import etag
from segue.stores.account_rows import AccountRows, KeyRow, SessionRow, UserRow

Role = Literal["viewer", "operator", "developer", "admin"]

EVERYWHERE = "*"
"""Stands for every namespace."""
SESSION = 12 * 3_600_000_000
"""µs after which somebody has to log in again."""
SHORTEST, LONGEST = 8, 1_000
"""Characters of a password."""
LONGEST_NAME = 100
_PREFIX = "segue"
_AT_ONCE = 2
"""Passwords that are verified at the same time: each takes 64 MB for a twentieth of a second."""


class Account(msgspec.Struct, frozen=True):
    """A user as everybody may see them; ``elsewhere``: they log in elsewhere, and have no password here. ``etag`` names
    their roles as they are: for ``If-Match``. ``beyond``: they have roles where whoever asks has no say, who may
    therefore neither give them a password nor take the account away."""

    name: str
    roles: dict[str, Role]
    created_at: int
    elsewhere: bool
    etag: str
    beyond: bool = False


class ApiKey(msgspec.Struct, frozen=True):
    """An API key as everybody may see it; times in µs."""

    id: str
    label: str
    owner: str
    namespace: str
    permissions: tuple[str, ...]
    created_at: int
    expires_at: int | None
    revoked_at: int | None


class Accounts:
    """The accounts of a store.

    Args:
        now: the time in µs.
        hasher: makes and verifies what is kept of passwords; by default argon2id as OWASP has it.
    """

    def __init__(self, rows: AccountRows, now: Callable[[], int], hasher: Argon2Hasher | None = None) -> None:
        self.rows = rows
        self.now = now
        self._passwords = PasswordHash((hasher or Argon2Hasher(),))
        self._verifying = asyncio.Semaphore(_AT_ONCE)
        self._nobodys = ""

    # --- users ------------------------------------------------------------------------------------------------

    def exist(self) -> bool:
        """Whether anybody has an account."""
        return bool(self.rows.list_users())

    def list_users(self) -> list[Account]:
        return [_account(row) for row in self.rows.list_users()]

    def user(self, name: str) -> UserRow:
        """Raises ``UserNotFound``: there is none of the name."""
        found = self.rows.user(name)
        if found is None:
            raise UserNotFound(name[:LONGEST_NAME])
        return found

    def add_user(
        self, name: str, password: str | None, roles: dict[str, Role], *, subject: str | None = None
    ) -> Account:
        """Makes an account; without a password for whoever logs in elsewhere, as ``subject``.

        Raises:
            InvalidArgument: the name, the password or a role cannot be. CallerError: the name is taken.
        """
        _check_user_name(name)
        hashed = "" if password is None else self._hash(name, password)
        row = UserRow(name, hashed, _checked_roles(roles), subject, self.now())
        if not self.rows.add_user(row):
            raise CallerError(f"there is a user {name!r} already")
        return _account(row)

    def set_password(self, name: str, password: str) -> None:
        """All sessions of the user end. Raises as ``add_user``."""
        hashed = self._hash(name, password)
        self._change(name, lambda row: msgspec.structs.replace(row, password=hashed))

    def set_roles(
        self, name: str, roles: dict[str, Role], *, check: Callable[[UserRow], None] | None = None
    ) -> Account:
        """``check`` is given the account as it is in the moment of the change; what it raises is raised.

        Raises:
            as ``add_user``; CallerError: nobody would be left who may.
        """
        checked = _checked_roles(roles)

        def change(row: UserRow) -> UserRow:
            if check is not None:
                check(row)
            new = msgspec.structs.replace(row, roles=checked)
            self._keep_an_admin(name, new)
            return new

        return _account(self._change(name, change))

    def _change(self, name: str, change: Callable[[UserRow], UserRow]) -> UserRow:
        while True:
            before = self.user(name)
            row = change(before)
            if self.rows.change_user(row, before):
                return row

    def follow(self, subject: str, name: str, roles: dict[str, Role]) -> str:
        """The account of somebody who has logged in elsewhere, with the roles that were said there, made if there is
        none; its name. Whoever has no role any more has no session either: who may what is decided there, and the last
        admin is not kept.

        Raises:
            InvalidArgument: no account can be named so. CallerError: the name is somebody else's here.
        """
        row = self.rows.user_of(subject)
        if row is None:
            if self.rows.user(name) is not None:
                raise CallerError(f"{name!r} is another account here already; it has to be taken away first")
            if roles:
                self.add_user(name, None, roles, subject=subject)
            return name
        checked = _checked_roles(roles)
        self._change(row.name, lambda row: msgspec.structs.replace(row, roles=checked))
        if not roles:
            self.rows.end_sessions_of(row.name)
        return row.name

    def remove_user(self, name: str) -> None:
        """Sessions and keys go with the account.

        Raises:
            UserNotFound: there is none of the name. CallerError: others would be left without anybody who may.
        """
        self.user(name)
        self._keep_an_admin(name, None)
        self.rows.remove_user(name)

    async def verified(self, name: str, password: str) -> UserRow | None:
        """The user, if that is the password; None as slowly if it is not, or there is no such user."""
        row = self.rows.user(name) if name.isprintable() else None
        async with self._verifying:
            right = await passwords(self._verify, "" if row is None else row.password, password)
        return row if right else None

    def _verify(self, hashed: str, password: str) -> bool:
        if len(password) > LONGEST:
            return False
        if not hashed:
            self._nobodys = self._nobodys or self._passwords.hash(secrets.token_hex())
            self._passwords.verify(password, self._nobodys)
            return False
        return self._passwords.verify(password, hashed)

    def _hash(self, name: str, password: str) -> str:
        if not SHORTEST <= len(password) <= LONGEST or password.casefold() == name.casefold():
            raise InvalidArgument(
                f"a password has {SHORTEST} to {LONGEST:,} characters, and is not the user's name", path="$.password"
            )
        return self._passwords.hash(password)

    def _keep_an_admin(self, name: str, becomes: UserRow | None) -> None:
        rows = {row.name: row for row in self.rows.list_users()}
        before = any("admin" in row.roles.values() for row in rows.values())
        rows.pop(name)
        if becomes is not None:
            rows[name] = becomes
        if before and rows and not any("admin" in row.roles.values() for row in rows.values()):
            raise CallerError(f"{name!r} is the last admin; make somebody else one first")

    # --- sessions ---------------------------------------------------------------------------------------------

    def begin_session(self, name: str) -> tuple[str, int]:
        """What the browser is to keep, and when the session ends."""
        token, now = secrets.token_urlsafe(32), self.now()
        self.rows.add_session(SessionRow(_digest(token), name, now, now + SESSION))
        return token, now + SESSION

    def session(self, token: str) -> tuple[UserRow, int] | None:
        """Whose session that is, and when it ends; None if it is none, or over."""
        found = self.rows.session(_digest(token))
        if found is None or found.expires_at <= self.now():
            return None
        row = self.rows.user(found.owner)
        return None if row is None else (row, found.expires_at)

    def end_session(self, token: str) -> None:
        self.rows.end_session(_digest(token))

    # --- keys -------------------------------------------------------------------------------------------------

    def add_key(
        self, owner: str, label: str, permissions: frozenset[str], *, namespace: str, expires_at: int | None
    ) -> tuple[str, ApiKey]:
        """The key, which is told only now, and how it stands in lists. It may never do more than its owner.

        Raises:
            InvalidArgument: it could do nothing, or has expired already. UserNotFound: there is no such owner.
        """
        self.user(owner)
        _check_label(label)
        _check_scope(namespace)
        if not permissions:
            raise InvalidArgument("a key without permissions opens nothing; name some", path="$.permissions")
        now = self.now()
        if expires_at is not None and expires_at <= now:
            raise InvalidArgument("the key would have expired before it is made", path="$.expires_at")
        id, secret = secrets.token_hex(6), secrets.token_hex(32)
        row = KeyRow(id, _digest(secret), owner, label, namespace, tuple(sorted(permissions)), now, expires_at)
        self.rows.add_key(row)
        return f"{_PREFIX}_{id}_{secret}", _api_key(row)

    def key(self, text: str) -> tuple[KeyRow, UserRow] | None:
        """The key and its owner; None if it is none, has expired or was revoked."""
        prefix, _, rest = text.partition("_")
        id, _, secret = rest.partition("_")
        row = self.rows.key(id) if prefix == _PREFIX and id.isalnum() and id.isascii() else None
        if row is None or not hmac.compare_digest(row.digest, _digest(secret)):
            return None
        if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= self.now()):
            return None
        owner = self.rows.user(row.owner)
        return None if owner is None else (row, owner)

    def list_keys(self, owner: str | None = None) -> list[ApiKey]:
        return [_api_key(row) for row in self.rows.list_keys() if owner in (None, row.owner)]

    def revoke_key(self, id: str, owner: str | None = None) -> None:
        """``owner``: only if it is theirs. Raises ``KeyNotFound``: there is no such key."""
        row = self.rows.key(id)
        if row is None or owner not in (None, row.owner) or not self.rows.revoke_key(id, self.now()):
            raise KeyNotFound(id[:LONGEST_NAME])


def role_in(row: UserRow, namespace: str) -> list[Role]:
    """The roles that a user has in a namespace: its own, and the one for all."""
    return [_role(row.roles[scope]) for scope in (namespace, EVERYWHERE) if scope in row.roles]


def _role(text: str) -> Role:
    if text not in get_args(Role):
        raise InvalidArgument(f"there is no role {text!r}; there are: {', '.join(get_args(Role))}", path="$.roles")
    return text  # type: ignore[return-value]


def _checked_roles(roles: dict[str, Role]) -> dict[str, str]:
    return {_check_scope(scope): _role(role) for scope, role in roles.items()}


def _check_scope(text: str) -> str:
    """A namespace, or all of them. Raises ``InvalidArgument``."""
    return text if text == EVERYWHERE else checked_namespace(text)


def _check_user_name(name: str) -> None:
    checked_name(name, "a user's name")
    # Not "/": what a key does is kept under its owner's name, a slash and its label.
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or "/" in name or name != name.strip():
        raise InvalidArgument(
            f"a user's name has 1 to {LONGEST_NAME} characters that can be seen, and no slash: {name[:LONGEST_NAME]!r}",
            path="$.name",
        )


def _check_label(label: str) -> None:
    checked_name(label, "a key's label")
    if not label or len(label) > LONGEST_NAME or not label.isprintable():
        raise InvalidArgument(f"a key's label has 1 to {LONGEST_NAME} characters that can be seen", path="$.label")


def _digest(secret: str) -> str:
    # Secrets of ours have 256 random bits: unlike a password, none is found by trying.
    return sha256(secret.encode()).hexdigest()


def _account(row: UserRow) -> Account:
    roles = {namespace: _role(role) for namespace, role in row.roles.items()}
    return Account(row.name, roles, row.created_at, not row.password, user_etag(row))


def user_etag(row: UserRow | Account) -> str:
    """Names an account with its roles."""
    return etag(row.name, row.created_at, sorted(row.roles.items()))


def _api_key(row: KeyRow) -> ApiKey:
    return ApiKey(
        row.id, row.label, row.owner, row.namespace, row.permissions, row.created_at, row.expires_at, row.revoked_at
    )
