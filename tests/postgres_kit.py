"""A PostgreSQL server for tests: one that SEGUE_TEST_POSTGRES names, or the system's own, started in a folder.

It listens on a socket in its folder and on loopback. It does not wait for the disk: the tests prove order, not the
disk.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

USER = "postgres"
"""The server refuses to run as root; Debian's package brings this user."""
SETTINGS = {
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "fatal",
    "full_page_writes": "off",
}


class PostgresServer:
    """A running server; databases are made in it and dropped again."""

    def __init__(self, admin: str) -> None:
        self.admin = admin

    def url(self, database: str) -> str:
        return urlunsplit(urlsplit(self.admin)._replace(path=f"/{database}"))

    def create(self) -> str:
        name = f"segue_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, sql: str) -> list[Any]:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []


class Rewound:
    """A database that can be set back to what it was, under the hands of those who work on it."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self.url = url
        self._server = server
        self._name = urlsplit(url).path[1:]

    def _shut(self) -> None:
        self._server.execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
        self._server.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{self._name}'"
        )

    def keep(self) -> None:
        """Remembers what it is now."""
        self._shut()
        self._server.execute(f"CREATE DATABASE {self._name}_kept TEMPLATE {self._name}")
        self._server.execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")

    @property
    def kept(self) -> str:
        """Where that is which it goes back to."""
        return f"{self.url}_kept"

    def go_back(self) -> None:
        self._shut()
        self._server.execute(f"ALTER DATABASE {self._name} RENAME TO {self._name}_gone")
        self._server.execute(f"ALTER DATABASE {self._name}_kept RENAME TO {self._name}")

    def close(self) -> None:
        for name in (f"{self._name}_gone", f"{self._name}_kept"):
            self._server.drop(name)


class OwnServer(PostgresServer):
    """A server that the tests have started, and may stop and kill."""

    def __init__(self, folder: Path, binaries: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self.port = _free_port()
        self._killed = False
        self._binaries = binaries
        self._settings = settings
        super().__init__(f"postgresql://{USER}@127.0.0.1:{self.port}/postgres")

    def start(self) -> None:
        self._killed = False
        options = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        self._run(
            "pg_ctl", "-D", "data", "-w", "-l", "log", "-o", f"-p {self.port} -k {self.folder} {options}", "start"
        )

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", "data", "-w", "-m", mode, "stop")

    def kill(self) -> None:
        """As a crash does: nothing is written down any more."""
        os.kill(int((self.folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        self._killed = True

    def is_running(self) -> bool:
        return (self.folder / "data" / "postmaster.pid").exists() and not self._killed

    def answers(self) -> bool:
        try:
            psycopg.connect(self.admin, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def restart(self) -> None:
        """Starts it again, whatever has become of it."""
        if self.is_running():
            try:
                self.stop("immediate")
            except AssertionError:
                if self.is_running():
                    raise  # otherwise it was on its way down already, and came there by itself
        self.start()

    def copy(self, primary: OwnServer) -> None:
        """Becomes a standby of the other one, which follows it asynchronously once it is started."""
        self._run(
            "pg_basebackup", "-D", "data", "-R", "-X", "stream", "-c", "fast", "--no-sync", "-h", "127.0.0.1",
            "-p", str(primary.port), "-U", USER,
        )  # fmt: skip

    def promote(self) -> None:
        """Becomes a server that one can write to."""
        self._run("pg_ctl", "-D", "data", "-w", "promote")

    def stop_following(self) -> None:
        """What the primary writes from now on does not come."""
        self.execute("ALTER SYSTEM SET primary_conninfo = ''")
        self.execute("SELECT pg_reload_conf()")

    def has_all_of(self, primary: OwnServer) -> bool:
        """Whether what the primary has written so far is here."""
        ((written,),) = primary.execute("SELECT pg_current_wal_flush_lsn()")
        ((here,),) = self.execute(f"SELECT pg_last_wal_replay_lsn() >= '{written}'::pg_lsn")
        return bool(here)

    def initialise(self, *options: str) -> None:
        self._run("initdb", "-D", "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", *options)

    def _run(self, program: str, *arguments: str) -> None:
        user = USER if os.geteuid() == 0 else None
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        found = subprocess.run(
            [self._binaries / program, *arguments], cwd=self.folder, user=user, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert found.returncode == 0, f"{program} {' '.join(arguments)}: {found.stdout}"


@contextmanager
def postgres_server(settings: dict[str, str] | None = None) -> Iterator[PostgresServer]:
    """A running server; skips when there is none to be had."""
    given = os.environ.get("SEGUE_TEST_POSTGRES")
    if given and settings is None:
        yield PostgresServer(given)
        return
    with own_server(settings) as server:
        yield server


@contextmanager
def own_server(
    settings: dict[str, str] | None = None, *, parent: Path | None = None, initdb: tuple[str, ...] = (),
    primary: OwnServer | None = None,
) -> Iterator[OwnServer]:  # fmt: skip
    """A server of the caller's own, started; its data in a folder below ``parent``. With a ``primary``, a standby."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("missing tool: a PostgreSQL server (Debian's package postgresql)")
    # Not one of pytest's own folders: those are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="segue-postgres-", dir=parent))
    if os.geteuid() == 0:
        user = pwd.getpwnam(USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
    server = OwnServer(folder, binaries, SETTINGS | (settings or {}))
    if primary is None:
        server.initialise(*initdb)
    else:
        server.copy(primary)
    server.start()
    try:
        yield server
    finally:
        if server.is_running():
            server.stop("immediate")
        shutil.rmtree(folder)


def _binaries() -> Path | None:
    """The newest server that Debian has installed, or the one on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
