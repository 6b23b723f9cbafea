"""Pausing: a run stands still because a person wants it to, or a step is run for nobody until it is let go on.

A paused run takes in everything and sees nothing of it until it goes on (the execution holds it back, so that replay
does the same). A paused step is a row of its own: each call whose attempt would begin gets an event ``Paused`` with its
key, and the run waits at no cost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from segue.errors import StoreUnavailable
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.names import person_of
from segue.runtime.resident import Resident
from segue.stores.base import HoldStep, RunFilter

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor
    from segue.runtime.loading import Loading

log = logging.getLogger("segue.pauses")
AT_ONCE = 200
RETRY = 0.5


def said(actor: str | None, reason: str) -> str:
    """Who has paused it and why, in one line for lists."""
    by = person_of(actor)
    return f"paused{f' by {by}' if by else ''}{f': {reason}' if reason else ''}"[:500]


def pause(conductor: Conductor, run: Resident, event: e.Event) -> None:
    """A person pauses the run. A second time changes nothing."""
    assert isinstance(event, e.Paused)
    if run.paused is None:
        run.paused = said(event.actor, event.reason)
        conductor.apply(run, event)


def resume(conductor: Conductor, run: Resident, event: e.Event) -> None:
    """A person lets the run go on: what came in meanwhile is seen, in order, and timers that became due fire."""
    if run.paused is None:
        return
    run.paused = None
    if run.withheld:
        # Work of a predecessor was not begun again while it was paused: replay tells what is left of it.
        run.withheld = False
        segment = conductor.record(run, event)
        segment.effects.append((conductor.rebuild, (run,)))
        conductor.writer.touch(run)
    else:
        segment = conductor.apply(run, event)
    # Timers fire now that were not looked at while it was paused: what was accepted before them is seen first.
    segment.check_inbox = True


def note(run: Resident, event: e.Event) -> None:
    """Keeps account while a run is loaded."""
    if isinstance(event, e.Paused):
        if event.key is None:
            run.paused = said(event.actor, event.reason)
        else:
            run.held[event.key] = event.name
    elif isinstance(event, e.Resumed):
        if event.key is None:
            run.paused = None
        else:
            run.held.pop(event.key, None)


# --- steps ----------------------------------------------------------------------------------------------------


def hold(conductor: Conductor, run: Resident, command: c.RunStep, step: HoldStep) -> None:
    """The step is paused: this call waits for that to end."""
    run.active.pop(command.key, None)
    run.held[command.key] = step.step
    actor = f"user:{step.by}" if step.by else None
    conductor.apply(run, e.Paused(conductor.stamp(run), actor, None, step.reason, command.key, step.step))


def withdraw(conductor: Conductor, run: Resident, key: str) -> None:
    """The workflow itself no longer waits for the call that is held."""
    run.held.pop(key, None)
    conductor.record(run, e.Resumed(conductor.stamp(run), None, None, key))


class Holds:
    """The steps of an app that are paused, as far as its owner knows, and letting runs go on that wait for one."""

    def __init__(self, conductor: Conductor, loading: Loading) -> None:
        self._conductor = conductor
        self._loading = loading
        self._telling: dict[tuple[str, str], HoldStep] = {}
        self._sweeping = False

    @property
    def busy(self) -> bool:
        """Runs are being told that a step goes on."""
        return bool(self._telling) or self._sweeping

    def refresh(self) -> None:
        """Looks which steps are paused and which go on. Raises ``StoreUnavailable``."""
        conductor = self._conductor
        found = conductor.store.held(conductor.app)
        before = conductor.held
        conductor.held = {(step.namespace, step.step): step for step in found if step.state == "paused"}
        if before.keys() - {(step.namespace, step.step) for step in found}:
            self.sweep()  # another owner has told its own runs, and all is said as far as that one knows
        for step in found:
            place = (step.namespace, step.step)
            if step.state == "resuming" and place not in self._telling:
                self._telling[place] = step
                for run in [run for run in conductor.residents.values() if run.held]:
                    self.look_at(run)
                self._look_at_all(step.namespace, partial(self._told, step))

    def look_at(self, run: Resident) -> None:
        """Lets go of the calls that wait for a step which is not paused any more. What a run was told is void if it
        leaves memory before that is on disk: so every run that comes back is looked at."""
        conductor = self._conductor
        if run.execution is None or run.closed:
            return
        for key, name in list(run.held.items()):
            place = (run.namespace, name)
            if place not in conductor.held:
                del run.held[key]
                step = self._telling.get(place)
                actor = f"user:{step.by}" if step is not None and step.by else None
                conductor.apply(run, e.Resumed(conductor.stamp(run), actor, None, key))
        conductor.rest(run)

    def sweep(self) -> None:
        """Looks at all runs on disk: at what went on while nobody, or somebody else, looked after them."""
        if not self._sweeping:
            self._sweeping = True
            self._look_at_all(None, self._swept)

    def _look_at_all(self, namespace: str | None, ended: Callable[[bool], None], after: int | None = None) -> None:
        """Looks at all runs that are paused on disk, a page at a time; some of them wait for something else. ``ended``
        is told whether it came to the last one."""
        where = RunFilter(namespace=namespace, states=("paused",), after=after, limit=AT_ONCE)
        try:
            rows = self._conductor.store.list(where)
        except StoreUnavailable as error:
            log.debug("looking for runs that may go on later: %s", error)
            ended(False)
            return
        if not rows:
            ended(True)
            return
        left = len(rows)

        def looked_at(run: Resident | None) -> None:
            nonlocal left
            if run is not None:
                self.look_at(run)
            left -= 1
            if left == 0:
                self._conductor.call_soon(self._look_at_all, namespace, ended, rows[-1].run)

        for row in rows:
            self._loading.load(row.run, looked_at)

    def _told(self, step: HoldStep, all: bool) -> None:
        def settled(answer: object = None) -> None:
            self._telling.pop((step.namespace, step.step), None)

        if all:
            self._conductor.writer.submit(msgspec.structs.replace(step, state="running"), settled)
        else:
            settled()  # the next look begins again

    def _swept(self, all: bool) -> None:
        self._sweeping = False
        if not all:
            asyncio.get_running_loop().call_later(RETRY, self.sweep)
