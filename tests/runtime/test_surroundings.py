"""In other programs: notebooks, servers with an event loop or with threads; and calls that would wait for ever."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

import segue
from segue import Client, Cron, Engine, RunFailed, Schedule, signal, step, update, workflow
from segue.errors import CallerError
from segue.stores.base import OPEN, RunFilter

ROOT = Path(__file__).parents[2]


@step
def add(a: int, b: int) -> int:
    return a + b


@workflow
async def adds(a: int) -> int:
    return await add(a, 1)


@workflow
async def waits(a: int) -> int:
    return a + await signal("more", int)


@workflow
class Counter:
    total = 0

    async def run(self) -> int:
        await signal("stop")
        return self.total

    @update
    def add(self, n: int) -> int:
        self.total += n
        return self.total


def test_one_line_in_a_script(url: str) -> None:
    assert segue.run(adds, 1, url=url) == 2
    assert segue.run(adds, 1, url=url, id="again") == segue.run(adds, 1, url=url, id="again") == 2


async def test_one_line_where_an_event_loop_is_running(url: str) -> None:
    assert segue.run(adds, 1, url=url) == 2


# --- calls that would wait for themselves -----------------------------------------------------------------------


async def test_a_call_that_blocks_the_loop_of_the_owner_is_refused(url: str) -> None:
    async with Engine(url) as engine:
        assert engine.owner
        with pytest.raises(CallerError, match=r"works on this very event loop.*await engine.start"):
            segue.run(adds, 1, url=url)
        assert await asyncio.to_thread(segue.run, adds, 1, url=url) == 2, "in a thread it may wait"
        with Client(url, app="other") as client:  # owned by itself, on a loop of its own
            assert client.start(adds, 1).result() == 2
    assert segue.run(adds, 1, url=url) == 2


@step
async def on_the_loop(url: str) -> int:
    return segue.run(adds, 1, url=url)


@step
def in_a_thread(url: str) -> int:
    return segue.run(adds, 1, url=url)


@workflow
async def through_a_step(url: str, where: str) -> int:
    return await (on_the_loop if where == "loop" else in_a_thread)(url)


@workflow
async def by_itself(url: str) -> int:
    return segue.run(adds, 1, url=url)


async def test_a_step_may_run_a_workflow_from_its_thread_only(url: str) -> None:
    async with Engine(url) as engine:
        assert await (await engine.start(through_a_step, url, "thread")).result(timeout=30) == 2
        with pytest.raises(RunFailed, match="works on this very event loop"):
            await (await engine.start(through_a_step, url, "loop")).result(timeout=30)
        with pytest.raises(RunFailed, match=r"await wf\(x\)` starts a child run"):
            await (await engine.start(by_itself, url)).result(timeout=30)


# --- servers ----------------------------------------------------------------------------------------------------


async def test_a_server_opens_the_engine_in_one_task_and_uses_it_in_others(url: str) -> None:
    """As Starlette and FastAPI do: the lifespan is a task of its own, and so is each request."""
    engine = Engine(url)
    up, down = asyncio.Event(), asyncio.Event()

    async def lifespan() -> None:
        async with engine:
            up.set()
            await down.wait()

    async def post(number: int) -> str:
        return (await engine.start(waits, number, id=f"order-{number}")).id

    async def put(id: str) -> int:
        handle = await engine.handle(id)
        await handle.signal("more", 10)
        result: int = await handle.result()
        return result

    server = asyncio.create_task(lifespan())
    await up.wait()
    ids = await asyncio.gather(*[post(number) for number in range(5)])
    with pytest.raises(TimeoutError):  # a client that goes away: its request is cancelled, the run is not
        await (await engine.handle(ids[0])).result(timeout=0.001)
    assert await asyncio.gather(*[put(id) for id in ids]) == [10, 11, 12, 13, 14]
    down.set()
    await server


def test_what_still_goes_on_when_a_client_closes_comes_to_its_end(url: str) -> None:
    tasks: list[asyncio.Task[None]] = []

    async def takes_its_time() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            for _ in range(10):  # turns of the loop
                await asyncio.sleep(0)

    async def begin() -> None:
        tasks.append(asyncio.create_task(takes_its_time()))
        await asyncio.sleep(0)

    with Client(url) as client:
        client.wait(begin())
    assert [task.cancelled() for task in tasks] == [True]


def test_a_server_with_threads_shares_one_client(url: str) -> None:
    """As Django and Flask do: requests come on any thread, none of which has an event loop."""
    with Client(url) as client, ThreadPoolExecutor(4) as requests:
        seen: set[int] = set()

        def request(number: int) -> int:
            seen.add(threading.get_ident())
            client.start(waits, number, id=f"order-{number}")
            handle = client.handle(f"order-{number}", int)
            handle.signal("more", 10)
            return handle.result()

        assert list(requests.map(request, range(20))) == [10 + number for number in range(20)]
        assert threading.get_ident() not in seen


def test_threads_start_runs_with_their_first_message_and_keep_schedules(url: str) -> None:
    with Client(url) as client:
        order = client.with_start(waits, 1, id="order")
        assert order.handle is None
        assert order.signal("more", 41).result() == 42
        assert order.handle is not None
        assert order.handle.status().state == "completed"
        assert client.with_start(Counter, id="counter").update(Counter.add, 2) == 2
        assert client.with_start(Counter, id="counter").update("add", 3) == 5
        client.handle("counter").signal("stop")

        nightly = Cron("0 2 * * *")
        client.schedules.create("nightly", waits, Schedule(nightly, args=(5,)), paused="not yet")
        assert client.schedules.show("nightly").paused == "not yet"
        client.schedules.update("nightly", note="the books")
        client.schedules.resume("nightly")
        client.schedules.pause("nightly", "again")
        assert [(found.name, found.paused, found.note) for found in client.schedules.list()] == [
            ("nightly", "again", "the books")
        ]
        assert client.schedules.preview("nightly", 2) == client.schedules.preview(nightly, 2)
        now = client.schedules.trigger("nightly")
        now.signal("more", 1)
        assert now.result() == 6
        period = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))
        assert client.schedules.preview_backfill("nightly", *period).total == 2
        backfill = client.schedules.backfill("nightly", *period, id="early")
        client.schedules.cancel_backfill("nightly", backfill)
        client.schedules.delete("nightly")
        assert client.schedules.list() == []
        for open in client.list(RunFilter(states=OPEN)):
            client.handle(open.id).terminate()


# --- notebooks --------------------------------------------------------------------------------------------------

CELLS = [
    """
