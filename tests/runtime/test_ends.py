"""Waiting for runs of another process: who waits costs the database next to nothing, however many they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from segue import Engine, Handle, all_handlers_finished, signal, update, wait_condition, workflow
from segue.kernel import events as e

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]


@workflow
async def waits() -> Any:
    return await signal("go on")


class Looks:
    """Counts how often a store is asked something."""

    def __init__(self, store: Any, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.counts = dict.fromkeys(names, 0)
        for name in names:
            monkeypatch.setattr(store, name, self._counting(name, getattr(store, name)))

    def _counting(self, name: str, look: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.counts[name] += 1
            return look(*args, **kwargs)

        return counted

    def __getitem__(self, name: str) -> int:
        return self.counts[name]


@pytest.mark.on_file
async def test_a_hundred_who_wait_look_together(tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    async with Engine(url) as owner, Engine(url) as other:
        assert (owner.owner, other.owner) == (True, False)
        handles = [await owner.start(waits, id=f"waits-{n}") for n in range(100)]
        theirs = [await other.handle(handle.id) for handle in handles]
        looks = Looks(other.store, monkeypatch, "pulse", "run")
        results = [asyncio.ensure_future(handle.result(timeout=60)) for handle in theirs]
        await until(lambda: looks["pulse"] >= 5)
        assert looks["run"] == 0
        for n, handle in enumerate(handles):
            await handle.signal("go on", n)
        assert await asyncio.gather(*results) == list(range(100))
        assert other._client._ends._waiting == {}  # type: ignore[union-attr]


@workflow
async def answers() -> list[int]:
    given: list[int] = []

    @update
    async def add(n: int) -> int:
        await wait_condition(lambda: bool(given))
        return n + given[0]

    given.append(await signal("go on", int))
    await wait_condition(all_handlers_finished)
    return given


@pytest.mark.on_file
async def test_those_who_follow_runs_and_wait_for_updates_look_together(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    async with Engine(url) as owner, Engine(url) as other:
        assert (owner.owner, other.owner) == (True, False)
        handles = [await owner.start(answers, id=f"answers-{n}") for n in range(20)]
        theirs = [await other.handle(handle.id) for handle in handles]
        seen: dict[str, list[e.Event]] = {handle.id: [] for handle in handles}

        async def follow(handle: Handle[Any]) -> None:
            async for recorded in handle.events():
                seen[handle.id].append(recorded.event)

        following = [asyncio.ensure_future(follow(handle)) for handle in theirs]
        updates = [asyncio.ensure_future(handle.update("add", 1)) for handle in theirs]

        waiting = other._client._ends._following  # type: ignore[union-attr]

        def all_wait_for_what_comes() -> bool:
            last = owner.store.last_events([handle.run for handle in handles])
            return len(waiting) == 40 and all(after == last[run] >= 2 for run, after in waiting.values())

        await until(all_wait_for_what_comes)
        looks = Looks(other.store, monkeypatch, "pulse", "journal", "last_events", "run")
        await until(lambda: looks["pulse"] >= 5)
        before = looks["pulse"], looks["journal"] + looks["run"]
        await until(lambda: looks["pulse"] >= before[0] + 10)
        assert looks["journal"] + looks["run"] == before[1], "nothing happens, and nobody reads anything"
        for handle in handles:
            await handle.signal("go on", 5)
        assert await asyncio.gather(*updates) == [6] * 20
        await asyncio.gather(*following)
        assert all(isinstance(events[-1], e.RunCompleted) for events in seen.values())
        assert waiting == {}
