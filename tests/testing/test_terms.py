"""What ``simulate`` is given and what would simulate, or check, nothing: it is refused before anything is played."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from segue import Retry, step, workflow
from segue.errors import InvalidArgument
from segue.testing import (
    NOTHING,
    Crash,
    Faults,
    Lost,
    Moment,
    Plan,
    Scene,
    Sent,
    SimulationFailed,
    in_the_end,
    simulate,
    sweep,
)


@step(retry=Retry(attempts=20, initial="1s"))
async def count(n: int) -> int:
    return n


@workflow
async def counts(n: int) -> int:
    return await count(n)


async def awaited(now: Moment) -> None:
    raise AssertionError("nobody hears it")


class Awaited:
    async def __call__(self, now: Moment) -> None: ...


def nothing_asked() -> bool:
    return True


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "no seed": (lambda one: one(seeds=0), "names no seed"),
    "an empty list": (lambda one: one(seeds=[]), "names no seed"),
    "seeds as text": (lambda one: one(seeds="17:19"), "neither a number of seeds nor a list"),
    "seeds that are none": (lambda one: one(seeds=["a"]), "'a' is not an integer"),
    "an async invariant": (lambda one: one(invariants=[awaited]), "awaited is `async def`.*write `def`"),
    "an async one for the end": (lambda one: one(invariants=[in_the_end(awaited)]), "awaited is `async def`"),
    "one for the end without argument": (
        lambda one: one(invariants=[in_the_end(nothing_asked)]),  # type: ignore[arg-type]
        "nothing_asked is called with one argument",
    ),
    "an async object": (lambda one: one(invariants=[Awaited()]), "`async def`"),
    "one without argument": (lambda one: one(invariants=[nothing_asked]), "nothing_asked is called with one argument"),
    "no function": (lambda one: one(invariants=["x"]), "'x' is no invariant"),
    "no list": (lambda one: one(invariants=nothing_asked), r"invariants=\[nothing_asked\]"),
    "an async scene": (lambda one: one(scene=awaited), "what sets the scene is a plain function"),
    "a coroutine as scene": (lambda one: one(scene=lambda scene: awaited(scene)), "gives a coroutine"),
    "a scene without argument": (lambda one: one(scene=nothing_asked), "called with one argument, the scene"),
    "a scene that is one": (lambda one: one(scene=Scene()), "is a function that sets the scene"),
    "an empty release": (lambda one: one(scene=lambda scene: scene.deploy()), "wants the workflows of the release"),
    "a plan as text": (lambda one: one(plan="Plan(0)"), "is no plan"),
    "faults as a dict": (lambda one: one(faults={"crash": 1}), "give for example faults=Faults"),
    "a step to spare that is none": (lambda one: one(faults=Faults(spare=("nope",))), "no step 'nope' to spare"),
    "chances": (lambda one: one(faults=Faults(crash=5)), "a chance is 0 to 1"),
    "a number of faults": (lambda one: one(faults=Faults(most=-1)), "neither is below 0"),
    "a plan without a seed": (lambda one: Plan(Lost("count")), "begins with its seed"),  # type: ignore[arg-type]
    "a list in a plan": (lambda one: Plan(0, [Lost("count")]), "is no fault"),  # type: ignore[arg-type]
    "a step for its name": (lambda one: Lost(count), "write 'count'"),  # type: ignore[arg-type]
    "a moment that is none": (lambda one: Crash(1, "during"), "when is 'before' or 'after'"),  # type: ignore[arg-type]
    "commit 0": (lambda one: Crash(0), "counted from 1"),
    "a time as text": (lambda one: Sent("go", after="1h"), "a number of seconds"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_would_say_nothing_is_refused(wrong: str) -> None:
    attempt, message = WRONG[wrong]
    with pytest.raises(InvalidArgument, match=message):
        attempt(lambda **options: simulate(counts, 1, **options))


@pytest.mark.parametrize("spare", [count, "count", ["nope"]])
def test_a_sweep_spares_steps_only(spare: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"spare= is a list of steps|no step 'nope'"):
        sweep(counts, 1, spare=spare)


class Zero:
    """As numpy's False: false, and not ``False``."""

    def __bool__(self) -> bool:
        return False


@pytest.mark.parametrize("said", [False, 0, [], Zero()], ids=lambda said: type(said).__name__)
def test_what_an_invariant_says_and_is_false_breaks_it(said: object) -> None:
    with pytest.raises(SimulationFailed, match="it is not so"):
        simulate(counts, 1, invariants=[lambda now: said], seeds=1, faults=NOTHING)


@pytest.mark.parametrize("said", [None, True, 1, ["shipped"]], ids=lambda said: type(said).__name__)
def test_what_it_says_and_is_true_or_nothing_holds(said: object) -> None:
    assert simulate(counts, 1, invariants=[lambda now: said], seeds=1, faults=NOTHING).runs == 1


def test_an_invariant_that_turns_out_to_be_a_coroutine_is_broken() -> None:
    with pytest.raises(SimulationFailed, match="a coroutine, which nobody awaits"):
        simulate(counts, 1, invariants=[lambda now: awaited(now)], seeds=1, faults=NOTHING)


def test_a_plan_that_names_what_does_not_come_warns() -> None:
    plan = Plan(0, Lost("count"), Lost("recount"), Crash(50))
    with pytest.warns(UserWarning, match="execution 1 of recount .*; the process dies after commit 50.* make the plan"):
        simulate(counts, 1, plan=plan)
    simulate(counts, 1, plan=Plan(0, Lost("count"), Crash(2)))
