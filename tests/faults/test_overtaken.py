"""An acknowledgement is lost, and before anybody looks another owner has taken over: nothing is sent a second time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from fault_kit import act, until

import segue
from segue import Engine, signal, step, workflow
from segue.errors import StoreUnavailable
from segue.kernel import events as e
from segue.runtime.settings import Settings
from segue.stores.base import Answer, Append, Batch
from segue.stores.faults import Commit, FaultyStore
from segue.stores.sqlite.ownership import lock_path
from segue.stores.sqlite.store import SqliteStore

World = Callable[[], list[str]]


class Overtaken:
    """Once: the commit goes in, its acknowledgement is lost, and the lock is gone that kept others out."""

    def __init__(self, path: Path, kind: type[e.Event]) -> None:
        self._path = path
        self._kind = kind
        self.struck = False

    def __call__(self, number: int, batch: Batch) -> Overtaken | None:
        if self.struck or not any(isinstance(event, self._kind) for event in _events(batch)):
            return None
        return self

    def strike(self, commit: Commit) -> list[Answer]:
        self.struck = True
        commit()
        os.unlink(lock_path(str(self._path), "default"))
        other = SqliteStore.open(self._path)
        assert other.own("default", "other") is not None
        other.close(clean=False)
        raise StoreUnavailable("the test says that the acknowledgement was lost")


def _events(batch: Batch) -> list[e.Event]:
    return [e.decode(data) for op in batch.operations if isinstance(op, Append) for data in op.events]


@step
async def counts(n: int) -> int:
    act()
    return n


@workflow
async def adds_and_hears() -> list[Any]:
    added: list[int] = []
    words = signal("word", Any)

    @segue.update
    async def add(n: int) -> int:
        added.append(await counts(n))
        return sum(added)

    await signal("end")
    return [added, [await words for _ in range(words.pending())]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture
async def make(path: Path) -> AsyncIterator[Callable[[type[e.Event]], Any]]:
    engines: list[Engine] = []

    async def make(kind: type[e.Event]) -> Engine:
        store = FaultyStore(SqliteStore.open(path), Overtaken(path, kind))
        engine = Engine(store=store, settings=Settings(slow_poll=0.05))
        await engine.open()
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        await engine.close()


async def test_a_signal_is_taken_once(make: Any) -> None:
    engine = await make(e.SignalReceived)
    handle = await engine.start(adds_and_hears, id="a")
    others = [await engine.start(adds_and_hears, id=f"n{n}") for n in range(3)]
    await asyncio.gather(handle.signal("word", "once"), *[other.signal("word", "once") for other in others])
    await until(lambda: engine.owner)
    for run in (handle, *others):
        await run.signal("end")
        assert await run.result(timeout=10) == [[], ["once"]]


async def test_an_update_is_accepted_once(make: Any, world: World) -> None:
    engine = await make(e.UpdateAccepted)
    handle = await engine.start(adds_and_hears, id="a")
    others = [await engine.start(adds_and_hears, id=f"n{n}") for n in range(3)]
    asked = [run.update("add", 5) for run in (handle, *others)]
    assert await asyncio.gather(*asked) == [5, 5, 5, 5]
    await until(lambda: engine.owner)
    for run in (handle, *others):
        await run.signal("end")
        assert await run.result(timeout=10) == [[5], []]


async def test_a_start_is_one_run(make: Any) -> None:
    engine = await make(e.SignalReceived)
    handle = await engine.start(adds_and_hears)
    sent = asyncio.create_task(handle.signal("word", 1))
    await asyncio.sleep(0)
    started = await asyncio.gather(*[engine.start(adds_and_hears) for _ in range(3)])
    await sent
    assert len({run.run for run in (handle, *started)}) == 4
    assert len(await engine.list()) == 4
