"""The same on segue, so that all three are measured in one run on one machine."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
import workloads

from segue import Engine


async def measure(scale: float, url: str) -> dict[str, float]:
    async with Engine(url) as engine:

        async def one(count: int) -> int:
            return await (await engine.start(workloads.steps, count)).result()

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
        assert await (await engine.start(workloads.fan_out, width)).result() == width * (width + 1) // 2
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
        url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{folder}/peer.db"
        print(json.dumps(asyncio.run(measure(float(sys.argv[1]), url))))
