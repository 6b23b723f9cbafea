"""A server that has no room left: no disk, no connections. Everybody waits in order, says why, and goes on."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import fleet_program
import psycopg
import pytest
from chaos_kit import a_fleet
from fleet_kit import Fleet, until
from oracle import Oracle

from postgres_kit import own_server
from segue import Engine

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.timeout(1200)]
LEASE = 5.0
MEGABYTE = 1 << 20


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own; skips where none can be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="segue-disk-"))
    options = f"size={megabytes}m,mode=0755"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"this machine lets nobody mount a small disk here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()


def fill(disk: Path) -> Path:
    """Takes all that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(MEGABYTE)) == MEGABYTE:
            pass
        while file.write(bytes(512)):
            pass
    return filler


async def test_a_full_disk_is_waited_out(monkeypatch: pytest.MonkeyPatch, long: bool) -> None:
    small = {"max_wal_size": "4MB", "min_wal_size": "2MB", "shared_buffers": "16MB", "wal_recycle": "off"}
    with (
        small_disk(96) as disk,
        own_server(small, parent=disk, initdb=("--wal-segsize=1",)) as server,
        a_fleet(server, monkeypatch) as fleet,
    ):
        for _ in range(2):
            await fleet.worker(lease=LEASE)
        async with Engine(fleet.url, own=False) as engine:
            oracle = Oracle(engine)
            for round in range(8 if long else 2):
                for n in range(8):
                    await oracle.start(round * 100 + n)
                filler = fill(disk)
                beginning = asyncio.create_task(oracle.start_many(range(round * 100 + 8, round * 100 + 40)))
                refusals = len(oracle.refusals)
                await until(lambda before=refusals: len(oracle.refusals) > before)
                filler.unlink()
                if not server.answers():  # it had no room for its own log, and gave up
                    server.restart()
                await beginning
            await oracle.check()
            assert any("disk is full; free some space" in told for told in oracle.refusals)
        assert all(worker.process.poll() is None for worker in fleet.workers)


async def test_workers_without_connections_wait_for_some(monkeypatch: pytest.MonkeyPatch) -> None:
    with own_server({"max_connections": "24"}) as server, a_fleet(server, monkeypatch) as fleet:
        worker = await fleet.worker(lease=LEASE)
        async with Engine(fleet.url, own=False) as engine:
            handles = [await engine.start(fleet_program.meets, n) for n in range(6)]
            await until(lambda: len(fleet.done()) == 6)
            hoard = [psycopg.connect(fleet.url, autocommit=True)]
            await until(lambda: oust(hoard[0]) or hoard.extend(take_all(fleet)) or segues(hoard[0]) == 0)
            await until(lambda: "too many clients" in worker.said())
            with pytest.raises(Exception, match=r"too many clients|takes no more connections"):
                await engine.start(fleet_program.meets, 99)
            for connection in hoard:
                connection.close()
            for handle in handles:
                await handle.signal("go", "on")
            assert [await h.result(timeout=60) for h in handles] == [f"{n} on" for n in range(6)]
        assert worker.process.poll() is None


def take_all(fleet: Fleet) -> list[psycopg.Connection]:
    """Opens connections until there are none left."""
    found: list[psycopg.Connection] = []
    with suppress(psycopg.OperationalError):
        while True:
            found.append(psycopg.connect(fleet.url, autocommit=True))
    return found


def oust(connection: psycopg.Connection) -> None:
    """Ends what connections segue has; it may be the first to take one that becomes free by that."""
    connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'segue'")


def segues(connection: psycopg.Connection) -> int:
    """How many connections segue has."""
    rows = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'segue'").fetchall()
    return int(rows[0][0])
