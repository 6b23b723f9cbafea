"""Reads lists of runs to their end, page by page."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from segue.stores.base import RunFilter, RunRow, Store

PAGE = 1_000


def every(store: Store, where: RunFilter) -> Iterator[RunRow]:
    """All runs that a filter chooses, newest first."""
    where = msgspec.structs.replace(where, limit=PAGE)
    page = store.list(where)
    yield from page
    while len(page) == PAGE:
        page = store.list(msgspec.structs.replace(where, after=page[-1].run))
        yield from page


def of_id(store: Store, namespace: str, id: str) -> list[RunRow]:
    """All runs that have had an id, oldest first: of a chain each one, and those that gave the id up to another run."""
    return [*every(store, RunFilter(namespace=namespace, id=id))][::-1]
