"""Starting a run and waiting for its end, in one request."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

import msgspec

from segue.client.ends import STOPPED
from segue.engine import Engine
from segue.kernel import events as e
from segue.server.call import Call, Follow
from segue.server.ends import end_of
from segue.server.runs import find_run, opened
from segue.server.views import (
    FailureView,
    IncidentView,
    RunView,
    ValueView,
    failure_view,
    incident_view,
    run_view,
    value_view,
)
from segue.standing import last_events
from segue.stores.base import RunRow

LONGEST_WAIT = 60
"""Seconds that a request may take."""
TAIL = 100
"""Events among which the one is that a run stopped with."""


class StartQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``wait``: seconds until there is an answer at the latest; it comes once the run has ended or stands still."""

    wait: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_WAIT)] = 0


class StartedRun(RunView, frozen=True, kw_only=True):
    """A run that was started, as it is now.

    Attributes:
        result: what it gave, once it has completed.
        failure: why it failed, if it did.
        incident: why it stands still, if it does.
    """

    result: ValueView | None = None
    failure: FailureView | None = None
    incident: IncidentView | None = None


def started(engine: Engine, row: RunRow) -> StartedRun:
    """A run as it is."""
    view = run_view(opened(engine, row))
    said = _end(engine, row) if row.state in STOPPED else {}
    return StartedRun(**{name: getattr(view, name) for name in view.__struct_fields__}, **said)


def _end(engine: Engine, row: RunRow) -> dict[str, Any]:
    """What there is to say of how a run ended, or why it stands still."""
    for seq, event in last_events(engine, row.run, TAIL):
        match event:
            case e.RunCompleted():
                return {"result": value_view(event.result, (seq, "result"))}
            case e.RunFailed():
                return {"failure": failure_view(event.failure)}
            case e.IncidentOpened() if row.state == "incident":
                return {"incident": incident_view(event)}
    return {}


def until_end(call: Call[StartQuery, Any]) -> Follow | None:
    """Waits for the end of a run that was started, if that is asked for."""
    return partial(_wait_for_end, call) if call.query.wait else None


async def _wait_for_end(call: Call[StartQuery, Any], run: StartedRun) -> StartedRun:
    """The run as it is when it has ended or stands still, or when the time is over: then it is accepted (202) only."""
    engine, number = call.engine, run.run
    with suppress(TimeoutError):
        async with asyncio.timeout(call.query.wait):
            number = await end_of(engine, number)
    row = find_run(engine, number)
    if row.state not in STOPPED:
        call.status = 202
    return started(engine, row)
