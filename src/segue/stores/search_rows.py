"""What a search for text in runs finds, and where a store says so."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from segue.stores.base import RunFilter, RunRow


class FoundRuns(msgspec.Struct, frozen=True):
    """A page of a search, newest first. ``next``: the cursor behind it, None where there is nothing more; a page may be
    short, or empty, and have one: then the search has looked at as much as it does at once."""

    rows: builtins.list[RunRow]
    next: int | None


class SearchReads(Protocol):
    """What is searched."""

    def search(self, where: RunFilter) -> FoundRuns:
        """The runs of a filter that has a text, as many as fit on a page and are found with a bounded number of looks.

        Raises:
            InvalidArgument: the text has no word, or too many; the filter is for no namespace.
        """
