"""Asks a person on the terminal."""

from __future__ import annotations

import signal
import sys


def ask(question: str) -> str:
    """The line that is typed after the question, without the blanks around it.

    Ctrl-C has to end the wait at once. ``input()`` does not do that for one that comes between the question and the
    read, and a running event loop notes it for a task that cannot go on before there is a line.

    Raises:
        EOFError: there is no line (Ctrl-D).
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        print(question, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, before)
    if not line:
        print(file=sys.stderr)
        raise EOFError
    return line.strip()
