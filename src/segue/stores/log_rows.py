"""What steps printed and logged, as every store keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """A line that a step printed or logged. ``text`` is without its newline; ``row`` is its cursor once it is kept."""

    run: int
    key: str
    attempt: int
    at: int
    level: str
    stream: str
    text: str
    row: int = 0


class StepLogs(Protocol):
    """What steps printed. Kept apart from the journal and never in its way: nothing here raises, and losing all of it
    fails no run. Any thread may call."""

    def append(self, lines: Sequence[LogLine]) -> bool:
        """Keeps the lines; False when they could not be kept (``trouble`` says why)."""

    def read(
        self, run: int, *, after: int = 0, limit: int = 1000, progress: bool = False, key: str | None = None,
        without: Iterable[str] = (),
    ) -> list[LogLine]:  # fmt: skip
        """Lines of a run in the order they came, from the one after row ``after``: what was printed and logged, or, the
        stream ``progress``, what steps reported of it. ``key``: of this call only. ``without``: not of these levels."""

    def erase(self, runs: Iterable[int]) -> None:
        """Drops all lines of these runs."""

    @property
    def trouble(self) -> str | None:
        """Why the last call could not do its work, in a sentence for an operator."""
