"""What steps report of their progress, kept beside their log lines, so that any process can follow it.

A step may report as often as it likes: one report in ``EVERY`` seconds is kept, and the first and the last of all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from segue.kernel.attempt import Attempt
from segue.runtime.clock import Clock
from segue.stores.attempt_rows import LiveAttempt
from segue.stores.log_rows import LogLine

EVERY = 0.25
STREAM = "progress"
"""The stream of such lines; whoever shows what a step printed leaves them out."""


class Lines(Protocol):
    def add(self, line: LogLine) -> None: ...


class Reports:
    """Keeps the reports of attempts. Any thread may report."""

    def __init__(self, lines: Lines, clock: Clock, seal: Callable[[str], str]) -> None:
        self._lines = lines
        self._clock = clock
        self._seal = seal
        self._kept_at: dict[Attempt, float] = {}
        self._lock = threading.Lock()

    def report(self, attempt: Attempt, progress: Any) -> None:
        """Keeps a report, unless one was kept a moment ago; of that attempt the last one follows at its end."""
        now = time.monotonic()
        with self._lock:
            if attempt.over is not None and attempt not in self._kept_at:
                return  # it was given up, and its thread goes on
            if now - self._kept_at.get(attempt, -EVERY) < EVERY:
                return
            self._kept_at[attempt] = now
        self.keep(attempt, progress)

    def ended(self, attempt: Attempt) -> None:
        """The attempt has ended: what it reported last is kept."""
        with self._lock:
            known = self._kept_at.pop(attempt, None) is not None
        if known:
            self.keep(attempt, attempt.progress)

    def keep(self, of: Attempt | LiveAttempt, progress: Any) -> None:
        """Keeps a report, whenever the last one was."""
        text = self._seal(msgspec.json.encode([of.name, progress], enc_hook=float).decode())
        self._lines.add(LogLine(of.run, of.key, of.attempt, self._clock.now(), "PROGRESS", STREAM, text))
