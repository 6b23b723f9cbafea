"""Rules as data: intervals, bounds, counting, and what is refused."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from segue.errors import InvalidArgument
from segue.recurrence.rules import Calendar, Cron, Every, Rule, Within, count, instants, point, walk

MINUTE = 60_000_000


@pytest.mark.parametrize(
    ("rule", "at", "before", "after"),
    [
        (Every("10m"), 0, -10, 10),
        (Every("10m"), 10, 0, 20),
        (Every("10m"), 7, 0, 10),
        (Every("10m", "3m"), 3, -7, 13),
        (Every("10m", "13m"), 5, 3, 13),
    ],
)
def test_an_interval_counts_from_the_epoch(rule: Every, at: int, before: int, after: int) -> None:
    found = instants(rule)
    assert (found.before(at * MINUTE), found.after(at * MINUTE)) == (before * MINUTE, after * MINUTE)


@pytest.mark.parametrize(
    "rule",
    [Cron("@daily", "Asia/Tokyo"), Every("15m", "5m"), Every(90), Calendar("FREQ=DAILY", without=("2026-01-01",))],
)
def test_a_rule_comes_back_from_json(rule: Rule) -> None:
    back = msgspec.json.decode(msgspec.json.encode(rule), type=Rule)
    assert back == rule
    assert instants(back) is instants(rule)


@pytest.mark.parametrize("period", ["1ms", 0, "-5s", "often", None, float("nan")])
def test_an_interval_that_cannot_be(period: object) -> None:
    with pytest.raises(InvalidArgument):
        Every(period)  # type: ignore[arg-type]


def test_bounds_hold_in_both_directions() -> None:
    found = Within(instants(Every("1m")), 3 * MINUTE, 6 * MINUTE)
    assert list(walk(found, -(10**15))) == [3 * MINUTE, 4 * MINUTE, 5 * MINUTE]
    assert (found.before(10**15), found.before(4 * MINUTE), found.before(3 * MINUTE)) == (5 * MINUTE, 3 * MINUTE, None)
    assert found.after(5 * MINUTE) is None


def test_counting_says_when_it_estimates() -> None:
    ten_years = point("2016-01-01", "it"), point("2026-01-01", "it")
    assert count(instants(Cron("@daily")), *ten_years, 10_000) == (3653, True)
    assert count(instants(Every("1m")), *ten_years, 100) == (5_260_320, True)
    estimated, exact = count(instants(Cron("* * * * *")), *ten_years, 100)
    assert not exact
    assert estimated == pytest.approx(5_260_320, rel=0.05)
    day = point("2026-01-01", "it"), point("2026-01-02", "it")
    assert count(instants(Cron("0 */6 * * *")), *day, 10) == (4, True)
    assert count(instants(Every("1d", "1h")), *day, 10) == (1, True)
    assert count(instants(Every("30d")), day[0] + 1, day[1], 10) == (0, True)


def test_a_point_without_zone_is_utc() -> None:
    assert point("2026-03-29T03:00+02:00", "it") == point("2026-03-29T01:00", "it")
    with pytest.raises(InvalidArgument, match="is no time"):
        point("soon", "a start")


def test_instants_of_a_rule_do_not_end() -> None:
    assert len(list(itertools.islice(walk(instants(Cron("0 0 29 2 MON")), 0), 3))) == 3
