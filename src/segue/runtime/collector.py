"""Has Python's cycle collector look less often while an engine owns runs.

A thousand runs at once are some hundred thousand objects that live for as long as their runs do. By default the
collector goes through the young ones after every 700 (from Python 3.12 on: 2,000) new ones, and finds nothing:
measured on W2, two fifths of all processor time. One look at 50,000 that live costs 20 to 40 ms, most of it waiting
for memory, so the limit is above what a thousand runs are. The thresholds are the process's, so they are put back by
the last engine, and a program that has set its own is left alone.
"""

from __future__ import annotations

import gc
import threading

RELAXED = (100_000, 25, 50)
"""New objects between looks at the youngest; looks at a generation between looks at the next one."""

_lock = threading.Lock()
_users = 0
_before: tuple[int, int, int] | None = None


def relax() -> None:
    """Raises the thresholds, unless they are as high already; each call wants one of ``restore``."""
    global _users, _before
    with _lock:
        _users += 1
        if _users == 1 and 0 < gc.get_threshold()[0] < RELAXED[0]:
            _before = gc.get_threshold()
            gc.set_threshold(*RELAXED)


def restore() -> None:
    """Puts back what ``relax`` replaced, after its last user, unless somebody else has changed it since."""
    global _users, _before
    with _lock:
        _users -= 1
        if _users == 0 and _before is not None:
            if gc.get_threshold() == RELAXED:
                gc.set_threshold(*_before)
            _before = None
