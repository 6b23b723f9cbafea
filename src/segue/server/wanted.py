"""The page of the dashboard that somebody wanted when they had to log in first, kept on the way there."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.requests import Request

PAGES = ("/", "/overview", "/runs", "/runs/{run:int}", "/workflows", "/schedules", "/tasks", "/workers", "/settings")
"""Addresses at which the dashboard opens; it knows them too (ui/src/routes.tsx)."""
PARAMETER = "to"
LONGEST = 2_000

_PAGE = "|".join(page[1:].replace("{run:int}", r"\d+") for page in PAGES[1:])
# Begins with the name of a page and holds nothing but what an address is written in: it leads to no other site, by no
# trick of slashes, and is one line of a header.
_WANTED = re.compile(rf"(?:{_PAGE})(?:\?[\x21-\x7e]*)?")


def path_of(request: Request) -> str:
    """The path that is asked for, below the application, whatever the server itself was given before it."""
    path: str = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return path


def wanted(request: Request) -> str:
    """The page that is asked for, as an address below the dashboard's root; "" for its first one."""
    path = path_of(request)
    query = request.scope["query_string"].decode("ascii", "replace")
    return checked(path[1:] + (f"?{query}" if query else ""))


def checked(address: str) -> str:
    """The address, if it is one of the dashboard's pages; "" otherwise."""
    return address if len(address) <= LONGEST and _WANTED.fullmatch(address) else ""


def parameter(address: str) -> str:
    """What keeps it in another address."""
    return f"?{PARAMETER}={quote(address, safe='')}" if address else ""
