"""Follows a run on a screen until it ends: as a live tree on a terminal, as lines elsewhere, silently for machines."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import ExitStack
from typing import Protocol

from rich.console import Console
from rich.constrain import Constrain
from rich.live import Live
from rich.text import Text

from segue.cli import plain, tree
from segue.cli.interrupts import Interrupts
from segue.cli.output import console
from segue.cli.printed import Printed
from segue.cli.scope import Scope
from segue.kernel import events as e
from segue.watching import LiveWatch

TICK = 0.1
ECHO = 3
"""Columns that stay free at the right: a terminal writes ^C behind the picture, and a line more would shift it."""


class Screen(Protocol):
    def show(self) -> None:
        """Shows what is new."""

    def print(self, line: str) -> None:
        """Shows a line that user code printed."""


async def follow(
    watch: LiveWatch, interrupts: Interrupts, printed: Printed, *, limit: int | None, logs: bool, scope: Scope
) -> e.Event | None:
    """Shows the run until it ends or stands still.

    Returns:
        The event that ended it or made it stand still; None when it was broken off or took longer than ``limit`` (µs).
    """
    out = console()
    with ExitStack() as stack:
        screen: Screen
        if scope.json:
            screen = _Silent(watch)
        elif out.is_terminal and not out.is_dumb_terminal:  # on which nothing can be drawn over
            screen = _Tree(watch, stack.enter_context(_live(out)), logs, scope)
        else:
            screen = _Lines(watch, out, logs)
        stack.enter_context(printed.to(screen.print))
        return await _until(watch, interrupts, limit, screen)


def _live(out: Console) -> Live:
    return Live(console=out, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)


async def _until(watch: LiveWatch, interrupts: Interrupts, limit: int | None, screen: Screen) -> e.Event | None:
    ended = asyncio.ensure_future(watch.engine.closing_event(watch.run))
    asked = asyncio.ensure_future(interrupts.asked.wait())
    until = None if limit is None else time.monotonic() + limit / 1_000_000
    try:
        while True:
            screen.show()
            wait = TICK if until is None else min(TICK, max(0.0, until - time.monotonic()))
            await asyncio.wait([ended, asked], timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return None
            if ended.done():
                event = await watch.engine.filled(ended.result())
                screen.show()
                if not isinstance(event, e.IncidentOpened) or _stands_still(watch):
                    return event
                await asyncio.sleep(TICK)
                ended = asyncio.ensure_future(watch.engine.closing_event(watch.run))
            elif until is not None and time.monotonic() >= until:
                return None
    finally:
        ended.cancel()
        asked.cancel()


def _stands_still(watch: LiveWatch) -> bool:
    """Whether an incident is all that is left. What else is under way is not broken off for it, and a person may have
    resolved it already."""
    engine = watch.engine
    busy = engine.activity(watch.run).attempts or engine.store.inbox([watch.run])
    return not busy and bool(watch.timeline.open_incidents)


class _Tree:
    """The live tree."""

    def __init__(self, watch: LiveWatch, live: Live, logs: bool, scope: Scope) -> None:
        self._watch = watch
        self._live = live
        self._logs = logs
        self._hint = scope.command
        self._seen: dict[int, int] = {}
        self._frame = 0

    def show(self) -> None:
        self._watch.refresh()
        if self._logs:
            for _, line in plain.logs(self._watch.engine, self._watch, self._seen):
                self._live.console.print(Text(line, style="dim"))
        self._frame += 1
        now = self._watch.now
        size = self._live.console.size
        width, height = size.width - ECHO, size.height - 2
        picture = tree.live(self._watch, now=now, width=width, height=height, frame=self._frame // 2, hint=self._hint)
        self._live.update(Constrain(picture, width), refresh=True)

    def print(self, line: str) -> None:
        self._live.console.print(Text(line))


class _Lines:
    """A line for each thing that happens."""

    def __init__(self, watch: LiveWatch, out: Console, logs: bool) -> None:
        self._watch = watch
        self._out = out
        self._logs = logs
        self._seen: dict[int, int] = {}

    def show(self) -> None:
        lines = [
            (change.event.at, text) for change in self._watch.refresh() if (text := plain.line(change)) is not None
        ]
        if self._logs:
            lines += plain.logs(self._watch.engine, self._watch, self._seen)
            lines.sort(key=lambda line: line[0])
        for _, text in lines:
            self.print(text)

    def print(self, line: str) -> None:
        self._out.file.write(f"{line}\n")
        self._out.file.flush()


class _Silent:
    """Nothing is shown; the result follows as JSON."""

    def __init__(self, watch: LiveWatch) -> None:
        self._watch = watch

    def show(self) -> None:
        self._watch.refresh()

    def print(self, line: str) -> None:
        print(line, file=sys.__stderr__)
