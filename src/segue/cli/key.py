"""``segue key``: API keys, by which programs use a server."""

from __future__ import annotations

import sys
import time
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table

from segue.cli.output import console, print_json
from segue.cli.scope import Scope
from segue.cli.user import with_accounts
from segue.cli.words import clock
from segue.errors import InvalidArgument
from segue.kernel.duration import microseconds
from segue.server.access import EVERYTHING, ROLES
from segue.server.accounts import EVERYWHERE, ApiKey, Role

key = App(name="key", help="API keys, by which programs use `segue server`.", version_flags=())


@key.command
def add(
    label: Annotated[str, Parameter(help="What it is for, such as ci.")],
    /,
    *,
    user: Annotated[str, Parameter(help="Whose key it is: it may never do more than they may.")],
    role: Annotated[Role | None, Parameter(help="All that this role may.", show_default=False)] = None,
    permission: Annotated[
        tuple[str, ...], Parameter(help="One thing that it may, such as runs:start.", negative=(), show_default=False)
    ] = (),
    expires: Annotated[str, Parameter(help="After how long it ends: 90d, 12h; never.")] = "90d",
    everywhere: Annotated[
        bool, Parameter(help="In all namespaces, not in this one only.", negative=(), show_default=False)
    ] = False,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Make an API key. It is printed once, and kept as a hash only."""
    unknown = sorted(set(permission) - EVERYTHING)
    if unknown:
        raise InvalidArgument(f"there is no permission {unknown[0]!r}; there are: {', '.join(sorted(EVERYTHING))}")
    permissions = frozenset(permission) | (frozenset() if role is None else ROLES[role])
    if not permissions:
        raise InvalidArgument("what may the key do? Give --role viewer, or --permission runs:start")
    expires_at = None if expires == "never" else time.time_ns() // 1_000 + microseconds(expires)
    namespace = EVERYWHERE if everywhere else scope.namespace_name
    secret, made = with_accounts(
        scope,
        lambda accounts: accounts.add_key(user, label, permissions, namespace=namespace, expires_at=expires_at),
        "add_key",
        label,
    )
    if scope.json:
        print_json({"secret": secret, "key": made})
    else:
        console().print(secret, soft_wrap=True)
        note = "it is not shown again; send it as `Authorization: Bearer …`"
        console(sys.stderr).print(note, style="dim", soft_wrap=True)  # a file that the key goes to holds nothing else
    return 0


@key.command(name="list")
def list_keys(*, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """List API keys, the newest first."""
    found: list[ApiKey] = with_accounts(scope, lambda accounts: accounts.list_keys())
    if scope.json:
        print_json(found)
        return 0
    table = Table(box=None, pad_edge=False, show_header=bool(found))
    for title in ("ID", "LABEL", "USER", "NAMESPACE", "ENDS"):
        table.add_column(
            title, no_wrap=title == "ID", min_width=12 if title == "ID" else None
        )  # by which it is revoked
    for one in found:
        table.add_row(one.id, one.label, one.owner, one.namespace, _ends(one))
    console().print(table if found else "there are no API keys")
    return 0


@key.command
def revoke(
    id: Annotated[str, Parameter(help="The key's id, as `segue key list` shows it.")],
    /,
    *,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Revoke an API key: from this moment on it opens nothing."""
    with_accounts(scope, lambda accounts: accounts.revoke_key(id), "revoke_key", id)
    if scope.json:
        print_json({"revoked": id})
    else:
        console().print(f"key {id} opens nothing any more")
    return 0


def _ends(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {clock(key.revoked_at)}"
    return "never" if key.expires_at is None else clock(key.expires_at)
