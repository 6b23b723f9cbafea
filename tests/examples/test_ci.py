"""The delivery: real tools, a gate, a switch that nobody sees half of, and the way back."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from example_kit import Ending, moments, play

import almanac
from ci import Delivery, Health, Project, deliver, point_to
from segue import Approval, testing

pytestmark = [
    pytest.mark.xdist_group("example-ci"),
    pytest.mark.skipif(not any(Path(p, "git").exists() for p in os.get_exec_path()), reason="missing tool: git"),
]

YES = Approval(True, "go")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    almanac.make(tmp_path / "almanac")
    return Project(str(tmp_path / "almanac"), str(tmp_path / "site"), watch=600)


async def delivered(
    project: Project, reply: Callable[[Any], Any] = lambda task: YES, complaint: tuple[str, Health] | None = None
) -> Delivery:
    async with testing.engine(Path(project.site).parent) as world:
        world.person("release manager", reply, after="1h")
        handle = await world.engine.start(deliver, project)
        if complaint:
            world.after(complaint[0], lambda: handle.signal("health", complaint[1]))
        return await world.result(handle)


def live(project: Project) -> dict[str, Any]:
    """What the site says of itself, after a look at whether it is whole."""
    release = Path(project.site, os.readlink(Path(project.site, "current")))
    health: dict[str, Any] = json.loads((release / "health.json").read_text())
    assert health["commit"].startswith(release.name)
    assert (release / "index.html").read_text().startswith("<!doctype html>")
    return health


# --- how it ends ----------------------------------------------------------------------------------------------


async def test_a_commit_goes_live(project: Project) -> None:
    delivery = await delivered(project)

    assert [check.tool for check in delivery.checks if check.passed] == ["ruff", "pytest", "bandit"]
    assert "3 passed" in delivery.checks[1].output
    assert delivery.state == "live"
    assert live(project) == {"commit": delivery.commit, "towns": 4}
    assert str(delivery) == f"{delivery.commit[:8]}  ✓ ruff  ✓ pytest  ✓ bandit\nlive"


async def test_a_failing_test_stops_it(project: Project) -> None:
    almanac.change(Path(project.repository), "southern")

    delivery = await delivered(project)

    assert (delivery.state, [check.passed for check in delivery.checks]) == ("checks failed", [True, False, True])
    assert "1 failed, 2 passed" in str(delivery)
    assert not Path(project.site).exists()


async def test_a_page_without_content_is_rolled_back(project: Project) -> None:
    good = await delivered(project)
    almanac.change(Path(project.repository), "unpacked")

    bad = await delivered(project)

    assert (bad.state, bad.why) == ("rolled back", "the page is empty")
    assert all(check.passed for check in bad.checks), "every check passed in the checkout"
    assert live(project)["commit"] == good.commit


@pytest.mark.parametrize(
    ("when", "well", "state"),
    [("1h5m", False, "rolled back"), ("1h11m", False, "live")],
    ids=["within the window", "after the window"],
)
async def test_a_report_counts_while_the_site_is_watched(when: str, well: bool, state: str, project: Project) -> None:
    delivery = await delivered(project, complaint=(when, Health(well, "complaints")))

    assert (delivery.state, delivery.why) == (state, "complaints" if state == "rolled back" else "")
    assert Path(project.site, "current").is_symlink() == (state == "live"), "before the first release there was none"


@pytest.mark.parametrize(
    ("reply", "why"), [(Approval(False, "on a Friday?"), "on a Friday?"), (None, "nobody answered within a week")]
)
async def test_the_gate_stays_shut(reply: Approval | None, why: str, project: Project) -> None:
    delivery = await delivered(project, lambda task: reply)
    assert (delivery.state, delivery.why) == ("not approved", why)
    assert not Path(project.site).exists()


# --- killed ---------------------------------------------------------------------------------------------------


@contextmanager
def watched(project: Project, every: float = 0.001) -> Iterator[set[str]]:
    """Looks at the live site all the time: it must be whole whenever anybody looks. Collects the commits seen."""
    seen: set[str] = set()
    wrong: list[BaseException] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(every) and not wrong:
            try:
                seen.add(live(project)["commit"])
            except BaseException as error:
                wrong.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    assert wrong == []


def test_nobody_sees_half_of_a_switch(project: Project) -> None:
    for name in ("one", "two"):
        release = Path(project.site, "releases", name)
        release.mkdir(parents=True)
        (release / "health.json").write_text(json.dumps({"commit": name}))
        (release / "index.html").write_text("<!doctype html>")
    link = Path(project.site, "current")
    point_to("releases/one", link)

    deadline = time.monotonic() + 60
    with watched(project, every=0) as seen:
        for switches in itertools.count(1):
            point_to("releases/two", link)
            point_to("releases/one", link)
            if (switches >= 300 and len(seen) > 1) or time.monotonic() > deadline:
                break  # a machine under load may let whoever looks come late, and to one side of the switch only

    assert seen == {"one", "two"}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ending]:
    """A folder in which the first commit has been delivered, and how."""
    folder = tmp_path_factory.mktemp("released")
    almanac.make(folder / "almanac")
    return folder, play("ci", folder)


@pytest.mark.parametrize(
    ("change", "complaint", "seed", "state"),
    [
        ("summer", (), 0, "live"),
        ("unpacked", (), 1, "rolled back"),
        ("summer", ("too slow",), 2, "rolled back"),
    ],
)
def test_killed_at_any_moment_the_site_is_whole(
    change: str,
    complaint: tuple[str, ...],
    seed: int,
    state: str,
    tmp_path: Path,
    released: tuple[Path, Ending],
    long: bool,
) -> None:
    folder, first = released
    for name in ("almanac", "site"):
        shutil.copytree(folder / name, tmp_path / name, symlinks=True)
    project = Project(str(tmp_path / "almanac"), str(tmp_path / "site"))
    assert first.outcome[1]["state"] == "live"
    before = first.outcome[1]["commit"]
    after = almanac.change(Path(project.repository), change)

    kills = moments(f"ci {seed}", first.events, kills=3 if long else 1, later=1.0)
    with watched(project) as seen:
        ending = play("ci", tmp_path, *complaint, kills=kills)

    assert (ending.outcome[1]["commit"], ending.outcome[1]["state"]) == (after, state)
    assert {before} <= seen <= {before, after}
    assert live(project)["commit"] == (after if state == "live" else before)
    left = [path.name for path in Path(project.site).rglob(".*")]
    assert len(left) <= 3, "a death may leave one folder aside, and no more"
