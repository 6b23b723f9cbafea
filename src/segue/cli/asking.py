"""Asks a person on the terminal."""

from __future__ import annotations

import getpass
import signal
import sys

from segue.errors import InvalidArgument


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


def typed_twice(prompt: str, what: str) -> str:
    """What a person types twice, without its being seen.

    Raises:
        InvalidArgument: it was not the same, or nothing.
    """
    try:
        first = getpass.getpass(f"{prompt}: ", sys.stderr)
        again = getpass.getpass("Once more: ", sys.stderr)
    except EOFError:  # Ctrl-D
        print(file=sys.stderr)
        raise InvalidArgument(f"no {what} was given; nothing was changed") from None
    if again != first:
        raise InvalidArgument(f"the two {what}s differ; nothing was changed")
    return first
