"""Has Python's threads take turns sooner while a batch is committed beside the event loop.

Whoever comes back from the disk has to wait until the thread that computes gives the interpreter up, which it need not
before 5 ms (``sys.getswitchinterval``). A commit comes back after each of its statements, a dozen times. With a loop
that has a thousand runs to see to it thus took all the time in which it could have been done beside them (measured:
W2 takes 8 % less time, W2 with ten times as many runs 13 %); beside a step that computes in a thread, several times as
long as it need. The price is what threads that compute all the time lose by changing more often, a fifth, for as long
as the commit takes. The interval is the process's, so it is put back afterwards, and a program that has set one of its
own, as short or shorter, is left alone.
"""

from __future__ import annotations

import sys
import threading

SHORT = 0.0001
"""Seconds after which a thread that computes is asked to let another one go on."""

_lock = threading.Lock()
_users = 0
_before: float | None = None
_short = SHORT
"""As the interpreter gives it back, which counts in whole µs."""


def shorten() -> None:
    """Has turns be short, unless they are already; each call wants one of ``restore``."""
    global _users, _before, _short
    with _lock:
        _users += 1
        if _users == 1 and sys.getswitchinterval() > SHORT:
            _before = sys.getswitchinterval()
            sys.setswitchinterval(SHORT)
            _short = sys.getswitchinterval()


def restore() -> None:
    """Puts back what ``shorten`` replaced, after its last user, unless somebody else has changed it since."""
    global _users, _before
    with _lock:
        _users -= 1
        if _users == 0 and _before is not None:
            if sys.getswitchinterval() == _short:
                sys.setswitchinterval(_before)
            _before = None
