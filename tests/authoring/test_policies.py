"""What a call does instead of raising: it answers a default, or a person decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from world import Begin, flow, step_named

from segue import escalate, skip

pump = step_named("pump")

TASK = "/pump failed"


async def skipping() -> Any:
    return await pump.using(on_error=skip("none"))(1)


async def asking() -> Any:
    return await pump.using(on_error=escalate("ops"))(1)


async def asking_under_a_key() -> Any:
    return await pump.using(on_error=escalate("ops"), key="main")(1)


def test_a_step_that_failed_is_skipped(begin: Begin) -> None:
    world = begin(flow(skipping))
    world.fail("/pump")
    assert world.result == "none"


def test_a_person_decides_to_skip(begin: Begin) -> None:
    world = begin(flow(asking))
    world.fail("/pump")
    assert world.tasks[TASK].assignee == "ops"
    world.answer(TASK, {"action": "skip", "result": 7})
    assert world.result == 7


def test_a_person_decides_that_it_has_failed(begin: Begin) -> None:
    world = begin(flow(asking))
    world.fail("/pump")
    world.answer(TASK, {"action": "fail"})
    assert world.failure.type.endswith("StepFailed")


@pytest.mark.parametrize(
    ("workflow", "keys"),
    [(asking, ("/pump", "/pump#1", "/pump#2")), (asking_under_a_key, ("=main", "=main'", "=main''"))],
    ids=["counted", "under-a-key"],
)
def test_a_person_has_it_tried_again_and_again(
    begin: Begin, workflow: Callable[[], Any], keys: tuple[str, ...]
) -> None:
    world = begin(flow(workflow))
    for n, key in enumerate(keys[:-1]):
        world.fail(key)
        world.answer(TASK if n == 0 else f"{TASK}#{n}", {"action": "retry"})
    world.complete(keys[-1], 9)
    assert world.result == 9
