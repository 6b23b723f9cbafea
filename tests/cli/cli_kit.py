"""Real command lines in a temporary folder, with and without a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from command import Command

SOURCE = Path(__file__).parents[2] / "src"
COMMAND = [sys.executable, "-m", "segue.cli"]
PATIENCE = 30.0
"""Seconds: how long something may take on a busy machine before a test fails."""

FLOWS = """
import asyncio
import time

from segue import (
    Retry, approval, log, progress, publish, saga, set_attributes, signal, step, workflow,
)
from segue import attempt_number


@step
async def double(n: int) -> int:
    print(f"doubling {n}")
    return 2 * n


@step(retry=Retry(attempts=3, initial="50ms", jitter=0))
async def flaky(n: int) -> int:
    if attempt_number() < 3:
        raise ConnectionError("the line is dead")
    return n


@step
def slow(seconds: float) -> str:
    print("resting")
    for part in range(10):
        progress(part, 10, f"part {part}")
        time.sleep(seconds / 10)
    return "rested"


@step
async def explode(what: str) -> None:
    raise ValueError(f"bad {what}")


@step(on_exhausted="incident")
async def fragile(path: str) -> str:
    with open(path) as file:
        return file.read()


@step
async def undo_double(n: int, result: int | None) -> None:
    pass


@workflow
async def plain(n: int, times: int = 2) -> int:
    for _ in range(times):
        n = await double(n)
    return n


@workflow
async def retries(n: int) -> int:
    return await flaky(n)


@workflow
async def fails(what: str) -> None:
    async with saga() as s:
        await s.step(double, 1, undo=undo_double)
        await explode(what)


@workflow
async def stuck(path: str) -> str:
    return await fragile(path)


@workflow
async def waits(customer: str = "ann") -> str:
    set_attributes(customer=customer)
    publish("phase", {"at": "the door"})
    return await signal("go", str)


@workflow
async def asks(amount: int) -> str:
    answer = await approval("manager", subject={"amount": amount}, timeout="3d")
    return f"{answer.approved} {answer.comment}"


@workflow
async def nods() -> bool:
    return (await approval("boss")).approved


@workflow
async def family(n: int) -> list[int]:
    return [await plain(n, 1), await plain(n + 1, 1)]


@workflow
async def fans(n: int) -> int:
    return sum(await asyncio.gather(*[double(i) for i in range(n)]))


@workflow
async def rests(seconds: float) -> str:
    return await slow(seconds)


