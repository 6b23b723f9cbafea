"""Cron lines: what they fire at on the days on which the clock changes, in several zones; and lines that cannot be."""

from __future__ import annotations

import itertools

import pytest

from segue.errors import InvalidArgument
from segue.recurrence.cron import MACROS
from segue.recurrence.rules import Cron, instants, point, walk
from segue.recurrence.walls import moment

BERLIN, YORK, HOWE, APIA = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"

FIRES = [
    # zone, line, from, the instants that follow (day and time in UTC)
    # In Berlin 02:00 becomes 03:00 on 2026-03-29 at 01:00Z.
    (BERLIN, "30 2 * * *", "2026-03-28T00:00Z", "28 01:30 | 29 01:00 | 30 00:30"),
    (BERLIN, "0 2,3 * * *", "2026-03-28T12:00Z", "29 01:00 | 30 00:00 | 30 01:00"),
    (BERLIN, "15 2,3 * * *", "2026-03-28T12:00Z", "29 01:00 | 29 01:15 | 30 00:15"),
    (BERLIN, "0 30 2 * * *", "2026-03-28T00:00Z", "28 01:30 | 29 01:00 | 30 00:30"),
    (BERLIN, "@daily", "2026-03-28T00:00Z", "28 23:00 | 29 22:00 | 30 22:00"),
    (BERLIN, "@hourly", "2026-03-29T00:00Z", "29 00:00 | 29 01:00 | 29 02:00"),
    (BERLIN, "*/30 2 * * *", "2026-03-28T00:00Z", "28 01:00 | 28 01:30 | 30 00:00"),
    # There 03:00 becomes 02:00 on 2026-10-25 at 01:00Z.
    (BERLIN, "30 2 * * *", "2026-10-24T00:00Z", "24 00:30 | 25 00:30 | 26 01:30"),
    (BERLIN, "30 2 * * *", "2026-10-25T01:10Z", "26 01:30 | 27 01:30"),
    (BERLIN, "30 * * * *", "2026-10-24T23:00Z", "24 23:30 | 25 00:30 | 25 01:30 | 25 02:30"),
    (BERLIN, "*/30 2 * * *", "2026-10-25T00:00Z", "25 00:00 | 25 00:30 | 25 01:00 | 25 01:30 | 26 01:00"),
    # In New York 02:00 becomes 03:00 on 2026-03-08 at 07:00Z, and 02:00 becomes 01:00 on 2026-11-01 at 06:00Z.
    (YORK, "30 2 * * *", "2026-03-07T12:00Z", "08 07:00 | 09 06:30"),
    (YORK, "30 1 * * *", "2026-10-31T12:00Z", "01 05:30 | 02 06:30"),
    (YORK, "0 * * * *", "2026-11-01T04:30Z", "01 05:00 | 01 06:00 | 01 07:00"),
    # On Lord Howe Island half an hour is doubled on 2026-04-04 at 15:00Z and skipped on 2026-10-03 at 15:30Z.
    (HOWE, "30 * * * *", "2026-04-04T13:00Z", "04 13:30 | 04 14:30 | 04 15:00 | 04 16:00"),
    (HOWE, "45 1 * * *", "2026-04-04T12:00Z", "04 14:45 | 05 15:15"),
    (HOWE, "15 2 * * *", "2026-10-03T12:00Z", "03 15:30 | 04 15:15"),
    # Samoa went over 2011-12-30 altogether, at 10:00Z.
    (APIA, "0 12 * * *", "2011-12-29T12:00Z", "29 22:00 | 30 10:00 | 30 22:00"),
    # Which days.
    ("UTC", "0 9 LW * *", "2026-01-01T00:00Z", "30 09:00 | 27 09:00 | 31 09:00"),
    ("UTC", "0 9 * * MON#1", "2026-01-01T00:00Z", "05 09:00 | 02 09:00"),
    ("UTC", "0 0 29 2 *", "2026-01-01T00:00Z", "29 00:00 | 29 00:00"),
    ("UTC", "@weekly", "2026-01-01T00:00Z", "04 00:00 | 11 00:00"),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "line", "start", "expected"), FIRES)
def test_instants(zone: str, line: str, start: str, expected: str) -> None:
    found = instants(Cron(line, zone))
    wanted = expected.split(" | ")
    fired = list(itertools.islice(walk(found, point(start, "it") - 1), len(wanted)))
    assert [moment(at).strftime("%d %H:%M") for at in fired] == wanted
    assert [found.before(at) for at in fired[1:]] == fired[:-1]


@pytest.mark.parametrize("zone", [BERLIN, YORK, HOWE, APIA, "Asia/Tehran", "Africa/Casablanca", "UTC"])
@pytest.mark.parametrize(
    "line", ["30 2 * * *", "*/20 * * * *", "15 */3 * * *", "5 1,2,3 * * *", "* 2 * * *", "*/30 1 * * * *"]
)
@pytest.mark.parametrize("start", ["2026-03-27", "2026-10-23", "2011-12-29", "2026-04-03", "2021-09-20"])
def test_forth_and_back_are_the_same_instants(zone: str, line: str, start: str) -> None:
    found = instants(Cron(line, zone))
    day = 86_400_000_000
    first = point(start, "it")
    fired = list(itertools.takewhile(lambda at: at < first + 4 * day, walk(found, first)))
    assert fired == sorted(set(fired))
    for one, following in itertools.pairwise(fired):
        assert found.before(following) == one
        assert found.before(following + 1) == following
        assert found.after((one + following) // 2) == following
        assert found.before((one + following) // 2 + 1) == one


@pytest.mark.parametrize("line", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2 *"])
def test_a_line_that_can_never_fire(line: str) -> None:
    with pytest.raises(InvalidArgument, match="can never fire"):
        Cron(line)


@pytest.mark.parametrize("line", ["", "* * *", "60 * * * *", "0 25 * * *", "0 0 * * MOON", "@reboot", "0 2 * * * * *"])
def test_a_line_that_cannot_be_read(line: str) -> None:
    with pytest.raises(InvalidArgument, match=r"cannot be read|is not known"):
        Cron(line)


def test_every_macro_is_a_line() -> None:
    assert [instants(Cron(macro)).after(0) for macro in MACROS] == [
        instants(Cron(line)).after(0) for line in MACROS.values()
    ]
