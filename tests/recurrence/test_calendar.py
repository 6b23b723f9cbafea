"""Calendar rules: by the wall of their zone, forth and back, and rules that cannot be."""

from __future__ import annotations

import itertools

import pytest

from segue.errors import InvalidArgument
from segue.recurrence.rules import Calendar, instants, point, walk
from segue.recurrence.walls import moment

DAILY = "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"

FIRES = [
    ("UTC", "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0", "2026-01-01", "01-30 17:00 | 02-27 17:00 | 03-27 17:00"),
    ("Asia/Tokyo", "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0", "2026-01-01", "01-30 08:00 | 02-27 08:00"),
    ("Europe/Berlin", DAILY, "2026-03-28", "03-28 01:30 | 03-29 01:00 | 03-30 00:30"),
    ("Europe/Berlin", DAILY, "2026-10-24", "10-24 00:30 | 10-25 00:30 | 10-26 01:30"),
    ("UTC", "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE", "2026-01-01", "01-07 00:00 | 01-21 00:00 | 02-04 00:00"),
]


@pytest.mark.parametrize(("zone", "rule", "start", "expected"), FIRES)
def test_instants(zone: str, rule: str, start: str, expected: str) -> None:
    found = instants(Calendar(rule, zone))
    wanted = expected.split(" | ")
    fired = list(itertools.islice(walk(found, point(start, "it") - 1), len(wanted)))
    assert [moment(at).strftime("%m-%d %H:%M") for at in fired] == wanted
    assert [found.before(at) for at in fired[1:]] == fired[:-1]


def test_two_times_in_a_skipped_hour_are_one_instant() -> None:
    found = instants(Calendar("FREQ=DAILY;BYHOUR=2;BYMINUTE=10,40", "Europe/Berlin"))
    fired = itertools.islice(walk(found, point("2026-03-28T12:00", "it")), 3)
    assert [moment(at).strftime("%d %H:%M") for at in fired] == ["29 01:00", "30 00:10", "30 00:40"]


def test_days_can_be_left_out_and_a_rule_can_end() -> None:
    rule = Calendar("FREQ=DAILY;COUNT=4", start="2026-12-24T09:00", without=("2026-12-25",))
    found = instants(rule)
    fired = list(walk(found, 0))
    assert [moment(at).isoformat()[:16] for at in fired] == [f"2026-12-{day}T09:00" for day in (24, 26, 27)]
    assert found.after(fired[-1]) is None
    assert found.before(fired[0]) is None
    assert [found.before(at) for at in [*fired[1:], fired[-1] + 1]] == fired


def test_it_may_be_asked_in_any_order() -> None:
    found = instants(Calendar(DAILY, start="2024-01-01T00:00"))
    fired = list(itertools.islice(walk(found, 0), 400))
    for at in (*reversed(range(1, 400)), 7, 300, 20):
        assert found.before(fired[at]) == fired[at - 1]
        assert found.after(fired[at - 1]) == fired[at]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",), "can never fire"),
        (("FREQ=DAILY;UNTIL=20190101T000000",), "can never fire"),
        (("FREQ=HOURLY",), "goes by days or more"),
        (("FREQ=SOMETIMES",), "cannot be read"),
        (("every day",), "cannot be read"),
        (("DTSTART:20260101T000000\nRRULE:FREQ=DAILY",), "must be one RRULE"),
        (("FREQ=DAILY", "Mars"), "no time zone"),
        (("FREQ=DAILY", "UTC", "yesterday"), "a time on the wall"),
        (("FREQ=DAILY", "UTC", "2026-01-01T00:00+01:00"), "leave its offset out"),
        (("FREQ=DAILY", "UTC", "2026-01-01", ("Christmas",)), "written like"),
    ],
)
def test_a_rule_that_cannot_be(arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(InvalidArgument, match=why):
        Calendar(*arguments)
