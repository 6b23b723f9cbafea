"""Which signals a run takes, and what each of them looks like."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from segue.asking import signals_of
from segue.server.call import Call
from segue.server.runs import the_run
from segue.stores.base import CLOSED


class SignalView(msgspec.Struct, frozen=True):
    """A signal that a run takes.

    Attributes:
        awaited: the run waits for it now.
        form: JSON Schema of its value; an empty one is of anything.
    """

    name: str
    awaited: bool
    form: dict[str, Any]


async def list_signals(call: Call[Any, None]) -> list[SignalView]:
    """By replay, so that every process can say it that has the run's code; a run that has ended takes none.

    Raises:
        CallerError: its code is not known here. Incident: its journal does not replay with the code that is here.
    """
    row, engine = the_run(call), call.engine
    if row.state in CLOSED:
        return []
    forms, awaited = await asyncio.to_thread(signals_of, engine.definitions, row, engine.events_of)
    found = [SignalView(name, name in awaited, form) for name, form in forms.items()]
    return sorted(found, key=lambda each: (not each.awaited, each.name))
