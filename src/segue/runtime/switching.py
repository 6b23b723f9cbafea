"""Has Python's threads take turns sooner where the event loop, or a commit beside it, would wait for one that computes.

A thread that computes need not give the interpreter up before 5 ms (``sys.getswitchinterval``); whoever comes back from
the disk, or from waiting for something to do, waits until it does. A commit comes back after each of its statements, a
dozen times: beside a loop that has a thousand runs to see to, none of it was done while the loop computed (W2 takes 8 %
less time since, W2 with ten times as many runs 12 %). The loop comes back some ten times for every run: beside four
steps that compute in threads, a run of three steps took 350 ms, and takes 50.

The price is what threads that compute lose by changing more often: a fifth with turns of 0.1 ms, as short as they are
while a batch is committed, a thirtieth with turns of 1 ms, as they are while steps run in threads. The interval is the
process's, so it is put back afterwards; a program that has set one of its own, as short or shorter, is left alone.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter

COMMITTING = 0.0001
"""Seconds that a turn lasts while a batch is committed beside the loop."""
COMPUTING = 0.001
"""The same while steps run in threads."""

_lock = threading.Lock()
_wanted: Counter[float] = Counter()
_before: float | None = None
_ours = 0.0
"""What was set last, as the interpreter gives it back, which counts in whole µs."""


def shorten(turn: float) -> None:
    """Has turns last as long (seconds) at most; each call wants one of ``restore``."""
    with _lock:
        _wanted[turn] += 1
        if _wanted[turn] == 1:
            _set()


def restore(turn: float) -> None:
    """Takes back one ``shorten``. The last one puts back what was, unless somebody else has changed it since."""
    with _lock:
        _wanted[turn] -= 1
        if _wanted[turn] == 0:
            del _wanted[turn]
            _set()


def _set() -> None:
    global _before, _ours
    now = sys.getswitchinterval()
    if _before is None:
        usual = now
    elif now == _ours:
        usual = _before
    else:  # somebody else has set it meanwhile: that is what is put back
        usual = now
    turn = min([usual, *_wanted])
    _before = usual if _wanted else None
    if turn != now:
        sys.setswitchinterval(turn)
    _ours = sys.getswitchinterval()
