"""Workflows that look at a clock or throw dice: found in the source, and caught at replay whatever they did with it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from segue import Engine, Incident, signal, step, workflow
from segue.kernel import events as e

SOURCE = Path(__file__).parent.parent.parent / "src"

IMPURE = """\
import random
import time
from datetime import datetime
from time import time as seconds
from segue import step, workflow

@workflow
async def impure(n: int) -> float:
    if time.time() > n:
        return random.random()
    started = datetime.now()
    return seconds()

@step
async def pure() -> float:
    return time.time()

@workflow
async def allowed() -> float:
    return time.time()  # segue: ok
"""

FOUND = [
    ("9:8", "time.time in impure(): use segue.now()"),
    ("10:16", "random.random in impure(): use segue.random"),
    ("11:15", "datetime.datetime.now in impure(): use segue.now()"),
    ("12:12", "time.time in impure(): use segue.now()"),
]


def test_the_source_is_searched_and_each_place_named_with_what_to_use(tmp_path: Path) -> None:
    file = tmp_path / "flows.py"
    file.write_text(IMPURE)
    done = subprocess.run(
        [sys.executable, "-m", "segue.cli", "check", "--static", str(file)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(SOURCE)}, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if line.startswith(str(file))]
    assert lines == [f"{file}:{place}  {said}" for place, said in FOUND]


# --- at replay ------------------------------------------------------------------------------------------------


@step
async def left(n: int) -> int:
    return n


@step
async def right(n: int) -> int:
    return n


calls = 0


def never_the_same() -> int:
    """A clock and a die in one, so that a test need not wait for chance."""
    global calls
    calls += 1
    return calls


@workflow
async def goes_left_or_right() -> None:
    await (left(1) if never_the_same() % 2 else right(1))
    await signal("end")


@workflow
async def goes_on_or_not() -> None:
    for _ in range(2 if never_the_same() % 2 else 1):
        await left(1)
    await signal("end")


@workflow
async def passes_it_on() -> None:
    await left(never_the_same())
    await signal("end")


@workflow
async def asks_for_the_time() -> None:
    await left(int(time.time() * 1_000_000))
    await signal("end")


@workflow
async def throws_a_die() -> None:
    await left(random.randrange(1 << 60))
    await signal("end")


FLOWS: list[Callable[[], Any]] = [goes_left_or_right, goes_on_or_not, passes_it_on, asks_for_the_time, throws_a_die]


@pytest.fixture
async def replayed(url: str, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A run that has made its steps, in the next engine."""
    global calls
    calls = 0
    async with Engine(url) as engine:
        handle = await engine.start(request.param, id="a")
        wanted = 2 if request.param is goes_on_or_not else 1
        seen = 0
        async for recorded in handle.events():
            seen += isinstance(recorded.event, e.StepCompleted)
            if seen == wanted:
                break
    async with Engine(url) as engine:
        yield await engine.handle("a")


@pytest.mark.parametrize("replayed", FLOWS, indirect=True, ids=lambda flow: flow.name)
async def test_replay_finds_it_and_says_which_step_and_what_to_use(replayed: Any) -> None:
    await replayed.signal("end")
    with pytest.raises(Incident, match=r"(left|right).*segue\.now.*segue\.random") as caught:
        await replayed.result(timeout=10)
    assert caught.value.cause == "non-determinism"
    assert "segue retry a" in caught.value.remedy
    assert not any(isinstance(r.event, e.RunFailed) for r in await replayed.history()), (
        "it stands still, undoes nothing"
    )
