"""``segue retry``, ``skip`` and ``fork``: what becomes of a run, or of many, is changed by a person."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from segue.cli import values
from segue.cli.awaiting import sent
from segue.cli.exits import FAILED, OK
from segue.cli.lookup import lookup, reached
from segue.cli.messages import RunId, confirm, open_incident, tell_if_nobody_works
from segue.cli.output import console, print_json
from segue.cli.scope import Reach
from segue.cli.where import where_of
from segue.cli.words import count
from segue.errors import CallerError, InvalidArgument
from segue.server import many, repairs
from segue.server.answers import Answers
from segue.server.views import RunView
from segue.stores.base import CLOSED

SHOWN = 20
"""Runs of which a preview tells one by one."""

Runs = Annotated[
    str | None, Parameter(help="Many runs: state=incident,workflow=buy,tag.kind=x,id=ord-.", show_default=False)
]
Yes = Annotated[bool, Parameter(help="Do not ask.", negative=(), show_default=False)]
Preview = Annotated[bool, Parameter(help="Say what would be done, and do nothing.", negative=(), show_default=False)]
By = Annotated[str, Parameter(help="Who does it; kept in the journal.", show_default=False)]


def retry(
    run: Annotated[str | None, Parameter(help="The run's id, or the beginning of it.")] = None,
    /,
    *,
    step: Annotated[str | None, Parameter(help="Only this step, by name or key; by default all.")] = None,
    input: Annotated[
        str | None, Parameter(help="Other arguments for --step: a JSON list, or @file.json.", show_default=False)
    ] = None,
    from_: Annotated[
        str | None, Parameter(name="--from", help="From a step (key or name), `failed` or `start`.", show_default=False)
    ] = None,
    code: Annotated[Literal["same", "newest"], Parameter(help="For runs pinned to a version.")] = "same",
    where: Runs = None,
    preview: Preview = False,
    yes: Yes = False,
    by: By = "",
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Let a run go on that stands still, or run a part of one again.

    Without --from the run goes on where it stands: with new attempts, or with the code as it is now. With --from, or
    of a run that has failed, what comes before the step is kept and the rest runs again, as a new run with the same id.
    """
    again = from_ is not None or code == "newest"
    if again and (step is not None or input is not None):
        raise InvalidArgument("--from runs a part again, --step goes on where a step stands still; take one of them")
    if input is not None and step is None:
        raise InvalidArgument("--input is for a --step")
    given = None if input is None else _list(values.untyped(input))
    if where is not None:
        _only_where(run)
        if step is not None and "/" not in step and not step.startswith("="):
            raise InvalidArgument(f"with --where, --step is a key: /{step}")
        rerun = many.RerunThem(from_ if from_ is not None or code == "newest" else "failed", code)
        return asyncio.run(_many(scope, where, rerun if again else many.RetryThem(step, given), preview, yes, by))
    if run is None:
        raise InvalidArgument("no run is named; `segue list --state incident` shows what stands still")
    return asyncio.run(_retry(scope, run, step, given, from_, code, preview, by))


async def _retry(
    scope: Reach,
    id: str,
    step: str | None,
    given: list[Any] | None,
    from_: str | None,
    code: Any,
    preview: bool,
    by: str,
) -> int:
    async with reached(scope, by=by) as answers:
        row = await lookup(answers, id)
        if from_ is not None or code == "newest" or row.state == "failed":
            # One that stands still because its version is not here goes on from there: nothing of it runs again.
            place = from_ if from_ is not None or row.state not in CLOSED else "failed"
            return await _one(answers, scope, row, many.RerunThem(place, code), preview)
        incident = await open_incident(answers, row, step)
        action = many.RetryThem(incident.key if step is not None else None, given)
        return await _one(answers, scope, row, action, preview)


