"""Lists of which the API gives a page at a time: as many as are wanted, and whether there are more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from rich.text import Text

from segue.cli.output import console
from segue.errors import InvalidArgument
from segue.server.runs import MOST

T = TypeVar("T")
Page = Callable[[str | None, int], Awaitable[tuple[list[T], str | None]]]
"""Asks for so many things behind a cursor; gives them, and the cursor of the page behind."""


def at_least_one(limit: int) -> int:
    """The limit. Raises ``InvalidArgument`` where it shows nothing."""
    if limit < 1:
        raise InvalidArgument(f"--limit {limit} shows nothing; it counts from 1")
    return limit


async def paged(page: Page[T], limit: int | None = None) -> tuple[list[T], bool]:
    """The first things of a list (all without a limit), and whether there are more."""
    found: list[T] = []
    after: str | None = None
    while limit is None or len(found) < limit:
        things, after = await page(after, MOST if limit is None else min(MOST, limit - len(found)))
        found += things
        if after is None:
            return found, False
    return found, True


def print_more(shown: int) -> None:
    """Says that the list goes on."""
    console().print(Text(f"and more; --limit {2 * shown} shows more", style="dim"))
