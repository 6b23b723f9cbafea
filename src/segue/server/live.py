"""Live views: a stream that says that something has changed, and one run's events as they come to be on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec

from segue.kernel import events as e
from segue.runtime.activity import Activity
from segue.server.call import Call, Number
from segue.server.pulses import pulse_of
from segue.server.runs import the_run
from segue.server.views import EventView, event_view
from segue.stores.base import CLOSED

LOOK = 0.1
"""Seconds between looks: a change is told within this time of its commit."""
BEHIND = 0.02
"""Seconds by which a look may come too late before those who look stand back for those who run."""
QUIET = 15.0
"""Seconds after which a quiet stream says that it is still there."""


class Sent(NamedTuple):
    """One server-sent event; ``id`` is what the browser resumes from."""

    event: str
    data: Any
    id: int | None = None


class LiveQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``after``: the last event that was seen; a browser's Last-Event-ID goes before it."""

    after: Number = 0


class Changed(msgspec.Struct, frozen=True):
    """Something was committed since the last of these: look again.

    now: the server's time. busy: its process has its hands full, and whoever asks does well to ask less often.
    """

    now: int
    busy: bool = False


class Following(msgspec.Struct, frozen=True):
    """What a run's stream sends: ``recorded`` events, and ``activity``, which is nowhere recorded."""

    recorded: EventView | None = None
    activity: Activity | None = None


async def changes(call: Call[LiveQuery, None]) -> AsyncIterator[Sent]:
    """Says ``changed`` after commits, not more than ten times a second, however many there are, and half as often while
    the process has its hands full: a page that draws anew takes the processors from the runs."""
    store, clock = call.engine.store, call.engine.clock
    seen, quiet, busy = -1, 0.0, False
    while True:
        pulse = pulse_of(store)
        if pulse != seen or quiet >= QUIET:
            yield Sent("changed" if pulse != seen else "quiet", Changed(clock.now(), busy))
            seen, quiet = pulse, 0.0
        waited, busy = await _until_next_look()
        quiet += waited


async def _until_next_look() -> tuple[float, bool]:
    """Waits, and twice as long where the loop is behind; gives the seconds that it took, and whether it was."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(LOOK)
    behind = loop.time() - began > LOOK + BEHIND
    if behind:
        await asyncio.sleep(LOOK)
    return loop.time() - began, behind


async def follow_run(call: Call[LiveQuery, None]) -> AsyncIterator[Sent]:
    """A run's events from the one behind ``after``, until it has ended; in between, what its steps do now."""
    engine, run = call.engine, the_run(call).run
    seq, pulse, quiet = call.query.after, -1, 0.0
    activity: Activity | None = None
    while True:
        now = pulse_of(engine.store)
        if now != pulse:
            pulse = now
            # Looked at before the events: if it is closed, its last event is among them, or was seen before.
            row = engine.store.run(run)
            for number, event in engine.events_of(run, after=seq, apart=True):
                yield Sent("recorded", event_view(number, event), number)
                seq, quiet = number, 0.0
                if isinstance(event, e.CLOSING):
                    yield Sent("end", Changed(engine.clock.now()))
                    return
            if row is None or row.state in CLOSED:
                yield Sent("end", Changed(engine.clock.now()))
                return
        doing = engine.activity(run)
        if doing != activity:
            activity, quiet = doing, 0.0
            yield Sent("activity", doing)
        if quiet >= QUIET:
            quiet = 0.0
            yield Sent("quiet", Changed(engine.clock.now()))
        await asyncio.sleep(LOOK)
        quiet += LOOK
