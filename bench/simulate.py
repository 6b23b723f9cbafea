"""Times ``segue.testing.simulate``: a workflow of thirty steps, under so many schedules.

    python bench/simulate.py [schedules]

The bound is 1,000 schedules in less than 30 s. The processor time is printed too: on a machine that others use, it says
more than the clock.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import workloads

from segue.testing import Moment, simulate

STEPS = 30


def right_in_the_end(moment: Moment) -> bool:
    """What a user would ask for at the least."""
    return moment.state in ("absent", "running", "waiting", "incident", "completed", "failed")


def main() -> None:
    schedules = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    began, cpu = time.perf_counter(), time.process_time()
    held = simulate(workloads.steps, STEPS, seeds=schedules, invariants=[right_in_the_end])
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(
        f"{held.schedules:,} schedules of {STEPS} steps in {took:.1f} s ({cpu:.1f} s of processor time): "
        f"{held.commits:,} commits, {held.crashes:,} deaths, {held.executions:,} executions, {held.ended}"
    )


if __name__ == "__main__":
    main()
