"""Writes the history of a run of many steps, loads the run by replay, and says what that took.

Run as a program with the path of a database and the number of events; prints the number of steps that the run has seen,
the megabytes by which the process grew, and the seconds until the run had answered.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from segue import Engine, signal, step, workflow
from segue.kernel import events as e
from segue.kernel.encoding import Encodings
from segue.kernel.steps import step_key
from segue.stores.base import Append, Batch, Started, StartRun
from segue.stores.sqlite.store import SqliteStore


@step
async def tick(n: int) -> int:
    return n


@workflow
async def ticks(length: int) -> int:
    seen = 0
    for n in range(length):
        seen += await tick(n) == n
    await signal("end")
    return seen


def write(path: str, length: int) -> None:
    """As if the steps had run one by one."""
    encodings = Encodings()
    site = tick.bind(encodings).call_site
    store = SqliteStore.open(path, durability="relaxed")
    fence = store.own("default", "writer")
    assert fence is not None
    payload, hash = ticks.bind(encodings).call_site.encode((length,), {})
    uid = f"{1:032x}"
    started = e.RunStarted(1, None, None, "ticks", "long", uid, payload, version=ticks.version, input_hash=hash)
    start = StartRun("default", "long", uid, "default", "ticks", 1, e.encode(started), hash, version=ticks.version)
    (answer,) = store.commit(Batch(1, (start,), fence))
    assert isinstance(answer, Started)
    for number, first in enumerate(range(0, length, 5_000), 2):
        events = []
        for n in range(first, min(first + 5_000, length)):
            arguments, hash = site.encode((n,), {})
            key = step_key("", "tick", n)
            done = e.StepCompleted(n + 2, None, None, key, "tick", 1, hash, encodings.encode(n), arguments)
            events.append(e.encode(done))
        store.commit(Batch(number, (Append(answer.run, first + 2, tuple(events)),), fence))
    store.close()


def peak() -> int:
    """Kilobytes; ``getrusage`` would count what the process that started this one had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


async def load(path: str) -> int:
    async with Engine(f"sqlite:///{path}") as engine:
        handle = await engine.handle("long")
        await handle.signal("end")
        return int(await handle.result())


def write_elsewhere(path: str, length: int) -> None:
    """In a process of its own, so that what it needs does not count."""
    pid = os.fork()
    if pid == 0:
        write(path, length)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


if __name__ == "__main__":
    write_elsewhere(sys.argv[1], int(sys.argv[2]))
    before, began = peak(), time.perf_counter()
    steps = asyncio.run(load(sys.argv[1]))
    print(steps, round((peak() - before) / 1024, 1), round(time.perf_counter() - began, 2))
