"""What became of runs over time: how many ended and how, how long they took, by bar and by workflow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from segue.errors import InvalidArgument
from segue.runtime.beside import beside
from segue.server.call import Call, Number
from segue.stores.figure_rows import EndedRuns, OpenRuns

MOST_BARS = 500
MOST_ENDED = 250_000
"""Ended runs that one answer counts: half a second of work for the database, beside what it does otherwise."""
MOST_OPEN = 50_000
MOST_WORKFLOWS = 200
MOST_MARKS = 20

Width = Annotated[int, msgspec.Meta(ge=1_000_000, le=2**53 - 1)]


class FigureQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which runs are counted.

    Attributes:
        since, until: ended from, and before (µs); until now if it is not said.
        bar: how long a bar is (µs), a second at least; bars begin at its multiples since 1970.
        workflow: of this one only.
    """

    since: Number
    until: Number | None = None
    bar: Width
    workflow: str | None = None


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """Runs that have ended.

    Attributes:
        states: how many, by how they ended.
        p50, p95, p99: how long they took from start to end (µs), waits included; within a twelfth, and exact where they
            are few. None if there are none.
    """

    states: dict[str, int]
    p50: int | None
    p95: int | None
    p99: int | None


class Bar(Ended, frozen=True, kw_only=True):
    """One bar; ``at`` is where it begins."""

    at: int


class WorkflowFigures(Ended, frozen=True, kw_only=True):
    """One workflow; ``open``: how many runs of it are open now, by state."""

    workflow: str
    open: dict[str, int]


class VersionMark(msgspec.Struct, frozen=True):
    """Where a workflow's code changed: when the first run of a version that is not its first here began."""

    at: int
    workflow: str
    version: str


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What became of runs.

    Attributes:
        since: from when on they are counted: later than asked where they were too many (``cut``).
        total: all of them.
        bars: those in which a run ended, in order.
        workflows: by name, those with ended or open runs; the 200 with the most runs.
        open_cut: more runs are open than were counted.
        marks: in order.
    """

    since: int
    until: int
    bar: int
    cut: bool
    open_cut: bool
    total: Ended
    bars: list[Bar]
    workflows: list[WorkflowFigures]
    marks: list[VersionMark]
    now: int


async def figures(call: Call[FigureQuery, None]) -> Figures:
    """In a thread: what is counted may be much, and others are answered meanwhile.

    Raises:
        InvalidArgument: it ends before it begins, or has too many bars.
    """
    query, engine = call.query, call.engine
    now = engine.clock.now()
    until = now + 1 if query.until is None else query.until
    _check_span(query.since, until, query.bar)
    store, namespace = engine.store, engine.namespace

    def count() -> Figures:
        by_bar, by_workflow = (
            store.count_ended(
                namespace, since=query.since, until=until, bar=bar, most=MOST_ENDED, workflow=query.workflow
            )
            for bar in (query.bar, None)
        )
        found = store.count_open(namespace, most=MOST_OPEN)
        open_cut = sum(each.runs for each in found) >= MOST_OPEN
        wanted = [each for each in found if query.workflow in (None, each.workflow)]
        return _figures(query, until, now, by_bar, by_workflow, wanted, open_cut)

    return await beside(count)


def _check_span(since: int, until: int, bar: int) -> None:
    if until <= since:
        raise InvalidArgument("figures end before they begin: until is to be later than since", path="$.until")
    bars = (until - 1) // bar - since // bar + 1
    if bars > MOST_BARS:
        raise InvalidArgument(
            f"from since to until there are {bars:,} bars; ask for {MOST_BARS} at most, by longer ones", path="$.bar"
        )


def _figures(
    query: FigureQuery, until: int, now: int, by_bar: list[EndedRuns], by_workflow: list[EndedRuns],
    found: list[OpenRuns], open_cut: bool,
) -> Figures:  # fmt: skip
    bar = query.bar
    cut = sum(each.runs for each in by_bar) >= MOST_ENDED
    since = max(query.since, min(each.bar for each in by_bar) * bar) if cut else query.since
    return Figures(
        since=since, until=until, bar=bar, cut=cut, open_cut=open_cut, total=Ended(**_summed(by_workflow)),
        bars=[Bar(at=number * bar, **_summed(each)) for number, each in sorted(_by(by_bar, "bar").items())],
        workflows=_workflows(by_workflow, found), marks=_marks(by_workflow, since), now=now,
    )  # fmt: skip


def _workflows(ended: list[EndedRuns], found: list[OpenRuns]) -> list[WorkflowFigures]:
    still: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for each in found:
        still[each.workflow][each.state] = each.runs
    closed = _by(ended, "workflow")
    runs = {
        name: sum(still.get(name, {}).values()) + sum(each.runs for each in closed.get(name, []))
        for name in still.keys() | closed.keys()
    }
    most = sorted(sorted(runs, key=lambda name: (-runs[name], name))[:MOST_WORKFLOWS])
    return [WorkflowFigures(workflow=name, open=still.get(name, {}), **_summed(closed.get(name, []))) for name in most]


def _marks(ended: list[EndedRuns], since: int) -> list[VersionMark]:
    first: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for each in ended:
        versions = first[each.workflow]
        versions[each.version] = min(each.began, versions.get(each.version, each.began))
    marks = [
        VersionMark(at, workflow, version)
        for workflow, versions in first.items()
        for version, at in sorted(versions.items(), key=lambda pair: pair[1])[1:]
        if at > since
    ]
    return sorted(marks, key=lambda mark: mark.at)[-MOST_MARKS:]


def _by(ended: list[EndedRuns], name: str) -> dict[Any, list[EndedRuns]]:
    groups: defaultdict[Any, list[EndedRuns]] = defaultdict(list)
    for each in ended:
        groups[getattr(each, name)].append(each)
    return groups


def _summed(ended: Iterable[EndedRuns]) -> dict[str, Any]:
    """The fields of ``Ended``."""
    states: defaultdict[str, int] = defaultdict(int)
    sizes: dict[int, tuple[int, int, int]] = {}
    for each in ended:
        states[each.state] += each.runs
        runs, shortest, longest = sizes.get(each.size, (0, each.shortest, each.longest))
        sizes[each.size] = runs + each.runs, min(shortest, each.shortest), max(longest, each.longest)
    lengths = [sizes[size] for size in sorted(sizes)]
    return {"states": dict(sorted(states.items()))} | {f"p{p}": percentile(lengths, p) for p in (50, 95, 99)}


def percentile(lengths: list[tuple[int, int, int]], percent: int) -> int | None:
    """Of lengths by class, (how many, the shortest, the longest), the shorter classes first: the one that is longer
    than so many per cent of them. Within a class they are taken to be spread evenly."""
    total = sum(runs for runs, _, _ in lengths)
    place = min(total - 1, total * percent // 100)
    for runs, shortest, longest in lengths:
        if place < runs:
            return shortest if runs == 1 else shortest + (longest - shortest) * place // (runs - 1)
        place -= runs
    return None
