"""Acting on runs: starting one, sending it something, ending it, letting it go on."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.engine import Engine
from segue.errors import InvalidArgument, PayloadError, RunClosed
from segue.kernel.payload import JSON, from_bytes
from segue.server.call import Call
from segue.server.runs import find_run, the_run
from segue.server.waiting import StartedRun, StartQuery, started
from segue.stores.base import ConflictPolicy


class StartBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to start.

    Attributes:
        workflow: its name.
        input: the arguments, in order.
        id: of the caller's; the same id with the same input is the same run.
        delay: how long to wait before it begins, ``2h``. timeout: how long it may take from then on.
        summary: what it is about.
    """

    workflow: str
    input: list[Any] = []
    id: str | None = None
    on_conflict: ConflictPolicy = "use-existing"
    tags: dict[str, str] = {}
    delay: str | None = None
    timeout: str | None = None
    summary: str = ""


class SignalBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signal; ``message`` is an id under which it is taken only once."""

    name: str
    value: Any = None
    message: str | None = None


class CallBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query or an update: its name and arguments; ``id`` makes an update that is sent twice one update."""

    name: str
    arguments: list[Any] = []
    id: str | None = None


class ReasonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why; kept with the run."""

    reason: str = ""


class RetryBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which call goes on; all that stand still if none is named."""

    key: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """What a query or an update answered."""

    value: Any


async def start_run(call: Call[StartQuery, StartBody]) -> StartedRun:
    body = call.body
    arguments = typed(call.engine, body.workflow, body.input)
    handle, _ = await call.engine.start_with(
        body.workflow, arguments, None, id=body.id or call.once or None, on_conflict=body.on_conflict,
        tags=body.tags or None, delay=body.delay, timeout=body.timeout, summary=body.summary, by=call.who.name,
    )  # fmt: skip
    return started(call.engine, find_run(call.engine, handle.run))


def typed(engine: Engine, name: str, input: list[Any]) -> tuple[Any, ...]:
    """The arguments as their declared types, where the workflow is known here; its owner decodes them otherwise.

    Raises:
        InvalidArgument: they do not fit.
    """
    workflow = engine.definitions.workflow(name)
    if workflow is None:
        return tuple(input)
    given = from_bytes(JSON, msgspec.json.encode({"*": input}))
    try:
        args, _ = workflow.bind(engine.encodings).call_site.decode(given)
    except PayloadError as error:
        raise InvalidArgument(f"the input of {workflow.name} does not fit: {error}", path="$.input") from error
    return args


async def signal_run(call: Call[Any, SignalBody]) -> None:
    body = call.body
    message = body.message or call.once or None
    await call.engine.signal(the_run(call).run, body.name, body.value, message=message, by=call.who.name)


async def query_run(call: Call[Any, CallBody]) -> Answer:
    found = await call.engine.query(the_run(call).run, call.body.name, tuple(call.body.arguments))
    return Answer(_plain(call, found))


async def update_run(call: Call[Any, CallBody]) -> Answer:
    body = call.body
    found = await call.engine.update(
        the_run(call).run, body.name, tuple(body.arguments), id=body.id or call.once or None, by=call.who.name
    )
    return Answer(_plain(call, found))


async def cancel_run(call: Call[Any, ReasonBody]) -> None:
    await call.engine.cancel(the_run(call).run, call.body.reason, by=call.who.name)


async def terminate_run(call: Call[Any, ReasonBody]) -> None:
    await call.engine.terminate(the_run(call).run, call.body.reason, by=call.who.name)


async def retry_run(call: Call[Any, RetryBody]) -> None:
    row = the_run(call)
    latest = call.engine.store.latest(row.run) if row.state == "continued" else None
    if latest is not None:
        raise RunClosed(row.id, row.state, later=latest.run)  # what stands still, if anything does, is that one
    await call.engine.retry(row.run, call.body.key, by=call.who.name)


def _plain(call: Call[Any, Any], value: Any) -> Any:
    """The value as JSON can say it, by the engine's own encodings."""
    return msgspec.json.decode(call.engine.encodings.encode(value).data)
