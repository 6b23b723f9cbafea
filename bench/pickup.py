"""Times how soon the owner of a file takes up a run that another process started.

    python bench/pickup.py [runs]

Another process is ``segue worker``, which owns the file. This one starts runs, one every 50 ms, and afterwards reads in
the journals when each run was started (the client's clock, before its commit) and when its first step began (the
owner's clock, the same machine). The bound is 100 ms.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import workloads

from segue import Engine
from segue.kernel import events as e

BETWEEN = 0.05
"""Seconds between two starts."""


async def measure(url: str, runs: int) -> list[float]:
    """Milliseconds from each start to the beginning of the first step."""
    async with Engine(url, own=False) as client:
        handles = []
        for _ in range(runs):
            handles.append(await client.start(workloads.steps, 1))
            await asyncio.sleep(BETWEEN)
        waits = []
        for handle in handles:
            assert await handle.result() == 1
            events = [event for _, event in client.events_of(handle.run)]
            (step,) = [event for event in events if isinstance(event, e.StepCompleted)]
            assert step.started_at is not None
            waits.append((step.started_at - events[0].at) / 1000)
    return waits


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/pickup.db"
        place = str(Path(workloads.__file__))
        command = [sys.executable, "-m", "segue.cli", "worker", place, "--url", url]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert worker.stdout is not None
        worker.stdout.readline()  # it says what it serves once it owns the file
        threading.Thread(target=worker.stdout.read, daemon=True).start()  # what it says about runs is not needed
        try:
            waits = sorted(asyncio.run(measure(url, runs)))
        finally:
            worker.terminate()
            worker.wait()
    p50, p99 = statistics.median(waits), waits[max(0, round(len(waits) * 0.99) - 1)]
    print(f"{runs} runs started in one process, taken up in another: ", end="")
    print(f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {waits[-1]:.1f} ms (bound: 100 ms)")


if __name__ == "__main__":
    main()
