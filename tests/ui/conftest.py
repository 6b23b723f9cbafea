"""A real Chromium in front of a real server over a real engine: what every test of the screens needs."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
sys.path.insert(0, str(Path(__file__).parent))

import build_ui
from ui_kit import AXE, Screen, Served

HERE = Path(__file__).parent


SPARED = ("wide", "dark"), ("narrow", "light")
"""Looks that are left out of tests which have all four, without ``--long``."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Two browsers at a time, in tests that run side by side: each has its files, with as many tests as the other."""
    files = sorted(HERE.glob("test_*.py"))
    screens = [item for item in items if item.path in files]
    browser = _shared(Counter(item.path for item in screens))
    for item in screens:
        item.add_marker(pytest.mark.xdist_group(f"screens {browser[item.path]}"))
    if not config.getoption("long"):
        in_all = {_function(item) for item in screens if _look(item) == ("wide", "light")}
        spared = [item for item in screens if _look(item) in SPARED and _function(item) in in_all]
        config.hook.pytest_deselected(items=spared)
        items[:] = [item for item in items if item not in spared]


def _shared(tests: Counter[Path]) -> dict[Path, int]:
    """Files, each with the browser that has fewer tests so far; those with the most come first."""
    counts = [0, 0]
    browser: dict[Path, int] = {}
    for file, count in sorted(tests.items(), key=lambda each: (-each[1], each[0])):
        browser[file] = counts.index(min(counts))
        counts[browser[file]] += count
    return browser


def _function(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _look(item: pytest.Item) -> Any:
    """The size and scheme that a test is for; None if it says nothing of them."""
    given = getattr(item, "callspec", None)
    if given is None:
        return None
    return given.params.get("look") or (given.params.get("size"), given.params.get("scheme"))


@pytest.fixture(scope="module")
def chromium(pytestconfig: pytest.Config) -> Iterator[Any]:
    """The browser of the system: the one without windows, which takes a third of the time; with ``--long`` the whole.

    Per file: its driver keeps a loop in this thread, and no other test could run one.
    """
    programs = [shutil.which("chromium-headless-shell"), shutil.which("chromium")]
    if pytestconfig.getoption("long"):
        programs.reverse()
    program = programs[0] or programs[1]
    if program is None:
        pytest.skip("missing tool: chromium-headless-shell, or chromium")
    if build_ui.due() or not AXE.is_file():
        pytest.skip("missing tool: the built dashboard; run python scripts/build_ui.py")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with runs in every state."""
    server = Served(tmp_path_factory.mktemp("ui"), filled=True)
    yield server
    server.close()


@pytest.fixture
def screen(chromium: Any, served: Served) -> Iterator[Screen]:
    """A wide and light page; nothing may have been complained of at its end."""
    opened = Screen(chromium, served.url)
    yield opened
    opened.close()
    assert opened.errors == []
