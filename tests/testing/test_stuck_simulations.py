"""Simulations of what does not end: they say so, and how to play the run again, and keep no program from ending."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from segue import Retry, step, workflow
from segue.testing import NOTHING, Scene, simulate, virtual_loop
from segue.testing.virtual_loop import Holds


@step(retry=Retry(attempts=5, initial="1s"))
async def poll() -> None:
    while True:  # noqa: ASYNC110 -- what is to be told
        await asyncio.sleep(0)


@workflow
async def polls() -> None:
    await poll()


def test_a_step_that_polls_is_told_with_its_name_and_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_loop, "MOST_TURNS", 2_000)
    with pytest.raises(Holds, match="step poll has gone on for") as caught:
        simulate(polls, seeds=[3], faults=NOTHING)
    assert any("plan=Plan(3)" in note for note in caught.value.__notes__)


def test_a_mistake_in_the_scene_says_in_which_run_it_was_met() -> None:
    def scene(scene: Scene) -> None:
        raise LookupError("no such bank")

    with pytest.raises(LookupError, match="no such bank") as caught:
        simulate(polls, seeds=[8], scene=scene)
    assert any("run of polls" in note and "plan=Plan(8" in note for note in caught.value.__notes__)


NEVER = """
import threading
from segue import step, workflow
from segue.testing import NOTHING, simulate, virtual_loop

@step
def wait() -> None:
    threading.Event().wait()

@workflow
async def waits() -> None:
    await wait()

virtual_loop.PATIENCE = 0.05
try:
    simulate(waits, seeds=5, faults=NOTHING)
except virtual_loop.Holds as error:
    print(error)
"""


def test_a_function_that_never_returns_ends_the_simulation_and_not_the_program(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(NEVER)
    ended = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.startswith("wait has not returned for 0.05 seconds")
