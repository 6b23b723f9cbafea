"""What a simulation that fails says: what broke, where in the user's code, what the run waits for, what was refused."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable

import pytest

from segue import Approval, Retry, approval, signal, step, workflow
from segue.client.handles import HumanTask
from segue.testing import NOTHING, Faults, Moment, Scene, SimulationFailed, simulate

EVICTED = Faults(
    crash=0, refused=0, unacknowledged=0, fails=0, lost=0, late=0, slow=0, evicted=1,
)  # fmt: skip


@step(retry=Retry(attempts=5, initial="1s"))
async def count(n: int) -> int:
    return n


@step
async def asks_the_world() -> None:
    await asyncio.get_running_loop().create_future()


@workflow
async def counts(n: int) -> int:
    return await count(n)


@workflow
async def waits() -> int:
    return await signal("go", int)


@workflow
async def asks() -> bool:
    return (await approval("ada")).approved


@workflow
async def asks_outside() -> None:
    await asks_the_world()


def fails_as_pytest_has_it(now: Moment) -> None:
    pytest.fail("two payments")


def is_cancelled(now: Moment) -> None:
    raise asyncio.CancelledError("two payments")


@pytest.mark.parametrize("invariant", [fails_as_pytest_has_it, is_cancelled])
def test_an_invariant_may_fail_by_what_is_no_exception(invariant: Callable[[Moment], None]) -> None:
    with pytest.raises(SimulationFailed, match="two payments") as caught:
        simulate(counts, 1, invariants=[invariant], seeds=1, faults=NOTHING)
    assert "plan=Plan(0)" in str(caught.value)


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_who_ends_the_program_in_an_invariant_ends_it(end: type[BaseException]) -> None:
    def ends(now: Moment) -> None:
        raise end

    with pytest.raises(end):
        simulate(counts, 1, invariants=[ends], seeds=1, faults=NOTHING)


def test_the_users_line_is_in_the_traceback_and_stands_for_a_message_that_is_not_there() -> None:
    def holds(now: Moment) -> None:
        if now.over:
            raise AssertionError

    with pytest.raises(SimulationFailed, match=r"AssertionError: raise AssertionError \(test_reports.py, line ") as at:
        simulate(counts, 1, invariants=[holds], seeds=1, faults=NOTHING)
    cause = at.value.__cause__
    assert cause is not None
    assert [frame.name for frame in traceback.extract_tb(cause.__traceback__)] == ["holds"]


def test_what_a_run_waits_for_is_told() -> None:
    with pytest.raises(SimulationFailed, match="it waits for signal 'go', and nothing"):
        simulate(waits, seeds=1, faults=NOTHING)
    with pytest.raises(SimulationFailed, match="it waits for signal 'go', and nothing"):
        simulate(waits, seeds=1, faults=EVICTED)
    with pytest.raises(SimulationFailed, match="it waits for ada to answer 'approval', and nothing"):
        simulate(asks, seeds=1, faults=NOTHING)
    with pytest.raises(SimulationFailed, match=r"step 'asks_the_world', which does not return \(in a sim.* mocked\)"):
        simulate(asks_outside, seeds=1, faults=NOTHING)


def test_an_answer_that_is_refused_is_told() -> None:
    with pytest.raises(SimulationFailed, match=r"the answer of ada to 'approval' comes to nothing: .*'yes'"):
        simulate(asks, seeds=1, faults=NOTHING, scene=lambda scene: scene.person("ada", lambda task: "yes"))


def test_a_message_that_is_refused_is_told() -> None:
    def scene(scene: Scene) -> None:
        scene.update("nobody_knows_it", 1)

    with pytest.raises(SimulationFailed, match=r"update nobody_knows_it comes to nothing: .*"):
        simulate(waits, seeds=1, faults=NOTHING, scene=scene)


def test_people_and_errands_may_be_async_or_not() -> None:
    errands: list[str] = []

    async def think(task: HumanTask) -> Approval:
        await asyncio.sleep(60)
        return Approval(True)

    def scene(scene: Scene) -> None:
        scene.person("ada", think)
        scene.act("note", lambda handle: errands.append(handle.id))

    assert simulate(asks, seeds=1, faults=NOTHING, scene=scene).ended == {"completed": 1}
    assert errands == ["simulated"]
