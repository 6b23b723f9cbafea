"""``segue dev``: serves the workflows of a folder, and serves them anew whenever a file changes.

The code runs in a child process. When a file changes, a new child imports the new code while the old one still
serves; only when that has worked does the old one hand over. Code that does not import is shown with its error, and
the old code goes on until it is mended: nothing is lost either way, because the runs are in the database. A file that
lacks a module is left out at the start, so that others are served; once it has been served, it is not left out again.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter
from rich.text import Text

from segue.cli import target
from segue.cli.exits import FAILED, USAGE
from segue.cli.log_lines import here, write_json
from segue.cli.output import console
from segue.cli.scope import Lines, Scope
from segue.cli.words import clock, count
from segue.configuration.settings import port_number
from segue.errors import InvalidArgument
from segue.kernel.duration import microseconds

LOOK = 0.3
"""Seconds between looks at the files."""
SETTLE = 0.1
"""Seconds that files have to stay as they are: an editor writes several at once."""
LONG = 5.0
"""Seconds of importing after which a person wonders what goes on."""


class Order(msgspec.Struct, frozen=True):
    """What the child is told on its command line."""

    places: tuple[str, ...]
    url: str | None
    app: str | None
    namespace: str | None
    grace: float
    port: int
    lines: Literal["text", "json"] = "text"
    without: tuple[str, ...] | None = None
    """Files that may be left out, if they lack a module; None: any, since nothing has been served yet."""


def dev(
    *places: Annotated[str, Parameter(help="Folders or files that define the workflows; by default this folder.")],
    grace: Annotated[str, Parameter(help="How long attempts under way may take to end at a change.")] = "2s",
    port: Annotated[
        int | None, Parameter(help="Where the dashboard is; the next free one if it is taken. Or: SEGUE_PORT.")
    ] = None,
    log_format: Lines = "text",
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Serve the workflows of a folder, and serve them anew whenever a file changes."""
    seconds = microseconds(grace) / 1_000_000
    chosen = places or (".",)
    for place in chosen:
        if not Path(place).exists():
            raise InvalidArgument(f"there is no file or folder {place}")
    scope.require_no_server()
    order = Order(chosen, scope.url, scope.app, scope.namespace, seconds, port_number(port), log_format)
    if log_format == "json":
        write_json()
    return _Supervisor(order).run()


class _Child:
    """One process that serves one state of the code."""

    def __init__(self, order: Order) -> None:
        # The child sees the end of this pipe when its parent is gone, whatever became of it.
        mine, theirs = os.pipe(), os.pipe()
        self._say, self._hear = theirs[1], mine[0]
        command = [sys.executable, "-m", "segue.cli.dev_child", msgspec.json.encode(order).decode()]
        command += [str(theirs[0]), str(mine[1])]
        self.process = subprocess.Popen(command, pass_fds=(theirs[0], mine[1]), env=_environment())
        os.close(theirs[0])
        os.close(mine[1])

    def loads(self, given_up: Callable[[], bool]) -> tuple[str, ...] | None:
        """Waits until it has imported the code, and says without which files; None if that went wrong, or nobody waits
        for it any longer."""
        said = b""
        while not given_up():
            if select.select([self._hear], [], [], SETTLE)[0]:
                more = os.read(self._hear, 1 << 16)
                said += more
                if said.endswith(b"\n"):
                    return msgspec.json.decode(said, type=tuple[str, ...])
                if not more:
                    return None
        return None

    def ended(self) -> int | None:
        """How the process ended, once it has closed its pipe; None if it goes on."""
        try:
            return self.process.wait(SETTLE)
        except subprocess.TimeoutExpired:
            return None

    def go(self) -> None:
        """Lets it own the runs."""
        os.write(self._say, b"g")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self, grace: float) -> None:
        """Has it hand over, and waits."""
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(grace + 10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for end in (self._say, self._hear):
            os.close(end)


class _Supervisor:
    """Looks at the files, and changes children."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._out = console()
        self._child: _Child | None = None
        self._stopping = False
        self._seen: dict[str, tuple[int, int]] = {}
        """The files as they were last taken up."""

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        self._seen = _state(self._order.places)
        self._note(f"watching {count(len(self._seen), 'file')} in {', '.join(self._order.places)}; Ctrl-C stops")
        self._change()
        while not self._stopping:
            time.sleep(LOOK)
            now = _state(self._order.places)
            if now != self._seen:
                self._seen = self._settled(self._seen, now)
                self._change()
            elif self._child is not None and not self._child.alive and not self._stopping:
                return self._died(self._child)
        if self._child is not None:
            self._child.stop(self._order.grace)
        return 0

    def _stop(self, number: int, frame: object) -> None:
        if self._stopping and self._child is not None:  # asked twice: at once
            self._child.process.kill()
        self._stopping = True

    def _settled(
        self, before: dict[str, tuple[int, int]], now: dict[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        while True:
            time.sleep(SETTLE)
            later = _state(self._order.places)
            if later == now:
                break
            now = later
        changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        shown = ", ".join(os.path.relpath(name) for name in changed[:3])
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        self._note(f"{shown}{more} changed")
        return now

    def _change(self) -> None:
        """A new child takes over, if it can import the code."""
        new = _Child(self._order)
        left = new.loads(self._giving_up())
        if left is None:
            ended = new.ended()
            new.stop(0)
            if not self._stopping and _state(self._order.places) == self._seen:
                if ended not in (None, FAILED, USAGE):  # with these it has said itself what is wrong
                    self._note(f"the code ended the process that imported it ({_reason(ended)})")
                goes_on = self._child is not None and self._child.alive
                self._note("the code as it was goes on until this is mended" if goes_on else "waiting for a change")
            return
        if self._child is not None:
            self._child.stop(self._order.grace)
        self._child = new
        self._order = msgspec.structs.replace(self._order, without=left)
        if not self._stopping:
            new.go()

    def _giving_up(self) -> Callable[[], bool]:
        """Says of code that is imported, as often as it is asked, whether to wait for it no longer."""
        began, told = time.monotonic(), False

        def given_up() -> bool:
            nonlocal told
            if not told and time.monotonic() - began > LONG:
                told = True
                self._note("the code is still being imported: something at the top of a file takes long")
            return self._stopping or _state(self._order.places) != self._seen

        return given_up

    def _died(self, child: _Child) -> int:
        code = child.process.returncode
        if code == USAGE:  # it has said itself what is wrong with what it was told
            return code
        self._note(f"the serving process ended by itself ({_reason(code)}); nothing is lost, start again to go on")
        return code if code > 0 else 1

    def _note(self, text: str) -> None:
        if self._order.lines == "json":
            here.info("%s", text)
            return
        self._out.print(Text(f"{clock(time.time_ns() // 1000)[-8:]}  {text}", style="dim"), soft_wrap=True)


def _reason(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _environment() -> dict[str, str]:
    """Byte code is not written: of two changes within a second it would keep the first."""
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}


def _state(places: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Time and size of each file that may matter."""
    found = {}
    for path in _files(places):
        try:
            status = path.stat()
        except OSError:
            continue  # gone since it was listed
        found[str(path.resolve())] = status.st_mtime_ns, status.st_size
    return found


def _files(places: tuple[str, ...]) -> Iterator[Path]:
    for place in places:
        path = Path(place)
        folder = path if path.is_dir() else path.parent
        if folder.is_dir():
            yield from target.sources_in(folder)
