"""Repairing one run: pausing it, answering a call by hand, other arguments, a part run again, a fork, and previews."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.authoring.python.definitions import STEPS
from segue.engine import Engine
from segue.errors import InvalidArgument, PayloadError
from segue.kernel.payload import JSON, from_bytes
from segue.kernel.steps import name_of
from segue.repair.actions import CodeChoice, Effect
from segue.repair.forking import FAILED
from segue.server.acting import ReasonBody, typed
from segue.server.call import Call, Number
from segue.server.runs import find_run, the_run
from segue.server.views import RunView, run_view


class Bare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing but ``{}``: a request that changes something has a body of JSON, which no page of another site can send
    without asking."""


class SkipBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The call that is answered (its key, or its name where it was called once), and with what."""

    call: str
    result: Any = None


class InputBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The step whose further attempts get other arguments, and these, by position and by name."""

    call: str
    arguments: list[Any] = []
    named: dict[str, Any] = {}


class RerunBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From where a part runs again, under the same id: a step, the one that ``failed``, the ``start``, or null, where
    the run stands. ``input``: other arguments of the workflow."""

    step: str | None = FAILED
    input: list[Any] | None = None
    code: CodeChoice = "same"


class ForkBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a new run goes on from this one's journal: before a step, or behind an event.

    Attributes:
        id: of the new run; the same fork with the same id again is the same run.
        input: other arguments of the workflow.
    """

    step: str | None = None
    seq: Number | None = None
    id: str | None = None
    input: list[Any] | None = None
    code: CodeChoice = "same"


class PreviewQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From where, as in a fork."""

    step: str | None = None
    seq: Number | None = None
    code: CodeChoice = "same"


async def pause_run(call: Call[Any, ReasonBody]) -> None:
    await call.engine.pause(the_run(call).run, call.body.reason, by=call.who.name)


async def resume_run(call: Call[Any, Bare]) -> None:
    await call.engine.resume(the_run(call).run, by=call.who.name)


async def skip_call(call: Call[Any, SkipBody]) -> Effect:
    return await call.engine.skip(the_run(call).run, call.body.call, call.body.result, by=call.who.name)


async def edit_input(call: Call[Any, InputBody]) -> Effect:
    args, named = _typed_for(call.engine, call.body)
    # Not as keywords of the call: a step may name its parameters as it likes.
    return await call.engine.change_input(the_run(call).run, call.body.call, args, named, by=call.who.name)


def _typed_for(engine: Engine, body: InputBody) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments as the step declares them, where it is known here.

    Raises:
        InvalidArgument: they do not fit.
    """
    step = STEPS.get(name_of(body.call))
    if step is None:
        return tuple(body.arguments), body.named
    given = {"*": body.arguments, **body.named} if body.arguments else body.named
    try:
        args, kwargs = step.bind(engine.encodings).call_site.decode(from_bytes(JSON, msgspec.json.encode(given)))
    except PayloadError as error:
        raise InvalidArgument(f"the arguments for {body.call} do not fit: {error}", path="$.named") from error
    return args, kwargs


async def rerun(call: Call[Any, RerunBody]) -> RunView:
    row, body = the_run(call), call.body
    handle = await call.engine.retry_from(
        row.run, body.step, args=_input(call, row.workflow, body.input), code=body.code, by=call.who.name
    )
    return run_view(find_run(call.engine, handle.run))


async def fork_run(call: Call[Any, ForkBody]) -> RunView:
    row, body = the_run(call), call.body
    handle = await call.engine.fork(
        row.run, step=body.step, seq=body.seq, args=_input(call, row.workflow, body.input), code=body.code,
        id=body.id or call.once or None, by=call.who.name,
    )  # fmt: skip
    return run_view(find_run(call.engine, handle.run))


async def preview_fork(call: Call[PreviewQuery, None]) -> Effect:
    return call.engine.preview(the_run(call).run, step=call.query.step, seq=call.query.seq, code=call.query.code)


def _input(call: Call[Any, Any], workflow: str, input: list[Any] | None) -> tuple[Any, ...] | None:
    return None if input is None else typed(call.engine, workflow, input)
