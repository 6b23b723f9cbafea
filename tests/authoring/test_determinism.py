"""The same journal leads to the same place: random programs, random histories, other addresses, eviction everywhere.

``SEGUE_LONG=20000`` proves it of so many more programs than a usual run, from seeds. ``SEGUE_PYTHONS`` names other
interpreters to prove it on (``python3.12:python3.13`` where they are found; they need msgspec).
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import Tree, grow, seeded
from proof import History, live, prove, readable
from world import ENCODINGS, World

from segue.authoring.python.loop import WorkflowFuture, WorkflowTask
from segue.errors import SegueError
from segue.kernel import commands as c
from segue.kernel import events as e

PROOF = Path(__file__).parent / "proof.py"
LONG = int(os.environ.get("SEGUE_LONG", "0"))
PYTHONS = os.environ.get("SEGUE_PYTHONS", "python3.12:python3.13").split(":")
ORDERS = 1_000
SHIFTS = ({"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2", "PYTHONMALLOC": "malloc"}, {"PYTHONHASHSEED": "random"})

# Where the limit for one test strikes, it raises in whatever runs just then: a program that catches everything goes on
# from it, and its journal is no longer what a replay makes of it.
pytestmark = pytest.mark.timeout(300 + LONG)
fates = st.integers(0, 2**32)


@st.composite
def programs(draw: Any, *, plain: bool = False) -> Tree:
    return grow(lambda n: draw(st.integers(0, n - 1)), depth=3, plain=plain)


def test_replay_shifted_addresses_and_eviction_lead_to_the_same_place(long: bool) -> None:
    @settings(max_examples=150 if long else 80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(tree=programs(), fate=fates)
    def holds(tree: Tree, fate: int) -> None:
        prove(tree, fate)

    holds()


def test_programs_from_seeds(quiet: list[str]) -> None:
    events: list[e.Event] = []
    for seed in range(max(LONG, 60)):
        events += prove(grow(seeded(seed)), seed).journal
    # What the programs and their histories are made of must not dry up unnoticed.
    wanted = set(e.AnyEvent.__args__) - {e.RunTerminated, e.Erased, e.StepCached, e.Modified}  # these come from outside
    assert {type(event) for event in events} == wanted


# --- in another process ---------------------------------------------------------------------------------------


def histories(seeds: range) -> list[tuple[History, list[list[str]], list[Any]]]:
    """Runs of the programs with these seeds, and what they asked for and saw."""
    found = []
    for seed in seeds:
        tree = grow(seeded(seed))
        world, walks = live(tree, seed)
        with world:
            found.append((History(tree, list(world.journal)), readable(world.answers), list(walks[0].trace)))
    return found


@pytest.mark.parametrize("shift", SHIFTS, ids=lambda shift: ",".join(f"{k}={v}" for k, v in shift.items()))
def test_another_process_replays_to_the_same_place(shift: dict[str, str]) -> None:
    made = histories(range(1_000, 1_060))
    lines = b"\n".join(msgspec.json.encode(history) for history, _, _ in made)
    answer = subprocess.run(
        [sys.executable, "-W", "error", PROOF, "walk"],
        input=lines, check=True, capture_output=True, env={**os.environ, **shift},
    )  # fmt: skip
    assert answer.stderr == b""
    for (_, commands, seen), (commands_there, seen_there) in zip(made, msgspec.json.decode(answer.stdout), strict=True):
        assert commands_there == commands
        plain = msgspec.json.decode(msgspec.json.encode(seen))
        assert seen_there[: len(plain)] == plain


@pytest.mark.parametrize("name", PYTHONS)
def test_another_interpreter_proves_the_same(name: str) -> None:
    """A journal replays on the minor version that wrote it: asyncio itself differs from one to the next."""
    interpreter = shutil.which(name)
    if interpreter is None:
        pytest.skip(f"{name} is not on this machine")
    if subprocess.run([interpreter, "-c", "import msgspec"], capture_output=True).returncode:
        pytest.skip(f"{name} has no msgspec")
    command = [interpreter, "-W", "error", str(PROOF), "prove", "0", str(max(LONG // 10, 60))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# --- the order of arrival -------------------------------------------------------------------------------------


def arrivals(world: World) -> tuple[str, ...]:
    return tuple(event.key for event in world.journal if isinstance(event, e.StepCompleted))


PLAIN: Tree = (
    "gather", False,
    ("group", ("step", "alpha", 1), ("repeat", 2, ("step", "beta", 2)), ("step", "alpha", 3)),
    ("task_dict", ("step", "alpha", 4), ("gather", False, ("step", "gamma", 5), ("step", "alpha", 6))),
    ("sequence", ("step", "alpha", 7), ("group", ("step", "beta", 8), ("step", "alpha", 9))),
)  # fmt: skip
WILD: Tree = (
    "gather", True,
    ("as_completed", None, 0, ("step", "alpha", 1), ("step", "beta", 2), ("step", "alpha", 3)),
    ("task_set", ("step", "alpha", 4), ("lock", ("step", "alpha", 5)), ("lock", ("step", "alpha", 6)), ("get", 0)),
    ("wait", "FIRST_COMPLETED", None, True, ("step", "alpha", 7), ("step", "alpha", 8), ("futures", 1)),
    ("sequence", ("step", "alpha", 9), ("put", 0, 1), ("chance",), ("all_tasks",)),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("tree", [PLAIN, WILD], ids=["plain", "wild"])
def test_a_thousand_orders_of_arrival_each_replay_to_themselves(tree: Tree) -> None:
    orders, results = set(), set()
    for fate in range(ORDERS):
        world, walks = live(tree, fate, kind=True)
        with world:
            seen = list(walks[0].trace)
            again = world.replay()
            assert walks[1].trace[: len(seen)] == seen
            assert again.closed == world.execution.closed
            again.close()
            assert world.commands_again() == world.answers
            orders.add(arrivals(world))
            results.add(msgspec.json.encode(world.result))
    assert len(orders) > ORDERS * 0.8
    if tree is PLAIN:
        assert len(results) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=programs(plain=True), seeds=st.lists(fates, min_size=4, max_size=4))
def test_a_result_that_does_not_depend_on_the_order_is_the_same_in_all(tree: Tree, seeds: list[int]) -> None:
    results = []
    for fate in seeds:
        world, _ = live(tree, fate, kind=True)
        with world:
            assert isinstance(world.end, c.Complete)
            results.append(ENCODINGS.decode(world.end.result))
    assert all(result == results[0] for result in results)


# --- leaving memory -------------------------------------------------------------------------------------------


def test_dropped_at_any_point_a_run_does_not_act_and_makes_no_noise(quiet: list[str]) -> None:
    for seed in range(2_000, 2_040):
        world, _ = live(grow(seeded(seed)), seed)
        with world:
            for end in range(1, len(world.journal) + 1):
                execution = world.new_execution()
                for event in world.journal[:end]:
                    if not isinstance(event, e.RECORDS):
                        execution.apply(event)
                asked = len(execution.commands)
                execution.close()
                assert len(execution.commands) == asked
        gc.collect(1)


# --- the properties can fail ----------------------------------------------------------------------------------


def disproved(seeds: range = range(80)) -> bool:
    """Whether the proof fails for any of the programs."""
    for seed in seeds:
        try:
            prove(grow(seeded(seed)), seed)
        except (AssertionError, SegueError):
            return True
    return False


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [WorkflowTask, WorkflowFuture])
def test_tasks_that_hash_by_address_are_found_out(monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
    monkeypatch.setattr(kind, "__hash__", object.__hash__)
    assert disproved()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["as_completed", "gather"])
def test_a_function_without_its_shim_is_found_out(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    original = getattr(asyncio.tasks, f"_segue_{name}").args[0]
    monkeypatch.setattr(asyncio.tasks, f"_segue_{name}", original)
    assert disproved()


@pytest.mark.filterwarnings("ignore")
def test_chance_of_the_machine_s_own_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.authoring.python.execution.CodeExecution.random", random.SystemRandom())
    assert disproved()
