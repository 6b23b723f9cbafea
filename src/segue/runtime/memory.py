"""Has idle runs leave memory when the process takes more of it than it may.

The setting ``cache`` counts runs, whatever their size. This looks at what the operating system counts, from time to
time and beside all work: above the budget, the quarter of the idle runs that have rested longest leaves, and they come
back by replay when something happens to them. Where that does not help, because something else holds the memory, looks
become rarer: to have runs come and go would only cost time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import InvalidArgument

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

log = logging.getLogger("segue.memory")

EVERY = 2.0
"""Seconds between two looks."""
PART = 4
"""One of so many idle runs leaves at a look above the budget."""
AT_ONCE = 500
"""Runs that leave in one turn of the loop."""
RAREST = 64
"""Looks of which one acts at least, however little it has helped."""
OF_USE = 8
"""What is above the budget has to shrink by one of so many parts, or the next look that acts comes later."""
CLEAR = 0.9
"""Part of the budget below which it is news that there is too little again."""
OF_CONTAINER = 0.8
"""Part of a container's memory that is the budget by default: the kernel ends a process that reaches all of it."""
MIB = 1024 * 1024

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1024, "M": MIB, "G": 1024 * MIB, "T": 1024 * 1024 * MIB}


def check_memory(text: str) -> None:
    """Refuses what the setting ``memory`` cannot be.

    Raises:
        InvalidArgument: and says what it can be.
    """
    if text not in ("auto", "off"):
        _size(text)


def budget(text: str, limit: Callable[[], int | None] | None = None) -> int | None:
    """Bytes that the setting allows, None for as many as there are. ``limit``: what the container may have."""
    if text == "off":
        return None
    if text != "auto":
        return _size(text)
    contained = (limit or container_limit)()
    return None if contained is None else round(OF_CONTAINER * contained)


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    size = 0 if found is None else round(float(found[1]) * _UNITS[found[2].upper()])
    if size < MIB:
        raise InvalidArgument(
            f"the setting memory is {text!r}; it is a size such as '750M' or '1.5G' (a megabyte at least), 'auto' for "
            "four fifths of what the container may have, or 'off'",
            path="memory",
        )
    return size


def container_limit(root: Path = Path("/")) -> int | None:
    """Bytes that the control group of this process may have, None where nothing is set."""
    limits = [int(text) for file in _limit_files(root) if (text := _text(file)).isdigit()]
    least = min(limits, default=None)
    return None if least is None or least >= 1 << 60 else least  # version 1 writes a huge number for none


def _limit_files(root: Path) -> Iterator[Path]:
    """Where limits stand: of the group and of those around it. In a container, its own group is the top."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, place = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top, name = root / "sys/fs/cgroup", "memory.max"
        if controllers == "memory":
            top, name = top / "memory", "memory.limit_in_bytes"
        group = Path(place.strip("/"))
        yield from (top / each / name for each in (group, *group.parents))


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def resident_memory() -> int | None:
    """Bytes of this process that are in memory, None where the system does not say."""
    text = _text(Path("/proc/self/statm"))
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") if text else None


class Shedding:
    """Looks after the memory of one owner.

    Args:
        budget: bytes; None looks after nothing.
        used: bytes that are in use, None if that is not known.

    Attributes:
        shed: runs that have left memory for it so far.
    """

    def __init__(
        self, conductor: Conductor, budget: int | None, *, used: Callable[[], int | None] = resident_memory
    ) -> None:
        self._conductor = conductor
        self._budget = budget
        self._used = used
        self._handle: asyncio.Handle | None = None
        self._pause = 1
        self._skip = 0
        self._said: set[str] = set()
        self.shed = 0

    def start(self) -> None:
        if self._budget is not None and self._used() is not None:
            self._handle = asyncio.get_running_loop().call_later(EVERY, self._turn)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _turn(self) -> None:
        if self._skip > 0:
            self._skip -= 1
            self._later()
        else:
            self.look()

    def _later(self) -> None:
        self._handle = asyncio.get_running_loop().call_later(EVERY, self._turn)

    def look(self) -> None:
        """Has idle runs leave if there is too little memory; looks again later."""
        used = self._used() or 0
        if self._budget is None or used <= self._budget:
            self._pause = 1
            if self._budget is None or used <= self._budget * CLEAR:
                self._said.clear()
            self._later()
            return
        self._say(logging.INFO, "idle runs leave memory, oldest first", used)
        self._shed(-(-len(self._conductor.idle) // PART), used)

    def _shed(self, wanted: int, before: int) -> None:
        """So many runs leave, some in each turn of the loop; then it is seen what that was good for."""
        conductor = self._conductor
        for _ in range(min(wanted, AT_ONCE)):
            oldest = next(iter(conductor.idle.values()), None)
            if oldest is None:
                break
            del conductor.idle[oldest.run]
            if oldest.idle and conductor.residents.get(oldest.run) is oldest:
                conductor.drop(oldest)
                if oldest.row_wake is not None:
                    conductor.expect(oldest.row_wake)
                self.shed += 1
        if wanted > AT_ONCE and conductor.idle:
            self._handle = asyncio.get_running_loop().call_soon(self._shed, wanted - AT_ONCE, before)
            return
        _trim()
        self._judge(before)

    def _judge(self, before: int) -> None:
        after = self._used() or 0
        assert self._budget is not None
        if after <= self._budget or (before - after) * OF_USE >= before - self._budget:
            self._pause = 1
        else:
            text = "idle runs that leave give little of it back: allow it more, or give it less to do at once (threads)"
            self._say(logging.WARNING, text, after)
            self._pause = min(2 * self._pause, RAREST)
        self._skip = self._pause - 1
        self._later()

    def _say(self, level: int, text: str, used: int) -> None:
        """Once, until there was enough again."""
        if text in self._said or self._budget is None:
            return
        self._said.add(text)
        runs, idle = len(self._conductor.residents), len(self._conductor.idle)
        log.log(
            level, "the process holds %d MiB, of %d that the setting memory allows, with %d runs in memory, %d of them "
            "idle: %s", used // MIB, self._budget // MIB, runs, idle, text,
        )  # fmt: skip


def _trim() -> None:
    """Has the C library give free memory back to the system, which it does by itself only from the top."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@lru_cache(1)
def _malloc_trim() -> Any:
    import ctypes  # only where there is a budget, and it was passed

    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library than glibc
        return None
