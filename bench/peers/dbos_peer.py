"""W1, W2, W3, W4 on DBOS, over SQLite or PostgreSQL. Run by compare.py in an environment of its own."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time

from dbos import DBOS


@DBOS.step()
async def work(n: int) -> int:
    return n + 1


@DBOS.workflow()
async def steps(count: int) -> int:
    n = 0
    for _ in range(count):
        n = await work(n)
    return n


@DBOS.workflow()
async def fan_out(count: int) -> int:
    return sum(await asyncio.gather(*[work(i) for i in range(count)]))


async def one(count: int) -> int:
    handle = await DBOS.start_workflow_async(steps, count)
    return await handle.get_result()


async def measure(scale: float) -> dict[str, float]:
    assert await one(3) == 3
    found: dict[str, float] = {}
    chain, runs, width, repeats = (max(1, int(n * scale)) for n in (1000, 1000, 1000, 100))
    began = time.perf_counter()
    assert await one(chain) == chain
    found["W1 µs per step"] = (time.perf_counter() - began) / chain * 1e6
    began = time.perf_counter()
    assert await asyncio.gather(*[one(3) for _ in range(runs)]) == [3] * runs
    found["W2 steps per second"] = 3 * runs / (time.perf_counter() - began)
    began = time.perf_counter()
    assert await (await DBOS.start_workflow_async(fan_out, width)).get_result() == width * (width + 1) // 2
    found["W3 µs per step"] = (time.perf_counter() - began) / width * 1e6
    took = []
    for _ in range(repeats):
        began = time.perf_counter()
        assert await one(1) == 1
        took.append(time.perf_counter() - began)
    found["W4 p50 ms"] = statistics.median(took) * 1e3
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{folder}/dbos.sqlite"
        DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR"})
        DBOS.launch()
        print(json.dumps(asyncio.run(measure(float(sys.argv[1])))))
        DBOS.destroy()
