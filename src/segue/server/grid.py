"""The last runs of a workflow by step: what each of them called, how that went, and how long it took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import islice

import msgspec

from segue.engine import Engine
from segue.kernel.timeline import Call as Called
from segue.kernel.timeline import Timeline
from segue.runtime.beside import beside
from segue.server.call import Call, Limit
from segue.stores.base import CLOSED, RunFilter, RunRow
from segue.watching import add_attempts

MOST_RUNS = 50
MOST_EVENTS = 1_000
"""Events of a run that are looked at; what came later is left out (``cut``)."""
MOST_STEPS = 100

_FIRST = (
    "incident", "failed", "compensating", "running", "retrying", "paused", "waiting", "pending", "cancelled", "skipped",
)  # fmt: skip
"""Of several calls of one name, the state that is shown: the first of these that one of them is in."""


class GridQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many runs, the newest ones; 50 in any case."""

    limit: Limit = 25


class GridStep(msgspec.Struct, frozen=True):
    """A row: what is called, by name; of human tasks, whom it asks, since each may have a title of its own.

    ``undo``: it undoes what another one did.
    """

    name: str
    kind: str
    undo: bool


class GridCell(msgspec.Struct, frozen=True, kw_only=True):
    """What a run called by one name.

    Attributes:
        step: place of its row among ``steps``.
        state: where several were called, what most needs to be seen.
        key: of the call that is in that state.
        calls, failed: how many there were, and how many of them did not succeed.
        attempts: of the call with the most of them.
        took: from the first beginning to the last end (µs); None while one is open.
    """

    step: int
    state: str
    key: str
    calls: int
    failed: int
    attempts: int
    took: int | None


class GridRun(msgspec.Struct, frozen=True, kw_only=True):
    """A column. ``cut``: it has more events than were looked at."""

    run: int
    id: str
    version: str
    state: str
    started_at: int
    closed_at: int | None
    cut: bool
    cells: list[GridCell]


class Grid(msgspec.Struct, frozen=True):
    """Steps, in the order in which runs call them, and runs, the newest first. ``now``: the server's time."""

    steps: list[GridStep]
    runs: list[GridRun]
    now: int


class _Look(msgspec.Struct, frozen=True):
    """A run, and what its journal says."""

    row: RunRow
    timeline: Timeline
    cut: bool


async def show_grid(call: Call[GridQuery, None]) -> Grid:
    """Journals are read in a thread: they may be long, and others are answered meanwhile."""
    engine, limit = call.engine, min(call.query.limit, MOST_RUNS)
    where = RunFilter(namespace=engine.namespace, workflow=call.path["name"], limit=limit)
    looks = await beside(lambda: [_look(engine, row) for row in engine.store.list(where)])
    for look in looks:
        if look.row.state not in CLOSED and not look.cut:
            add_attempts(look.timeline, engine.activity(look.row.run))
    steps = _merged([_names(look.timeline) for look in looks])[:MOST_STEPS]
    places = {name: place for place, name in enumerate(steps)}
    kinds = {_name(each): each.kind for look in reversed(looks) for each in _calls(look.timeline)}
    rows = [GridStep(name, kinds[name, undo], undo) for name, undo in steps]
    return Grid(rows, [_column(look, places) for look in looks], engine.clock.now())


def _look(engine: Engine, row: RunRow) -> _Look:
    timeline = Timeline()
    for seq, event in islice(engine.events_of(row.run, apart=True), MOST_EVENTS):
        timeline.feed(seq, event)
    return _Look(row, timeline, timeline.events == MOST_EVENTS)


def _calls(timeline: Timeline) -> list[Called]:
    """In order of their beginning; messages that came in by themselves are none of its steps."""
    return sorted(
        (call for call in timeline.calls.values() if call.kind not in ("signal", "update")),
        key=lambda call: call.began_at,
    )


def _name(call: Called) -> tuple[str, bool]:
    return (call.assignee if call.kind == "task" else call.name), call.undo


def _names(timeline: Timeline) -> list[tuple[str, bool]]:
    return list(dict.fromkeys(_name(call) for call in _calls(timeline)))


def _merged(lists: Iterable[list[tuple[str, bool]]]) -> list[tuple[str, bool]]:
    """One order of all names: a new one stands behind what comes before it in its own list; undoing comes last."""
    merged: list[tuple[str, bool]] = []
    for names in lists:
        place = 0
        for name in names:
            if name not in merged:
                merged.insert(place, name)
            place = merged.index(name) + 1
    return sorted(merged, key=lambda name: name[1])


def _column(look: _Look, places: dict[tuple[str, bool], int]) -> GridRun:
    groups: defaultdict[int, list[Called]] = defaultdict(list)
    for call in _calls(look.timeline):
        if _name(call) in places:
            groups[places[_name(call)]].append(call)
    row = look.row
    return GridRun(
        run=row.run, id=row.id, version=row.version, state=row.state, started_at=row.started_at,
        closed_at=row.closed_at, cut=look.cut, cells=[_cell(step, calls) for step, calls in sorted(groups.items())],
    )  # fmt: skip


def _cell(step: int, calls: list[Called]) -> GridCell:
    states = {call.state for call in calls}
    state = next((each for each in _FIRST if each in states), calls[0].state)
    ends = [call.ended_at for call in calls if call.ended_at is not None]
    ended = len(ends) == len(calls) and not any(call.open for call in calls)
    return GridCell(
        step=step, state=state, key=next(call.key for call in calls if call.state == state), calls=len(calls),
        failed=sum(call.state in ("failed", "incident") for call in calls),
        attempts=max(call.attempts for call in calls),
        took=max(ends) - min(call.began_at for call in calls) if ended else None,
    )  # fmt: skip
