"""``segue start``: starts a run for a worker to carry out, and returns at once."""

from __future__ import annotations

import asyncio
import sys
import uuid
from difflib import get_close_matches
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from segue.authoring.python.definitions import Workflow
from segue.cli import values
from segue.cli.awaiting import await_end, sent
from segue.cli.exits import OK
from segue.cli.interrupts import Interrupts
from segue.cli.lookup import reached
from segue.cli.messages import tell_if_nobody_works
from segue.cli.output import console, print_json
from segue.cli.scope import Reach
from segue.cli.target import find_if_code, split
from segue.errors import CallerError, InvalidArgument, RunAlreadyExists, ServerRefused, ServerUnavailable
from segue.server import acting, overview
from segue.server.answers import Answers
from segue.server.views import RunView
from segue.server.waiting import StartQuery
from segue.stores.base import ConflictPolicy


def start(
    target: Annotated[str, Parameter(help="file.py:workflow, module:workflow, or the name of one that a worker has.")],
    /,
    *args: Annotated[str, Parameter(help="The workflow's arguments: JSON, bare words, or @file.json.")],
    id: Annotated[str | None, Parameter(help="The run's id. The same one again is the same run.")] = None,
    tag: Annotated[
        tuple[str, ...], Parameter(help="A label, name=value, to find the run by.", negative=(), show_default=False)
    ] = (),
    on_conflict: Annotated[ConflictPolicy, Parameter(help="What to do if the id is taken.")] = "use-existing",
    delay: Annotated[str | None, Parameter(help="How long to wait before it begins: 30s, 2h.")] = None,
    timeout: Annotated[str | None, Parameter(help="How long it may take, once it has begun.")] = None,
    summary: Annotated[str, Parameter(help="What it is about, for lists.", show_default=False)] = "",
    wait: Annotated[
        bool, Parameter(help="Return when it has ended, with its exit code.", negative=(), show_default=False)
    ] = False,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Start a run and return at once: a worker carries it out.

    With code, the arguments are checked here. With a name alone, a worker that has the workflow must be alive.
    """
    tags = values.pairs(tag, "--tag")
    workflow = find_if_code(target)
    terms = {"tags": tags, "delay": delay, "timeout": timeout, "summary": summary}
    return asyncio.run(_start(scope, target, workflow, args, values.new_id(id), on_conflict, terms, wait))


async def _start(
    scope: Reach,
    name: str,
    workflow: Workflow[Any, Any] | None,
    texts: tuple[str, ...],
    id: str | None,
    on_conflict: ConflictPolicy,
    terms: dict[str, Any],
    wait: bool,
) -> int:
    async with reached(scope, new=workflow is not None) as answers:
        if workflow is None:
            await check_name(answers, name)
            input = [values.untyped(text) for text in texts]
        else:
            name, input = workflow.name, values.plain_arguments(workflow, texts)
        run_id = id or f"{name}-{uuid.uuid4().hex[:8]}"
        body = acting.StartBody(name, input, run_id, on_conflict if id else "fail", **terms)
        with sent(scope, "the start", run_id):
            run = await _started(answers, scope, body)
        interrupts = Interrupts() if wait else None  # from here on there is something to tell
        if scope.json and not wait:
            print_json({"id": run.id, "workflow": name})
        if not scope.json:
            # How it ended is what is printed, where that is waited for.
            out = console(sys.stderr if wait else None)
            out.print(Text("started ").append(run.id, style="bold"), soft_wrap=True)
            await tell_if_nobody_works(answers, out=out)
        return OK if interrupts is None else await await_end(answers, scope, run, interrupts)


async def _started(answers: Answers, scope: Reach, body: acting.StartBody) -> RunView:
    """The run. Where its id is taken, what to do about it is said as a command line says it."""
    try:
        run: RunView = await answers.ask(acting.start_run, query=StartQuery(), body=body)
    except ServerUnavailable as error:
        assert body.id is not None
        look = scope.command("show", body.id)
        raise ServerUnavailable(f"{error}; if run {body.id} was started all the same, `{look}` shows it") from error
    except RunAlreadyExists as error:
        raise CallerError(
            f"run {error.run_id!r} exists already: {error.reason}; choose another --id, or pass --on-conflict replace "
            "or terminate-if-running"
        ) from error
    except ServerRefused as error:
        if error.type != "segue:run-already-exists":
            raise
        told = f"{error} (on the command line: --on-conflict)"
        raise ServerRefused(told, type=error.type, status=error.status) from error
    return run


async def check_name(answers: Answers, name: str) -> None:
    """Whether the worker that is alive has a workflow of this name."""
    app = await answers.ask(overview.show_app, query=overview.AppQuery())
    owner = app.owner
    if owner is None:
        raise CallerError(
            f"no worker of app {app.app!r} is alive to say what {name!r} is; name the code too (file.py:{name}), or "
            "start a worker first"
        )
    if name not in owner.serves:
        near = get_close_matches(name, owner.serves, 1)
        known = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(sorted(owner.serves)) or 'none'}"
        module = split(name)[0] if ":" in name else ""
        nor = f", and there is no module {module!r} here" if module else ""
        raise InvalidArgument(f"{owner.worker} has no workflow {name!r}{nor}; {known}")
