"""Code is changed and put back: what the other code began and left unfinished is for a person to judge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from world import ENCODINGS, World, flow, step_named

from segue.authoring.python.definitions import Workflow
from segue.authoring.python.execution import CodeExecution
from segue.errors import NonDeterminism
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.adoption import Past
from segue.kernel.replay import Replay

charge = step_named("charge")
ship = step_named("ship")


async def charge_and_ship(amount: int) -> Any:
    return await charge(amount), await ship(amount)


async def charge_only(amount: int) -> Any:
    return await charge(amount)


@pytest.fixture
def world() -> Iterator[World]:
    """A run whose other code has begun ``ship``, after ``charge`` was recorded."""
    with World(flow(charge_and_ship), 5) as world:
        world.start()
        world.complete("/charge", 5)
        world.lose("/ship")
        yield world


@contextmanager
def back(world: World, code: Any, *more: e.Event, changed: bool = False) -> Iterator[tuple[CodeExecution, Replay]]:
    """The run with the code that it was started with, which the fingerprint says unless it is ``changed``."""
    definition = Workflow(code, world.workflow.name)
    if not changed:
        definition.version = world.workflow.version
    execution = CodeExecution(definition.bind(ENCODINGS), encodings=ENCODINGS)
    events = [*world.journal, *more]
    replay = Replay(execution, Past.of(events, execution.version))
    try:
        for event in events:
            replay.feed(event)
        replay.finish()
        yield execution, replay
    finally:
        execution.close()


def resolved(world: World) -> tuple[e.Event, ...]:
    """The run stood still as a whole, and a person has let it go on."""
    return (
        e.IncidentOpened(world.now, None, None, "non-determinism", "", ""),
        e.IncidentResolved(world.now, None, None, "retry"),
    )


def test_a_person_is_told_of_an_attempt_that_the_code_does_not_make(world: World) -> None:
    with back(world, charge_only) as (execution, _):
        with pytest.raises(NonDeterminism, match=r"StepStarted of 'ship' .*; if other code was here") as caught:
            execution.outstanding()
        assert caught.value.step == "ship"


def test_an_attempt_without_an_outcome_does_not_hold_the_run_for_ever(world: World) -> None:
    with back(world, charge_only, *resolved(world)) as (execution, replay):
        assert execution.outstanding() == []
        assert [type(command) for command in replay.awaited] == [c.Complete]


def test_what_was_begun_counts_when_its_call_is_made_after_all(world: World) -> None:
    with back(world, charge_and_ship, *resolved(world)) as (execution, _):
        (command,) = execution.outstanding()
        assert isinstance(command, c.RunStep)
        assert (command.key, command.attempt, command.lost) == ("/ship", 2, 1)


def test_changed_code_is_judged_by_outcomes_alone(world: World) -> None:
    with back(world, charge_only, changed=True) as (execution, replay):
        assert execution.outstanding() == []
        assert [type(command) for command in replay.awaited] == [c.Complete]


@pytest.mark.parametrize("changed", [True, False])
def test_an_outcome_that_nobody_asks_for_is_never_excused(world: World, changed: bool) -> None:
    world.complete("/ship", 5)
    with pytest.raises(NonDeterminism, match="'ship'"), back(world, charge_only, *resolved(world), changed=changed):
        pass
