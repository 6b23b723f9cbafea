"""Makes a failing plan as small as it gets: fewer faults, sooner, by rounder numbers, while the same thing breaks.

The first pass takes out halves, quarters and so on (delta debugging, Zeller and Hildebrandt 2002); the next ones make
each fault that is left simpler. What was taken out may have had commits of its own, so the rest is tried some commits
earlier too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from segue.testing.plan import Crash, Evicted, Fault, Plan, Sent

Breaks = Callable[[Plan], bool]
"""Whether a plan breaks what is to be broken."""

MOST_TRIES = 400
MOST_SECONDS = 60
"""Of real time. A run of many commits takes long, and nobody waits an hour for a small plan."""
MOST_EARLIER = 3
"""Commits that one fault may have had: its own, that of a retry's timer, that of a second attempt."""


class Shrinking:
    """One plan on its way to its smallest.

    Attributes:
        tries: how many plans were played. given_up: whether there was no time for all.
    """

    def __init__(self, seed: int, breaks: Breaks, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.tries = 0
        self.given_up = False
        self._clock = clock
        self._until = clock() + MOST_SECONDS
        self._seed = seed
        self._breaks = breaks
        self._known: set[tuple[Fault, ...]] = set()

    def smallest(self, faults: Sequence[Fault]) -> Plan:
        """The smallest plan that was found to fail."""
        best = tuple(faults)
        while True:
            before = best
            best = self._fewer(best)
            best = self._simpler(best)
            if best == before:
                return Plan(self._seed, *best)

    def _works(self, faults: tuple[Fault, ...]) -> bool:
        if faults in self._known or self.tries >= MOST_TRIES:
            return False
        if self._clock() > self._until:
            self.given_up = True
            return False
        self._known.add(faults)
        self.tries += 1
        return self._breaks(Plan(self._seed, *faults))

    def _fewer(self, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        size = len(faults)
        while size >= 1:
            start = 0
            while start < len(faults):
                rest = faults[:start] + faults[start + size :]
                found = next((each for each in _earlier(rest) if self._works(each)), None)
                if found is None:
                    start += size
                else:
                    faults = found
            size //= 2
        return faults

    def _simpler(self, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        for place in range(len(faults)):
            progress = True
            while progress:
                progress = False
                for simpler in _simpler(faults[place]):
                    changed = (*faults[:place], simpler, *faults[place + 1 :])
                    if self._works(changed):
                        faults, progress = changed, True
                        break
        return faults


def _earlier(faults: tuple[Fault, ...]) -> Iterator[tuple[Fault, ...]]:
    """The faults as they are, and up to so many commits earlier."""
    for fewer in range(MOST_EARLIER + 1):
        yield tuple(_moved(fault, fewer) for fault in faults)


def _moved(fault: Any, fewer: int) -> Fault:
    commit: int | None = getattr(fault, "commit", None)
    if commit is None:
        return fault  # type: ignore[no-any-return]
    return msgspec.structs.replace(fault, commit=max(1, commit - fewer))  # type: ignore[no-any-return]


def _simpler(fault: Fault) -> Iterator[Fault]:
    """Simpler faults of the same kind, the simplest first."""
    if isinstance(fault, Evicted):
        return
    commit: int | None = getattr(fault, "commit", None)
    if commit is not None:
        for sooner in sorted({1, commit // 2, commit - 2, commit - 1}):
            if 0 < sooner < commit:
                yield msgspec.structs.replace(fault, commit=sooner)
    if isinstance(fault, Crash) and fault.when == "before":
        yield msgspec.structs.replace(fault, when="after")
    if isinstance(fault, Sent) and fault.after is not None:
        for after in _rounder(fault.after):
            yield msgspec.structs.replace(fault, after=after)
    by: float | None = getattr(fault, "by", None)
    if by is not None:
        for round_one in _rounder(by):
            yield msgspec.structs.replace(fault, by=round_one)


def _rounder(seconds: float) -> Iterator[float]:
    """A few numbers that are easier to read, and are not tried the other way round."""
    for candidate in (1.0, 60.0, 3600.0, 86_400.0, float(f"{seconds:.1g}")):
        if candidate != seconds and _plainness(candidate) < _plainness(seconds):
            yield candidate


def _plainness(seconds: float) -> tuple[int, float]:
    plain = (1.0, 60.0, 3600.0, 86_400.0)
    if seconds in plain:
        return plain.index(seconds), seconds
    return len(plain) + len(f"{seconds:g}".strip("0.")), seconds
