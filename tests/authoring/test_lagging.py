"""Code that took a run over waits for something new, and is not yet where the code before has been."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from world import ENCODINGS, World, flow, step_named

from segue import Approval, approval, patched
from segue.authoring.python.definitions import Workflow
from segue.errors import NonDeterminism
from segue.kernel import commands as c
from segue.kernel import events as e

charge = step_named("charge")
inspect = step_named("inspect")
insure = step_named("insure")
ship = step_named("ship")
Code = Callable[[], Coroutine[Any, Any, Any]]


def taken_over(before: Code, so_far: Callable[[World], None], after: Code) -> World:
    world = World(flow(before))
    world.start()
    so_far(world)
    world.take_over(Workflow(after, world.workflow.name))
    return world


def result_of(world: World) -> Any:
    assert isinstance(world.end, c.Complete)
    return ENCODINGS.decode(world.end.result)


async def asks() -> Any:
    return (await approval("ann")).approved


async def inspects_and_asks() -> Any:
    await inspect(1)
    return (await approval("ann")).approved


def test_a_persons_answer_waits_for_its_question() -> None:
    with taken_over(asks, lambda world: None, inspects_and_asks) as world:
        world.answer("/approval", Approval(True))
        assert world.end is None
        assert list(world.steps) == ["/inspect"]
        world.replay().close()  # as it would be after a crash
        world.complete("/inspect")
        assert result_of(world) is True


async def inspects_only() -> Any:
    if await inspect(1) == 2:
        await approval("ann")


def test_an_answer_that_nobody_asks_for_in_the_end_is_not_dropped() -> None:
    with taken_over(asks, lambda world: None, inspects_only) as world:
        world.answer("/approval", Approval(True))
        with pytest.raises(NonDeterminism, match="recorded, but the workflow as it is now never calls it"):
            world.complete("/inspect", 1)


@flow
async def packing() -> int:
    return 7


async def charges_and_packs() -> Any:
    return await charge(1) + await packing()


async def inspects_charges_and_packs() -> Any:
    await inspect(1)
    return await charge(1) + await packing()


def test_what_was_handed_on_answers_when_its_call_is_made() -> None:
    with World(flow(charges_and_packs)) as world:
        world.start()
        step = world.steps["/charge"]
        world.schedule("/charge")
        world.take_over(Workflow(inspects_charges_and_packs, world.workflow.name))
        world.steps["/charge"] = step  # whoever has it knows of no other code
        world.complete("/charge", 1)
        world.complete("/inspect")
        (packed,) = world.children
        world.child_started(packed)
        world.take_over(Workflow(insures_and_all_that, world.workflow.name))
        world.child_ended(packed, result=7)
        assert list(world.steps) == ["/insure"]
        world.complete("/insure")
        assert result_of(world) == 8


async def packing_only() -> Any:
    return await packing()


async def inspects_and_packs() -> Any:
    await inspect(1)
    return await packing()


def test_a_child_answers_though_its_start_was_never_acknowledged() -> None:
    with World(flow(packing_only)) as world:
        world.start()
        (packed,) = world.children
        world.take_over(Workflow(inspects_and_packs, world.workflow.name))
        world.child_ended(packed, result=7)
        world.replay().close()
        world.complete("/inspect")
        assert result_of(world) == 7


def test_nor_is_a_child_dropped_that_nobody_calls_in_the_end() -> None:
    with World(flow(packing_only)) as world:
        world.start()
        (packed,) = world.children
        world.take_over(Workflow(inspects_only, world.workflow.name))
        world.child_ended(packed, result=7)
        with pytest.raises(NonDeterminism, match="'packing'"):
            world.complete("/inspect", 1)


async def charges_patiently() -> Any:
    return await charge.using(retry=5)(1)


async def inspects_and_charges_patiently() -> Any:
    await inspect(1)
    return await charge.using(retry=5)(1)


def test_the_last_of_several_failures_says_when_a_step_runs_again() -> None:
    with World(flow(charges_patiently)) as world:
        world.start()
        world.fail("/charge", retry_in=1)
        world.advance(1)
        world.fail("/charge", retry_in=60)
        world.take_over(Workflow(inspects_and_charges_patiently, world.workflow.name))
        asked = [*world.complete("/inspect"), *world.advance(1)]
        assert [command for command in asked if isinstance(command, c.RunStep)] == []
        assert [command.key for command in world.advance(60) if isinstance(command, c.RunStep)] == ["/charge"]
        world.complete("/charge", 7)
        assert result_of(world) == 7


async def insures_and_all_that() -> Any:
    await insure(1)
    return await inspects_charges_and_packs()


async def ships() -> Any:
    await charge(1)
    await ship(1)
    await ship(2)


async def inspects_and_insures() -> Any:
    await inspect(1)
    await charge(1)
    if patched("insured"):
        await insure(1)
    await ship(1)
    await ship(2)


def shipped(world: World, calls: list[str]) -> None:
    for key in calls:
        world.complete(key)


@pytest.mark.parametrize(
    ("so_far", "goes_on_with"),
    [
        (["/charge", "/ship"], "/ship#1"),
        (["/charge"], "/insure"),
        ([], "/charge"),
    ],
)
def test_a_patch_is_off_where_the_code_before_has_come_further(so_far: list[str], goes_on_with: str) -> None:
    with taken_over(ships, lambda world: shipped(world, so_far), inspects_and_insures) as world:
        world.complete("/inspect")
        assert list(world.steps) == [goes_on_with]
        patches = [event for event in world.journal if isinstance(event, e.Marker) and event.kind == "patch"]
        assert bool(patches) == (goes_on_with == "/insure")
        again = world.replay()
        assert [command.key for command in again.outstanding()] == [goes_on_with]
        again.close()


def test_a_patch_looks_at_tasks_that_are_to_be_started_and_not_at_those_that_run() -> None:
    async def both() -> Any:
        early = asyncio.create_task(charge(1))
        await asyncio.gather(ship(1), ship(2))
        await early

    async def patched_at(place: str) -> Any:
        async def waits() -> Any:
            await inspect(1)
            return await charge(1)

        early = asyncio.create_task(waits())
        await insure(0)
        if place == "before" and patched("insured"):
            await insure(1)
        await asyncio.gather(ship(1), ship(2))
        if place == "behind" and patched("insured"):
            await insure(1)
        await early

    for place, expected in ("before", []), ("behind", ["/insure#1"]):

        async def after(place: str = place) -> Any:
            await patched_at(place)

        with taken_over(both, lambda world: shipped(world, ["/0/charge", "/1/ship", "/2/ship"][:2]), after) as world:
            world.complete("/insure")
            if place == "behind":
                world.complete("/2/ship")
            assert [key for key in world.steps if "insure" in key] == expected, place
