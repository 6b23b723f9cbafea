"""PgBouncer in transaction mode between workers and server: no session of one's own, no prepared statements."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import fleet_program
import psycopg
import pytest
from fleet_kit import LEASE, Fleet, until

from segue import Engine, Settings
from segue.stores.owning import SLOTS

CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
pool_mode = transaction
auth_type = any
default_pool_size = 20
max_client_conn = 200
"""


@pytest.fixture
def pooled(fleet: Fleet) -> Iterator[str]:
    """The fleet's database behind a pooler; its URL."""
    program = shutil.which("pgbouncer")
    if program is None:
        pytest.skip("missing tool: pgbouncer")
    place = urlsplit(fleet.url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        own = int(probe.getsockname()[1])
    folder = Path(tempfile.mkdtemp(prefix="segue-pooler-"))
    text = CONFIGURATION.format(host=place.hostname, port=place.port, own=own)
    text = text.replace("* = host", f"* = user={place.username} host")
    (folder / "pooler.ini").write_text(text)
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        for path in (folder, folder / "pooler.ini"):
            os.chown(path, user.pw_uid, user.pw_gid)
    process = subprocess.Popen(
        [program, str(folder / "pooler.ini")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        user="postgres" if os.geteuid() == 0 else None,
    )  # fmt: skip
    yield urlunsplit(place._replace(netloc=f"{place.username}@127.0.0.1:{own}", query="prepare=off"))
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


async def test_workers_share_behind_a_pooler(fleet: Fleet, pooled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def reachable() -> bool:
        try:
            psycopg.connect(pooled.partition("?")[0], prepare_threshold=None).close()
        except psycopg.OperationalError:
            return False
        return True

    await until(reachable)
    settings = Settings(lease=LEASE, slow_poll=0.2)
    async with Engine(pooled, settings=settings) as one, Engine(pooled, settings=settings) as other:
        await until(lambda: fleet.shares() == [SLOTS // 2, SLOTS // 2])
        handles = [await (one, other)[n % 2].start(fleet_program.meets, n, id=f"m{n}") for n in range(12)]
        await until(lambda: len(fleet.done()) == 12)
        for n in range(12):
            await (await other.handle(f"m{n}")).signal("go", "on")
        found = await asyncio.gather(*[handle.result(timeout=30) for handle in handles])
        assert found == [f"{n} on" for n in range(12)]
        fleet.query("SELECT setval('segue.runs_run_seq', 60000)")  # more than half of the first partition
        await one.start(fleet_program.walks, 1)
        await asyncio.to_thread(one.store.upkeep)
        assert fleet.query("SELECT count(DISTINCT low), count(*) FROM segue.partitions WHERE low > 0") == [(1, 2)]


def test_a_setting_of_the_url_that_is_none_is_refused(postgres_database: Callable[[], str]) -> None:
    from segue.errors import InvalidArgument
    from segue.stores.postgres.store import PostgresStore

    with pytest.raises(InvalidArgument, match="on or off"):
        PostgresStore.open(f"{postgres_database()}?prepare=maybe")
