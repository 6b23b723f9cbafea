"""Which version of a workflow a new run gets, and which one an open run goes on with."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from segue.authoring.python.definitions import Workflow, workflow
from segue.authoring.python.versions import Versions, label_of
from segue.errors import DuplicateDefinition, InvalidArgument


async def first() -> int:
    return 1


async def second() -> int:
    return 2


def made(code: Any, label: str = "", **terms: Any) -> Workflow[..., Any]:
    return Workflow(code, "order", version=label, **terms)


def test_a_ramp_takes_its_share_of_new_runs_and_the_same_ones_every_time() -> None:
    versions = Versions([made(first, "1"), made(second, "2", ramp=10)])
    chosen = {id: versions.for_new("order", id).label for id in map(str, range(5_000))}
    assert 400 < Counter(chosen.values())["2"] < 600
    assert all(versions.for_new("order", id).label == label for id, label in chosen.items())


@pytest.mark.parametrize(("ramp", "labels"), [(0, {"1"}), (100, {"2"}), (None, {"2"})])
def test_a_ramp_from_nothing_to_all(ramp: float | None, labels: set[str]) -> None:
    versions = Versions([made(first, "1"), made(second, "2", ramp=ramp)])
    assert {versions.for_new("order", str(n)).label for n in range(500)} == labels


ONE, TWO = made(first, "1"), made(second, "2")


@pytest.mark.parametrize(
    ("here", "began_with", "goes_on_with"),
    [
        pytest.param([made(first)], "an older one", "", id="rolling: the code as it is now"),
        pytest.param([ONE, TWO], ONE.version, "2", id="rolling: the newest"),
        pytest.param([ONE, made(second, "2", ramp=5)], TWO.version, "2", id="rolling: on the ramp, its own"),
        pytest.param([ONE, made(second, "2", ramp=5)], ONE.version, "1", id="rolling: beside the ramp"),
        pytest.param([ONE], TWO.version, "1", id="rolling: rolled back"),
        pytest.param(
            [made(first, "1", versioning="pinned"), made(second, "2", versioning="pinned")], ONE.version, "1",
            id="pinned: its own",
        ),
        pytest.param([made(second, "1", versioning="pinned")], ONE.version, "1", id="pinned: its own, mended"),
        pytest.param([made(second, "2", versioning="pinned")], ONE.version, None, id="pinned: not here"),
        pytest.param([made(first, versioning="pinned")], made(first).version, "", id="pinned without a label"),
        pytest.param([made(second, versioning="pinned")], made(first).version, None, id="pinned without a label, gone"),
        pytest.param([], ONE.version, None, id="no such workflow"),
    ],
)  # fmt: skip
def test_what_an_open_run_goes_on_with(here: list[Any], began_with: str, goes_on_with: str | None) -> None:
    found = Versions(here).serving("order", began_with)
    assert (None if found is None else found.label) == goes_on_with


def test_a_label_is_part_of_the_recorded_version() -> None:
    assert label_of(ONE.version) == "1"
    assert label_of(made(first).version) == ""
    assert made(first).version == ONE.version.rpartition("/")[2]


@pytest.mark.parametrize(
    "terms",
    [{"version": "a/b"}, {"versioning": "sometimes"}, {"ramp": 10}, {"version": "2", "ramp": 101}, {"version": "\0"}],
)
def test_terms_that_make_no_sense_are_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        workflow(**terms)


def test_two_ramps_are_refused() -> None:
    with pytest.raises(DuplicateDefinition, match="versions '1' and '2' of workflow 'order' are both ramped up"):
        Versions([made(first, "1", ramp=1), made(second, "2", ramp=1)])


def test_versions_of_one_name_stand_beside_each_other() -> None:
    from segue.authoring.python.definitions import Workflows

    registry = Workflows()
    registry.add(made(first, "1"))
    registry.add(made(second, "2"))
    assert registry.get("order").label == "2"  # type: ignore[union-attr]
    with pytest.raises(DuplicateDefinition):
        registry.add(made(first, "2"))
