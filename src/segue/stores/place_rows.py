"""Large values whose bytes are not in the database, and the places at which nothing has to be any more.

A value is committed into the database like everything else, and moves out of it afterwards: no commit waits for
another system, and what that system has is never the only copy before the database says so. See docs/adr/0041.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from segue.errors import StoreUnavailable


class Placed(msgspec.Struct, frozen=True):
    """A large value whose bytes are at a place: a URL."""

    ref: str
    place: str


class Held(msgspec.Struct, frozen=True):
    """How many values are under a URL, and how many bytes they have."""

    place: str
    values: int
    bytes: int


class NotAtHand(StoreUnavailable):
    """Values are wanted where nothing may wait for a place: whoever is told has them fetched and looks again."""

    def __init__(self, placed: list[Placed]) -> None:
        super().__init__(f"{len(placed)} large values are outside the database")
        self.placed = placed


class PlaceRows(Protocol):
    """Each call is one transaction, on disk when it returns, or one look. Any thread of any process may call."""

    def any(self) -> bool:
        """Whether the bytes of any value are elsewhere."""

    def held(self) -> list[Held]:
        """What is where outside the database, by the URL that the settings said when it moved."""

    def look(self, refs: Iterable[str]) -> tuple[dict[str, bytes], list[Placed]]:
        """Of the values given by content address: the bytes that are in the database, and where the others are."""

    def large(self, least: int, limit: int) -> dict[str, int]:
        """Values of at least so many bytes that are in the database: their content addresses, and their bytes."""

    def of_run(self, run: int) -> list[Placed]:
        """The values that a run refers to and whose bytes are elsewhere."""

    def announce(self, places: Iterable[str], at: int) -> None:
        """Something is on its way to these places (at a time, µs): leftovers, until ``settle`` says otherwise."""

    def settle(self, placed: Iterable[Placed]) -> list[Placed]:
        """The bytes are at their places, and leave the database. Left out of what is returned, and unchanged, are those
        whose value was dropped or placed elsewhere meanwhile, or whose place was announced so long ago that somebody
        has begun to remove what is there."""

    def leftovers(self, before: int, limit: int) -> list[str]:
        """Places that no value is at: of values that were dropped, and of those announced before a time (µs)."""

    def condemn(self, places: Iterable[str]) -> list[str]:
        """What is at these leftovers is about to be removed, and no value gets there any more; those that one has just
        got to are left out of what is returned."""

    def cleared(self, places: Iterable[str]) -> None:
        """Nothing is at these places any more."""


class HasPlaceRows(Protocol):
    """The part of a ``Store`` that leads to them."""

    @property
    def places(self) -> PlaceRows: ...
