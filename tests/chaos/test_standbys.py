"""A streaming standby takes the place of a server that is gone: what it has got goes on, the rest is done once more."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import fleet_program
import pytest
from fleet_kit import Fleet, until

from postgres_kit import OwnServer, own_server
from segue import Engine, Handle
from segue.errors import RunNotFound, StoreUnavailable
from segue.stores.base import RunFilter

pytestmark = pytest.mark.xdist_group("fleet")
LEASE = 2.0


@pytest.fixture
def standby(server: OwnServer) -> Iterator[OwnServer]:
    """Follows the server of the test, asynchronously."""
    with own_server(primary=server) as standby:
        yield standby


@pytest.fixture
def fleet(fleet: Fleet, server: OwnServer, standby: OwnServer, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """One that knows both servers; its steps note what they do in the one that can be written to."""
    place = f"postgres@127.0.0.1:{server.port},127.0.0.1:{standby.port}"
    fleet.url = urlunsplit(urlsplit(fleet.url)._replace(netloc=place))
    monkeypatch.setattr("fleet_program.DATABASE", writable(fleet))
    return fleet


def writable(fleet: Fleet) -> str:
    return f"{fleet.url}?target_session_attrs=read-write"


async def signalled(handle: Handle[Any], word: str) -> bool:
    """Whether a signal is acknowledged; sent again, it is the same one."""
    try:
        await handle.signal("go", word, message=word)
    except StoreUnavailable:
        return False
    return True


def refused(server: OwnServer) -> int:
    """How many transactions have come to nothing there."""
    ((count,),) = server.execute("SELECT sum(xact_rollback) FROM pg_stat_database WHERE datname LIKE 'segue%'")
    return int(count)


async def test_runs_go_on_at_a_standby_that_has_all_of_them(
    fleet: Fleet, server: OwnServer, standby: OwnServer
) -> None:
    url = writable(fleet)
    workers = [await fleet.worker(lease=LEASE, url=url, FLEET_DATABASE=url) for _ in range(2)]
    async with Engine(url, own=False) as engine:
        waiting = [await engine.start(fleet_program.meets, n, id=f"meets-{n}") for n in range(4)]
        asleep = [await engine.start(fleet_program.naps, n, 3.0, id=f"naps-{n}") for n in range(4)]
        ended = [await engine.start(fleet_program.walks, n, id=f"walks-{n}") for n in range(4)]
        results = [await handle.result(timeout=30) for handle in ended]
        await until(lambda: len(fleet.done()) == 24)
        await until(lambda: standby.has_all_of(server))
        before = {run.run: list(engine.store.journal(run.run)) for run in engine.store.list(RunFilter())}

        server.kill()
        standby.promote()

        for handle in waiting:
            await until(lambda handle=handle: signalled(handle, "on"))
        assert [await handle.result(timeout=30) for handle in waiting] == [f"{n} on" for n in range(4)]
        assert [await handle.result(timeout=30) for handle in asleep] == [f"{n} awake" for n in range(4)]
        assert [await handle.result(timeout=30) for handle in ended] == results
        for run, events in before.items():
            assert list(engine.store.journal(run))[: len(events)] == events
        fresh = await engine.start(fleet_program.walks, 7, id="fresh")
        assert await fresh.result(timeout=30) == [f"7-{i}" for i in range(4)]
    keys = [key for key, what, _ in fleet.done() if "asleep" not in what and "before" not in what]
    assert len(keys) == len(set(keys)), "nothing that was recorded was done again"
    assert all(worker.process.poll() is None for worker in workers)


async def test_what_the_standby_had_not_got_is_done_once_more(
    fleet: Fleet, server: OwnServer, standby: OwnServer
) -> None:
    url = writable(fleet)
    worker = await fleet.worker(lease=LEASE, url=url, FLEET_DATABASE=url)
    async with Engine(url, own=False) as engine:
        handle = await engine.start(fleet_program.meets, 1, id="kept")
        await until(lambda: len(fleet.done()) == 1)
        await until(lambda: engine.store.list(RunFilter())[0].state == "waiting")
        await until(lambda: standby.has_all_of(server))
        standby.stop_following()
        await until(lambda: standby.execute("SELECT count(*) FROM pg_stat_wal_receiver") == [(0,)])
        assert await signalled(handle, "on")
        assert await handle.result(timeout=30) == "1 on"
        lost = await engine.start(fleet_program.walks, 2, id="lost")
        assert len(await lost.result(timeout=30)) == 4

        server.kill()
        standby.promote()

        await until(lambda: signalled(handle, "again"))
        assert await (await engine.handle("kept")).result(timeout=30) == "1 again"
        with pytest.raises(RunNotFound):
            await engine.handle("lost")
        anew = await engine.start(fleet_program.walks, 2, id="lost")
        assert await anew.result(timeout=30) == [f"2-{i}" for i in range(4)]
    assert [what for _, what, _ in fleet.done()] == ["1 before", "1 again", *(f"2-{i}" for i in range(4))]
    assert worker.process.poll() is None


async def test_workers_wait_in_order_at_a_standby_until_it_is_promoted(
    fleet: Fleet, server: OwnServer, standby: OwnServer
) -> None:
    workers = [await fleet.worker(lease=LEASE, FLEET_DATABASE=writable(fleet)) for _ in range(2)]
    async with Engine(fleet.url, own=False) as engine:
        handles = [await engine.start(fleet_program.meets, n, id=f"meets-{n}") for n in range(4)]
        await until(lambda: len(fleet.done()) == 4)
        await until(lambda: standby.has_all_of(server))

        server.kill()
        for worker in workers:
            await until(lambda worker=worker: "the server is read-only (a standby?); name the primary" in worker.said())
        with pytest.raises(StoreUnavailable, match="the server is read-only"):
            async with Engine(standby.url(urlsplit(fleet.url).path[1:])):
                pass
        tried = refused(standby)
        await until(lambda: refused(standby) >= tried + 10)
        assert [run.state for run in engine.store.list(RunFilter())] == ["waiting"] * 4, "it can be looked at meanwhile"
        standby.promote()

        for handle in handles:
            await until(lambda handle=handle: signalled(handle, "on"))
        assert [await handle.result(timeout=30) for handle in handles] == [f"{n} on" for n in range(4)]
    for worker in workers:
        assert worker.process.poll() is None
        said = [line.partition("segue.tending ")[2] for line in worker.said().splitlines()]
        assert [one for one, next in pairwise(said) if one == next] == [], "it is said once, not with every try"
