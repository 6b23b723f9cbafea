"""Who may use the server, as every store keeps it: users, API keys, sessions, the audit log, answers to be repeated."""

from __future__ import annotations

import builtins
from typing import Protocol

import msgspec


class UserRow(msgspec.Struct, frozen=True, gc=False):
    """A person with an account.

    Attributes:
        password: how a password is verified; empty for whoever logs in elsewhere.
        roles: role by namespace, ``*`` for all of them.
        subject: who they are where they log in elsewhere.
    """

    name: str
    password: str
    roles: dict[str, str]
    subject: str | None
    created_at: int


class KeyRow(msgspec.Struct, frozen=True, gc=False):
    """An API key; ``digest`` is of its secret part. ``namespace`` ``*``: in all of them."""

    id: str
    digest: str
    owner: str
    label: str
    namespace: str
    permissions: tuple[str, ...]
    created_at: int
    expires_at: int | None
    revoked_at: int | None = None


class SessionRow(msgspec.Struct, frozen=True, gc=False):
    """Somebody who has logged in; ``digest`` is of what their browser keeps."""

    digest: str
    owner: str
    created_at: int
    expires_at: int


class AuditRow(msgspec.Struct, frozen=True, gc=False):
    """Something that was done, or refused.

    Attributes:
        entry: its number, 0 before it is written.
        action: what was asked, as the API names it. target: of what.
        outcome: the HTTP status. request: its number in the server's log.
    """

    entry: int
    at: int
    namespace: str
    actor: str
    action: str
    target: str
    outcome: int
    address: str
    request: str


class KeptAnswer(msgspec.Struct, frozen=True, gc=False):
    """What is kept under an idempotency key; ``status`` None while the request is carried out."""

    request: str
    at: int
    status: int | None
    body: bytes | None


class AccountRows(Protocol):
    """Reads and writes them, each write in a transaction of its own. Any thread may call.

    Raises, all of it: StoreUnavailable.
    """

    def list_users(self) -> builtins.list[UserRow]:
        """All of them, by name."""

    def user(self, name: str) -> UserRow | None: ...

    def user_of(self, subject: str) -> UserRow | None:
        """Whoever that is where they log in elsewhere."""

    def add_user(self, user: UserRow) -> bool:
        """False, with nothing changed, if the name or the subject is taken."""

    def change_user(self, user: UserRow, before: UserRow) -> bool:
        """Writes password and roles; False, with nothing changed, if they are not what was read before, or the account
        is gone. With a new password all sessions end."""

    def remove_user(self, name: str) -> bool:
        """Takes away the account with its sessions and keys; False if there is none of the name."""

    def list_keys(self) -> builtins.list[KeyRow]:
        """All of them, the newest first."""

    def key(self, id: str) -> KeyRow | None: ...

    def add_key(self, key: KeyRow) -> None: ...

    def revoke_key(self, id: str, at: int) -> bool:
        """False if there is none that has not been revoked."""

    def session(self, digest: str) -> SessionRow | None: ...

    def add_session(self, session: SessionRow) -> None:
        """Keeps it, and drops those that have expired by its beginning."""

    def end_session(self, digest: str) -> None: ...

    def end_sessions_of(self, owner: str) -> None: ...

    def audit(self, row: AuditRow) -> None:
        """Appends it; nothing is ever changed or deleted there."""

    def audited(
        self, namespace: str, *, actor: str | None = None, before: int | None = None, limit: int = 100
    ) -> builtins.list[AuditRow]:
        """Entries of a namespace, the newest first; ``before``: older than this one."""

    def begin_answer(self, namespace: str, actor: str, key: str, request: str, at: int, *, stale: int) -> bool:
        """Takes a key for a request; also one of the same request that was begun before ``stale`` and never answered.
        False if it is taken. Answers that were begun a day before are dropped."""

    def answer(self, namespace: str, actor: str, key: str) -> KeptAnswer | None: ...

    def keep_answer(self, namespace: str, actor: str, key: str, status: int, body: bytes) -> None: ...

    def drop_answer(self, namespace: str, actor: str, key: str) -> None:
        """Gives the key back: nothing was done."""


class HasAccounts(Protocol):
    """The part of a ``Store`` that leads to them."""

    @property
    def accounts(self) -> AccountRows: ...
