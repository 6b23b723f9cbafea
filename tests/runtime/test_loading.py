"""Runs that come back by replay: long histories, journals that do not decode, a store that cannot be read for a
while."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from segue import Engine, Incident, signal, step, workflow
from segue.encodings.aesgcm import AesGcm
from segue.errors import StoreUnavailable
from segue.kernel import events as e
from segue.kernel.encoding import Encodings
from segue.kernel.steps import step_key
from segue.runtime.settings import Settings
from segue.stores.attempt_rows import Head
from segue.stores.base import Append, Batch, InboxRow, RunRow, StartRun
from segue.stores.faults import FaultyStore
from segue.stores.sqlite.store import SqliteStore

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]


@step
async def tick(n: int) -> int:
    return n


@workflow
async def ticks(n: int) -> int:
    done = 0
    for i in range(n):
        done += await tick(i) >= 0
    await signal("end")
    return done


@workflow
async def hears(n: int) -> list[str]:
    return [await signal("word", str) for _ in range(n)]


# --- journals that do not decode --------------------------------------------------------------------------------


def _rewrite(path: Path, seq: int, event: bytes) -> bytes:
    """Puts other bytes in the place of an event of the only run; returns what stood there."""
    connection = apsw.Connection(str(path))
    ((before,),) = connection.execute("SELECT event FROM journal WHERE seq = ?", (seq,)).fetchall()
    connection.execute("UPDATE journal SET event = ? WHERE seq = ?", (event, seq))
    connection.close()
    return bytes(before)


@pytest.mark.parametrize("seq", [1, 2])
async def test_an_event_that_does_not_decode_is_one_incident(tmp_path: Path, settings: Settings, seq: int) -> None:
    path = tmp_path / "test.db"
    async with Engine(f"sqlite:///{path}") as engine:
        handle = await engine.start(hears, 3, id="h")
        await handle.signal("word", "a")
    before = _rewrite(path, seq, b'["InventedLater", 1, null, null]')

    async with Engine(f"sqlite:///{path}", settings=settings) as engine:
        handle = await engine.handle("h")
        await handle.signal("word", "b")
        with pytest.raises(Incident, match="InventedLater"):
            await handle.result(timeout=5)
        # It stands still: further mail waits, and nothing is tried again and again.
        await handle.signal("word", "c")
        commits = engine._duty.conductor.writer.commits  # type: ignore[union-attr]
        await asyncio.sleep(3 * settings.slow_poll / 10)
        assert engine._duty.conductor.writer.commits == commits  # type: ignore[union-attr]

        _rewrite(path, seq, before)
        await handle.retry()
        assert await handle.result(timeout=5, through_incidents=True) == ["a", "b", "c"]


async def test_a_payload_whose_key_is_missing_waits_for_the_key(url: str, settings: Settings) -> None:
    old, new = bytes(range(32)), bytes(range(32, 64))
    async with Engine(url, codec=AesGcm({"old": old})) as engine:
        handle = await engine.start(hears, 2, id="h")
        await handle.signal("word", "a")
    async with Engine(url, codec=AesGcm({"new": new}), settings=settings) as engine:
        handle = await engine.handle("h")
        await handle.signal("word", "b")
        with pytest.raises(Incident, match="'old'") as caught:
            await handle.result(timeout=5)
        assert caught.value.cause == "payload"
    async with Engine(url, codec=AesGcm({"new": new, "old": old}), settings=settings) as engine:
        handle = await engine.handle("h")
        await handle.retry()
        assert await handle.result(timeout=5, through_incidents=True) == ["a", "b"]


async def test_a_message_that_does_not_decode_waits_in_the_inbox(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "test.db"
    async with Engine(f"sqlite:///{path}", settings=Settings(poll=60, slow_poll=60)) as engine:
        handle = await engine.start(hears, 1, id="h")
    async with Engine(f"sqlite:///{path}", own=False) as client:
        await (await client.handle("h")).signal("word", "a")
    connection = apsw.Connection(str(path))
    ((body,),) = connection.execute("SELECT body FROM inbox").fetchall()
    connection.execute("UPDATE inbox SET body = ?", (b"{",))

    async with Engine(f"sqlite:///{path}", settings=settings) as engine:
        handle = await engine.handle("h")
        with pytest.raises(Incident):
            await handle.result(timeout=5)
        connection.execute("UPDATE inbox SET body = ? WHERE kind = 'signal'", (body,))
        await handle.retry()
        assert await handle.result(timeout=5, through_incidents=True) == ["a"]
    connection.close()


# --- a store that cannot be read for a while --------------------------------------------------------------------


class Blinking(FaultyStore):
    """Every other reading of runs, journals and inboxes fails, by chance."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store)
        self._chance = random.Random(1)

    def _blink(self) -> None:
        if self._chance.random() < 0.5:
            raise StoreUnavailable("the test says that the store cannot be read")

    def run(self, run: int) -> RunRow | None:
        self._blink()
        return super().run(run)

    def journal(self, run: int, *, after: int = 0) -> Iterator[tuple[int, bytes]]:
        for number, row in enumerate(super().journal(run, after=after)):
            if number == 1:
                self._blink()
            yield row

    def heads(self, runs: Any, limit: int) -> dict[int, Head]:
        self._blink()
        return super().heads(runs, limit)

    def inbox(self, runs: Any) -> list[InboxRow]:
        self._blink()
        return super().inbox(runs)

    def due(self, *args: Any, **options: Any) -> list[RunRow]:
        self._blink()
        return super().due(*args, **options)

    def inbox_runs(self, *args: Any, **options: Any) -> list[int]:
        self._blink()
        return super().inbox_runs(*args, **options)


