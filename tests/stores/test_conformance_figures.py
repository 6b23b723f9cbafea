"""What charts are drawn from. As ``stores.base`` promises it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from store_kit import Owner, closed

from segue.stores.base import Append, RunFilter
from segue.stores.figure_rows import EndedRuns, OpenRuns, StartedRuns

BAR = 1_000


def ended(owner: Owner, id: str, began: int, at: int, state: str = "completed", **fields: Any) -> int:
    run = owner.start(id, at=began, **fields)
    owner.commit(Append(run, 2, (b"e",), status=closed(state, at)))
    return run


def counted(owner: Owner, **given: Any) -> list[EndedRuns]:
    asked: dict[str, Any] = {"since": 0, "until": 1 << 40, "bar": BAR, "most": 100} | given
    return owner.store.count_ended(asked.pop("namespace", "default"), **asked)


def runs(found: list[EndedRuns]) -> dict[tuple[int, str], int]:
    by: dict[tuple[int, str], int] = {}
    for each in found:
        by[each.bar, each.state] = by.get((each.bar, each.state), 0) + each.runs
    return by


def test_ended_runs_are_counted_by_bar_and_by_how_they_ended(owner: Owner) -> None:
    ended(owner, "a", 100, 999)
    ended(owner, "b", 100, 1_000)
    ended(owner, "c", 100, 1_001, "failed")
    ended(owner, "d", 100, 1_002)
    ended(owner, "gone on", 100, 1_003, "continued")
    ended(owner, "of others", 100, 1_004, namespace="staging")
    owner.start("open", at=100)
    assert runs(counted(owner)) == {(0, "completed"): 1, (1, "completed"): 2, (1, "failed"): 1}
    assert runs(counted(owner, since=1_000, until=1_002)) == {(1, "completed"): 1, (1, "failed"): 1}
    assert runs(counted(owner, namespace="staging")) == {(1, "completed"): 1}


def test_they_are_told_apart_by_workflow_and_version(owner: Owner) -> None:
    ended(owner, "a", 100, 900, version="1")
    ended(owner, "b", 150, 900, version="2")
    ended(owner, "c", 120, 900, version="2")
    ended(owner, "d", 100, 900, workflow="other", version="1")
    found = {(each.workflow, each.version): each for each in counted(owner, bar=None)}
    assert {key: each.runs for key, each in found.items()} == {
        ("fulfil", "1"): 1,
        ("fulfil", "2"): 2,
        ("other", "1"): 1,
    }
    assert found["fulfil", "2"].began == 120
    assert {each.workflow for each in counted(owner, bar=None, workflow="other")} == {"other"}


def test_lengths_of_a_class_are_within_a_twelfth_of_each_other(owner: Owner) -> None:
    for n in range(60):
        ended(owner, f"a-{n}", 1_000, 1_000 + 1000 * (n + 1))
    ended(owner, "at once", 1_000, 1_000)
    found = counted(owner, bar=1 << 30)
    assert sum(each.runs for each in found) == 61
    assert all(each.longest <= each.shortest * 1.0906 for each in found)
    in_order = sorted(found, key=lambda each: each.size)
    assert (in_order[0].shortest, in_order[-1].longest) == (0, 60_000)
    assert all(one.longest < other.shortest for one, other in pairwise(in_order))


def test_of_too_many_the_last_are_counted(owner: Owner) -> None:
    for n in range(6):
        ended(owner, f"a-{n}", 1, n * BAR + 500)
    assert sum(each.runs for each in counted(owner, bar=None, most=2)) == 2
    assert runs(counted(owner, most=2)) == {(4, "completed"): 1, (5, "completed"): 1}


def test_open_runs_are_counted_by_workflow_and_state(owner: Owner) -> None:
    owner.start("a")
    owner.start("b", state="waiting", wake=None)
    owner.start("c", state="waiting", wake=None)
    owner.start("d", workflow="other")
    owner.start("e", namespace="staging")
    ended(owner, "f", 1, 2)
    found = owner.store.count_open("default", most=100)
    assert sorted(found, key=lambda each: (each.workflow, each.state)) == [
        OpenRuns("fulfil", "running", 1),
        OpenRuns("fulfil", "waiting", 2),
        OpenRuns("other", "running", 1),
    ]
    assert sum(each.runs for each in owner.store.count_open("default", most=3)) == 3


WIDTHS = (10, 100, 1_000)


def started(owner: Owner, *, most: int = 100, bars: int = 10, now: int = 0, **where: Any) -> StartedRuns | None:
    return owner.store.count_started(RunFilter(**where), now=now, widths=WIDTHS, bars=bars, most=most)


def test_runs_are_counted_by_when_they_began_and_by_state(owner: Owner) -> None:
    for at in (100, 109, 110, 199):
        owner.start(f"a-{at}", at=at)
    ended(owner, "b", 115, 160, "failed")
    owner.start("of others", at=150, namespace="staging")
    bars = {(10, "running"): 2, (11, "running"): 1, (11, "failed"): 1, (19, "running"): 1}
    assert started(owner) == StartedRuns(100, 200, 10, 1.0, bars)


def test_a_bar_is_as_short_as_the_number_of_bars_allows(owner: Owner) -> None:
    owner.start("a", at=1_000)
    assert started(owner) == StartedRuns(1_000, 1_001, 10, 1.0, {(100, "running"): 1})
    assert started(owner, now=1_101) == StartedRuns(1_000, 1_101, 100, 1.0, {(10, "running"): 1})
    assert started(owner, now=1_101, bars=11) == StartedRuns(1_000, 1_101, 10, 1.0, {(100, "running"): 1})
    given = started(owner, started_from=500, started_until=1_500, now=9_999)
    assert given == StartedRuns(500, 1_500, 100, 1.0, {(10, "running"): 1})


def test_only_runs_of_the_filter_are_counted(owner: Owner) -> None:
    owner.start("a-1", at=10, tags={"team": "a"})
    owner.start("a-2", at=20, workflow="other")
    ended(owner, "b-1", 30, 40)
    total = {name: sum(found.bars.values()) if found else 0 for name, found in {
        "id": started(owner, id_prefix="a-"), "workflow": started(owner, workflow="other"),
        "tag": started(owner, tags={"team": "a"}), "state": started(owner, states=("completed",)),
        "states": started(owner, states=("completed", "running")), "from": started(owner, started_from=20),
        "until": started(owner, started_until=20), "none": started(owner, id_prefix="c"),
    }.items()}  # fmt: skip
    assert total == {"id": 2, "workflow": 1, "tag": 1, "state": 1, "states": 3, "from": 2, "until": 1, "none": 0}


@pytest.mark.parametrize("where", [{}, {"workflow": "fulfil"}, {"states": ("running",)}])
def test_of_too_many_a_sample_from_all_of_them_is_counted(owner: Owner, where: Any) -> None:
    for n in range(400):
        owner.start(f"a-{n}", at=n, workflow="fulfil")
    found = started(owner, most=100, **where)
    assert found is not None
    assert found.counted == pytest.approx(0.25, rel=0.02)
    assert 60 <= sum(found.bars.values()) <= 140
    assert {number for number, _ in found.bars} == {0, 1, 2, 3}
    assert max(found.bars.values()) < 2 * min(found.bars.values())
    assert (found.since, found.until) <= (10, 400)


def test_a_sample_does_not_follow_runs_that_take_turns(owner: Owner) -> None:
    for n in range(200):
        owner.start(f"parent-{n}", at=n, workflow="parent")
        owner.start(f"child-{n}", at=n, workflow="child")
    halves = [started(owner, most=100, workflow=name) for name in ("parent", "child")]
    assert [sum(found.bars.values()) / found.counted for found in halves if found] == pytest.approx([200, 200], rel=0.3)
