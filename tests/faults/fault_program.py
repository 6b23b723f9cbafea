"""An engine in a process of its own that can be stopped, continued and killed; and the workflows that it serves.

Run as a program with the path of the database: prints ``owner`` or ``client`` once it is up and whenever that changes,
and ends when its input does.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from pathlib import Path

from fault_kit import act

from segue import Engine, step, workflow
from segue.runtime.settings import Settings

LOST_LIMIT = int(os.environ.get("SEGUE_TEST_LOST_LIMIT", "3"))


def settings() -> Settings:
    return Settings(slow_poll=0.05, lost_limit=LOST_LIMIT)


@step
async def waits_for(file: str) -> str:
    """Takes effect once the file is there, in this process or another."""
    act("begun")
    while not Path(file).exists():  # noqa: ASYNC110, ASYNC240 - what is waited for is a file
        await asyncio.sleep(0.002)
    act("done")
    return file


@step
async def one_more(n: int) -> int:
    act()
    return n + 1


@step
def crashes(where: str) -> None:
    """Takes the whole engine with it: it runs in a thread of the same process."""
    act()
    if not Path(where).exists():
        ctypes.string_at(0)


@workflow
async def waiting(file: str) -> int:
    await waits_for(file)
    return await one_more(1)


@workflow
async def counting(n: int) -> int:
    total = 0
    for _ in range(n):
        total = await one_more(total)
    await asyncio.sleep(0.01)
    return await one_more(total)


@workflow
async def crashing(where: str) -> str:
    await crashes(where)
    return "survived"


async def _main(path: str) -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), done.set)
    async with Engine(f"sqlite:///{path}", settings=settings()) as engine:
        told: bool | None = None
        while not done.is_set():
            if engine.owner != told:
                told = engine.owner
                print("owner" if told else "client", flush=True)
            await asyncio.sleep(0.005)


if __name__ == "__main__":
    import fault_program  # by its name, so that its steps have the names that everybody else finds them under

    asyncio.run(fault_program._main(sys.argv[1]))
