"""Wall times and instants at known changes of the clock."""

from __future__ import annotations

from datetime import datetime

import pytest

from segue.errors import InvalidArgument
from segue.recurrence.rules import point
from segue.recurrence.walls import first_showing, moment, wall, zone_named

SHOWN = [
    # zone, what the wall shows, the instant
    ("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59Z"),
    ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00Z"),  # skipped: 02:00 to 03:00
    ("Europe/Berlin", "2026-03-29T02:59:59", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30Z"),  # twice: the first
    ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00Z"),
    ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00Z"),
    ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30Z"),
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30Z"),  # half an hour is skipped
    ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z"),
    ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00Z"),  # a whole day that never was
    ("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00Z"),  # midnight is skipped
    ("Asia/Kathmandu", "2026-06-01T00:00", "2026-05-31T18:15Z"),
]


@pytest.mark.parametrize(("zone", "shown", "expected"), SHOWN)
def test_the_first_instant_that_shows_a_time(zone: str, shown: str, expected: str) -> None:
    assert moment(first_showing(datetime.fromisoformat(shown), zone_named(zone))) == datetime.fromisoformat(expected)


def test_the_wall_shows_a_doubled_hour_twice() -> None:
    berlin = zone_named("Europe/Berlin")
    shown = [wall(point(at, "it"), berlin) for at in ("2026-10-25T00:30Z", "2026-10-25T01:30Z")]
    assert shown == [datetime.fromisoformat("2026-10-25T02:30")] * 2


@pytest.mark.parametrize(
    ("zone", "hint"), [("Europe/Berln", "did you mean 'Europe/Berlin'?"), ("Europe", "named like"), ("../x", "named")]
)
def test_a_zone_that_is_none(zone: str, hint: str) -> None:
    with pytest.raises(InvalidArgument, match="there is no time zone") as raised:
        zone_named(zone)
    assert hint in str(raised.value)
