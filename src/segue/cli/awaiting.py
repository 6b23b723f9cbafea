"""Waits for what is carried out elsewhere, and says how to find out about it if the wait is broken off."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.text import Text

from segue.cli.ending import conclude
from segue.cli.exits import DATABASE
from segue.cli.interrupts import Interrupts, new_line, stopped_by
from segue.cli.lookup import look, lookup
from segue.cli.output import console, print_error, print_json
from segue.cli.scope import Reach
from segue.errors import SegueError
from segue.kernel import events as e
from segue.server.answers import Answers
from segue.server.views import RunView
from segue.watching import Watch

T = TypeVar("T")

FIRST_PAUSE = 0.02
"""Seconds between the first looks whether the run has ended: many end soon. Each is longer than the one before."""
PAUSE = 0.2
"""Seconds between later ones."""


async def await_end(answers: Answers, scope: Reach, run: RunView, interrupts: Interrupts) -> int:
    """Waits until the run has ended or stands still, prints how, and returns the exit code."""
    ended = await unless_asked(_end(answers, run), interrupts)
    if ended is None:
        return _broken_off(scope, run, interrupts.exit_code)
    try:
        watch, event = ended.result()
    except SegueError as error:
        return _lost(scope, run, error)
    return conclude(watch, event, scope=scope)


async def unless_asked(work: Coroutine[Any, Any, T], interrupts: Interrupts) -> asyncio.Future[T] | None:
    """The work, done; None if somebody has asked for an end before that."""
    going = asyncio.ensure_future(work)
    asked = asyncio.ensure_future(interrupts.asked.wait())
    try:
        await asyncio.wait([going, asked], return_when=asyncio.FIRST_COMPLETED)
        return going if going.done() else None
    finally:
        asked.cancel()
        going.cancel()


@contextmanager
def sent(scope: Reach, what: str, id: str) -> Iterator[None]:
    """While something is sent that changes a run: Ctrl-C does not tell whether it has come there."""
    try:
        yield
    except asyncio.CancelledError:
        if not scope.json:
            point_to(scope, id, f"\ninterrupted; {what} may be carried out all the same; look at it with")
        raise


async def _end(answers: Answers, run: RunView) -> tuple[Watch, e.Event]:
    watch = Watch(run.run)
    pause = FIRST_PAUSE
    while True:
        changes = await look(answers, watch)
        for event in (change.event for change in changes if change.watch is watch):
            if isinstance(event, e.RunContinued):
                return await _end(answers, await lookup(answers, run.id))
            if isinstance(event, e.CLOSING) or (isinstance(event, e.IncidentOpened) and watch.timeline.open_incidents):
                return watch, event
        await asyncio.sleep(pause)
        pause = min(PAUSE, pause * 1.5)


def _broken_off(scope: Reach, run: RunView, code: int) -> int:
    if scope.json:
        print_json({"id": run.id, "workflow": run.workflow, "state": "running", "ended": False})
        return code
    stopped = f"{new_line(code)}{stopped_by(code)}"
    point_to(scope, run.id, f"{stopped}; run {run.id} goes on without this command; look at it with")
    return code


def _lost(scope: Reach, run: RunView, error: SegueError) -> int:
    """The run was started; that nobody can be asked for its end any more does not end it."""
    print_error(error, as_json=scope.json, **({"id": run.id, "ended": False} if scope.json else {}))
    if not scope.json:
        point_to(scope, run.id, f"run {run.id} was started, and its end is not known here; look at it with")
    return DATABASE


def point_to(scope: Reach, id: str, said: str) -> None:
    """Says something of a run, and the command line that shows it."""
    out = console(sys.stderr)
    out.print(said, soft_wrap=True)
    out.print(Text(f"  {scope.command('show', id)}", style="bold"), soft_wrap=True)