async def test_what_could_not_be_read_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    async with Engine(f"sqlite:///{path}") as engine:
        for name in ("a", "b", "c"):
            handle = await engine.start(hears, 2, id=name)
            await handle.signal("word", "1")
    quick = Settings(cache=0, slow_poll=0.05)
    store = Blinking(SqliteStore.open(path))
    async with Engine(store=store, settings=quick) as engine, Engine(f"sqlite:///{path}", own=False) as client:
        handles = [await client.handle(name) for name in ("a", "b", "c")]
        for handle in handles:
            await handle.signal("word", "2")
        for handle in handles:
            assert await handle.result(timeout=60) == ["1", "2"]
        assert engine.owner


# --- long histories ---------------------------------------------------------------------------------------------


def _write_history(path: Path, length: int) -> None:
    """A run of ``ticks`` that has made ``length`` steps, as if they had run one by one."""
    encodings = Encodings()
    site = tick.bind(encodings).call_site
    store = SqliteStore.open(path, durability="relaxed")
    fence = store.own("default", "writer")
    assert fence is not None
    payload, hash = ticks.bind(encodings).call_site.encode((length,), {})
    uid = f"{1:032x}"
    started = e.RunStarted(1, None, None, "ticks", "long", uid, payload, version=ticks.version, input_hash=hash)
    start = StartRun("default", "long", uid, "default", "ticks", 1, e.encode(started), hash, version=ticks.version)
    (answer,) = store.commit(Batch(1, (start,), fence))
    for number, first in enumerate(range(0, length, 10_000), 2):
        events = []
        for n in range(first, min(first + 10_000, length)):
            arguments, hash = site.encode((n,), {})
            key = step_key("", "tick", n)
            done = e.StepCompleted(n + 2, None, None, key, "tick", 1, hash, encodings.encode(n), arguments)
            events.append(e.encode(done))
        store.commit(Batch(number, (Append(answer.run, first + 2, tuple(events)),), fence))  # type: ignore[union-attr]
    store.close()


@pytest.mark.slow
async def test_a_long_history_loads_without_holding_up_others(tmp_path: Path, long: bool) -> None:
    path = tmp_path / "test.db"
    length = 1_000_000 if long else 50_000
    _write_history(path, length)
    async with Engine(f"sqlite:///{path}") as engine:
        handle = await engine.handle("long")
        signalling = asyncio.create_task(handle.signal("end"))
        ending = asyncio.create_task(handle.result(timeout=300))
        longest, others, asked_at = 0.0, 0, time.perf_counter()
        while not ending.done():
            began = time.perf_counter()
            assert await (await engine.start(hears, 0)).result() == []
            longest = max(longest, time.perf_counter() - began)
            others += 1
        await signalling
        assert await ending == length
        assert others > 3, "others run while it is loaded"
        assert longest < (time.perf_counter() - asked_at) / 3, "none of them waits for most of it"


async def test_loading_very_many_leaves_turns_to_others(tmp_path: Path, until: Until) -> None:
    """Above all to the lease: whoever loses it while it takes over has to begin anew."""
    async with Engine(f"sqlite:///{tmp_path}/test.db", settings=Settings(cache=0)) as engine:
        handles = [await engine.start(hears, 1) for _ in range(20)]
        assert engine._duty is not None
        loading, residents = engine._duty.loading, engine._duty.conductor.residents
        await until(lambda: not residents)
        loading.stopwatch = map(float, itertools.count()).__next__  # every look at it is a slice later
        for handle in handles:
            loading.load(handle.run, lambda run: None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert 0 < len(residents) < 5