def _list(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise InvalidArgument("--input is a JSON list of the step's arguments, in order")
    return given


def skip(
    run: Annotated[str | None, Parameter(help="The run's id, or the beginning of it; not with --where.")] = None,
    call: Annotated[str | None, Parameter(help="The call: its key, or the step's name.")] = None,
    result: Annotated[str | None, Parameter(help="Its result: JSON, a bare word, or @file.json.")] = None,
    /,
    *,
    where: Runs = None,
    preview: Preview = False,
    yes: Yes = False,
    by: By = "",
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Answer a call with a result in its callee's place. With --where the call and its result come first."""
    if where is not None:
        if run is None or result is not None:
            raise InvalidArgument("with --where: segue skip CALL [RESULT] --where …")
        given = None if call is None else values.untyped(call)
        return asyncio.run(_many(scope, where, many.SkipThem(run, given), preview, yes, by))
    if run is None or call is None:
        raise InvalidArgument("name the run and the call: segue skip RUN CALL [RESULT]")
    action = many.SkipThem(call, None if result is None else values.untyped(result))

    async def act(id: str) -> int:
        async with reached(scope, by=by) as answers:
            return await _one(answers, scope, await lookup(answers, id), action, preview)

    return asyncio.run(act(run))


def fork(
    run: RunId,
    /,
    *,
    from_: Annotated[
        str | None, Parameter(name="--from", help="A step (key or name), `failed` or `start`.", show_default=False)
    ] = None,
    at: Annotated[int | None, Parameter(help="Behind the event of this number.", show_default=False)] = None,
    code: Annotated[Literal["same", "newest"], Parameter(help="For runs pinned to a version.")] = "same",
    id: Annotated[str | None, Parameter(help="The new run's id; by default a new one.", show_default=False)] = None,
    preview: Preview = False,
    by: By = "",
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Start a new run that goes on from a place in another's journal, which stays as it is."""
    id = values.new_id(id)

    async def act() -> int:
        async with reached(scope, by=by) as answers:
            row = await lookup(answers, run)
            place = repairs.PreviewQuery(from_, at, code)
            effect = await answers.ask(repairs.preview_fork, run=row.run, query=place)
            if effect.refused:
                raise CallerError(effect.refused)
            told = {**msgspec.to_builtins(effect), "fork": None}
            said = [str(effect)]
            if not preview:
                body = repairs.ForkBody(from_, at, id, code=code)
                with sent(scope, "the fork", row.id):
                    made = await answers.ask(repairs.fork_run, run=row.run, body=body)
                told["fork"] = made.id
                said.append(f"started {made.id}, forked from {row.id}")
            _told(scope, [told], said)
            if not scope.json:
                await tell_if_nobody_works(answers, row.app)
            return OK

    return asyncio.run(act())


# --- one, or many -------------------------------------------------------------------------------------------------


async def _one(answers: Answers, scope: Reach, row: RunView, act: many.Act, preview: bool) -> int:
    body = many.BulkBody(act, runs=[row.run])
    (effect,) = (await answers.ask(many.preview_bulk, body=body)).effects
    if effect.refused:
        raise CallerError(effect.refused)
    said = [str(effect)]
    if not preview:
        with sent(scope, "this", row.id):
            (outcome,) = (await answers.ask(many.carry_out_bulk, body=body)).outcomes
        if not outcome.done:
            raise CallerError(outcome.text)
        said = [*([str(effect)] if effect.kept or effect.again else []), outcome.text]
    _told(scope, [{**msgspec.to_builtins(effect), "accepted": not preview}], said)
    if not scope.json and not preview:
        await tell_if_nobody_works(answers, row.app)
    return OK


def _told(scope: Reach, told: list[dict[str, Any]], said: list[str]) -> int:
    if scope.json:
        print_json(told[0])
    else:
        for line in said:
            console().print(line, soft_wrap=True)
    return OK


def _only_where(run: str | None) -> None:
    if run is not None:
        raise InvalidArgument(f"--where chooses the runs; {run} cannot be named beside it")


async def _many(scope: Reach, where: str, act: many.Act, preview: bool, yes: bool, by: str) -> int:
    chosen = many.BulkBody(act, where_of(where))
    async with reached(scope, by=by) as answers:
        found = await answers.ask(many.preview_bulk, body=chosen)
        if not scope.json:
            for effect in found.effects[:SHOWN]:
                console().print(str(effect), soft_wrap=True)
            if found.chosen > SHOWN:
                console().print(f"and {count(found.chosen - SHOWN, 'run')} more")
            refused = found.chosen - found.possible
            console().print(
                f"{count(found.possible, 'run')} of {found.chosen:,} chosen; {refused:,} cannot be changed so"
            )
        if preview or not found.possible:
            if scope.json:
                print_json(found)
            return OK
        if not yes:
            confirm(f"Do this to {count(found.possible, 'run')}?", scope)
        body = msgspec.structs.replace(chosen, possible=True, expect=found.possible)
        done = await answers.ask(many.carry_out_bulk, body=body)
    failed = [outcome for outcome in done.outcomes if not outcome.done]
    if scope.json:
        print_json({"chosen": found.chosen, "done": done.done, "outcomes": done.outcomes})
    else:
        for outcome in failed:
            console().print(outcome.text, soft_wrap=True)
        console().print(f"{count(done.done, 'run')} done, {done.chosen - done.done:,} not")
    return FAILED if done.done < done.chosen else OK
