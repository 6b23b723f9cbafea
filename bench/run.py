"""Times segue beside raw commits of the same file system, in the same run, and prints ratios.

    python bench/run.py            all workloads
    python bench/run.py W1 W2      some of them
    python bench/run.py --json     for machines

An absolute figure means little on a shared machine; the ratio to a raw commit (one 200-byte row, autocommit, the same
driver, the same settings, in a new file, measured just before and just after) is what is held against
docs/performance.md. Beside it stands the ratio to a commit to a log that is only overwritten, as in a file that has
been in use for a while: on most file systems it is faster.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import apsw

sys.path.insert(0, str(Path(__file__).parent))
import workloads

from segue import Engine, Handle, Settings
from segue.authoring.python.execution import CodeExecution
from segue.encodings import default_encodings
from segue.kernel import events as e
from segue.kernel.replay import Replay
from segue.runtime.loading import strides

Row = dict[str, Any]


def raw_file(folder: Path) -> apsw.Connection:
    """A database of one table, with the settings of a store's."""
    db = apsw.Connection(str(folder / f"raw-{time.monotonic_ns()}.db"))
    db.execute("PRAGMA journal_mode=WAL").fetchall()
    db.execute("PRAGMA synchronous=FULL").fetchall()
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, data BLOB)")
    return db


def used_file(folder: Path) -> apsw.Connection:
    """The same, with a log of 3 MB that is overwritten."""
    db = raw_file(folder)
    with db:
        db.executemany("INSERT INTO t(data) VALUES (?)", [(os.urandom(2_000),)] * 1_500)
    db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
    return db


def commit_to(db: apsw.Connection, row: bytes = os.urandom(200)) -> float:
    """Seconds that an autocommit of one row takes."""
    began = time.perf_counter()
    db.execute("INSERT INTO t(data) VALUES (?)", (row,))
    return time.perf_counter() - began


def raw_commit(folder: Path, count: int = 500, make: Callable[[Path], apsw.Connection] = raw_file) -> float:
    """Seconds per autocommit of one 200-byte row."""
    db = make(folder)
    began = time.perf_counter()
    for _ in range(count):
        commit_to(db)
    return (time.perf_counter() - began) / count


def raw_batch(folder: Path, rows: int = 1000, count: int = 10) -> float:
    """Seconds per row when a thousand 200-byte rows share a commit."""
    db = raw_file(folder)
    data = [(os.urandom(200),) for _ in range(rows)]
    began = time.perf_counter()
    for _ in range(count):
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO t(data) VALUES (?)", data)
        db.execute("COMMIT")
    return (time.perf_counter() - began) / count / rows


def engine(folder: Path, name: str) -> Engine:
    return Engine(f"sqlite:///{folder / name}.db")


async def w1(folder: Path) -> Row:
    """One workflow, 1,000 steps in a row, beside as many commits: the middle one of five ratios, since a disk that
    others use as well changes its pace within seconds."""
    found: list[tuple[float, float, float]] = []
    for number in range(5):
        raw = raw_commit(folder)
        async with engine(folder, f"w1-{number}") as eng:
            await (await eng.start(workloads.steps, 10)).result()
            began = time.perf_counter()
            assert await (await eng.start(workloads.steps, 1000)).result() == 1000
            took = (time.perf_counter() - began) / 1000
        raw = (raw + raw_commit(folder)) / 2
        found.append((took / raw, took, took / raw_commit(folder, make=used_file)))
    ratio, took, beside_used = sorted(found)[2]
    return {
        "µs per step": took * 1e6, "raw commits per step": ratio, "of 5, least": min(found)[0], "most": max(found)[0],
        "commits to a used log": beside_used, "bound": "≤ 1.3",
    }  # fmt: skip


async def many(folder: Path, runs: int, name: str) -> Row:
    async with engine(folder, name) as eng:
        await (await eng.start(workloads.steps, 3)).result()
        cpu = time.process_time()
        began = time.perf_counter()
        from_asking: list[float] = []
        from_start: list[float] = []

        async def one() -> None:
            handle = await eng.start(workloads.steps, 3)
            started = time.perf_counter()
            assert await handle.result() == 3
            ended = time.perf_counter()
            from_start.append(ended - started)
            from_asking.append(ended - began)

        await asyncio.gather(*[one() for _ in range(runs)])
        took = time.perf_counter() - began
        cpu = time.process_time() - cpu
    steps = runs * 3
    return {
        "seconds": took,
        "steps per second": steps / took,
        "CPU µs per step": cpu / steps * 1e6,
        "workflow p50 s": statistics.median(from_start),
        "since all were asked for, p50 s": statistics.median(from_asking),
    }


