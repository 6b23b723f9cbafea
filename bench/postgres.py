"""Times segue on PostgreSQL, server and workers on the same cores, beside raw commits to the same server.

    python bench/postgres.py                    on a server of its own, in a folder (Debian's package postgresql)
    python bench/postgres.py W2 W4              these figures only
    python bench/postgres.py --url URL          on this one; databases are made in it and dropped
    python bench/postgres.py --runs 1000000     with this many ended runs in the list
    python bench/postgres.py --sleepers 1000000

A raw commit is one 200-byte row in autocommit over the same driver, in the same run, just before and just after.
``fsync`` and ``synchronous_commit`` are on.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

import workloads
from run import asleep, due_at_once, show

from postgres_kit import PostgresServer, own_server
from segue import Engine, Handle, Settings
from segue.stores.base import RunFilter

HERE = Path(__file__).parent
Row = dict[str, Any]
DISK = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB"}
LEASE = 5.0


def raw_commit(url: str, count: int = 500) -> float:
    """Seconds per autocommit of one 200-byte row."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS raw (id bigserial PRIMARY KEY, data bytea)")
        row = os.urandom(200)
        began = time.perf_counter()
        for _ in range(count):
            connection.execute("INSERT INTO raw (data) VALUES (%s)", (row,))
        return (time.perf_counter() - began) / count


async def storm(engines: list[Engine], runs: int) -> Row:
    """Three-step workflows, all at once, spread over the engines."""
    latencies: list[float] = []
    began = time.perf_counter()

    async def one(engine: Engine) -> None:
        handle = await engine.start(workloads.steps, 3)
        assert await handle.result() == 3
        latencies.append(time.perf_counter() - began)

    await asyncio.gather(*[one(engines[n % len(engines)]) for n in range(runs)])
    took = time.perf_counter() - began
    return {"seconds": took, "steps per second": runs * 3 / took, "workflow p50 s": statistics.median(latencies)}


async def w2(url: str) -> Row:
    """1,000 three-step workflows at once, one worker."""
    async with Engine(url) as engine:
        await storm([engine], 50)
        best = [await storm([engine], 1000) for _ in range(3)]
    return {**min(best, key=lambda row: row["seconds"]), "bound": "≥ 8,000/s"}


async def w2_two(url: str) -> Row:
    """The same on one worker process and on two, started by a client; both from the first start to the last end."""
    found: Row = {}
    for count in (1, 2):
        async with Engine(url, own=False) as client:
            with workers(url, count):
                await shared(client, count)
                await (await client.start(workloads.steps, 3)).result()
                began = time.perf_counter()
                handles = await asyncio.gather(*[client.start(workloads.steps, 30) for _ in range(200)])
                await all_done(client, handles)
                found[f"{count} worker(s), steps per second"] = 6000 / (time.perf_counter() - began)
    return {**found, "bound": "two no slower than one"}


async def shared(client: Engine, count: int) -> None:
    """Waits until so many workers have their share each."""
    await until(
        lambda: (
            sorted(w.slots * count for w in client.store.workers())[:1] >= [16384 - count]
            and len(client.store.workers()) == count
        )
    )


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 (the event is in another process)
        await asyncio.sleep(0.02)


async def all_done(client: Engine, handles: list[Handle[int]]) -> None:
    assert handles
    await until(lambda: not client.store.list(RunFilter(states=("running", "waiting"), limit=1)))


