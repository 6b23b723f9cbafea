"""Who may do what. Deny by default: a route names the permission that it needs, a request brings a principal or not."""

from __future__ import annotations

from typing import Protocol, get_args

from segue.server.call import Permission, Principal

EVERYTHING = frozenset(get_args(Permission))

_SEEING = frozenset({"public", "runs:read", "tasks:read", "schedules:read", "system:read"})

ROLES: dict[str, frozenset[str]] = {
    "viewer": _SEEING,
    "operator": _SEEING | {"runs:act", "tasks:act", "schedules:act"},
    "developer": EVERYTHING,
    "admin": EVERYTHING,
}
"""What each role may do; the larger ones hold the smaller."""


NOBODY = Principal("", frozenset({"public"}))
"""Somebody who is not known."""


class Access(Protocol):
    """Finds out who asks."""

    def principal(self, headers: dict[str, str], client: str | None) -> Principal | None:
        """Who sends a request with these headers (names in lower case) from this address, None if that is not known."""


class Loopback:
    """For ``segue dev``: whoever is on this machine may do everything; nobody else may do anything.

    A page of another site that makes the browser send something here is not on this machine: it is told by ``Origin``,
    and a name that leads here by a trick of DNS is told by ``Host``.
    """

    def __init__(self, name: str, hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")) -> None:
        self._hosts = hosts
        self._me = Principal(name, EVERYTHING)

    def principal(self, headers: dict[str, str], client: str | None) -> Principal | None:
        if client not in ("127.0.0.1", "::1"):
            return None
        if not self._is_here(headers.get("host", "")):
            return None
        origin = headers.get("origin")
        if origin is not None and not self._is_here(origin.partition("://")[2]):
            return None
        return self._me

    def _is_here(self, host: str) -> bool:
        name = host if host in self._hosts else host.rpartition(":")[0]
        return name in self._hosts
