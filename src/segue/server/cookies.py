"""What browsers keep for the server, and give back with every request."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Literal

from segue.server.call import Asked


def kept(asked: Asked, name: str) -> str:
    """What the browser keeps under a name; nothing if it keeps nothing, or sends what is no cookie."""
    try:
        found = SimpleCookie(asked.headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


def keep(asked: Asked, name: str, value: str, *, path: str, lifetime: int, same_site: Literal["Strict", "Lax"]) -> str:
    """The header that has the browser keep a value for ``lifetime`` (µs); an empty one has it forget. No script sees
    it, and it travels on a secure connection only where this is one."""
    parts = [
        f"{name}={value}", f"Path={path}", f"Max-Age={lifetime // 1_000_000 if value else 0}", "HttpOnly",
        f"SameSite={same_site}",
    ]  # fmt: skip
    return "; ".join([*parts, "Secure"] if asked.secure else parts)
