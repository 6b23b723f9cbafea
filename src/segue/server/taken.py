"""What a run takes: its signals, updates and queries, and what each of them looks like.

Found by replay, so that every process can say it that has the run's code.
"""

from __future__ import annotations

from typing import Any

import msgspec

from segue.client.asking import queries_of, signals_of, updates_of
from segue.errors import RunNotFound
from segue.kernel.execution import Form
from segue.runtime.beside import others
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


class HandlerView(msgspec.Struct, frozen=True):
    """An update or a query that a run answers.

    Attributes:
        parameters: names of its arguments, in order; ``*name`` takes all that come from there on.
        form: JSON Schema of the arguments by name.
        summary: the first line of its documentation.
    """

    name: str
    parameters: list[str]
    form: dict[str, Any]
    summary: str


async def list_signals(call: Call[Any, None]) -> list[SignalView]:
    """A run that has ended takes none.

    Raises:
        CallerError: its code is not known here. Incident: its journal does not replay with the code that is here.
    """
    row, engine = the_run(call), call.engine
    if row.state in CLOSED:
        return []
    forms, awaited = await others(signals_of, engine.definitions, row, engine.events_of)
    found = [SignalView(name, name in awaited, form) for name, form in forms.items()]
    return sorted(found, key=lambda each: (not each.awaited, each.name))


async def list_updates(call: Call[Any, None]) -> list[HandlerView]:
    """By name. A run that has ended answers none.

    Raises:
        CallerError, Incident: as ``list_signals``.
    """
    row, engine = the_run(call), call.engine
    if row.state in CLOSED:
        return []
    return _views(await others(updates_of, engine.definitions, row, engine.events_of))


async def list_queries(call: Call[Any, None]) -> list[HandlerView]:
    """By name. A run that has ended answers as before; for one that has gone on, the last of its chain does.

    Raises:
        CallerError, Incident: as ``list_signals``.
    """
    row, engine = the_run(call), call.engine
    if row.state == "continued":
        latest = engine.store.latest(row.run)
        if latest is None:
            raise RunNotFound(str(row.run), engine.namespace)
        row = latest
    return _views(await others(queries_of, engine.definitions, row, engine.events_of))


def _views(forms: dict[str, Form]) -> list[HandlerView]:
    return [HandlerView(name, form.parameters, form.schema, form.summary) for name, form in forms.items()]