@contextmanager
def workers(url: str, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    code = f"import sys; sys.path.insert(0, {str(HERE)!r}); from segue.cli import main; main()"
    environment = {**os.environ, "SEGUE_LEASE": str(LEASE)}
    command = [sys.executable, "-c", code, "worker", str(HERE / "workloads.py"), "--url", url]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


async def w1(url: str) -> Row:
    """One workflow, 1,000 steps in a row."""
    raw = raw_commit(url)
    async with Engine(url) as engine:
        await (await engine.start(workloads.steps, 10)).result()
        began = time.perf_counter()
        assert await (await engine.start(workloads.steps, 1000)).result() == 1000
        took = time.perf_counter() - began
    raw = (raw + raw_commit(url)) / 2
    return {"seconds": took, "raw commits per step": took / 1000 / raw}


async def w4(url: str) -> Row:
    """Start a one-step workflow and get its result, one after the other."""
    raw = raw_commit(url)
    times = []
    async with Engine(url) as engine:
        await (await engine.start(workloads.steps, 1)).result()
        for _ in range(300):
            began = time.perf_counter()
            assert await (await engine.start(workloads.steps, 1)).result() == 1
            times.append(time.perf_counter() - began)
    raw = (raw + raw_commit(url)) / 2
    p50 = statistics.median(times)
    return {"p50 ms": p50 * 1e3, "p50 in raw commits": p50 / raw, "bound": "≤ 5 ms"}


async def takeover(url: str) -> Row:
    """A worker with 200 waiting runs is killed; how long until another one has served them all."""
    with workers(url, 1) as (first,):
        async with Engine(url, own=False) as client:
            await shared(client, 1)
            handles = await asyncio.gather(*[client.start(workloads.wait_for_go, n) for n in range(200)])
            await until(lambda: len(client.store.list(RunFilter(states=("waiting",), limit=1000))) == 200)
            with workers(url, 1):
                await shared(client, 2)
                first.send_signal(signal.SIGKILL)
                began = time.perf_counter()
                for handle in handles:
                    await handle.signal("go")
                await all_done(client, handles)
                took = time.perf_counter() - began
    return {"seconds": took, "lease s": LEASE, "bound": f"≤ {LEASE + 2:g} s"}


async def sleepers(url: str, count: int) -> Row:
    return await asleep(lambda: Engine(url), count)


async def timers(url: str) -> Row:
    return await due_at_once(lambda: Engine(url), 90)


async def lists(url: str, count: int) -> Row:
    """Lists of a table with many runs: the newest, by state, by workflow and time."""
    async with Engine(url, own=False, settings=Settings()) as engine:
        fill(url, count)
        wanted = {
            "newest": RunFilter(limit=50),
            "by state": RunFilter(states=("failed",), limit=50),
            "by state and time": RunFilter(states=("failed",), started_from=count // 2, limit=50),
            "by workflow": RunFilter(workflow="w7", limit=50),
        }
        found: Row = {"runs": count}
        for name, where in wanted.items():
            times = []
            for _ in range(11):
                began = time.perf_counter()
                assert len(engine.store.list(where)) == 50
                times.append(time.perf_counter() - began)
            found[f"{name} ms"] = statistics.median(times) * 1e3
    return {**found, "bound": "< 100 ms"}


def fill(url: str, count: int) -> None:
    """Runs that have ended, written straight into the table."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO segue.runs (namespace, id, uid, app, workflow, version, state, started_at, changed_at,"
            " closed_at, input_hash, tags, slot) SELECT 'default', 'f' || n, 'u' || n, 'filled', 'w' || n %% 10, 'v',"
            " CASE WHEN n %% 100 = 0 THEN 'failed' ELSE 'completed' END, n, n, n, '', '{}', n %% 16384"
            " FROM generate_series(1, %s) AS n",
            (count,),
        )
        connection.execute("ANALYZE segue.runs")


async def raw(url: str) -> Row:
    return {"commit µs": raw_commit(url) * 1e6}


WORKLOADS: dict[str, Callable[[str], Awaitable[Row]]] = {
    "W1": w1,
    "W2": w2,
    "workers": w2_two,
    "W4": w4,
    "takeover": takeover,
    "timers": timers,
    "sleepers": functools.partial(sleepers, count=20_000),
    "lists": functools.partial(lists, count=100_000),
    "raw": raw,
}


async def measure(server: PostgresServer, workloads: dict[str, Callable[[str], Awaitable[Row]]]) -> None:
    for name, workload in workloads.items():
        database = server.create()
        try:
            show(name, await workload(server.url(database)))
        finally:
            server.drop(database)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=", ".join(WORKLOADS))
    parser.add_argument("--url", help="a server; by default one is started")
    parser.add_argument("--runs", type=int, default=100_000, help="runs in the list (default %(default)s)")
    parser.add_argument("--sleepers", type=int, default=20_000, help="how many runs sleep (default %(default)s)")
    given = parser.parse_args()
    sized = {
        **WORKLOADS,
        "sleepers": functools.partial(sleepers, count=given.sleepers),
        "lists": functools.partial(lists, count=given.runs),
    }
    chosen = {name: sized[name] for name in given.names or sized}
    if given.url:
        asyncio.run(measure(PostgresServer(given.url), chosen))
    else:
        with own_server(DISK) as server:
            asyncio.run(measure(server, chosen))


if __name__ == "__main__":
    main()
