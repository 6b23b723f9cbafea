"""Waiting for runs of another process: who waits costs the database next to nothing, however many they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from segue import Engine, signal, workflow

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]


@workflow
async def waits() -> Any:
    return await signal("go on")


@pytest.mark.on_file
async def test_a_hundred_who_wait_look_together(tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: dict[str, int] = {"pulse": 0, "run": 0}

    def counting(name: str, look: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any) -> Any:
            looks[name] += 1
            return look(*args)

        return counted

    url = f"sqlite:///{tmp_path}/test.db"
    async with Engine(url) as owner, Engine(url) as other:
        assert (owner.owner, other.owner) == (True, False)
        handles = [await owner.start(waits, id=f"waits-{n}") for n in range(100)]
        theirs = [await other.handle(handle.id) for handle in handles]
        for name in looks:
            monkeypatch.setattr(other.store, name, counting(name, getattr(other.store, name)))
        results = [asyncio.ensure_future(handle.result(timeout=60)) for handle in theirs]
        await until(lambda: looks["pulse"] >= 5)
        assert looks["run"] == 0
        for n, handle in enumerate(handles):
            await handle.signal("go on", n)
        assert await asyncio.gather(*results) == list(range(100))
        assert other._client._ends._waiting == {}  # type: ignore[union-attr]
