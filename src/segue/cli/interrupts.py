"""Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends the process at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading

PATIENCE = 0.1
"""Seconds that an idle thread of a pool gets to end."""


class Interrupts:
    """Takes the signals from now on. Made on a running loop."""

    def __init__(self, signals: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)) -> None:
        self.asked = asyncio.Event()
        self.exit_code = 0
        """128 and the signal's number, once one came."""
        loop = asyncio.get_running_loop()
        for number in signals:
            loop.add_signal_handler(number, self._interrupt, number)

    def ask(self) -> None:
        """As SIGTERM does."""
        self.exit_code = self.exit_code or 128 + signal.SIGTERM
        self.asked.set()

    def _interrupt(self, number: int) -> None:
        if self.asked.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.exit_code = 128 + number
        self.asked.set()


def leave(code: int) -> None:
    """Ends the process if steps still run in threads, which nobody can stop: their runs go on elsewhere. To be called
    when all is said and closed, and before anything waits for threads."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(PATIENCE)
            if thread.is_alive():
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
