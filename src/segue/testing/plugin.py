"""The pytest plugin: fixtures ``segue_world`` and ``segue_history``, options ``--segue-seeds`` and ``--segue-record``.

pytest finds it by its entry point once segue is installed. Its fixtures are plain objects that the test itself opens,
so it does not matter which plugin runs the test's event loop, or whether there is one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.testing.fixtures import Histories, Worlds
from segue.testing.simulate import DEFAULT_SEEDS


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("segue")
    group.addoption(
        "--segue-seeds",
        metavar="N|A:B",
        help="seeds for simulate() where a test names none: how many, or from A up to B (not included)",
    )
    group.addoption(
        "--segue-record", action="store_true", help="record the runs that segue_history is given, instead of its files"
    )
    parser.addini("segue_histories", "folder of recorded runs, from the root directory", default="tests/histories")


def pytest_configure(config: pytest.Config) -> None:
    asked = config.getoption("segue_seeds")
    if asked is not None:
        DEFAULT_SEEDS.append(_seeds(asked))


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.getoption("segue_seeds") is not None and len(DEFAULT_SEEDS) > 1:
        DEFAULT_SEEDS.pop()


def _seeds(asked: str) -> range:
    first, colon, last = asked.partition(":")
    try:
        seeds = range(int(first), int(last)) if colon else range(int(first))
    except ValueError:
        seeds = range(0)
    if not seeds:
        raise pytest.UsageError(f"--segue-seeds={asked} names no seed; 500 are seeds 0 to 499, 17:18 is seed 17")
    return seeds


@pytest.fixture
def segue_world(tmp_path: Path) -> Worlds:
    """A world on virtual time, on a database of this test's own: ``async with segue_world as world:``."""
    return Worlds(tmp_path / "segue")


@pytest.fixture
def segue_history(pytestconfig: pytest.Config) -> Histories:
    """Recorded runs, which have to go on with the code at hand."""
    folder = pytestconfig.rootpath / pytestconfig.getini("segue_histories")
    return Histories(folder, recording=bool(pytestconfig.getoption("segue_record")))


@pytest.fixture
def segue_seeds() -> list[int]:
    """The seeds that ``simulate`` takes where a test names none."""
    return list(DEFAULT_SEEDS[-1])
