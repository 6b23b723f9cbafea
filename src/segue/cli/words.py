"""The words, icons and colours of states, and how times and lengths of time are written: as in the dashboard."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from segue.errors import InvalidArgument
from segue.kernel.duration import microseconds

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class State(NamedTuple):
    """How a state looks: always icon, word and colour together."""

    word: str
    icon: str
    plain: str
    """The icon where only ASCII can be written."""
    colour: str
    """Of the middle tone, which can be read on white and on black."""


_STATES = (
    State("pending", "◌", ".", "#868e9a"),
    State("running", "◔", ">", "#3b8beb"),
    State("waiting", "◷", "~", "#8b6bdb"),
    State("retrying", "↻", "r", "#bc8a1e"),
    State("paused", "‖", "=", "#74839a"),
    State("incident", "▲", "!", "#db3a88"),
    State("completed", "✓", "+", "#1f9e77"),
    State("failed", "✗", "x", "#df4c52"),
    State("compensating", "↶", "<", "#c4743d"),
    State("compensated", "↶", "<", "#9c6b4a"),
    State("cancelled", "⊘", "-", "#8b847f"),
    State("terminated", "⊘", "-", "#8b847f"),
    State("continued", "↪", "/", "#1f9e77"),
    State("skipped", "»", "-", "#818c9c"),
    State("received", "◂", "<", "#8b6bdb"),
)
STATES = {state.word: state for state in _STATES}
WIDEST = max(len(word) for word in STATES) + 2
TURNING = "◐◓◑◒"
"""The icon of ``running`` while somebody watches."""


def state(word: str) -> State:
    """How a state looks; a word of a later release looks like pending."""
    return STATES.get(word) or State(word, "◌", ".", STATES["pending"].colour)


def length(us: int) -> str:
    """A length of time in two units at most: ``640ms``, ``42.8s``, ``2m 5s``, ``2h 24m``, ``3d 4h``. What a clock that
    was put back makes negative is none."""
    if us < SECOND:
        return f"{max(0, us) / 1000:.0f}ms" if us >= 1000 or us <= 0 else "<1ms"
    if us < 59_950_000:
        return f"{us / SECOND:.1f}s"
    for unit, name, part, part_name in ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "m"), (MINUTE, "m", SECOND, "s")):
        if us >= unit:
            rest = us % unit // part
            return f"{us // unit}{name} {rest}{part_name}" if rest else f"{us // unit}{name}"
    return "1m"


def ago(at: int, now: int) -> str:
    """A time in the past or the future: ``12m ago``, ``in 3d``."""
    distance = abs(now - at)
    if distance < SECOND:
        return "now"
    unit, name = next(
        (unit, name) for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")) if distance >= unit
    )
    # What lies ahead is rounded: a limit of three days that was set a moment ago is "in 3d".
    return f"{distance // unit}{name} ago" if at <= now else f"in {round(distance / unit)}{name}"


def clock(at: int, now: int | None = None) -> str:
    """The time of day where the user is, with the date unless that is today's."""
    local = datetime.fromtimestamp(at / SECOND, UTC).astimezone()
    if now is not None and local.date() == datetime.fromtimestamp(now / SECOND, UTC).astimezone().date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%Y-%m-%d %H:%M:%S")


def absolute(at: int) -> str:
    """Date, time with milliseconds, and zone."""
    local = datetime.fromtimestamp(at / SECOND, UTC).astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S}.{at % SECOND // 1000:03} {local:%Z}"


def iso(at: int | None) -> str | None:
    """For machines: ISO 8601 in UTC, with microseconds."""
    if at is None:
        return None
    return datetime.fromtimestamp(at // SECOND, UTC).replace(microsecond=at % SECOND).isoformat().replace("+00:00", "Z")


def moment(text: str, now: int) -> int:
    """A point in time as people write it: ``2h`` (that long ago), ``2026-11-22``, ``2026-11-22T14:00``, ``14:00``.

    Raises:
        InvalidArgument: it is none.
    """
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
        text = f"{datetime.fromtimestamp(now / SECOND, UTC).astimezone():%Y-%m-%d}T{text:0>5}"
    try:
        return round(datetime.fromisoformat(text).astimezone().timestamp() * SECOND)
    except ValueError:
        pass
    try:
        return now - microseconds(text)
    except InvalidArgument as error:
        raise InvalidArgument(
            f"{text!r} is no point in time; write 2h (that long ago), 14:00, 2026-11-22 or 2026-11-22T14:00"
        ) from error


def size(count: int) -> str:
    """Bytes as people read them: ``4.1 kB``."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def count(number: int, noun: str) -> str:
    """``1 run``, ``3 runs``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def nth(number: int) -> str:
    """``2nd``, ``3rd``, ``11th``."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
