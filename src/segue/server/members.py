"""Users, API keys and the audit log over the API. An admin of one namespace reaches no further than it."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from segue.runtime.beside import beside, passwords
from segue.server.accounts import EVERYWHERE, Account, ApiKey, Role, user_etag
from segue.server.call import Call, Limit, Number, Permission
from segue.server.etags import refuse_unless_seen
from segue.server.runs import MOST
from segue.server.sessions import Name, Password, refuse_unless
from segue.stores.account_rows import AuditRow, UserRow


class UserBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user to make: ``roles`` by namespace, ``*`` for all of them."""

    name: Name
    password: Password
    roles: dict[str, Role] = {}


class UserChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be otherwise; what is left out stays as it is. With a new password all sessions end.

    ``roles``: all that the account is to have, of an admin of one namespace all that they see of it; others stay.
    """

    roles: dict[str, Role] | msgspec.UnsetType = msgspec.UNSET
    password: Password | msgspec.UnsetType = msgspec.UNSET


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to make, for whoever asks: it may do at most what they may, in this namespace.

    Attributes:
        expires_at: µs; a key that never expires has to be asked for, by null.
    """

    label: Name
    permissions: list[Permission]
    expires_at: Number | None


class NewKey(msgspec.Struct, frozen=True):
    """``secret`` is the whole key, which nobody can tell again."""

    secret: str
    key: ApiKey


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``actor``: only what they did. ``before``: the cursor of the page before. At most ``limit``, 500 in any case."""

    actor: str | None = None
    before: Number | None = None
    limit: Limit = 100


class AuditPage(msgspec.Struct, frozen=True):
    """Entries, the newest first; ``next`` is the ``before`` of the page behind it, None at the end."""

    entries: list[AuditRow]
    next: int | None


async def list_users(call: Call[Any, None]) -> list[Account]:
    return [_seen(call, user) for user in call.accounts.list_users()]


async def add_user(call: Call[Any, UserBody]) -> Account:
    body = call.body
    roles = _roles(call, {}, body.roles)
    return await passwords(call.accounts.add_user, body.name, body.password, roles)


async def change_user(call: Call[Any, UserChange]) -> Account:
    name, accounts = call.path["name"], call.accounts
    before = accounts.user(name)
    _check_seen(call, before)
    if call.body.password is not msgspec.UNSET:
        _check_whole(call, before.roles)
    if call.body.roles is not msgspec.UNSET:
        roles = _roles(call, before.roles, call.body.roles)
        check = partial(_check_seen, call)
        await beside(partial(accounts.set_roles, name, roles, check=check))
    if call.body.password is not msgspec.UNSET:
        await passwords(accounts.set_password, name, call.body.password)
    account = next(_seen(call, user) for user in accounts.list_users() if user.name == name)
    call.etag = account.etag
    return account


async def remove_user(call: Call[Any, None]) -> None:
    name = call.path["name"]
    before = call.accounts.user(name)
    _check_seen(call, before)
    _check_whole(call, before.roles)
    await beside(call.accounts.remove_user, name)


async def list_keys(call: Call[Any, None]) -> list[ApiKey]:
    return call.accounts.list_keys(None if _sees_all(call) else call.who.user)


async def add_key(call: Call[Any, KeyBody]) -> NewKey:
    body, wanted = call.body, frozenset(call.body.permissions)
    refuse_unless(bool(call.who.user), f"{call.who.name} has no account that a key could belong to")
    missing = sorted(wanted - call.who.may)
    refuse_unless(not missing, f"{call.who.name} lacks {', '.join(missing)}, and can give nobody what they lack")
    secret, key = await beside(
        call.accounts.add_key, call.who.user, body.label, wanted, namespace=call.engine.namespace,
        expires_at=body.expires_at,
    )  # fmt: skip
    return NewKey(secret, key)


async def revoke_key(call: Call[Any, None]) -> None:
    owner = None if _acts_everywhere(call) else call.who.user
    await beside(call.accounts.revoke_key, call.path["key"], owner)


async def list_audit(call: Call[AuditQuery, None]) -> AuditPage:
    query = call.query
    limit = min(query.limit, MOST)
    rows = call.accounts.rows.audited(call.engine.namespace, actor=query.actor, before=query.before, limit=limit + 1)
    return AuditPage(rows[:limit], rows[limit - 1].entry if len(rows) > limit else None)


def _sees_all(call: Call[Any, Any]) -> bool:
    return "access:read" in call.who.may_everywhere


def _acts_everywhere(call: Call[Any, Any]) -> bool:
    """Whether they look after access in every namespace: who may only look around there does not."""
    return "access:act" in call.who.may_everywhere


def _seen(call: Call[Any, Any], user: Account) -> Account:
    """An account as far as whoever asks may see it: in which other namespaces it has roles is not for them to know,
    but that it has some, which they would be refused for."""
    found = msgspec.structs.replace(user, roles=_visible(call, user.roles), beyond=_beyond(call, user.roles))
    # Of what they see: a tag of all could be held against guesses.
    return msgspec.structs.replace(found, etag=user_etag(found))


def _visible(call: Call[Any, Any], roles: dict[str, Any]) -> dict[str, Any]:
    seen = (call.engine.namespace, EVERYWHERE)
    return {scope: role for scope, role in roles.items() if _sees_all(call) or scope in seen}


def _roles(call: Call[Any, Any], before: dict[str, Any], after: dict[str, Role]) -> dict[str, Role]:
    """The roles that an account is to have; what whoever asks does not see stays as it is. Raises ``Refused``."""
    if _acts_everywhere(call):
        return after
    here = call.engine.namespace
    # Of what they do not see, not even that it is so already may be found out.
    beyond = sorted(scope for scope, role in after.items() if scope != here and (scope, role) != _all(before))
    refuse_unless(
        not beyond,
        f"{call.who.name} gives and takes roles in namespace {here!r} only, not in {', '.join(beyond)}",
    )
    kept = {scope: role for scope, role in before.items() if scope != here}
    return kept | ({here: after[here]} if here in after else {})


def _all(roles: dict[str, Any]) -> tuple[str, Any]:
    return EVERYWHERE, roles.get(EVERYWHERE)


def _check_seen(call: Call[Any, Any], row: UserRow) -> None:
    seen = msgspec.structs.replace(row, roles=_visible(call, row.roles))
    refuse_unless_seen(call.asked.headers, user_etag(seen), f"user {row.name!r}")


def _check_whole(call: Call[Any, Any], roles: dict[str, Any]) -> None:
    """Whoever can set a password, or take an account away, acts on all that the account may."""
    refuse_unless(
        not _beyond(call, roles),
        f"this account has roles in other namespaces, where {call.who.name} has no say",
    )


def _beyond(call: Call[Any, Any], roles: dict[str, Any]) -> bool:
    return not _acts_everywhere(call) and not set(roles) <= {call.engine.namespace}
