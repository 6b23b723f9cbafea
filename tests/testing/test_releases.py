"""Code is changed under a simulated run, at any moment: what cannot go on is found, and what can goes on."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from segue import Retry, deprecate_patch, patched, signal, step, workflow
from segue.errors import InvalidArgument
from segue.kernel import events as e
from segue.testing import NOTHING, Moment, Scene, SimulationFailed, in_the_end, simulate, sweep

PATIENT = Retry(attempts=20, initial="1s", maximum="1m")


@step(retry=PATIENT)
async def charge(amount: int) -> str:
    return f"receipt for {amount}"


@step(retry=PATIENT)
async def insure(amount: int) -> str:
    return f"insured for {amount}"


@step(retry=PATIENT)
async def ship(what: str) -> str:
    return f"shipped: {what}"


@workflow(name="shop", version="1")
async def shop(amount: int) -> list[str]:
    receipt = await charge(amount)
    await signal("packed")
    return [await ship(receipt)]


@workflow(name="shop", version="2")
async def insured(amount: int) -> list[str]:
    """Fits every run of the first version."""
    receipt = await charge(amount)
    await signal("packed")
    done = [await insure(amount)] if patched("insured") else []
    return [*done, await ship(receipt)]


@workflow(name="shop", version="3")
async def free_of_charge(amount: int) -> list[str]:
    """Fits those that have not charged yet."""
    await signal("packed")
    return [await ship(f"{amount} for nothing")]


@workflow(name="shop", version="4")
async def always_insured(amount: int) -> list[str]:
    """Fits those that have not gone on to ship without insurance."""
    receipt = await charge(amount)
    await signal("packed")
    deprecate_patch("insured")
    return [await insure(amount), await ship(receipt)]


class Seen:
    """What runs came to, over all plans."""

    def __init__(self) -> None:
        self.started: Counter[str] = Counter()
        self.results: Counter[str] = Counter()
        self.taken_over = 0

    def take(self, now: Moment) -> None:
        first, last = now.trace.events[0], now.trace.events[-1]
        assert isinstance(first, e.RunStarted)
        assert isinstance(last, e.RunCompleted)
        self.started[first.version.partition("/")[0]] += 1
        self.results[bytes(last.result.data).decode()] += 1
        self.taken_over += any(isinstance(each, e.Marker) and each.kind == "code" for each in now.trace.events)


def releases(*all: Any, within: str = "1h") -> Any:
    def scene(scene: Scene) -> None:
        scene.signal("packed")
        for each in all:
            scene.deploy(each, within=within)

    return scene


def test_runs_go_on_with_code_that_fits() -> None:
    seen = Seen()
    simulate(shop, 5, scene=releases(insured), invariants=[in_the_end(seen.take)], seeds=100)
    assert seen.taken_over > 10
    assert set(seen.started) == {"1"}
    assert len(seen.results) == 2, "with and without the new step"


@pytest.mark.parametrize("all_of_it", [simulate, sweep])
def test_a_release_that_does_not_fit_is_found(all_of_it: Any) -> None:
    options = {"seeds": 300, "faults": NOTHING} if all_of_it is simulate else {}
    with pytest.raises(SimulationFailed, match="'charge'") as caught:
        all_of_it(shop, 5, scene=releases(free_of_charge), **options)
    failed = caught.value
    assert len(failed.plan.faults) <= 1
    assert failed.what == "the run comes to an end"
    assert any("release 1 is deployed: the process is killed" in line for line in failed.told)
    with pytest.raises(SimulationFailed, match="'charge'"):
        simulate(shop, 5, scene=releases(free_of_charge), plan=failed.plan)


def test_releases_come_in_their_order() -> None:
    seen = Seen()
    simulate(shop, 5, scene=releases(insured, always_insured), invariants=[in_the_end(seen.take)], seeds=1)
    assert seen.taken_over == 1
    with pytest.raises(SimulationFailed, match="'insured'"):
        simulate(shop, 5, scene=releases(insured, always_insured), seeds=100)


def test_other_workflows_stay_as_they_are() -> None:
    @workflow(name="parent of a shop")
    async def parent() -> list[str]:
        return await shop(3)

    def scene(scene: Scene) -> None:
        scene.act("pack", lambda handle: _pack(handle))
        scene.deploy(parent)

    async def _pack(handle: Any) -> None:
        for row in await handle._engine.list():
            if row.workflow == "shop":
                await (await handle._engine.handle(row.id)).signal("packed")

    assert simulate(parent, scene=scene, seeds=3).ended == {"completed": 3}


def test_what_is_not_a_workflow_is_refused() -> None:
    def scene(scene: Scene) -> None:
        scene.deploy(charge)  # type: ignore[arg-type]

    with pytest.raises(InvalidArgument, match="is not a workflow"):
        simulate(shop, 5, scene=scene)
