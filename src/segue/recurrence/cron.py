"""The instants of a cron line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from segue.errors import InvalidArgument
from segue.recurrence.walls import first_showing, instant, moment, wall, zone_named

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
DAY = 86_400_000_000
_MICROSECOND = timedelta(microseconds=1)


class CronInstants:
    """The instants at which a cron line fires in a zone.

    A line whose minute and hour are given fires at a time of day: once on the day of a change of the clock, at the end
    of the skipped hour or in the first of the two. A line with a star for one of them goes by elapsed time: through
    the doubled hour twice.

    Raises:
        InvalidArgument: it cannot be read, or it can never fire.
    """

    def __init__(self, line: str, zone: str) -> None:
        self._zone = zone_named(zone)
        self._line = _expanded(line)
        fields = self._line.split()
        minute, hour = fields[-5:-3]
        self._by_wall = not (minute.startswith("*") or hour.startswith("*"))
        if self.after(instant(datetime(2000, 1, 1, tzinfo=UTC))) is None:
            raise InvalidArgument(_never(line))

    def after(self, at: int) -> int | None:
        """The first instant later than ``at``."""
        if not self._by_wall:
            return self._elapsed_after(at)
        walls = CronSim(self._line, wall(at, self._zone))
        return next((found for shown in walls if (found := first_showing(shown, self._zone)) > at), None)

    def before(self, at: int) -> int | None:
        """The last instant earlier than ``at``."""
        if not self._by_wall:
            return self._elapsed_before(at)
        # What is looked for may show a later time on the wall than ``at`` does, if the clock was put back between them.
        changes = self._offset(at - 2 * DAY) != self._offset(at + 2 * DAY)
        shown = wall(at + DAY if changes else at + 1, self._zone)
        walls = CronSim(self._line, shown, reverse=True)
        return next((found for shown in walls if (found := first_showing(shown, self._zone)) < at), None)

    # Where time goes by as it elapses, every instant counts whose wall time fits the line. As long as the zone's offset
    # is the same, wall times and instants go side by side; at each change of it, what follows is looked at anew.

    def _elapsed_after(self, at: int) -> int | None:
        offset = self._offset(at)
        while True:
            shown = next(CronSim(self._line, _shown(at + offset)), None)
            if shown is None:
                return None
            found = instant(shown.replace(tzinfo=UTC)) - offset
            if self._offset(found) == offset:
                return found
            change = self._change(at, found)
            at, offset = change - 1, self._offset(change)

    def _elapsed_before(self, at: int) -> int | None:
        while True:
            offset = self._offset(at - 1)
            shown = next(CronSim(self._line, _shown(at + offset), reverse=True), None)
            if shown is None:
                return None
            found = instant(shown.replace(tzinfo=UTC)) - offset
            if self._offset(found) == offset:
                return found
            at = self._change(found, at - 1)

    def _offset(self, at: int) -> int:
        """How far (µs) the wall is before UTC."""
        ahead = moment(at, self._zone).utcoffset()
        assert ahead is not None
        return ahead // _MICROSECOND

    def _change(self, first: int, last: int) -> int:
        """The instant at which the offset becomes another one, between two at which it differs."""
        offset = self._offset(first)
        while last - first > 1:
            middle = (first + last) // 2
            if self._offset(middle) == offset:
                first = middle
            else:
                last = middle
        return last


def _shown(at: int) -> datetime:
    return moment(at).replace(tzinfo=None)


def _expanded(line: str) -> str:
    if not isinstance(line, str):
        raise InvalidArgument(f"a cron line is text such as '0 2 * * *'; {line!r} is a {type(line).__name__}")
    text = line.strip()
    if text.startswith("@"):
        if text.lower() not in MACROS:
            raise InvalidArgument(f"cron line {line!r} is not known; there are {', '.join(MACROS)}")
        return MACROS[text.lower()]
    try:
        CronSim(text, datetime(2000, 1, 1))  # noqa: DTZ001 -- a time on a wall
    except CronSimError as error:
        if str(error) == "Bad day-of-month" and _reads(text):
            raise InvalidArgument(_never(line)) from error
        raise InvalidArgument(
            f"cron line {line!r} cannot be read ({error}); it has five fields, minute hour day-of-month month "
            "day-of-week, such as '30 2 * * MON-FRI', or six with seconds in front"
        ) from error
    return text


def _reads(text: str) -> bool:
    """Whether the line can be read but for its months: then it asks for a day that none of them has."""
    fields = text.split()
    fields[-2] = "*"
    try:
        CronSim(" ".join(fields), datetime(2000, 1, 1))  # noqa: DTZ001 -- a time on a wall
    except CronSimError:
        return False
    return True


def _never(line: str) -> str:
    return f"cron line {line!r} can never fire: no day is like that; look at its day of month, month and day of week"
