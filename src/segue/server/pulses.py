"""Looks whether anything was committed: once for all who ask at about the same time, however many they are."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from segue.stores.base import Store

FRESH = 0.05
"""Seconds for which a look is good: half of what those who look again and again wait in between."""
_LOOKS: WeakKeyDictionary[Store, tuple[float, int]] = WeakKeyDictionary()
"""Until when the last one is good, and what was seen."""


def pulse_of(store: Store) -> int:
    """A number that moves with every commit, as it was a moment ago. What is read after that is never older, so that
    nothing is missed.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    now = asyncio.get_running_loop().time()
    until, seen = _LOOKS.get(store, (0.0, 0))
    if now >= until:
        seen = store.pulse()
        _LOOKS[store] = now + FRESH, seen
    return seen
