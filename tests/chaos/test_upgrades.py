"""The user's code is brought from one release to the next, worker by worker, under load: each run that is pinned ends
on the version that it began with, wherever that is to be had, and says what it waits for where it is not."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import upgrade_program
from fleet_kit import Fleet, Worker, until

from segue import Engine, Handle
from segue.stores.base import RunFilter

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.timeout(1200)]
LEASE = 8.0
"""No pause of a busy machine outlasts it: whoever leaves here hands over."""


class Upgrade:
    """A fleet between two releases, and what has been asked of it."""

    def __init__(self, fleet: Fleet, old: Engine, new: Engine) -> None:
        self.fleet = fleet
        self.clients = {"1": old, "2": new}
        self.pinned: dict[str, list[Handle[str]]] = {"1": [], "2": []}
        self.rolling: list[tuple[int, Handle[list[str]]]] = []
        self._number = 0

    async def worker(self, release: str) -> Worker:
        return await self.fleet.worker(release, LEASE, program=Path(upgrade_program.__file__), RELEASE=release)

    async def load(self, release: str, runs: int) -> None:
        """More runs of a release, as its clients start them."""
        client = self.clients[release]
        pinned: Any = upgrade_program.RELEASES[release][0]
        for _ in range(runs):
            self._number += 1
            self.pinned[release].append(await client.start(pinned, self._number))
            self.rolling.append((self._number, await client.start(upgrade_program.counts, self._number)))

    async def end(self, release: str) -> None:
        """Lets the pinned runs go on, and looks how they end."""
        handles, self.pinned[release] = self.pinned[release], []
        for handle in handles:
            await handle.signal("go", "sent")
        for handle in handles:
            assert (await handle.result(timeout=90)).endswith(f"sent by {release}")
            history = await handle.history()
            outcomes = Counter(r.event.key for r in history if type(r.event).__name__ == "StepCompleted")
            assert set(outcomes.values()) == {1}
            assert len(outcomes) == {"1": 2, "2": 3}[release]

    async def waiting(self) -> list[str]:
        rows = await self.clients["1"].list(RunFilter(states=("waiting",), limit=1000))
        return [row.error for row in rows if row.error]


async def test_pinned_runs_go_to_workers_that_have_their_version(fleet: Fleet, long: bool) -> None:
    share = 60 if long else 6
    async with (
        Engine(fleet.url, own=False, workflows=upgrade_program.RELEASES["1"]) as old,
        Engine(fleet.url, own=False, workflows=upgrade_program.RELEASES["2"]) as new,
    ):
        upgrade = Upgrade(fleet, old, new)
        workers = [await upgrade.worker("1") for _ in range(3)]
        await upgrade.load("1", share)
        for worker in workers[:2]:
            leaving = asyncio.create_task(worker.leave())
            await upgrade.load("1", share)
            await upgrade.load("2", share)
            await leaving
            await upgrade.worker("2")
        await upgrade.end("2")
        await upgrade.end("1")

        await upgrade.load("1", share)
        await until(lambda: packed(fleet) == share * 4)
        await workers[2].leave()
        for handle in upgrade.pinned["1"]:
            await handle.signal("go", "sent")
        await until(lambda: waits_for_version(upgrade, share))
        await upgrade.worker("1")  # the old release is brought back
        await upgrade.end("1")
        for n, each in upgrade.rolling:
            assert await each.result(timeout=60) == [f"{n}-{part}" for part in range(3)]
        assert await upgrade.waiting() == []


async def waits_for_version(upgrade: Upgrade, runs: int) -> bool:
    found = await upgrade.waiting()
    return len(found) == runs and all("waits for a worker that has version '1/" in why for why in found)


def packed(fleet: Fleet) -> int:
    return len({what for _, what, _ in fleet.done() if "packed by 1" in what})
