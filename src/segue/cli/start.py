"""``segue start``: starts a run for a worker to carry out, and returns at once."""

from __future__ import annotations

import asyncio
import sys
import uuid
from contextlib import nullcontext, redirect_stdout
from difflib import get_close_matches
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from segue.authoring.python.definitions import Workflow
from segue.cli import target, values
from segue.cli.messages import tell_if_nobody_works
from segue.cli.output import console, print_json
from segue.cli.scope import Scope
from segue.engine import Engine
from segue.errors import CallerError, InvalidArgument
from segue.handles import Handle
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
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Start a run and return at once: a worker carries it out.

    With code, the arguments are checked here. With a name alone, a worker that has the workflow must be alive.
    """
    tags = values.pairs(tag, "--tag")
    with redirect_stdout(sys.stderr) if scope.json else nullcontext():
        workflow = _find(target)
    terms = {"tags": tags, "delay": delay, "timeout": timeout, "summary": summary}
    return asyncio.run(_start(scope, target, workflow, args, id, on_conflict, terms))


def _find(name: str) -> Workflow[Any, Any] | None:
    return target.find(name) if target.is_code(name) else None


async def _start(
    scope: Scope,
    name: str,
    workflow: Workflow[Any, Any] | None,
    texts: tuple[str, ...],
    id: str | None,
    on_conflict: ConflictPolicy,
    terms: dict[str, Any],
) -> int:
    if workflow is None:
        scope.require_database()
    async with Engine(scope.url, app=scope.app, namespace=scope.namespace, own=False) as engine:
        run_id = id or f"{workflow.name if workflow else name}-{uuid.uuid4().hex[:8]}"
        policy: ConflictPolicy = on_conflict if id else "fail"
        handle: Handle[Any]
        if workflow is None:
            _check_name(engine, name)
            arguments = [values.untyped(text) for text in texts]
            handle = await engine.start(name, *arguments, id=run_id, on_conflict=policy, **terms)
        else:
            arguments = values.arguments(workflow, texts, engine.encodings)
            handle = await engine.start(workflow, *arguments, id=run_id, on_conflict=policy, **terms)
        if scope.json:
            print_json({"id": handle.id, "workflow": workflow.name if workflow else name})
        else:
            out = console()
            out.print(Text("started ").append(handle.id, style="bold"), soft_wrap=True)
            tell_if_nobody_works(engine, engine.app)
    return 0


def _check_name(engine: Engine, name: str) -> None:
    """Whether the worker that is alive has a workflow of this name."""
    owner = engine.store.owner(engine.app)
    if owner is None:
        raise CallerError(
            f"no worker of app {engine.app!r} is alive to say what {name!r} is; name the code too (file.py:{name}), or "
            "start a worker first"
        )
    if name not in owner.serves:
        near = get_close_matches(name, owner.serves, 1)
        known = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(sorted(owner.serves)) or 'none'}"
        raise InvalidArgument(f"{owner.worker} has no workflow {name!r}; {known}")