async def middle(folder: Path, runs: int, times: int) -> Row:
    """The middle one of several, each on a new file: the first is a process that has only just begun, and a machine
    that others use changes its pace within seconds."""
    found: list[Row] = []
    for number in range(times):
        batch = raw_batch(folder)
        row = await many(folder, runs, f"w2-{runs}-{number}")
        found.append({**row, "raw batched rows per step": row["seconds"] / (3 * runs) / batch})
    found.sort(key=lambda row: row["seconds"])
    return {
        **found[times // 2], f"of {times}, least": found[-1]["steps per second"], "most": found[0]["steps per second"],
    }  # fmt: skip


async def w2(folder: Path) -> Row:
    """1,000 three-step workflows at once."""
    return {**await middle(folder, 1000, 5), "bound": "≥ 20,000/s"}


async def w2_large(folder: Path) -> Row:
    """10,000 three-step workflows at once."""
    return {**await middle(folder, 10_000, 3), "bound": "≥ 15,000/s, p50 ≤ 0.5 s"}


async def w3(folder: Path) -> Row:
    """Fan-out of 1,000 and join."""
    async with engine(folder, "w3") as eng:
        await (await eng.start(workloads.fan_out, 10)).result()
        best = []
        for _ in range(3):
            began = time.perf_counter()
            assert await (await eng.start(workloads.fan_out, 1000)).result() == 500500
            best.append(time.perf_counter() - began)
    return {"seconds": statistics.median(best), "bound": "≤ 0.1 s"}


async def w4(folder: Path) -> Row:
    """Start a one-step workflow and get its result, by turns with raw commits."""
    took, raw, used = [], [], []
    new, old = raw_file(folder), used_file(folder)
    async with engine(folder, "w4") as eng:
        for _ in range(300):
            raw.append(commit_to(new))
            used.append(commit_to(old))
            began = time.perf_counter()
            assert await (await eng.start(workloads.steps, 1)).result() == 1
            took.append(time.perf_counter() - began)
    p50 = statistics.median(took)
    return {
        "p50 ms": p50 * 1e3, "raw commits": p50 / statistics.median(raw),
        "commits to a used log": p50 / statistics.median(used), "bound": "≤ 4",
    }  # fmt: skip


async def transactions(folder: Path) -> Row:
    """500 runs at once, each with a row of its own in a transactional step; the middle one of five."""
    raw, rounds = raw_batch(folder), []
    async with engine(folder, "transactions") as eng:
        await (await eng.start(workloads.begin_book)).result()

        async def one(entry: int) -> int:
            return await (await eng.start(workloads.keep_book, entry)).result()

        for _ in range(5):
            began, computed = time.perf_counter(), time.process_time()
            assert await asyncio.gather(*[one(entry) for entry in range(500)]) == list(range(500))
            rounds.append((time.perf_counter() - began, time.process_time() - computed))
    with apsw.Connection(str(folder / "transactions.db")) as db:
        assert db.execute("SELECT count(*) FROM book").fetchall() == [(2500,)]
    seconds, computed = sorted(rounds)[2]
    return {
        "transactions per second": 500 / seconds, "processor µs each": computed / 500 * 1e6,
        "raw batched rows each": seconds / 500 / raw,
    }  # fmt: skip


async def w5(folder: Path) -> Row:
    """1,000 waiting runs, kill -9, all served again."""
    child = subprocess.Popen(  # noqa: ASYNC220  nothing else is to run meanwhile
        [sys.executable, __file__, "--victim", str(folder / "w5.db")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "waiting"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    began = time.perf_counter()
    async with engine(folder, "w5") as eng:
        handles = [await eng.handle(f"w-{i}") for i in range(1000)]
        await asyncio.gather(*[handle.signal("go") for handle in handles])
        results = await asyncio.gather(*[handle.result() for handle in handles])
        took = time.perf_counter() - began
    assert results == [i + 2 for i in range(1000)]
    return {"seconds": took, "bound": "< 0.5 s"}


async def victim(path: str) -> None:
    async with Engine(f"sqlite:///{path}") as eng:
        await asyncio.gather(*[eng.start(workloads.wait_for_go, i, id=f"w-{i}") for i in range(1000)])
        while any(  # noqa: ASYNC110  seen from outside, as a client would
            row.state != "waiting" for row in eng.store.list(_everything())
        ):
            await asyncio.sleep(0.01)
        print("waiting", flush=True)
        await asyncio.sleep(60)


def _everything() -> Any:
    from segue.stores.base import RunFilter

    return RunFilter(limit=2000)


async def threads(folder: Path) -> Row:
    """Runs of three steps beside four steps that compute in threads."""
    workloads.enough.clear()
    async with engine(folder, "threads") as eng:

        async def one() -> float:
            began = time.perf_counter()
            assert await (await eng.start(workloads.steps, 3)).result() == 3
            return time.perf_counter() - began

        computing = await eng.start(workloads.computing, 4)
        beginning = time.perf_counter()
        took = [await one() for _ in range(10)]
        began = time.perf_counter()
        await asyncio.gather(*[one() for _ in range(500)])
        many = time.perf_counter() - began
        await asyncio.sleep(3)
        workloads.enough.set()
        rounds = await computing.result() / (time.perf_counter() - beginning)
    return {"one run, p50 ms": statistics.median(took) * 1e3, "500 at once s": many, "rounds computed per s": rounds}


async def replay(folder: Path) -> Row:
    """Events per second of a replay from the store, decoding included."""
    count = 20_000
    async with engine(folder, "replay") as eng:
        handle = await eng.start(workloads.steps, count)
        assert await handle.result() == count
        rates = []
        for _ in range(3):
            execution = eng.definitions.newest("steps")
            assert isinstance(execution, CodeExecution)
            began = time.perf_counter()
            steps = Replay(execution)
            for stride in strides(eng.events_of(handle.run)):
                steps.feed_all(event for _, event in stride)
            steps.finish()
            rates.append(count / (time.perf_counter() - began))
    return {"events per second": max(rates), "bound": "≥ 100,000/s"}


async def _counter(eng: Engine, count: int) -> Handle[int]:
    handle = await eng.start(workloads.counter, count)
    while await handle.query("so_far") != count:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return handle


async def _p50(ask: Callable[[], Awaitable[Any]], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


async def queries(folder: Path) -> Row:
    """Query a run that is in memory, and one of 1,000 events that is not."""
    async with engine(folder, "queries") as eng:
        handle = await _counter(eng, 1)
        resident = await _p50(lambda: handle.query("so_far"), 1000)
    dropping = Engine(f"sqlite:///{folder / 'evicted'}.db", settings=Settings(cache=0))
    async with dropping as eng:
        handle = await _counter(eng, 998)
        evicted = await _p50(lambda: handle.query("so_far"), 100)
        async with Engine(f"sqlite:///{folder / 'evicted'}.db", own=False) as client:
            there = await client.handle(handle.id)
            elsewhere = await _p50(lambda: there.query("so_far"), 100)
    return {
        "resident p50 ms": resident * 1e3,
        "evicted p50 ms": evicted * 1e3,
        "other process p50 ms": elsewhere * 1e3,
        "bound": "< 1 ms; < 15 ms with 1,000 events",
    }


async def updates(folder: Path) -> Row:
    """Update round trips: fresh, under an id of the caller's, with the start, and a signal."""
    raw = raw_commit(folder)
    ids = iter(range(1_000_000))
    async with engine(folder, "updates") as eng:
        handle = await _counter(eng, 1)
        fresh = await _p50(lambda: handle.update("add", 1), 300)
        known = await _p50(lambda: handle.update("add", 1, id=f"u{next(ids)}"), 300)
        started = await _p50(
            lambda: eng.with_start(workloads.counter, 0, id=f"c{next(ids)}").update("add", 1, id="u"), 300
        )
        signalled = await _p50(lambda: handle.signal("other", 1), 300)
    raw = (raw + raw_commit(folder)) / 2
    return {
        "p50 ms": fresh * 1e3,
        "raw commits": fresh / raw,
        "with id, raw commits": known / raw,
        "with start, raw commits": started / raw,
        "signal, raw commits": signalled / raw,
        "bound": "≤ 4",
    }


SLEEPERS = 100_000
"""How many runs sleep, unless ``--sleepers`` says otherwise; the bound is stated for a million."""
AT_ONCE = 2_000


async def start_all(eng: Engine, count: int, workflow: Any, argument: Any) -> list[Handle[Any]]:
    """Starts so many runs, a bounded number of them at once."""
    handles: list[Handle[Any]] = []
    for first in range(0, count, AT_ONCE):
        handles += await asyncio.gather(
            *[eng.start(workflow, argument) for _ in range(first, min(first + AT_ONCE, count))]
        )
    return handles


async def put_to_sleep(eng: Engine, count: int) -> None:
    """Starts so many runs that sleep, and keeps nothing of them."""
    for first in range(0, count, AT_ONCE):
        await start_all(eng, min(AT_ONCE, count - first), workloads.sleep_long, 0)


async def asleep(opened: Callable[[], Engine], count: int) -> Row:
    """Sleeping runs: memory per run, restart to serving."""
    async with opened() as eng:
        await put_to_sleep(eng, 2 * AT_ONCE)
        before = resident_bytes()
        await put_to_sleep(eng, count)
        grown = resident_bytes() - before
    began = time.perf_counter()
    async with opened() as eng:
        assert await (await eng.start(workloads.steps, 1)).result() == 1
        restart = time.perf_counter() - began
        found = eng.store.stats().runs["waiting"]
    assert found == count + 2 * AT_ONCE
    return {
        "runs": found,
        "bytes of RSS per run": grown / count,
        "restart s": restart,
        "bound": "≤ 100 bytes; < 5 s",
    }


async def sleepers(folder: Path, count: int = SLEEPERS) -> Row:
    return await asleep(lambda: engine(folder, "sleep"), count)


def resident_bytes() -> int:
    """What the process has in memory now, not at its highest."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def due_at_once(opened: Callable[[], Engine], seconds: float) -> Row:
    """10,000 timers that are due at once, so many seconds after the first is set."""
    count = 10_000
    async with opened() as eng:
        due = time.time() + seconds
        handles = await start_all(eng, count, workloads.sleep_until, due)
        assert time.time() < due, "starting took longer than the sleep: the machine is too busy for this figure"
        late = await asyncio.gather(*[handle.result() for handle in handles])
        done = time.time() - due
    assert len(late) == count
    assert min(late) >= 0
    return {"last one fired s": max(late), "all results s": done, "bound": "within 10 s"}


async def timers(folder: Path) -> Row:
    return await due_at_once(lambda: engine(folder, "timers"), 60)


async def import_time(folder: Path) -> Row:
    """``import segue`` over the bare interpreter."""

    def best(code: str) -> float:
        times = []
        for _ in range(7):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    bare = best("pass")
    return {
        "import segue ms": (best("import segue") - bare) * 1e3,
        "with Engine ms": (best("from segue import Engine, workflow, step") - bare) * 1e3,
        "bound": "< 150 ms",
    }


WORKLOADS: dict[str, Callable[[Path], Awaitable[Row]]] = {
    "W1": w1,
    "W2": w2,
    "W2x10": w2_large,
    "W3": w3,
    "W4": w4,
    "W5": w5,
    "transactions": transactions,
    "threads": threads,
    "replay": replay,
    "queries": queries,
    "updates": updates,
    "sleepers": sleepers,
    "timers": timers,
    "import": import_time,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=", ".join(WORKLOADS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sleepers", type=int, default=SLEEPERS, help="how many runs sleep (default %(default)s)")
    parser.add_argument("--victim", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.victim:
        asyncio.run(victim(args.victim))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found: dict[str, Row] = {
            "raw": {
                "commit µs": raw_commit(folder) * 1e6,
                "to a used log µs": raw_commit(folder, make=used_file) * 1e6,
                "batched row µs": raw_batch(folder) * 1e6,
            }
        }
        chosen = {**WORKLOADS, "sleepers": functools.partial(sleepers, count=args.sleepers)}
        for workload in args.names or chosen:
            found[workload] = asyncio.run(chosen[workload](folder))  # type: ignore[arg-type]
            if not args.json:
                show(workload, found[workload])
        if args.json:
            print(json.dumps(found, indent=1))
        else:
            show("raw", found["raw"])


def show(name: str, row: Row) -> None:
    figures = ", ".join(f"{k} {v:,.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
    print(f"{name:9} {figures}", flush=True)


_ = (default_encodings, e)

if __name__ == "__main__":
    main()
