"""An engine in a process of its own that can be stopped, continued and killed; and the workflows that it serves.

Run as a program with the path of the database: prints ``owner`` or ``client`` once it is up and whenever that changes,
and ends when its input does.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import time
from pathlib import Path

from fault_kit import act

from segue import Engine, Transaction, step, workflow
from segue.runtime.settings import Settings

LOST_LIMIT = int(os.environ.get("SEGUE_TEST_LOST_LIMIT", "3"))


def settings() -> Settings:
    return Settings(slow_poll=0.05, lost_limit=LOST_LIMIT, threads=2, processes=2)


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


BRIEF = 0.15
"""Seconds that each of the steps takes of which few run at once."""


@step
def in_a_thread(n: int) -> None:
    act("begun")
    time.sleep(BRIEF)


@step(at_most_once=True)
def once_in_a_thread(n: int) -> None:
    act("begun")
    time.sleep(BRIEF)


@step(executor="process")
def in_a_process(n: int) -> None:
    act("begun")
    time.sleep(BRIEF)


@step.transaction
def in_a_transaction(db: Transaction, n: int) -> None:
    act("begun")
    time.sleep(BRIEF)


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


@workflow
async def crowded(kind: str, n: int) -> int:
    """Steps of a kind of which a few run at a time, and the others wait for their turn."""
    each = {"thread": in_a_thread, "once": once_in_a_thread, "process": in_a_process, "transaction": in_a_transaction}
    await asyncio.gather(*[each[kind](i) for i in range(n)])
    return n


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
