"""What a workflow may ask of its run: the same in every replay, or a record that replay checks."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from world import BEGIN, Begin, World, flow, step_named

from segue.authoring.python.definitions import Workflow
from segue.authoring.python.handlers import signal
from segue.authoring.python.inside import log, now, patched, publish, random, set_attributes, uuid4
from segue.authoring.python.tasks import approval
from segue.errors import InvalidArgument, NonDeterminism, NotInWorkflow
from segue.kernel import commands as c

charge = step_named("charge")


# --- time and chance ------------------------------------------------------------------------------------------


def test_time_is_that_of_the_last_event(begin: Begin) -> None:
    async def telling() -> list[str]:
        first = now()
        await asyncio.sleep(90)
        return [first.isoformat(), now().isoformat()]

    world = begin(flow(telling))
    world.advance(90)
    start = datetime.fromtimestamp(BEGIN / 1e6, UTC)
    assert world.result == [start.isoformat(), (start.replace(second=start.second + 30, minute=14)).isoformat()]


def test_chance_is_the_same_in_every_replay_and_differs_between_runs(begin: Begin) -> None:
    async def drawing() -> list[Any]:
        numbers = [random.random(), random.randint(1, 6), random.choice("abc"), str(uuid4())]
        await charge(1)
        return [*numbers, random.gauss(0, 1), str(uuid4())]

    results = []
    for uid in ("1" * 32, "1" * 32, "2" * 32):
        world = begin(flow(drawing), uid=uid, evict=True)
        world.complete("/charge")
        results.append(world.result)
    assert results[0] == results[1] != results[2]
    assert len({*results[0], *results[2]}) > 9


def test_random_has_what_random_has() -> None:
    with pytest.raises(AttributeError, match="has no 'rndm'"):
        random.rndm  # type: ignore[attr-defined] # noqa: B018


OUTSIDE = {
    "now()": now,
    "uuid4()": uuid4,
    "random.random()": lambda: random.random(),
    "patched()": lambda: patched("x"),
    "set_attributes()": lambda: set_attributes(a=1),
    "publish()": lambda: publish("a", 1),
    "signal()": lambda: signal("a"),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_outside_a_workflow_they_say_so(name: str) -> None:
    with pytest.raises(NotInWorkflow) as caught:
        OUTSIDE[name]()
    assert str(caught.value) == f"{name} only means something inside a workflow"


# --- records --------------------------------------------------------------------------------------------------


async def recording(first: str, second: str) -> None:
    set_attributes(stage=first)
    await charge(1)
    set_attributes(stage=second)


def test_attributes_are_recorded_in_plain_form(begin: Begin) -> None:
    async def setting() -> None:
        set_attributes(a=1, b="x", c=None, d=datetime(2026, 1, 2, tzinfo=UTC), e=1.5, f=True)

    plain = {"a": 1, "b": "x", "c": None, "d": "2026-01-02T00:00:00+00:00", "e": 1.5, "f": True}
    assert begin(flow(setting)).answers[0][0] == c.SetAttributes(plain)


def test_numbers_of_numpy_are_attributes_like_any_other(begin: Begin) -> None:
    async def setting() -> None:
        set_attributes(a=np.int64(1), b=np.str_("x"), e=np.float64(1.5), f=np.bool_(True))  # type: ignore[arg-type]

    command = begin(flow(setting)).answers[0][0]
    assert isinstance(command, c.SetAttributes)
    assert command == c.SetAttributes({"a": 1, "b": "x", "e": 1.5, "f": True})
    assert [type(value) for value in command.attributes.values()] == [int, str, float, bool]


@pytest.mark.parametrize("value", [[1], math.nan, -math.inf, np.float64("inf")])
def test_attributes_are_small_values(begin: Begin, value: Any) -> None:
    async def setting() -> str:
        try:
            set_attributes(a=value)
        except InvalidArgument as error:
            return error.path
        return "taken"

    assert begin(flow(setting)).result == "a"


def test_published_values_and_log_lines_are_asked_for_once(begin: Begin) -> None:
    async def telling() -> None:
        publish("progress", 0.5)
        log.info("half %s", "done")
        await charge(1)

    world = begin(flow(telling), evict=True)
    assert world.asked == ["Publish", "Log", "RunStep"]
    assert world.answers[0][1] == c.Log("INFO", "half done")
    world.complete("/charge")
    assert world.asked == ["Complete"]


def test_records_that_come_otherwise_are_a_change() -> None:
    async def without(first: str, second: str) -> None:
        await charge(1)

    async def other_kind(first: str, second: str) -> None:
        await approval("ann")

    def same_version(code: Any) -> Workflow[..., Any]:
        """The fingerprint says that nothing has changed, because a helper did."""
        made: Workflow[..., Any] = Workflow(code, "recording")
        made.version = workflow.version
        return made

    workflow: Workflow[..., Any] = Workflow(recording, "recording")
    with World(workflow, "a", "b") as world:
        world.start()
        world.complete("/charge")
        with pytest.raises(NonDeterminism, match="has AttributesSet, which the workflow no longer asks for"):
            world.replay(same_version(without))
        with pytest.raises(NonDeterminism, match=r"AttributesSet where the workflow now asks for OpenTask\(/appr"):
            world.replay(same_version(other_kind))


# --- patches --------------------------------------------------------------------------------------------------


async def original() -> str:
    await charge(1)
    await charge(2)
    return "original"


async def changed() -> str:
    await charge(1)
    if patched("dearer"):
        await charge(3)
        return "changed"
    await charge(2)
    return "original"


def renamed(code: Any) -> Workflow[..., Any]:
    return Workflow(code, "priced")


def test_a_new_run_takes_the_patch_and_says_so(begin: Begin) -> None:
    world = begin(renamed(changed))
    world.complete("/charge")
    assert world.asked == ["RecordMarker", "RunStep"]
    world.restart()
    world.complete("/charge#1")
    assert world.result == "changed"


@pytest.mark.parametrize("steps", [0, 1])
def test_an_open_run_takes_the_patch_only_if_it_has_not_passed_it(steps: int) -> None:
    with World(renamed(original)) as world:
        world.start()
        for _ in range(steps):
            world.complete(next(iter(world.steps)))
        world.workflow = renamed(changed)
        world.restart()
        world.look_around()
        while world.steps:
            world.complete(next(iter(world.steps)))
        assert world.result == ("original" if steps else "changed")


def test_a_patch_is_decided_once_per_run(begin: Begin) -> None:
    async def asking() -> list[bool]:
        return [patched("a"), patched("b"), patched("a")]

    world = begin(flow(asking))
    assert world.asked == ["RecordMarker", "RecordMarker", "Complete"]
    assert world.result == [True, True, True]


def test_a_patch_that_an_open_run_has_passed_stays_refused() -> None:
    async def asking() -> list[bool]:
        first = patched("late")
        await charge(1)
        return [first, patched("late")]

    async def not_asking() -> list[bool]:
        await charge(1)
        return []

    with World(renamed(not_asking)) as world:
        world.start()
        world.workflow = renamed(asking)
        world.restart()
        world.look_around()
        world.complete("/charge")
        assert world.result == [False, False]
