"""The workflows that are timed, here and on the peers: the same shape everywhere, and every result is checked."""

from __future__ import annotations

import asyncio
import threading

from segue import Transaction, now, query, signal, step, update, workflow


@step
async def work(n: int) -> int:
    return n + 1


@workflow
async def steps(count: int) -> int:
    """``count`` steps, one after the other."""
    n = 0
    for _ in range(count):
        n = await work(n)
    return n


enough = threading.Event()


@step
def compute() -> int:
    """Computes in a thread until it is ``enough``; returns how many rounds it made."""
    rounds = 0
    while not enough.is_set():
        sum(range(1_000))
        rounds += 1
    return rounds


@workflow
async def computing(count: int) -> int:
    return sum(await asyncio.gather(*[compute() for _ in range(count)]))


@workflow
async def fan_out(count: int) -> int:
    """``count`` steps at once, then a join."""
    return sum(await asyncio.gather(*[work(i) for i in range(count)]))


@step.transaction
def open_book(db: Transaction) -> None:
    db.execute("CREATE TABLE book (entry INTEGER)")


@step.transaction
def enter(db: Transaction, entry: int) -> int:
    db.execute("INSERT INTO book VALUES (?)", (entry,))
    return entry


@workflow
async def begin_book() -> None:
    await open_book()


@workflow
async def keep_book(entry: int) -> int:
    """One transactional step."""
    return await enter(entry)


@workflow
async def wait_for_go(n: int) -> int:
    """One step, then a signal, then another step."""
    n = await work(n)
    await signal("go")
    return await work(n)


@workflow
async def sleep_long(n: int) -> int:
    await asyncio.sleep(30 * 86_400)
    return n


@workflow
async def sleep_until(at: float) -> float:
    """Sleeps until a point in time, in seconds since the epoch; says how late it woke up."""
    await asyncio.sleep(at - now().timestamp())
    return now().timestamp() - at


@workflow
async def counter(count: int) -> int:
    """``count`` steps in a row, then it answers what it is asked."""
    total = 0

    @query
    def so_far() -> int:
        return total

    @update
    async def add(n: int) -> int:
        nonlocal total
        total += n
        return total

    for _ in range(count):
        total = await work(total)
    await signal("end")
    return total


@workflow
async def many_then_wait(count: int) -> int:
    """``count`` steps in a row, then a signal."""
    for i in range(count):
        await work(i)
    await signal("go")
    return count
