"""Threads for places that may never answer, and how often a place that is away is asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from segue.errors import StoreUnavailable
from segue.runtime import fetching
from segue.runtime.fetching import Fetching, Side
from segue.stores import objects
from segue.stores.place_rows import Placed
from segue.stores.sqlite.store import SqliteStore

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]


def threads() -> int:
    return sum(thread.name == "segue-places" for thread in threading.enumerate())


async def test_threads_are_as_few_as_do_and_end_when_nothing_is_left(
    until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "IDLE", 0.01)
    before = threads()
    side = Side(most=2)
    gate = threading.Event()
    waiting = [asyncio.ensure_future(side.run(gate.wait)) for _ in range(4)]
    await until(lambda: threads() - before == 2)
    waiting[3].cancel()
    assert not gate.is_set()
    gate.set()
    assert await asyncio.gather(*waiting[:3]) == [True] * 3
    await until(lambda: threads() == before)
    assert await side.run(lambda: 1) == 1, "another one comes"


async def test_what_is_raised_in_a_thread_is_raised_here_and_the_thread_goes_on() -> None:
    side = Side(most=1)

    def breaks() -> None:
        raise KeyError("no")

    with pytest.raises(KeyError, match="no"):
        await side.run(breaks)
    assert await side.run(threading.get_ident) != threading.get_ident()


async def test_a_place_that_is_away_is_asked_now_and_then_however_often_somebody_comes(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteStore.open(tmp_path / "test.db")
    asked: list[str] = []

    def away(place: str) -> bytes:
        asked.append(place)
        raise StoreUnavailable(f"{place} is away")

    monkeypatch.setattr(objects, "get", away)
    monkeypatch.setattr(fetching, "PAUSE", 3600.0)
    waits = Fetching(store)
    told: list[Any] = []

    def ask(key: str) -> None:
        waits.fetch(key, f"run {key}", lambda: [Placed("ref", "memory://a")], told.append, told.append, again)

    def again() -> None:
        raise AssertionError("not within the hour")

    for n in range(1, 5):
        ask("a")
        await until(lambda n=n: len(told) == n)  # type: ignore[misc]
    assert (len(asked), caplog.text.count("run a waits for large values: memory://a is away")) == (1, 1)
    ask("b")
    await until(lambda: len(told) == 5)
    assert len(asked) == 2, "whoever else comes is told by asking"
    waits.close()

    monkeypatch.setattr(fetching, "PAUSE", 0.01)
    waits, tried = Fetching(store), 0

    def once_more() -> None:
        nonlocal tried
        tried += 1
        if tried == 3:
            monkeypatch.setattr(objects, "get", lambda place: b"bytes")
        waits.fetch("c", "run c", lambda: [Placed("ref", "memory://a")], told.append, told.append, once_more)

    once_more()
    await until(lambda: told[-1] == {"ref": b"bytes"})
    waits.close()
    store.close()
