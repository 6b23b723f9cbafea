"""Times ``segue.testing.simulate``: a workflow of thirty steps, simulated so often.

    python bench/simulate.py [runs]

The bound is 1,000 runs in less than 30 s. The processor time is printed too: on a machine that others use, it says
more than the clock.
"""

from __future__ import annotations

import sys
import time

from segue import Retry, step, workflow
from segue.testing import Moment, simulate

STEPS = 30


@step(retry=Retry(attempts=5))  # with fewer, most of the runs would end early
async def work(n: int) -> int:
    return n + 1


@workflow
async def thirty_steps() -> int:
    n = 0
    for _ in range(STEPS):
        n = await work(n)
    return n


def right_in_the_end(moment: Moment) -> bool:
    """What a user would ask for at the least."""
    return moment.state in ("absent", "running", "waiting", "incident", "completed", "failed")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    began, cpu = time.perf_counter(), time.process_time()
    held = simulate(thirty_steps, seeds=runs, invariants=[right_in_the_end])
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(
        f"{held.runs:,} runs of {STEPS} steps in {took:.1f} s ({cpu:.1f} s of processor time): "
        f"{held.commits:,} commits, {held.crashes:,} deaths, {held.executions:,} executions, {held.ended}"
    )


if __name__ == "__main__":
    main()
