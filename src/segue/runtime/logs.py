"""Lines that steps print and log, on their way to the log file: collected, written in batches by a thread of their own.

Logs never share a writer with the journal, and losing them never fails a run.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Protocol

from segue.stores.log_rows import LogLine

log = logging.getLogger("segue.logs")

FLUSH_SECONDS = 0.1
AT_ONCE = 1_000
MOST_WAITING = 100_000


class LogStore(Protocol):
    def append(self, lines: Sequence[LogLine]) -> bool: ...


class LogBuffer:
    """Takes lines from any thread. Above ``MOST_WAITING`` lines the newest are dropped and counted."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._lines: list[LogLine] = []
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self.dropped = 0

    def add(self, line: LogLine) -> None:
        with self._wake:
            if len(self._lines) >= MOST_WAITING:
                self.dropped += 1
                return
            self._lines.append(line)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="segue-logs", daemon=True)
                self._thread.start()
            elif len(self._lines) >= AT_ONCE:
                self._wake.notify()

    def flush(self) -> None:
        """Writes what waits, now."""
        with self._wake:
            lines, self._lines = self._lines, []
        for start in range(0, len(lines), AT_ONCE):
            if not self._store.append(lines[start : start + AT_ONCE]):
                log.debug("%d log lines could not be written", len(lines) - start)

    def close(self) -> None:
        """Writes what waits and ends the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(10)
        self.flush()

    def _run(self) -> None:
        while not self._closed:
            with self._wake:
                self._wake.wait(FLUSH_SECONDS)
            self.flush()
