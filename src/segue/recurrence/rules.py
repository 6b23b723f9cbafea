"""The three kinds of rules that say when: ``Cron``, ``Every`` and ``Calendar``, checked when they are made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Protocol

import msgspec

from segue.errors import InvalidArgument
from segue.kernel.duration import microseconds
from segue.recurrence.calendar import CalendarInstants
from segue.recurrence.cron import CronInstants
from segue.recurrence.walls import instant

SHORTEST = 1_000_000
"""µs: the shortest interval of a schedule. What happens more often is a loop in a workflow."""


class Cron(msgspec.Struct, frozen=True, tag="cron"):
    """A cron line in a time zone: ``Cron("0 2 * * *", zone="Europe/Berlin")``, ``Cron("@daily")``.

    Five fields (minute, hour, day of month, month, day of week), or six with seconds in front; ``L``, ``LW``, ``MON#1``
    and ``FRIL`` are known. What daylight saving time does stands in docs/schedules.md.

    Raises:
        InvalidArgument: the line cannot be read or can never fire, or there is no such zone.
    """

    line: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        instants(self)

    def __str__(self) -> str:
        return f"{self.line} {self.zone}"


class Every(msgspec.Struct, frozen=True, tag="every"):
    """An interval: ``Every("15m")``. Elapsed time, counted from midnight UTC of 1970-01-01, moved by ``offset``.

    Raises:
        InvalidArgument: it is no length of time, or shorter than a second.
    """

    period: str | int | float
    offset: str | int | float = 0

    def __post_init__(self) -> None:
        if microseconds(self.period) < SHORTEST:
            raise InvalidArgument(
                f"an interval of {self.period!r} is too short for a schedule; for less than a second, have a workflow "
                "loop with asyncio.sleep"
            )
        microseconds(self.offset)

    def __str__(self) -> str:
        shown = f"every {self.period}" if isinstance(self.period, str) else f"every {self.period}s"
        return f"{shown}, offset {self.offset}" if microseconds(self.offset) else shown


class Calendar(msgspec.Struct, frozen=True, tag="calendar"):
    """A calendar rule in a time zone: ``Calendar("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0", zone="Asia/Tokyo")``.

    Attributes:
        rule: a recurrence rule of RFC 5545 that goes by days, weeks, months or years.
        start: the time on the wall from which it counts (ISO 8601), and which gives what the rule leaves open.
        without: days that are left out, holidays say (ISO 8601).

    Raises:
        InvalidArgument: the rule cannot be read or can never fire, or there is no such zone.
    """

    rule: str
    zone: str = "UTC"
    start: str = "2020-01-01T00:00:00"
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "without", tuple(self.without))
        instants(self)

    def __str__(self) -> str:
        return f"{self.rule} {self.zone}"


Rule = Cron | Every | Calendar


class Instants(Protocol):
    """Instants (µs, UTC) in order."""

    def after(self, at: int) -> int | None:
        """The first one later than ``at``; None if there is none."""

    def before(self, at: int) -> int | None:
        """The last one earlier than ``at``; None if there is none."""


class _Interval:
    """Instants at equal distances."""

    def __init__(self, period: int, offset: int) -> None:
        self.period = period
        self._offset = offset % period

    def after(self, at: int) -> int | None:
        return (at - self._offset) // self.period * self.period + self.period + self._offset

    def before(self, at: int) -> int | None:
        return (at - 1 - self._offset) // self.period * self.period + self._offset


@lru_cache(maxsize=4096)
def instants(rule: Rule) -> Instants:
    """The instants that a rule names.

    Raises:
        InvalidArgument: it names none, or cannot be read.
    """
    match rule:
        case Cron(line, zone):
            return CronInstants(line, zone)
        case Every(period, offset):
            return _Interval(microseconds(period), microseconds(offset))
        case Calendar(text, zone, start, without):
            return CalendarInstants(text, zone, _wall_time(start), frozenset(_day(day) for day in without))


class Within:
    """The instants of a rule from ``start`` on and before ``end``; None is no limit."""

    def __init__(self, instants: Instants, start: int | None, end: int | None) -> None:
        self._instants = instants
        self._start = start
        self._end = end

    def after(self, at: int) -> int | None:
        if self._start is not None and at < self._start:
            at = self._start - 1
        return self._fitting(self._instants.after(at))

    def before(self, at: int) -> int | None:
        if self._end is not None and at > self._end:
            at = self._end
        return self._fitting(self._instants.before(at))

    def _fitting(self, found: int | None) -> int | None:
        if found is None or (self._start is not None and found < self._start):
            return None
        return None if self._end is not None and found >= self._end else found


def walk(instants: Instants, after: int) -> Iterator[int]:
    """The instants later than ``after``, one by one."""
    found = instants.after(after)
    while found is not None:
        yield found
        found = instants.after(found)


def count(instants: Instants, start: int, end: int, most: int) -> tuple[int, bool]:
    """How many instants there are from ``start`` on and before ``end``, and whether that is exact: beyond ``most`` they
    are estimated by how close they are."""
    if isinstance(instants, _Interval):
        first = instants.after(start - 1)
        assert first is not None
        return max(0, (end - 1 - first) // instants.period + 1), True
    number = 0
    for found in walk(instants, start - 1):
        if found >= end:
            break
        number += 1
        if number > most:
            return round((end - start) / max(1, found - start) * number), False
    return number, True


def point(value: datetime | str, what: str) -> int:
    """The instant (µs) of a time with a zone, or of its ISO 8601 text; without zone it is UTC.

    Raises:
        InvalidArgument: it is neither.
    """
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        return instant(found if found.tzinfo is not None else found.replace(tzinfo=UTC))
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidArgument(
            f"{what} {value!r} is no time; give a datetime with a zone, or text such as '2026-03-01' or "
            "'2026-03-01T02:00:00+01:00'"
        ) from error


def _wall_time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise InvalidArgument(
            f"a calendar's start is a time on the wall such as '2026-01-05T09:00', not {text!r}"
        ) from (error)
    if found.tzinfo is not None:
        raise InvalidArgument(f"a calendar's start {text!r} is a time on the wall; leave its offset out, zone= has it")
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise InvalidArgument(f"a day to leave out is written like '2026-12-25', not {text!r}") from error
