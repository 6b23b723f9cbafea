"""A worker and its database lose each other: others take over, whoever was cut off writes nothing stale when it comes
back, and nothing is lost or done twice. The oracle knows segue by its public API only."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import fleet_program
import pytest
from fleet_kit import Fleet, Worker, until
from network_kit import Proxy, at_random, namespace, through

from segue import Engine, Handle
from segue.stores.owning import SLOTS

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.timeout(1200)]
LEASE = 3.0
BOUND = 30.0
"""Seconds after the lease within which somebody has taken over, on a machine as busy as may be."""


@pytest.fixture
def proxy(fleet: Fleet) -> Iterator[Proxy]:
    port = urlsplit(fleet.url).port
    assert port is not None
    proxy = Proxy(port)
    yield proxy
    proxy.close()


async def outlive(fleet: Fleet, far: Worker, cut: Callable[[], None], heal: Callable[[], None]) -> None:
    """A worker among two is cut off with steps, waits and timers under way, and comes back later."""
    await until(lambda: fleet.shares() == [SLOTS // 2, SLOTS // 2])
    async with Engine(fleet.url, own=False) as engine:
        steps = [await engine.start(fleet_program.lasts, 1.0) for _ in range(6)]
        waits = [await engine.start(fleet_program.meets, n) for n in range(8)]
        naps = [await engine.start(fleet_program.naps, n, 1.0) for n in range(8, 14)]
        await until(lambda: len(fleet.done()) >= 20)
        cut()
        await until(lambda: fleet.shares() == [SLOTS], LEASE + BOUND)
        for handle in waits:
            await handle.signal("go", "on")
        assert await asyncio.gather(*[h.result(timeout=60) for h in steps]) == [1.0] * 6
        assert await asyncio.gather(*[h.result(timeout=60) for h in waits]) == [f"{n} on" for n in range(8)]
        assert await asyncio.gather(*[h.result(timeout=60) for h in naps]) == [f"{n} awake" for n in range(8, 14)]
        before = [await journal(handle) for handle in (*steps, *waits, *naps)]
        heal()
        await until(lambda: len(fleet.shares()) == 2)  # it is a worker like any other again
        assert far.process.poll() is None
        later = [await engine.start(fleet_program.walks, n) for n in range(20, 32)]
        for n, handle in enumerate(later, 20):
            assert await handle.result(timeout=60) == [f"{n}-{part}" for part in range(4)]
        assert [await journal(handle) for handle in (*steps, *waits, *naps)] == before
    await far.leave()
    assert far.process.returncode == 0


async def journal(handle: Handle[Any]) -> list[tuple[int, Any]]:
    """A run's journal: numbered without a gap, and every outcome recorded once."""
    history = [(recorded.seq, recorded.event) for recorded in await handle.history()]
    assert [seq for seq, _ in history] == list(range(1, len(history) + 1))
    outcomes = Counter(event.key for _, event in history if type(event).__name__ == "StepCompleted")
    assert set(outcomes.values()) == {1}
    return history


@pytest.mark.parametrize("ways", [("to", "from"), ("from",), ("to",)], ids=["all", "answers", "requests"])
async def test_a_worker_whose_packets_are_swallowed(fleet: Fleet, proxy: Proxy, ways: Any) -> None:
    """Nobody is told of anything; what was on its way arrives late, when others have long taken over."""
    far = await fleet.worker(lease=LEASE, url=proxy.url(fleet.url))
    await fleet.worker(lease=LEASE)
    await outlive(fleet, far, lambda: proxy.swallow(*ways), proxy.heal)


async def test_a_worker_whose_connections_are_reset_and_nothing_gets_through(fleet: Fleet, proxy: Proxy) -> None:
    far = await fleet.worker(lease=LEASE, url=proxy.url(fleet.url))
    await fleet.worker(lease=LEASE)

    def cut() -> None:
        proxy.swallow("to", "from")
        proxy.reset()

    def heal() -> None:
        proxy.heal()
        proxy.reset()

    await outlive(fleet, far, cut, heal)


async def test_a_worker_in_a_network_that_is_cut_off(fleet: Fleet) -> None:
    port = urlsplit(fleet.url).port
    assert port is not None
    with namespace(1) as network:
        links = [Proxy(port, host) for host in network.hosts]
        try:
            url, notes = (through(fleet.url, host, link.port) for host, link in zip(network.hosts, links, strict=True))
            far = await fleet.worker(lease=LEASE, url=url, prefix=network.prefix, FLEET_DATABASE=notes)
            await fleet.worker(lease=LEASE)
            await outlive(fleet, far, network.cut, network.join)
        finally:
            fleet.close()
            for link in links:
                link.close()


async def test_connections_that_are_reset_at_any_byte(fleet: Fleet, proxy: Proxy, long: bool) -> None:
    """In the middle of a statement, of an answer, of a login; before a commit has reached the server, and after."""
    chance = random.Random(7)
    for _ in range(2):  # one that cannot even open its database says so and ends
        await fleet.worker(lease=LEASE, url=proxy.url(fleet.url))
    proxy.limit = at_random(chance, 60_000)
    proxy.reset()
    async with Engine(fleet.url, own=False) as engine:
        for round in range(40 if long else 2):
            first = round * 100
            handles = [await engine.start(fleet_program.leads, first + n) for n in range(10)]
            waits = [await engine.start(fleet_program.meets, first + n) for n in range(10)]
            for handle in waits:
                await handle.signal("go", "on")
            for n, lead in enumerate(handles, first):
                wanted = [f"{n * 10 + part}-{i}" for part in range(2) for i in range(4)]
                assert await lead.result(timeout=120) == wanted
                await journal_of_children(lead)
            for n, handle in enumerate(waits, first):
                assert await handle.result(timeout=120) == f"{n} on"
                await journal(handle)
    assert proxy.resets > (40 if long else 2)


async def journal_of_children(handle: Handle[Any]) -> None:
    history = await handle.history()
    assert [recorded.seq for recorded in history] == list(range(1, len(history) + 1))


async def test_a_server_that_is_far_away(fleet: Fleet, proxy: Proxy) -> None:
    """80 ms there and back for every statement: all goes slower, and nobody is taken for dead."""
    proxy.delay = 0.04
    workers = [await fleet.worker(lease=10.0, url=proxy.url(fleet.url)) for _ in range(2)]
    await until(lambda: fleet.shares() == [SLOTS // 2, SLOTS // 2])
    epochs = fleet.query("SELECT epoch FROM segue.owners ORDER BY epoch")
    async with Engine(fleet.url, own=False) as engine:
        handles = [await engine.start(fleet_program.walks, n) for n in range(10)]
        for n, handle in enumerate(handles):
            assert await handle.result(timeout=60) == [f"{n}-{part}" for part in range(4)]
    assert fleet.query("SELECT epoch FROM segue.owners ORDER BY epoch") == epochs
    assert all(worker.process.poll() is None for worker in workers)
