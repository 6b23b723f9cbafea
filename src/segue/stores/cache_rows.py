"""The part of the store's protocol that says where results of steps stand that may stand for later calls."""

from __future__ import annotations

from typing import Protocol

import msgspec


class CacheEntry(msgspec.Struct, frozen=True, gc=False):
    """Where the result of a step stands that may stand for later calls: event ``seq`` of ``run``. ``expires`` (µs since
    1970) None: as long as the run is there."""

    namespace: str
    step: str
    key: str
    run: int
    seq: int
    at: int
    expires: int | None = None


class CacheReads(Protocol):
    """What is asked and changed of them beside the journal."""

    def cached(self, namespace: str, step: str, key: str) -> CacheEntry | None:
        """Where a step's result for a key stands; it may have expired."""

    def drop_cached(self, namespace: str, step: str, key: str | None = None) -> int:
        """Forgets where results of a step stand, for one key or all; returns how many. Needs no fence: the results
        themselves stay where they are, and whoever asks from now on finds none."""
