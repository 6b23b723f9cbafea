"""Lengths of time as people write them: ``"500ms"``, ``"1m30s"``, ``"3d"``, a number of seconds, a timedelta."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from segue.errors import InvalidArgument

Duration = str | int | float | timedelta

_UNITS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d|w)")


_LONGEST = 10**18
"""31,000 years in microseconds: a point in time plus any length still fits a database's 64-bit integer."""


def microseconds(value: Duration) -> int:
    """``value`` in whole microseconds.

    Raises:
        InvalidArgument: it is negative, not finite, over 31,000 years, or not a length of time.
    """
    if isinstance(value, str):
        return _checked(_parse(value), value)
    if isinstance(value, timedelta):
        return _checked(value // timedelta(microseconds=1), value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidArgument(
            f"{value!r} is not a length of time: give seconds, a timedelta, or text such as '10s' or '3d'"
        )
    return _checked(value * 1_000_000, value)


def _parse(text: str) -> float:
    total, end = 0.0, 0
    compact = text.strip()
    for part in _PART.finditer(compact):
        if compact[end : part.start()].strip():
            break
        total += float(part[1]) * _UNITS[part[2]]
        end = part.end()
    if not compact or compact[end:].strip():
        raise InvalidArgument(
            f"{text!r} is not a length of time; write for example '500ms', '10s', '1m30s', '2h' or '3d'"
        )
    return total


def _checked(total: float, value: Duration) -> int:
    if not 0 <= total <= _LONGEST:
        raise InvalidArgument(f"{value!r} is out of range: a length of time is 0 to 31,000 years")
    return round(total)
