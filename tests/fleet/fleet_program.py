"""Workflows of the fleet's tests, and a worker in a process of its own: ``fleet_program.py URL APP LEASE``.

What is done outside is noted in a table of the database, by (run, what, process): the tests' own, beside segue's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from segue import Engine, Settings, idempotency_key, saga, signal, step, workflow

DATABASE = os.environ.get("FLEET_DATABASE", "")


def note(what: str) -> None:
    """Notes that something happened, whoever does it; a server that is away for a moment is waited for."""
    while True:
        try:
            _write(what)
            return
        except psycopg.OperationalError:
            time.sleep(0.05)


def _write(what: str) -> None:
    with psycopg.connect(DATABASE, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO done (key, what, process) VALUES (%s, %s, %s)", (idempotency_key(), what, os.getpid())
        )


@step
def act(what: str) -> str:
    note(what)
    return what


@step
async def last(seconds: float) -> float:
    await asyncio.to_thread(note, "begins")
    await asyncio.sleep(seconds)
    await asyncio.to_thread(note, "ends")
    return seconds


@workflow
async def walks(n: int) -> list[str]:
    return [await act(f"{n}-{i}") for i in range(4)]


@workflow
async def meets(n: int) -> str:
    await act(f"{n} before")
    word = await signal("go", str)
    return await act(f"{n} {word}")


@workflow
async def sleeps(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return await act("awake")


@workflow
async def naps(n: int, seconds: float) -> str:
    await act(f"{n} falls asleep")
    await asyncio.sleep(seconds)
    return await act(f"{n} awake")


@workflow
async def lasts(seconds: float) -> float:
    return await last(seconds)


@workflow
async def leads(n: int) -> list[str]:
    parts = await asyncio.gather(*[walks.child(n * 10 + i) for i in range(2)])
    return [word for part in parts for word in part]


@workflow
async def undoes(n: int) -> str:
    async with saga() as s:
        await s.step(act, f"{n} do", undo=undo)
        return await signal("go", str)


@step
def undo(what: str, done: str | None) -> None:
    note(f"undo {what}")


def set_clock(place: str) -> None:
    """Has this process's wall clock differ from the machine's by as many seconds as the file says."""
    machine = time.time_ns

    def time_ns() -> int:
        return machine() + round(float(Path(place).read_text()) * 1e9)

    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1e9


async def main(url: str, app: str, lease: float, *, workflows: list[Any] | None = None, **settings: Any) -> None:
    """Works until standard input ends."""
    async with Engine(url, app=app, workflows=workflows, settings=Settings(lease=lease, **settings)):
        print("works", flush=True)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    if "FLEET_CLOCK" in os.environ:
        set_clock(os.environ["FLEET_CLOCK"])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
