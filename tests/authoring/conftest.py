"""Lets the tests of this folder import what they share: the simulated world and the random programs."""

from __future__ import annotations

import gc
import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from world import Begin, World  # found by the line above


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fails the test when anything was complained of by the end: warnings, asyncio's log, errors in destructors."""
    complaints: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda problem: complaints.append(f"{problem.err_msg}: {problem}"))
    with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.WARNING, "asyncio"):
        warnings.simplefilter("always")
        yield complaints
        gc.collect()
    complaints += [str(warning.message) for warning in warned] + [record.getMessage() for record in caplog.records]
    assert complaints == []


@pytest.fixture
def begin(quiet: list[str]) -> Iterator[Begin]:
    """Starts a run. In the end its journal must lead to where it stands, and dropping it must make no noise."""
    worlds: list[World] = []

    def begin(*args: Any, **options: Any) -> World:
        world = World(*args, **options)
        worlds.append(world)
        world.start()
        return world

    yield begin
    try:
        for world in worlds:
            if world.halted is None:
                world.check()
    finally:
        for world in worlds:
            world.execution.close()
