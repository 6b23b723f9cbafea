"""Times the dashboard and what it asks, over a database with many runs.

    python bench/dashboard.py [runs]        a million unless said
    python bench/dashboard.py W2            only what W2 loses while the list of runs is open

The runs are written as rows that have ended within the last thirty days; the one that is looked at is a real one with
10,000 events. What the browser does is measured in the system's Chromium, with Playwright, and left out without it.
The bounds are those of the issue: the first page of runs < 100 ms, a change on screen < 300 ms after its commit, a run
of 10,000 events to be used < 1.5 s after its address was asked for, 250 kB of script for the first page, 90 MB at rest,
and W2 less than 10 % slower with the page open. For that, runs are started in the process that serves the page, by
turns with it and without, since what else the machine does changes from minute to minute.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import apsw

from segue import Engine
from segue.server.access import Loopback
from segue.server.app import application
from segue.server.listening import listen
from segue.stores.sqlite import SqliteStore

sys.path.insert(0, str(Path(__file__).parent))
import workloads

PLACE = str(Path(__file__).parent / "workloads.py")
DAY = 24 * 3_600_000_000
EVENTS = 10_000
ASKED = 20
ROW = """
INSERT INTO runs (
    namespace, app, version, input_hash, tags, id, uid, workflow, state, started_at, changed_at, closed_at
) VALUES ('default', 'default', '9f8e7d6c5b4a3210', 'h', '{}', ?, ?, ?, ?, ?, ?, ?)
"""


def fill(file: Path, runs: int) -> None:
    """Runs that ended over the last thirty days, at an even pace."""
    SqliteStore.open(file).close()
    draw = random.Random(1)
    now = time.time_ns() // 1000

    def rows() -> Iterator[tuple[Any, ...]]:
        for number in range(runs):
            began = now - 30 * DAY + 30 * DAY * number // runs
            ended = min(now, began + int(draw.lognormvariate(15, 1.5)))
            state = draw.choices(("completed", "failed", "cancelled"), (94, 5, 1))[0]
            yield f"run-{number}", f"uid-{number}", f"workflow-{number % 8}", state, began, ended, ended

    connection = apsw.Connection(str(file))
    with connection:
        connection.executemany(ROW, rows())
    connection.close()


@contextmanager
def served(url: str, *command: str) -> Iterator[tuple[str, int]]:
    """The address of a server in a process of its own, and that process."""
    words = [sys.executable, "-m", "segue.cli", *command, "--url", url, "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
    reader = threading.Thread(target=process.stdout.read, daemon=True)
    reader.start()
    try:
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


def ask(address: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{address}/api/v1{path}", data, {"content-type": "application/json"})
    with urlopen(request) as answer:
        return json.loads(answer.read())


def timed(address: str, path: str) -> float:
    """Milliseconds, the median of several."""
    taken = []
    for _ in range(ASKED):
        began = time.perf_counter()
        ask(address, path)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def asked_again(address: str, path: str) -> None:
    """Prints what an answer takes, and what it takes to hear that it has not changed."""
    tag = ""
    for name in ("the first time", "again, unchanged"):
        request = Request(f"{address}/api/v1{path}", headers={"if-none-match": tag})
        taken = []
        for _ in range(ASKED):
            began = time.perf_counter()
            status, headers, body = answered(request)
            taken.append((time.perf_counter() - began) * 1000)
        print(f"  {path}, {name}: {status}, {len(body) / 1000:.1f} kB, {statistics.median(taken):.1f} ms")
        tag = headers["etag"]


def answered(request: Request) -> tuple[int, Any, bytes]:
    try:
        with urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except HTTPError as answer:  # which is what this library makes of a 304
        with answer:
            return answer.code, answer.headers, answer.read()


def resident(process: int) -> float:
    """MB of memory that a process holds."""
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) / 1000


def a_long_run(address: str) -> int:
    """The number of a run with 10,000 events that has ended."""
    run = ask(address, "/runs", {"workflow": "steps", "input": [EVENTS], "id": "long"})["run"]
    while (picture := ask(address, "/runs?id=long&limit=1"))["runs"][0]["state"] != "completed":
        time.sleep(0.1)
    assert picture["runs"][0]["run"] == run
    return int(run)


APPEARS = """async (id) => {
  const body = JSON.stringify({ workflow: 'steps', input: [1], id })
  const answer = await fetch('api/v1/runs', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  const committed = performance.now()
  if (answer.status !== 201) throw new Error(await answer.text())
  while (!document.querySelector(`a[title="${id}"]`)) await new Promise(requestAnimationFrame)
  return performance.now() - committed
}"""


def in_browser(address: str, run: int) -> None:
    """Prints what a person waits for."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("without playwright, nothing is measured in a browser")
        return
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{address}/runs", wait_until="networkidle")
        taken = [page.evaluate(APPEARS, f"seen-{number}") for number in range(10)]
        print(
            f"a run on screen after its commit: p50 {statistics.median(taken):.0f} ms, most {max(taken):.0f} ms (300)"
        )
        opened = []
        for _ in range(5):
            page.goto("about:blank")
            began = time.perf_counter()
            page.goto(f"{address}/runs/{run}", wait_until="commit")
            page.get_by_role("treegrid").wait_for()
            page.keyboard.press("3")
            page.get_by_role("button", name="Full").wait_for()  # it has heard the key
            opened.append(time.perf_counter() - began)
        print(f"a run of {EVENTS:,} events, until it answers a key: {statistics.median(opened):.2f} s (1.5)")
        page.goto(f"{address}/overview", wait_until="networkidle")
        scripts = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
        size = sum(packed(name) for name in scripts if name.endswith(".js"))
        print(f"script of the first page: {size / 1000:.0f} kB gzip (250)")
        browser.close()


ROUNDS = 20
AT_ONCE = 1_000


@contextmanager
def viewer(address: str) -> Iterator[Any]:
    """A browser in a process of its own; call it with whether the list of runs is to be open."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--view", address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    told, answers = process.stdin, process.stdout
    assert told is not None
    assert answers is not None

    def show(open: bool) -> None:
        print("open" if open else "close", file=told, flush=True)
        answers.readline()

    try:
        yield show
    finally:
        told.close()
        process.wait()


def view(address: str) -> None:
    """What the viewer's process does, until its input ends."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        for line in sys.stdin:
            if line.strip() == "open":
                page.goto(f"{address}/runs")
                page.locator("a[title]").first.wait_for()
            else:
                page.goto("about:blank")
            time.sleep(2)  # what it asks for once, when it is opened, is not what is measured
            print("done", flush=True)
        browser.close()


async def w2(engine: Engine) -> float:
    """Steps a second of W2."""
    began = time.perf_counter()
    handles = await asyncio.gather(*[engine.start(workloads.steps, 3) for _ in range(AT_ONCE)])
    await asyncio.gather(*[handle.result() for handle in handles])
    return AT_ONCE * 3 / (time.perf_counter() - began)


async def while_it_is_seen(url: str) -> None:
    """Prints what W2 loses while somebody looks at the list of runs."""
    async with Engine(url, workflows=[workloads.steps]) as engine:
        server = listen(application(engine, Loopback("you")), port=0)
        await w2(engine)
        found: dict[bool, list[float]] = {False: [], True: []}
        with viewer(server.url) as show:
            for number in range(2 * ROUNDS):
                await asyncio.to_thread(show, number % 2 == 1)
                found[number % 2 == 1].append(await w2(engine))
        await server.close()
    alone, seen = (statistics.median(found[each]) for each in (False, True))
    least = min(b / a for a, b in zip(found[False], found[True], strict=True))
    print(f"W2: {alone:,.0f} steps/s, with the page open {seen:,.0f}: {1 - seen / alone:.0%} less (10 %)")
    print(f"  by turns, {ROUNDS} times each; the worst pair lost {1 - least:.0%}")


def packed(address: str) -> int:
    with urlopen(address) as answer:
        return len(gzip.compress(answer.read()))


def main() -> None:
    if sys.argv[1:2] == ["--view"]:
        view(sys.argv[2])
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(while_it_is_seen(f"sqlite:///{folder}/w2.db"))
    if sys.argv[1:] == ["W2"]:
        return
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dashboard.db"
        fill(file, runs)
        url = f"sqlite:///{file}"
        with served(url, "server") as (address, process):
            ask(address, "/health")
            print(f"a server at rest: {resident(process):.0f} MB (90)")
        with served(url, "dev", PLACE) as (address, _):
            since = time.time_ns() // 1000
            print(f"over {runs:,} runs:")
            for name, path in {
                "the first page of runs": "/runs?limit=60",
                "the first page of failed runs": "/runs?state=failed&limit=60",
                "the histogram of all runs": "/runs/histogram",
                "the histogram of failed runs": "/runs/histogram?state=failed",
                "the histogram of the last hour": f"/runs/histogram?since={since - DAY // 24}",
                "the overview": "/overview",
                "figures of a day": f"/figures?since={since - DAY}&bar={DAY // 48}",
                "figures of a month": f"/figures?since={since - 30 * DAY}&bar={DAY}",
            }.items():
                print(f"  {name}: {timed(address, path):.1f} ms")
            run = a_long_run(address)
            print(f"a run of {EVENTS:,} events:")
            asked_again(address, f"/runs/{run}?plain=true")
            asked_again(address, f"/runs/{run}/events?limit=500")
            in_browser(address, run)


if __name__ == "__main__":
    main()
