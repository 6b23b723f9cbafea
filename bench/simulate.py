"""Times ``segue.testing.simulate``: a workflow of thirty steps, simulated so often.

    python bench/simulate.py [runs]

The bound is 1,000 runs in less than 30 s. The processor time is printed too: on a machine that others use, it says
more than the clock.
"""

from __future__ import annotations

import sys
import time

from segue import Retry, idempotency_key, step, workflow
from segue.testing import Moment, Scene, in_the_end, simulate

STEPS = 30


@step(retry=Retry(attempts=5))  # with fewer, most of the runs would end early
async def work(n: int) -> int:
    raise AssertionError("a mock stands in for it")


@workflow
async def thirty_steps() -> int:
    n = 0
    for _ in range(STEPS):
        n = await work(n)
    return n


class Outside:
    """A service that knows its keys, as most fakes of a service do."""

    def __init__(self) -> None:
        self.effects: dict[str, int] = {}

    def work(self, n: int) -> int:
        return self.effects.setdefault(idempotency_key(), n + 1)


def set_scene(scene: Scene) -> Outside:
    outside = Outside()
    scene.mock(work, side_effect=outside.work)
    return outside


def each_effect_once(moment: Moment) -> bool:
    effects = moment.outside.effects
    return len(set(effects.values())) == len(effects) <= STEPS


@in_the_end
def all_of_them(moment: Moment) -> bool:
    return moment.state == "failed" or len(moment.outside.effects) == STEPS


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    began, cpu = time.perf_counter(), time.process_time()
    held = simulate(thirty_steps, scene=set_scene, seeds=runs, invariants=[each_effect_once, all_of_them])
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(
        f"{held.runs:,} runs of {STEPS} steps in {took:.1f} s ({cpu:.1f} s of processor time): "
        f"{held.commits:,} commits, {held.crashes:,} deaths, {held.executions:,} executions, {held.ended}"
    )


if __name__ == "__main__":
    main()