@workflow
async def sleeps(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "awake"
"""


class Ended:
    """A command that has ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"exit code {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class Running:
    """A command that goes on; what it prints can be waited for."""

    def __init__(self, process: subprocess.Popen[bytes], read: Callable[[float], bytes]) -> None:
        self.process = process
        self._read = read
        self.raw = ""
        self.keyboard = -1
        """What is written there is typed, on a terminal."""

    @property
    def text(self) -> str:
        """What it has printed so far, without control codes."""
        return bare(self.raw)

    def until(self, pattern: str, *, after: int = 0) -> str:
        """Reads until what came after position ``after`` matches; returns all of it."""
        limit = time.monotonic() + PATIENCE
        while not re.search(pattern, self.text[after:]):
            ended = self.process.poll() is not None
            self.raw += self._read(0.1).decode(errors="replace")
            if (ended and not re.search(pattern, self.text[after:])) or time.monotonic() > limit:
                raise AssertionError(f"{pattern!r} did not come; exit code {self.process.poll()}\n{self.text}")
        return self.text

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end_within(self, seconds: float) -> bool:
        """Reads for that long, or until it has ended; returns whether it has."""
        limit = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < limit:
            self.raw += self._read(0.1).decode(errors="replace")
        return self.process.poll() is not None

    def end(self) -> int:
        """Waits for its end; returns the exit code."""
        limit = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            self.raw += self._read(0.1).decode(errors="replace")
            assert time.monotonic() < limit, f"it goes on\n{self.text}"
        while last := self._read(0.1):  # a terminal gives out no more than a page at a time
            self.raw += last.decode(errors="replace")
        return self.process.returncode


_ABOUT_PYTHON = "PYTHON", "LC_"
"""What an interpreter asks for when it starts, so that one which has started already is of no use."""


class Folder:
    """A folder of a user's, and ``segue`` in it.

    Attributes:
        server: the socket of a ``command_server``, for commands that run to their end.
    """

    def __init__(self, path: Path, server: str) -> None:
        self.path = path
        self.server = server
        self._running: list[Running] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SEGUE_", "COLUMNS"))}
        self.environment = kept | {"PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1", "TERM": "xterm-256color"}
        self.write("flows.py", FLOWS)

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def __call__(self, *words: str, code: int | None = 0, **environment: str) -> Ended:
        """Runs a command to its end."""
        if any(name.startswith(_ABOUT_PYTHON) for name in environment):
            done = subprocess.run(
                [*COMMAND, *words], cwd=self.path, env=self.environment | environment, capture_output=True, text=True,
                stdin=subprocess.DEVNULL, timeout=2 * PATIENCE, check=False, preexec_fn=_hear_ctrl_c,
            )  # fmt: skip
            ended = Ended(done.returncode, done.stdout, done.stderr)
        else:
            ended = self._forked(words, environment)
        assert code is None or ended.code == code, ended
        return ended

    def _forked(self, words: tuple[str, ...], environment: dict[str, str]) -> Ended:
        with TemporaryFile("w+") as out, TemporaryFile("w+") as err, open(os.devnull) as nothing:
            streams = nothing.fileno(), out.fileno(), err.fileno()
            surroundings = self.environment | environment
            command = Command(
                self.server, list(words), folder=str(self.path), environment=surroundings, streams=streams
            )
            code = command.wait(2 * PATIENCE)
            out.seek(0)
            err.seek(0)
            return Ended(code, out.read(), err.read())

    def begin(self, *words: str, stderr: int = subprocess.STDOUT, **environment: str) -> Running:
        """Starts a command whose output goes into a pipe, by default with what it says on standard error."""
        process = subprocess.Popen(
            [*COMMAND, *words], cwd=self.path, env=self.environment | environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=stderr, preexec_fn=_hear_ctrl_c,
        )  # fmt: skip
        assert process.stdout is not None
        return self._keep(Running(process, _reader(process.stdout.fileno())))

    def on_terminal(self, *words: str, columns: int = 110, rows: int = 30, **environment: str) -> Running:
        """Starts a command on a terminal."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        process = subprocess.Popen(
            [*COMMAND, *words], cwd=self.path, env=self.environment | environment, stdin=theirs, stdout=theirs,
            stderr=theirs, start_new_session=True, preexec_fn=_own_terminal,
        )  # fmt: skip
        os.close(theirs)
        running = self._keep(Running(process, _reader(ours)))
        running.keyboard = ours
        return running

    def _keep(self, running: Running) -> Running:
        self._running.append(running)
        return running

    def close(self) -> None:
        for running in self._running:
            if running.process.poll() is None:
                running.process.kill()
                running.process.wait()
            if running.process.stdout is not None:
                running.process.stdout.close()
            if running.keyboard >= 0:
                os.close(running.keyboard)


def _hear_ctrl_c() -> None:
    """Whoever started the tests in the background may have had them ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _own_terminal() -> None:
    _hear_ctrl_c()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _reader(descriptor: int) -> Callable[[float], bytes]:
    def read(timeout: float) -> bytes:
        ready, _, _ = select.select([descriptor], [], [], timeout)
        if not ready:
            return b""
        try:
            return os.read(descriptor, 65536)
        except OSError:  # a terminal whose last process has gone
            return b""

    return read


def bare(text: str) -> str:
    """What a terminal shows, without its control codes."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text)
