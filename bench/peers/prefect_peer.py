"""W1, W2, W3, W4 on Prefect with its temporary SQLite server. Run by compare.py in an environment of its own."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time

os.environ["PREFECT_LOGGING_LEVEL"] = "CRITICAL"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_HOME"] = tempfile.mkdtemp()

from prefect import flow, task
from prefect.testing.utilities import prefect_test_harness


@task(persist_result=True)
async def work(n: int) -> int:
    return n + 1


@flow(persist_result=True)
async def steps(count: int) -> int:
    n = 0
    for _ in range(count):
        n = await work(n)
    return n


@flow(persist_result=True)
async def fan_out(count: int) -> int:
    return sum(await asyncio.gather(*[work(i) for i in range(count)]))


async def measure(scale: float) -> dict[str, float]:
    assert await steps(1) == 1
    found: dict[str, float] = {}
    chain, runs, width, repeats = (max(1, int(n * scale)) for n in (1000, 1000, 1000, 100))
    began = time.perf_counter()
    assert await steps(chain) == chain
    found["W1 µs per step"] = (time.perf_counter() - began) / chain * 1e6
    began = time.perf_counter()
    assert await asyncio.gather(*[steps(3) for _ in range(runs)]) == [3] * runs
    found["W2 steps per second"] = 3 * runs / (time.perf_counter() - began)
    began = time.perf_counter()
    assert await fan_out(width) == width * (width + 1) // 2
    found["W3 µs per step"] = (time.perf_counter() - began) / width * 1e6
    took = []
    for _ in range(repeats):
        began = time.perf_counter()
        assert await steps(1) == 1
        took.append(time.perf_counter() - began)
    found["W4 p50 ms"] = statistics.median(took) * 1e3
    return found


if __name__ == "__main__":
    with prefect_test_harness():
        print(json.dumps(asyncio.run(measure(float(sys.argv[1])))))
