"""Workers as processes, and what is known of them from outside."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg

HERE = Path(__file__).parent
PROGRAM = HERE / "fleet_program.py"
LEASE = 1.0


class Worker:
    """A process that runs workflows."""

    def __init__(
        self, program: Path, url: str, app: str, lease: float, environment: dict[str, str], prefix: Sequence[str]
    ) -> None:
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the worker)
        self.process = subprocess.Popen(
            [*prefix, sys.executable, str(program), url, app, str(lease)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=environment,
        )  # fmt: skip

    async def ready(self) -> Worker:
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            line = await asyncio.to_thread(self.process.stdout.readline)
        assert line.strip() == "works", f"{line}{self.said()}"
        return self

    def said(self) -> str:
        """What it has logged."""
        self.log.seek(0)
        return self.log.read()

    def tell(self, signal: signal.Signals) -> None:
        self.process.send_signal(signal)

    async def leave(self) -> None:
        """Shuts down in order: its work is handed over."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        await asyncio.to_thread(self.process.wait, 60)

    async def kill(self) -> None:
        self.tell(signal.SIGKILL)
        await asyncio.to_thread(self.process.wait, 60)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.log):
            if stream is not None and not stream.closed:
                stream.close()


class Fleet:
    """Workers of one database."""

    def __init__(self, url: str, environment: dict[str, str]) -> None:
        self.url = url
        self.workers: list[Worker] = []
        source = os.pathsep.join([str(HERE.parent.parent / "src"), str(HERE)])
        self._environment = {**environment, "PYTHONPATH": source}

    async def worker(
        self,
        app: str = "default",
        lease: float = LEASE,
        *,
        url: str | None = None,
        program: Path = PROGRAM,
        prefix: Sequence[str] = (),
        **environment: str,
    ) -> Worker:
        """One more, once it works. ``url``: its way to the database. ``program`` takes the URL, ``app`` and the lease;
        ``prefix`` comes before its command line."""
        self.workers.append(Worker(program, url or self.url, app, lease, self._environment | environment, prefix))
        return await self.workers[-1].ready()

    def query(self, sql: str) -> list[Any]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()

    def done(self) -> list[tuple[str, str, int]]:
        """What was done outside, (idempotency key, what, process), in order."""
        return self.query("SELECT key, what, process FROM done ORDER BY at")

    def shares(self) -> list[int]:
        """How many slots each living worker has, the largest first; what nobody has is -1 times its number."""
        rows = self.query("SELECT epoch, sum(high - low + 1)::integer FROM segue.slots GROUP BY epoch ORDER BY 2 DESC")
        return [size if epoch is not None else -size for epoch, size in rows]

    def close(self) -> None:
        """Ends what still runs; what was said is shown with a test that fails."""
        while self.workers:
            worker = self.workers.pop(0)
            print(f"worker {worker.process.pid}, exit code {worker.process.poll()}:\n{worker.said()}")
            worker.close()


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 60) -> None:
    """Waits for a condition; a test that waits in vain fails."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)
