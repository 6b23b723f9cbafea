"""A payload of a hundred megabytes, and a history of a million events: nothing breaks, and memory stays in bounds.

With ``--long`` the history has its million events; otherwise fewer. What was measured is printed (``pytest -s``) and
stands in docs/faults.md.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fault_kit import act, until

from segue import Approval, Engine, approval, signal, step, workflow
from segue.stores.base import Answer, Batch
from segue.stores.faults import FaultyStore
from segue.stores.sqlite.store import SqliteStore

HERE = Path(__file__).parent
SOURCE = HERE.parent.parent / "src"
HUNDRED_MEGABYTES = 100_000_000


@step
async def turns(data: bytes) -> bytes:
    act()
    return data[::-1]


@workflow
async def passes_on(data: bytes) -> bytes:
    turned = await turns(data)
    return turned + await signal("more", bytes)


@workflow
async def asked() -> int:
    return len((await approval("boss")).comment)


@pytest.mark.slow
async def test_a_hundred_megabytes_go_in_through_and_out(url: str) -> None:
    data = b"a" + b"b" * (HUNDRED_MEGABYTES - 1)
    async with Engine(url) as engine:
        handle = await engine.start(passes_on, data, id="a")
        await handle.signal("more", data)
        result = await handle.result(timeout=120)
        assert len(result) == 2 * HUNDRED_MEGABYTES
        assert result[:HUNDRED_MEGABYTES] == data[::-1]
        assert result[HUNDRED_MEGABYTES:] == data
        assert (await engine.start(passes_on, data, id="a")).run == handle.run, "the same input is the same run"
        row = (await engine.handle("a")).run
        sizes = [len(event) for _, event in engine.store.journal(row)]
        assert max(sizes) < 2_000, "large values stay out of the rows"


class Watched(FaultyStore):
    """Tells on which threads large values are written."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store)
        self.threads: set[str] = set()

    def commit(self, batch: Batch) -> list[Answer]:
        if any(getattr(operation, "blobs", ()) for operation in batch.operations):
            self.threads.add(threading.current_thread().name)
        return super().commit(batch)


async def test_a_large_value_is_written_off_the_loop(tmp_path: Path) -> None:
    store = Watched(SqliteStore.open(tmp_path / "test.db"))
    async with Engine(store=store) as engine:
        handle = await engine.start(passes_on, b"x" * 1_000_000)
        await handle.signal("more", b"y" * 1_000_000)
        assert len(await handle.result(timeout=10)) == 2_000_000
    assert store.threads == {"segue-writer"}


async def test_a_large_answer_to_a_human_task_reaches_its_run(url: str) -> None:
    async with Engine(url) as engine:
        handle = await engine.start(asked)
        await until(lambda: bool(engine.store.tasks("default")))
        (task,) = await engine.tasks()
        await engine.complete_task(task, Approval(True, "x" * 300_000))
        assert await handle.result(timeout=10) == 300_000


@pytest.mark.slow
async def test_a_long_history_is_replayed_without_standing_in_memory(tmp_path: Path, long: bool) -> None:
    length = 1_000_000 if long else 50_000
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), str(HERE)])}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "history_program.py"), str(tmp_path / "test.db"), str(length),
        stdout=subprocess.PIPE, env=environment,
    )  # fmt: skip
    told, _ = await process.communicate()
    assert process.returncode == 0
    events, megabytes, seconds = told.decode().split()
    print(f"{events} events: {megabytes} MB more, {seconds} s")
    assert int(events) == length
    assert float(megabytes) < 100, "a page of events at a time, and what the run itself remembers"
