"""What a clock on the wall shows in a zone, and which instant that is: the hours that are skipped, and those that come
twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from segue.errors import InvalidArgument

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=256)
def zone_named(name: str) -> ZoneInfo:
    """The zone of the IANA time zone database.

    Raises:
        InvalidArgument: it has none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError, TypeError):  # OSError: "Europe" is a folder in it
        pass
    near = get_close_matches(str(name), sorted(available_timezones()), 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise InvalidArgument(f"there is no time zone {name!r}; zones are named like 'Europe/Berlin' or 'UTC'{hint}")


def instant(moment: datetime) -> int:
    """µs since 1970-01-01 UTC of a time that has a zone."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(instant: int, zone: ZoneInfo | None = None) -> datetime:
    """The time of an instant, in UTC or in a zone."""
    found = _EPOCH + timedelta(microseconds=instant)
    return found if zone is None else found.astimezone(zone)


def wall(instant: int, zone: ZoneInfo) -> datetime:
    """What the wall shows at an instant: a time without zone."""
    return moment(instant, zone).replace(tzinfo=None, fold=0)


def first_showing(shown: datetime, zone: ZoneInfo) -> int:
    """The instant at which the wall shows a time, the first one if it does so twice.

    A time that it never shows, because the clock is put forward over it, is the end of that gap: what was planned for
    the skipped hour happens once, as soon as the clock has been put forward (as Debian's cron does it).
    """
    while True:
        found = shown.replace(tzinfo=zone, fold=0)
        there = found.astimezone(UTC)
        if there.astimezone(zone).replace(tzinfo=None) == shown:
            return instant(there)
        shown = shown.replace(second=0, microsecond=0) + _MINUTE
