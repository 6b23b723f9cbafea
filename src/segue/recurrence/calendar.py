"""The instants of a calendar rule (RFC 5545, section 3.3.10), such as the last Friday of every month at 17:00."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import date, datetime

from dateutil.rrule import HOURLY, rrule, rruleset, rrulestr

from segue.errors import InvalidArgument
from segue.recurrence.walls import first_showing, zone_named

_REMEMBERED = 64
_OWN_PARTS = ("DTSTART", "EXDATE", "RDATE", "EXRULE", "BEGIN:")


class CalendarInstants:
    """The instants of a rule in a zone. The rule goes by what the wall shows; see ``walls`` for changes of the clock.

    A rule can only be walked along from its start. Where the walk stands is remembered, so that a schedule which goes
    on from instant to instant does not begin at the start each time.

    Args:
        rule: such as ``FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0``.
        start: the wall time from which the rule counts, and which gives what it leaves open.
        without: days on the wall that are left out.

    Raises:
        InvalidArgument: it cannot be read, goes by hours or less, or names no instant.
    """

    def __init__(self, rule: str, zone: str, start: datetime, without: frozenset[date] = frozenset()) -> None:
        self._zone = zone_named(zone)
        self._rule = _parsed(rule, start)
        self._without = without
        self._walk: Iterator[int] = iter(())
        self._passed: deque[int] = deque(maxlen=_REMEMBERED)
        self._next: int | None = None
        self._begin()
        if self._next is None:
            raise InvalidArgument(f"calendar rule {rule!r} can never fire from {start} on: no day is like that")

    def after(self, at: int) -> int | None:
        """The first instant later than ``at``."""
        self._walk_past(at)
        return next((passed for passed in self._passed if passed > at), self._next)

    def before(self, at: int) -> int | None:
        """The last instant earlier than ``at``."""
        self._walk_past(at - 1)
        return next((passed for passed in reversed(self._passed) if passed < at), None)

    def _walk_past(self, at: int) -> None:
        """So that the next instant is later than ``at``, and the last one that is not stands among those passed."""
        if self._passed and self._passed[0] > at:
            self._begin()
        while self._next is not None and self._next <= at:
            self._passed.append(self._next)
            self._next = next(self._walk, None)

    def _begin(self) -> None:
        self._passed.clear()
        self._walk = self._walked()
        self._next = next(self._walk, None)

    def _walked(self) -> Iterator[int]:
        last: int | None = None
        for shown in self._rule:
            if shown.date() in self._without:
                continue
            found = first_showing(shown, self._zone)
            if last is None or found > last:  # two times in one gap of the clock are one instant
                last = found
                yield found


def _parsed(rule: str, start: datetime) -> rrule:
    if not isinstance(rule, str) or any(part in rule.upper() for part in _OWN_PARTS):
        raise InvalidArgument(
            f"calendar rule {rule!r} must be one RRULE, such as 'FREQ=MONTHLY;BYDAY=-1FR'; its start and the days to "
            "leave out are arguments of their own: Calendar(rule, start=…, without=…)"
        )
    try:
        found = rrulestr(rule.strip(), dtstart=start)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise InvalidArgument(
            f"calendar rule {rule!r} cannot be read ({error}); write it as in RFC 5545, such as "
            "'FREQ=WEEKLY;BYDAY=MO,WE;BYHOUR=9;BYMINUTE=30'"
        ) from error
    if isinstance(found, rruleset) or found._freq >= HOURLY:
        raise InvalidArgument(
            f"calendar rule {rule!r} must be one rule that goes by days or more; use Every(…) or Cron(…) for hours and "
            "minutes"
        )
    return found
