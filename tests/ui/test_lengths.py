"""Lengths of time on the screens: rounded to the last unit that is told, and carried on to the next one."""

from __future__ import annotations

import json
from typing import Any

from ui_kit import Screen, Served

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND

TOOK = [
    (0, "0ms"),
    (400, "<1ms"),
    (1_600, "2ms"),
    (999_400, "999ms"),
    (999_600, "1.0s"),
    (59_940_000, "59.9s"),
    (59_960_000, "1m 00s"),
    (90 * SECOND + 600_000, "1m 31s"),
    (2 * MINUTE - 400_000, "2m 00s"),
    (HOUR - 600_000, "59m 59s"),
    (HOUR - 400_000, "1h 00m"),
    (HOUR + 29 * MINUTE + 40 * SECOND, "1h 30m"),
    (DAY - 31 * SECOND, "23h 59m"),
    (DAY - 29 * SECOND, "1d 00h"),
    (3 * DAY - 20 * MINUTE, "3d 00h"),
    (3 * DAY - 40 * MINUTE, "2d 23h"),
]


def test_how_long_something_took(screen: Screen, served: Served) -> None:
    """In a list of one run for each length."""

    def took(route: Any) -> None:
        answer = route.fetch()
        found = answer.json()
        found["runs"] = [  # of one that there is; what is asked for in addition has none
            first | {"run": 10_000 + n, "id": f"took-{n}-", "closed_at": first["started_at"] + us}
            for first in found["runs"][:1]
            for n, (us, _) in enumerate(TOOK)
        ]
        route.fulfill(response=answer, body=json.dumps(found))

    screen.page.route("**/api/v1/runs?*workflow=report*", took)
    screen.open("/runs?workflow=report", "took-0-")
    for n, (_, text) in enumerate(TOOK):
        row = screen.page.get_by_role("row").filter(has_text=f"took-{n}-")
        row.get_by_text(text, exact=True).wait_for()


AHEAD = [
    (MINUTE + 50 * SECOND, "in 2m"),
    (MINUTE + 20 * SECOND, "in 1m"),
    (HOUR - 10 * SECOND, "in 1h"),
    (HOUR + 29 * MINUTE, "in 1h"),
    (DAY - 20 * MINUTE, "in 1d"),
    (DAY + 11 * HOUR, "in 1d"),
    (2 * DAY + 23 * HOUR, "in 3d"),
]


def test_how_far_something_lies_ahead(screen: Screen, served: Served) -> None:
    """In a list of one schedule for each length."""
    clock = served.engine.clock

    def due(route: Any) -> None:
        answer = route.fetch()
        found = answer.json()
        (first, *_) = found["schedules"]
        found["schedules"] = [
            first | {"name": f"ahead-{n}-", "next": [clock.now() + us]} for n, (us, _) in enumerate(AHEAD)
        ]
        route.fulfill(response=answer, body=json.dumps(found))

    screen.page.route("**/api/v1/schedules?*", due)
    screen.open("/schedules", "ahead-0-")
    for n, (_, text) in enumerate(AHEAD):
        row = screen.page.get_by_role("row").filter(has_text=f"ahead-{n}-")
        row.get_by_text(text).wait_for()


def test_how_long_ago_something_was(screen: Screen, served: Served) -> None:
    clock = served.engine.clock

    def began(route: Any) -> None:
        answer = route.fetch()
        found = answer.json()
        found["run"]["started_at"] = clock.now() - 2 * DAY - 23 * HOUR
        route.fulfill(response=answer, body=json.dumps(found))

    run = served.do(lambda engine: engine.handle("report-1")).run
    screen.page.route(f"**/api/v1/runs/{run}?*", began)
    screen.open(f"/runs/{run}", "3d ago")
