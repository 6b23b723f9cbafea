"""How many runs of a list began when, and what has become of them: counted by the database, whatever the list shows."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated

import msgspec

from segue.errors import InvalidArgument
from segue.runtime.beside import beside
from segue.server.call import Call
from segue.server.runs import RunWhere, filter_of

MOST_COUNTED = 50_000
"""Runs that are counted one by one; of more, about so many are, and the rest is estimated."""
MOST_BARS = 500
_SECOND = 1_000_000
_MINUTE, _HOUR, _DAY = 60 * _SECOND, 3_600 * _SECOND, 86_400 * _SECOND
WIDTHS = (
    *(_SECOND * n for n in (1, 2, 5, 10, 30)), *(_MINUTE * n for n in (1, 2, 5, 10, 30)),
    *(_HOUR * n for n in (1, 2, 4, 12)), *(_DAY * n for n in (1, 2, 7, 30, 90, 365, 3_650, 365_000)),
)  # fmt: skip
"""Lengths of a bar at which people can read the axis."""


class HistogramQuery(RunWhere, frozen=True, forbid_unknown_fields=True):
    """Which runs, as in a list of them; and at most how many bars."""

    bars: Annotated[int, msgspec.Meta(ge=1, le=MOST_BARS)] = 100


class StartedBar(msgspec.Struct, frozen=True):
    """Runs that began in one bar, by the state in which they are now; ``at`` is where the bar begins."""

    at: int
    states: dict[str, int]


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Runs by when they began.

    Attributes:
        since, until: what the bars divide: what was asked for, or from the first run to the last or now.
        bar: how long a bar is (µs); bars begin at its multiples since 1970.
        counted: the share of the runs that was counted. Below 1 all numbers are estimates.
        bars: those in which a run began, in order.
    """

    since: int
    until: int
    bar: int
    counted: float
    bars: list[StartedBar]
    now: int


async def show_histogram(call: Call[HistogramQuery, None]) -> Histogram:
    """In a thread: over a million runs it takes a while, and others are answered meanwhile.

    Raises:
        InvalidArgument: it ends before it begins; or as in a list.
    """
    query, engine = call.query, call.engine
    if query.since is not None and query.until is not None and query.until <= query.since:
        raise InvalidArgument("the stretch ends before it begins: until is to be later than since", path="$.until")
    now, where = engine.clock.now(), filter_of(engine, query)
    found = await beside(engine.store.count_started, where, now=now, widths=WIDTHS, bars=query.bars, most=MOST_COUNTED)
    if found is None:
        since, until = query.since or now, query.until or now
        return Histogram(since=since, until=until, bar=WIDTHS[0], counted=1, bars=[], now=now)
    bars: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for (number, state), runs in found.bars.items():
        bars[number * found.bar][state] = round(runs / found.counted)
    return Histogram(
        since=found.since, until=found.until, bar=found.bar, counted=found.counted,
        bars=[StartedBar(at, bars[at]) for at in sorted(bars)], now=now,
    )  # fmt: skip
