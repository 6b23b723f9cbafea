"""Rules as they stand in settings: read whole or refused, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args
from urllib.parse import urlsplit

from segue.errors import InvalidArgument
from segue.kernel.names import checked_namespace
from segue.kernel.notice import NotifyRule, When
from segue.secrets.variables import resolved

APPRISE = "apprise:"


def checked(rules: Iterable[NotifyRule]) -> tuple[NotifyRule, ...]:
    """The rules. Raises ``InvalidArgument`` if one of them cannot be meant."""
    found = tuple(rules)
    names = [rule.name for rule in found]
    for rule in found:
        where = f"the rule of notify {rule.name!r}"
        if not rule.name or not set(rule.name) <= _LETTERS:
            raise InvalidArgument(f"{where}: a name is made of letters, digits, _ and -")
        if names.count(rule.name) > 1:
            raise InvalidArgument(f"two rules of notify are named {rule.name!r}; give one another name")
        if not rule.when:
            raise InvalidArgument(f"{where} tells of nothing; when = one or more of {', '.join(get_args(When))}")
        if rule.namespace is not None:
            checked_namespace(rule.namespace)
        if not rule.to.startswith("$"):
            address(rule)
    return found


_LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def address(rule: NotifyRule) -> str:
    """Where the rule sends to. Raises ``InvalidArgument`` if that is nowhere."""
    to = resolved(rule.to)
    if to.startswith(APPRISE) and to != APPRISE:
        return to
    try:
        parts = urlsplit(to)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        # Not with the address itself: it may hold a password.
        raise InvalidArgument(
            f"the rule of notify {rule.name!r} sends to an address that is not http:// or https:// (nor {APPRISE}…)"
        )
    return to
