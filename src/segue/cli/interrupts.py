"""Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends the process at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading

from segue.cli.exits import INTERRUPTED

PATIENCE = 0.1
"""Seconds that an idle thread of a pool gets to end."""

SHOW_CURSOR = b"\x1b[?25h"
"""A live picture has hidden it, and cannot show it again in a process that ends at once."""


class Interrupts:
    """Takes the signals from now on. Made on a running loop, in the main thread.

    Not by the loop's own handlers: those wait for the loop, and code that blocks it could not be ended. But the loop is
    woken by them, as its own would: a signal that comes just before it begins to wait would be seen when it next wakes,
    and with a step in a thread that may be never.
    """

    def __init__(self, signals: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)) -> None:
        self.asked = asyncio.Event()
        self.exit_code = 0
        """128 and the signal's number, once one came."""
        self._came = False
        self._loop = asyncio.get_running_loop()
        heard, told = os.pipe()
        os.set_blocking(told, False)
        self._loop.add_reader(heard, os.read, heard, 512)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        for number in signals:
            signal.signal(number, self._interrupt)

    def ask(self) -> None:
        """As SIGTERM does."""
        self.exit_code = self.exit_code or 128 + signal.SIGTERM
        self.asked.set()

    def _interrupt(self, number: int, frame: object) -> None:
        if self._came or self.asked.is_set() or self._loop.is_closed():
            if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
                os.write(sys.stdout.fileno(), SHOW_CURSOR)
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._came = True
        self.exit_code = 128 + number
        self._loop.call_soon_threadsafe(self.asked.set)


def stopped_by(exit_code: int) -> str:
    """What a person is told of the signal that an exit code stands for; empty if there was none."""
    if not exit_code:
        return ""
    return "interrupted" if exit_code == INTERRUPTED else "asked to stop"


def new_line(exit_code: int) -> str:
    """What ends the line on which a terminal has written ^C."""
    return "\n" if exit_code == INTERRUPTED and sys.stderr.isatty() else ""


def leave(code: int) -> None:
    """Ends the process if threads still run that the code has made, and which nobody can stop. To be called when all is
    said and closed, and before anything waits for threads."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(PATIENCE)
            if thread.is_alive():
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
