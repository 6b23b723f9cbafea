"""``segue user``: who may use a server, and with which roles."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast

from cyclopts import App, Parameter
from rich.table import Table

from segue.cli.asking import typed_twice
from segue.cli.messages import confirm
from segue.cli.output import console, print_json
from segue.cli.person import person
from segue.cli.scope import Scope
from segue.cli.words import clock
from segue.engine import Engine
from segue.server.accounts import EVERYWHERE, Account, Accounts, Role
from segue.stores.account_rows import AuditRow

T = TypeVar("T")

user = App(name="user", help="Who may use `segue server`, and with which roles.", version_flags=())

Name = Annotated[str, Parameter(help="The user's name.")]


@user.command
def add(
    name: Name,
    /,
    *,
    role: Annotated[Role, Parameter(help="What they may do: viewer, operator, developer, admin.")] = "viewer",
    everywhere: Annotated[
        bool, Parameter(help="In all namespaces, not in this one only.", negative=(), show_default=False)
    ] = False,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Make an account. The password is asked for, or read from standard input."""
    password = _new_password(name)
    roles: dict[str, Role] = {EVERYWHERE if everywhere else scope.namespace_name: role}
    made = with_accounts(scope, lambda accounts: accounts.add_user(name, password, roles), "add_user", name, new=True)
    return _say(scope, made, f"{name} is {_shown(made)}; `segue server` lets them in")


@user.command(name="list")
def list_users(*, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """List accounts with their roles."""
    found = with_accounts(scope, lambda accounts: accounts.list_users())
    if scope.json:
        print_json(found)
        return 0
    table = Table(box=None, pad_edge=False, show_header=bool(found))
    for title in ("NAME", "ROLES", "LOGS IN", "SINCE"):
        table.add_column(title, style="dim" if title == "SINCE" else "")
    for one in found:
        table.add_row(one.name, _shown(one), "elsewhere" if one.elsewhere else "here", clock(one.created_at))
    console().print(table if found else f"nobody has an account yet; {scope.command('user', 'add', 'NAME')} makes one")
    return 0


@user.command
def role(
    name: Name,
    role: Annotated[str, Parameter(help="viewer, operator, developer, admin, or none.")],
    /,
    *,
    everywhere: Annotated[
        bool, Parameter(help="In all namespaces, not in this one only.", negative=(), show_default=False)
    ] = False,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Give somebody another role, or none."""
    namespace = EVERYWHERE if everywhere else scope.namespace_name

    def change(accounts: Accounts) -> Account:
        roles = cast(dict[str, Role], {**accounts.user(name).roles, namespace: role})
        if role == "none":
            del roles[namespace]
        return accounts.set_roles(name, roles)

    changed = with_accounts(scope, change, "change_user", name)
    return _say(scope, changed, f"{name} is {_shown(changed)}")


@user.command
def password(name: Name, /, *, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """Give somebody a new password; all their sessions end."""
    with_accounts(scope, lambda accounts: accounts.user(name))
    new = _new_password(name)
    with_accounts(scope, lambda accounts: accounts.set_password(name, new), "change_user", name)
    return _say(scope, {"name": name}, f"{name} has a new password; all their sessions have ended")


@user.command
def remove(
    name: Name,
    /,
    *,
    yes: Annotated[bool, Parameter(help="Do not ask.", negative=(), show_default=False)] = False,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Take an account away, with its sessions and keys."""
    with_accounts(scope, lambda accounts: accounts.user(name))
    if not yes:
        confirm(f"Take away the account of {name}, with its sessions and API keys?", scope)
    with_accounts(scope, lambda accounts: accounts.remove_user(name), "remove_user", name)
    return _say(scope, {"name": name}, f"{name} has no account any more")


def with_accounts(
    scope: Scope, act: Callable[[Accounts], T], noted: str = "", target: str = "", *, new: bool = False
) -> T:
    """Does it with the accounts of the database, which is made if it may be ``new``. ``noted``: how the audit log
    calls it, if it changes something."""
    scope.require_no_server()
    if not new:
        scope.require_database()

    async def acted() -> T:
        async with Engine(scope.url, app=scope.app, namespace=scope.namespace, own=False) as engine:
            rows, now = engine.store.accounts, engine.clock.now
            done = await asyncio.to_thread(act, Accounts(rows, now))
            if noted:
                actor = f"cli:{person()}"
                entry = AuditRow(0, now(), engine.namespace, actor, noted, target, 200, "", "")
                await asyncio.to_thread(rows.audit, entry)
            return done

    return asyncio.run(acted())


def _new_password(name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return typed_twice(f"New password of {name}", "password")


def _shown(account: Account) -> str:
    parts = [
        f"{role} {'everywhere' if namespace == EVERYWHERE else f'in {namespace}'}"
        for namespace, role in sorted(account.roles.items())
    ]
    return ", ".join(parts) or "nowhere anything"


def _say(scope: Scope, told: Any, text: str) -> int:
    if scope.json:
        print_json(told)
    else:
        console().print(text, soft_wrap=True)
    return 0
