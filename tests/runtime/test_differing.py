"""Whether workers of one app have the same code: who came when, with which versions, and what is made of it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from segue.runtime.differing import UPGRADE, VISIT, Comparison, Difference, differences
from segue.stores.owning import Served

MINUTE = 60_000_000


def fleet(*bodies: dict[str, str], pinned: tuple[str, ...] = ()) -> list[Served]:
    """Workers ``w0``, ``w1`` …, of which one comes each minute."""
    pins = {name: ["1/"] for name in pinned}
    return [Served(serves, pins, f"w{n}", n * MINUTE) for n, serves in enumerate(bodies)]


def kinds(workers: list[Served], later: int = 0) -> dict[str, str]:
    """What is said of each workflow, some time after the last one has come."""
    return {each.workflow: each.kind for each in differences(workers, max(w.since for w in workers) + later)}


A1, A2, B1 = {"a": "1"}, {"a": "2"}, {"b": "1"}


@pytest.mark.parametrize(
    ("bodies", "later", "said"),
    [
        ([A1, A1], 0, {}),
        ([A1, A2], 0, {"a": "rolling"}),
        ([A1, A1, A2, A2], UPGRADE - 1, {"a": "rolling"}),
        ([A1, A1, A2, A2], UPGRADE, {"a": "mixed"}),
        ([A1, A2, A1], 0, {"a": "mixed"}),
        ([A1, A2, {"a": "3"}], 0, {"a": "rolling"}),
        ([A1, A1 | B1], UPGRADE, {"b": "arriving"}),
        ([A1 | B1, A1], VISIT - 1, {}),
        ([A1 | B1, A1], VISIT, {"b": "leaving"}),
        ([A1 | B1, A2], VISIT, {"a": "rolling", "b": "leaving"}),
        ([A1, B1], VISIT, {"a": "leaving", "b": "arriving"}),
        ([A1, {}], UPGRADE, {}),
        ([{}, {}], UPGRADE, {}),
    ],
)
def test_the_order_in_which_workers_came_tells_an_upgrade_from_a_mistake(
    bodies: list[dict[str, str]], later: int, said: dict[str, str]
) -> None:
    assert kinds(fleet(*bodies), later) == said
    assert kinds(fleet(*bodies)[::-1], later) == said, "in whichever order they are listed"


def test_versions_of_what_is_pinned_may_stay_beside_each_other() -> None:
    assert kinds(fleet({"a": "1/x"}, {"a": "2/y"}, pinned=("a",)), UPGRADE) == {}
    assert kinds(fleet({"a": "1/x"}, B1, pinned=("a",)), UPGRADE)["a"] == "leaving"


def test_each_version_is_shown_with_whoever_came_last_with_it() -> None:
    assert differences(fleet(A1, A1, A2), 3 * MINUTE) == [Difference("a", "rolling", (("1", "w1"), ("2", "w2")))]


def told(comparison: Comparison, found: list[Difference], caplog: Any) -> list[tuple[str, str]]:
    caplog.clear()
    comparison.tell(found)
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_what_differs_is_said_once_and_names_both_and_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "segue.differing")
    comparison = Comparison("shop")
    rolling, mixed = fleet(A1, A2), fleet(A1, A2, A1)
    ((level, text),) = told(comparison, differences(rolling, 2 * MINUTE), caplog)
    assert level == "INFO"
    assert "'a' of app 'shop'" in text
    assert "version 1 at worker w0, then version 2 at worker w1" in text
    assert told(comparison, differences(rolling, 2 * MINUTE), caplog) == []
    ((level, text),) = told(comparison, differences(mixed, 2 * MINUTE), caplog)
    assert level == "WARNING"
    assert "version 2 at worker w1, then version 1 at worker w2" in text
    assert all(remedy in text for remedy in ("up to date", "--app", "pin"))
    mixed.append(Served(A1, {}, "w9", 3 * MINUTE))  # one more of a version that was named already
    assert told(comparison, differences(mixed, 3 * MINUTE), caplog) == []
    assert told(comparison, [], caplog) == [("INFO", "all workers of app 'shop' have the same code")]
    assert told(comparison, [], caplog) == []


def test_a_release_that_changes_many_workflows_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "segue.differing")
    old, new = ({f"w{n}": version for n in range(50)} for version in "12")
    ((_, text),) = told(Comparison("shop"), differences(fleet(old, new), 2 * MINUTE), caplog)
    assert "so are 49 more workflows" in text