import segue
from segue import Engine, step, workflow

@step
async def greet(name: str) -> str:
    return f"hello {name}"

@workflow
async def welcome(name: str) -> str:
    return await greet(name)
""",
    "print(segue.run(welcome, 'Ann'))",
    """
@step
async def greet(name: str) -> str:
    return f"good morning {name}"

@workflow
async def welcome(name: str) -> str:
    return await greet(name) + "!"
""",
    "print(segue.run(welcome, 'Bob'))",
    "engine = Engine(); await engine.open(); handle = await engine.start(welcome, 'Cy')",
    "print(await handle.result())",
    """
try:
    segue.run(welcome, 'Dan')
except Exception as error:
    print(type(error).__name__)
""",
    "print(await greet('Eve'))",
    "await engine.close()",
]

NOTEBOOK = """
import ast, asyncio, inspect, linecache, sys

async def notebook(cells):
    for number, cell in enumerate(cells):
        file = f"/tmp/ipykernel_1/{number}.py"
        linecache.cache[file] = len(cell), None, cell.splitlines(True), file
        code = compile(cell, file, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, sys.modules["__main__"].__dict__)
        if inspect.iscoroutine(result):
            await result

import json
asyncio.run(notebook(json.loads(sys.argv[1])))
"""


def test_a_notebook_whose_cells_are_changed_and_run_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK, json.dumps(CELLS)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "hello Ann",
        "good morning Bob!",
        "good morning Cy!",
        "CallerError",
        "good morning Eve",
    ]
