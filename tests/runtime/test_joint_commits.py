"""What a process that owns no runs is asked for while a commit is under way shares the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest

from segue import Engine, workflow
from segue.client.joint_commits import TOGETHER, JointCommits
from segue.configuration.opening import open_store
from segue.errors import InvalidArgument
from segue.stores.base import Append, Batch, Post, RunFilter, StartRun, Store
from segue.stores.faults import Fault, FaultyStore, LoseAcknowledgement, Refuse


@workflow
async def alone(n: int) -> int:
    return n


class Watched:
    """Remembers batches, and has faults happen to the first ones."""

    def __init__(self, *faults: Fault) -> None:
        self.sizes: list[int] = []
        self._faults = list(faults)

    def __call__(self, number: int, batch: Batch) -> Fault | None:
        self.sizes.append(len(batch.operations))
        return self._faults.pop(0) if self._faults else None


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with_runs = open_store(url)
    yield with_runs
    with_runs.close()


def start(id: str) -> StartRun:
    return StartRun("default", id, f"uid of {id}", "default", "alone", 1, b"{}", "hash")


async def test_who_asks_at_once_shares_commits(store: Store) -> None:
    watched = Watched()
    async with Engine(store=FaultyStore(store, watched), own=False) as client:
        watched.sizes.clear()
        count = 2 * TOGETHER + 50
        handles = await asyncio.gather(*[client.start(alone, n, id=f"run-{n}") for n in range(count)])
        found = {row.run: row.id for row in store.list(RunFilter(limit=1000))}
    assert watched.sizes == [TOGETHER, TOGETHER, 50]
    assert len({handle.run for handle in handles}) == count
    assert [found[handle.run] for handle in handles] == [f"run-{n}" for n in range(count)]


@pytest.mark.parametrize("fault", [Refuse(), LoseAcknowledgement()])
async def test_a_lost_commit_is_repeated_for_all_who_share_it(store: Store, fault: Fault) -> None:
    watched = Watched(fault)
    async with Engine(store=FaultyStore(store, watched), own=False) as client:
        handles = await asyncio.gather(*[client.start(alone, n, id=f"run-{n}") for n in range(10)])
        assert len({handle.run for handle in handles}) == 10
        assert len(store.list(RunFilter())) == 10
    assert watched.sizes == [10, 10]


async def test_messages_of_one_sender_stay_in_order(store: Store) -> None:
    commits = JointCommits(store)
    run = (await commits.commit(start("a"))).run
    posts = [Post("signal", b"%d" % n, f"message {n}", 1, run=run) for n in range(3 * TOGETHER)]
    await asyncio.gather(*[commits.commit(post) for post in posts])
    assert [row.message for row in store.inbox([run])] == [post.message for post in posts]


async def test_one_that_cannot_be_carried_out_harms_nobody_else(store: Store) -> None:
    commits = JointCommits(store)
    good, bad, late = await asyncio.gather(
        commits.commit(start("a")), commits.commit(Append(1, 2, (b"{}",))), commits.commit(start("b")),
        return_exceptions=True,
    )  # fmt: skip
    assert isinstance(bad, InvalidArgument)
    assert {row.id: row.run for row in store.list(RunFilter())} == {"a": good.run, "b": late.run}


async def test_what_nobody_waits_for_any_more_is_not_begun(store: Store) -> None:
    commits = JointCommits(store)
    task = asyncio.create_task(commits.commit(start("a")))
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await commits.commit(start("b"))
    assert [row.id for row in store.list(RunFilter())] == ["b"]
