"""A small project with tests, a package and a history in git, made on the spot for ``ci.py`` to deliver.

It writes a website that tells how long the day is in some towns. ``make`` commits a version that works. ``change``
commits another one on top:

``summer``    another headline: works
``southern``  a sign is wrong south of the equator: a test fails
``unpacked``  the towns move to a data file, which nobody puts into the wheel: every test passes in the checkout, and
              what is deployed is empty. Only the health check sees it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

TOWNS = '{"Oslo": 59.9, "Rome": 41.9, "Quito": -0.2, "Sydney": -33.9}'

FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name = "almanac"
version = "1.0"

[tool.ruff]
line-length = 100

[tool.ruff.lint]
select = ["E", "F", "B", "I"]

[tool.pytest.ini_options]
pythonpath = ["src"]
addopts = "-p no:asyncio"
""",
    "src/almanac/__init__.py": '''\
"""How long is the day?"""

from math import acos, asin, cos, degrees, radians, sin, tan


def hours(latitude: float, day: int) -> float:
    """Hours of daylight at a latitude on the n-th day of the year."""
    tilt = asin(sin(radians(-23.44)) * cos(radians(360 / 365.25 * (day + 10))))
    x = -tan(radians(latitude)) * tan(tilt)
    return degrees(acos(max(-1.0, min(1.0, x)))) / 7.5
''',
    "src/almanac/towns.py": f'''\
"""The towns and their latitudes."""

TOWNS = {TOWNS}
''',
    "src/almanac/__main__.py": '''\
"""python -m almanac FOLDER COMMIT: writes the website."""

import json
import sys
from pathlib import Path

from almanac import hours
from almanac.towns import TOWNS

folder, commit = Path(sys.argv[1]), sys.argv[2]
rows = "".join(f"<tr><td>{town}<td>{hours(TOWNS[town], 172):.1f}" for town in TOWNS)
page = f"<!doctype html><title>Almanac</title><h1>Daylight on 21 June</h1><table>{rows}</table>"
(folder / "index.html").write_text(page)
(folder / "health.json").write_text(json.dumps({"commit": commit, "towns": len(TOWNS)}))
''',
    "tests/test_almanac.py": """\
from almanac import hours
from almanac.towns import TOWNS


def test_day_and_night_are_equal_at_the_equator():
    assert abs(hours(0, 100) - 12) < 0.01


def test_summer_is_in_june_in_the_north_and_in_december_in_the_south():
    assert hours(60, 172) > 18
    assert hours(60, 355) < 6
    assert hours(-60, 172) < 6
    assert hours(-60, 355) > 18


def test_there_are_towns():
    assert "Oslo" in TOWNS
""",
}

CHANGES: dict[str, dict[str, str]] = {
    "summer": {
        "src/almanac/__main__.py": FILES["src/almanac/__main__.py"].replace("on 21 June", "in summer"),
    },
    "southern": {
        "src/almanac/__init__.py": FILES["src/almanac/__init__.py"].replace("(latitude)", "(abs(latitude))"),
    },
    "unpacked": {
        "src/almanac/towns.json": TOWNS,
        "src/almanac/towns.py": '''\
"""The towns and their latitudes."""

import json
from pathlib import Path

FILE = Path(__file__).with_name("towns.json")
TOWNS = json.loads(FILE.read_text()) if FILE.exists() else {}
''',
    },
}  # fmt: skip


def make(folder: Path) -> str:
    """Makes the repository, if it is not there yet; answers with its last commit."""
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _git(folder, "init", "--quiet", "--initial-branch=main")
        _commit(folder, FILES, "Tell how long the day is")
    return _git(folder, "rev-parse", "HEAD")


def change(folder: Path, name: str) -> str:
    """Commits one of ``CHANGES`` on top; answers with the new commit."""
    _commit(folder, CHANGES[name], f"Change: {name}")
    return _git(folder, "rev-parse", "HEAD")


def _commit(folder: Path, files: dict[str, str], message: str) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    _git(folder, "add", "--all")
    _git(folder, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", message)


def _git(folder: Path, *args: str) -> str:
    # The commits get the same hashes on every machine, at every time.
    dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-01-05T09:00:00Z")
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *args], cwd=folder, env=os.environ | dates | alone, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
