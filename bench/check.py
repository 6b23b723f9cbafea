"""Times ``segue check``: the journals of 10,000 open runs of 50 events, replayed with unchanged and with changed code.

    python bench/check.py

One run is carried out; the others are copies of its journal.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parent))
import workloads

from segue import Engine, signal
from segue.authoring.python.definitions import Workflow
from segue.kernel import events as e
from segue.owner.checking import InStore, check_runs, grouped
from segue.stores.base import Append, Batch, StartRun, Status

RUNS = 10_000
EVENTS = 50
AT_ONCE = 200


async def changed(count: int) -> int:
    """As ``workloads.many_then_wait``, with a step more at its end."""
    for i in range(count):
        await workloads.work(i)
    await signal("go")
    await workloads.work(-1)
    return count


async def journal(url: str) -> tuple[Any, list[bytes]]:
    """One run's row and journal."""
    async with Engine(url) as engine:
        handle = await engine.start(workloads.many_then_wait, EVENTS - 1)
        while (await handle.status()).state != "waiting":  # noqa: ASYNC110  seen from outside, as a client would
            await asyncio.sleep(0.01)
        return await handle.status(), [event for _, event in engine.store.journal(handle.run)]


async def copies(url: str, row: Any, events: list[bytes]) -> None:
    """The same run again and again."""
    async with Engine(url, own=False) as engine:
        store = engine.store
        fence = store.own(engine.app, "bench")
        started: Any = e.decode(events[0])
        for first in range(0, RUNS, AT_ONCE):
            starts = []
            for n in range(first, first + AT_ONCE):
                uid = f"{n:032x}"
                event = e.encode(msgspec.structs.replace(started, id=uid, uid=uid))
                whose = (row.namespace, uid, uid, row.app, row.workflow, row.started_at)
                starts.append(StartRun(*whose, event, row.input_hash, row.version))
            answers: Any = store.commit(Batch(2 * first + 1, tuple(starts), fence))
            status = Status("waiting", None, row.changed_at)
            appends = [Append(answer.run, 2, tuple(events[1:]), status) for answer in answers]
            store.commit(Batch(2 * first + 2, tuple(appends), fence))
        assert fence is not None
        store.release(fence)


async def timed(url: str, workflow: Workflow[..., Any], sample: int | None = None) -> None:
    async with Engine(url, own=False, workflows=[workflow]) as engine:
        journals = InStore(engine.store, engine.journal, engine.namespace, engine.app)
        began, cpu = time.perf_counter(), time.process_time()
        found = await asyncio.to_thread(lambda: list(check_runs(engine.definitions, journals, sample=sample)))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        assert grouped(found) == []
        code = "changed" if workflow is not workloads.many_then_wait else "unchanged"
        print(
            f"{len(found):,} runs of {EVENTS} events, code {code}: {took:.2f} s, of CPU {cpu:.2f} s (bound: 15 s)",
            flush=True,
        )


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/runs.db"
        row, events = await journal(url)
        assert len(events) == EVENTS
        await copies(url, row, events)
        await timed(url, workloads.many_then_wait)
        await timed(url, Workflow(changed, "many_then_wait"))
        await timed(url, workloads.many_then_wait, 500)


if __name__ == "__main__":
    asyncio.run(main())
