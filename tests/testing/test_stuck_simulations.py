"""Simulations of what does not end: they say so, and how to play the run again, and keep no program from ending."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from segue import Retry, attempt_number, continue_as_new, signal, step, update, workflow
from segue.errors import InvalidArgument
from segue.testing import NOTHING, Plan, Scene, Sent, SimulationFailed, play, rounds, simulate, virtual_loop
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


@step
async def is_there() -> bool:
    return False


@step
async def count(n: int) -> int:
    return n


@workflow
async def sleeps_for_ever() -> None:
    while True:  # noqa: ASYNC110 -- what is to be told
        await asyncio.sleep(60)


@workflow
async def asks_for_ever() -> None:
    while not await is_there():  # noqa: ASYNC110
        await asyncio.sleep(60)


@workflow
async def waits_for_a_word() -> int:
    rounds = 0
    word = asyncio.ensure_future(signal("go", int))
    while not word.done():
        await asyncio.sleep(60)
        rounds += 1
    return rounds


@workflow
async def counts(most: int) -> None:
    for n in range(most):
        await count(n)
        await asyncio.sleep(60)


@workflow
async def asks_at_once() -> None:
    while not await is_there():
        pass


@workflow
async def has_it_asked() -> bool:
    return await is_there()


@workflow
async def has_asked_at_once() -> None:
    while not await has_it_asked():
        pass


@step(retry=Retry(attempts=3, initial="1s"))
async def is_mostly_there() -> bool:
    if attempt_number() == 1:
        raise ConnectionError("no line")
    return False


@workflow
async def tries_for_ever() -> None:
    while not await is_mostly_there():
        pass


@step
async def looks_for_a_minute() -> bool:
    await asyncio.sleep(60)
    return False


@workflow
async def has_a_step_look(rounds: int) -> None:
    for _ in range(rounds):
        await looks_for_a_minute()


@workflow
async def asks_every_minute(rounds: int) -> None:
    for _ in range(rounds):
        await is_there()
        await asyncio.sleep(60)


@workflow
async def goes_on_for_ever(n: int) -> None:
    await count(n)
    continue_as_new(n + 1)


@workflow
async def goes_on_every_minute(n: int) -> None:
    await asyncio.sleep(60)
    if n:
        continue_as_new(n - 1)


@pytest.mark.parametrize("workflow", [sleeps_for_ever, asks_for_ever])
def test_a_run_that_goes_round_and_round_is_told(workflow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MOST_WITH_TIME", 300)
    with pytest.raises(SimulationFailed, match="300 commits have brought nothing new") as caught:
        simulate(workflow, seeds=[1], faults=NOTHING)
    assert caught.value.what == "the run comes to an end"
    assert len(caught.value.told) < 1_000


@pytest.mark.parametrize("workflow", [asks_at_once, has_asked_at_once, tries_for_ever])
def test_one_that_takes_no_time_about_it_is_told_sooner(workflow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MOST", 100)
    with pytest.raises(SimulationFailed, match="100 commits have brought nothing new, and no time has gone by"):
        simulate(workflow, seeds=[1], faults=NOTHING)


@pytest.mark.parametrize("workflow", [asks_every_minute, has_a_step_look])
def test_one_that_takes_its_time_does_not_go_round(workflow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MOST", 30)
    assert simulate(workflow, 100, seeds=[1], faults=NOTHING).commits > 100


def test_a_run_that_is_too_long_to_be_simulated_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "MOST_COMMITS", 50)
    with pytest.raises(
        SimulationFailed, match=r"50 commits, the most that a simulated run may have.* less to do \(fewer"
    ):
        simulate(asks_every_minute, 100, seeds=[1], faults=NOTHING)


def test_a_chain_that_takes_no_time_about_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MOST_RUNS", 20)
    with pytest.raises(SimulationFailed, match="20 runs have followed each other without any time going by") as caught:
        simulate(goes_on_for_ever, 0, seeds=[1], faults=NOTHING)
    assert len(caught.value.told) < 200
    assert simulate(goes_on_every_minute, 40, seeds=[1], faults=NOTHING).ended == {"completed": 1}


def test_what_does_something_new_or_waits_for_what_comes_does_not_go_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MOST", 30)
    monkeypatch.setattr(rounds, "MOST_WITH_TIME", 30)
    simulate(counts, 100, seeds=[1], faults=NOTHING)

    def scene(scene: Scene) -> None:
        scene.signal("go", 1, within="3h")

    late = Plan(0, Sent("signal go", after=9_000.0))
    assert simulate(waits_for_a_word, plan=late, scene=scene).commits > 9_000 / 60


@pytest.mark.parametrize("within", ["30s", "1h"])
def test_an_update_that_no_run_has_is_told(within: str) -> None:
    def scene(scene: Scene) -> None:
        scene.update("ad", 1, within=within)

    for flow, has in ((counts, "none"), (adds, "add, take")):
        with pytest.raises(InvalidArgument, match=f"update of that name; it has: {has}$"):
            simulate(flow, 1, seeds=3, faults=NOTHING, scene=scene)
        with pytest.raises(InvalidArgument, match=r"scene.update\('ad'\) reaches nobody: in 1 simulated run, "):
            simulate(flow, 1, plan=Plan(), scene=scene)


def test_an_update_that_comes_too_early_or_too_late_is_no_mistake() -> None:
    def scene(scene: Scene) -> None:
        scene.update("add", 1, within="1d")
        scene.update("take", 1)

    simulate(adds, 1, seeds=3, faults=NOTHING, scene=scene)


@workflow
async def adds(total: int) -> int:
    @update
    def add(n: int) -> int:
        nonlocal total
        total += n
        return total

    await asyncio.sleep(60)

    @update
    def take(n: int) -> int:
        return total - n

    return await count(total)


@workflow
async def adds_to_what_there_is(n: int) -> int:
    if n == 0:
        return n

    @update
    async def add(more: int) -> int:
        return n + more

    await asyncio.sleep(7_200)
    return n


def test_a_run_may_end_before_it_has_an_update_that_is_in_its_code() -> None:
    def scene(scene: Scene) -> None:
        scene.update("add", 1, within="1h")

    for n in (0, 1):
        assert simulate(adds_to_what_there_is, n, seeds=3, scene=scene).ended == {"completed": 3}
