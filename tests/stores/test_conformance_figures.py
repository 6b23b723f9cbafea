"""What charts are drawn from. As ``stores.base`` promises it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from store_kit import Owner, closed

from segue.stores.base import Append
from segue.stores.figure_rows import EndedRuns, OpenRuns

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
