"""``segue pause`` and ``segue resume``: runs, or a step of all runs, stand still because a person wants it to."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import Annotated

from cyclopts import Parameter

from segue.cli.lookup import client
from segue.cli.messages import Reason, RunId, some, tell, tell_if_nobody_works
from segue.cli.output import console, print_json
from segue.cli.scope import Scope
from segue.engine import Engine
from segue.errors import InvalidArgument
from segue.stores.base import RunRow

StepName = Annotated[
    str | None, Parameter(help="Not a run: this step, by its name, in all runs of the app.", show_default=False)
]
By = Annotated[str | None, Parameter(help="Who says so; by default who is logged in.", show_default=False)]


def pause(
    *runs: RunId,
    step: StepName = None,
    reason: Reason = "",
    by: By = None,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Have runs stand still, or a step of all runs.

    Attempts that are under way end, and their outcomes are kept; messages are kept; timers wait.
    """
    who = by or getpass.getuser()
    if step is not None:
        return _of_step(scope, runs, step, "paused", lambda engine: engine.pause_step(step, reason, by=who))

    async def send(engine: Engine, row: RunRow) -> str:
        await engine.pause(row.run, reason, by=who)
        return f"run {row.id} is paused; `segue resume {row.id}` lets it go on"

    return tell(scope, some(runs), send, several=True)


def resume(
    *runs: RunId,
    step: StepName = None,
    by: By = None,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Let paused runs go on, or a paused step: what came in meanwhile is seen, and timers that became due fire."""
    who = by or getpass.getuser()
    if step is not None:
        return _of_step(scope, runs, step, "running", lambda engine: engine.resume_step(step, by=who))

    async def send(engine: Engine, row: RunRow) -> str:
        await engine.resume(row.run, by=who)
        return f"run {row.id} goes on"

    return tell(scope, some(runs), send, several=True)


def _of_step(
    scope: Scope, runs: tuple[str, ...], step: str, state: str, act: Callable[[Engine], Awaitable[None]]
) -> int:
    if runs:
        raise InvalidArgument(f"--step is for all runs of the app; leave out {', '.join(runs)}, or --step")

    async def said() -> None:
        async with client(scope) as engine:
            await act(engine)
            if scope.json:
                print_json({"step": step, "state": state})
                return
            told = "is paused in all runs" if state == "paused" else "goes on in every run that waits for it"
            console().print(f"step {step} {told}")
            tell_if_nobody_works(engine, engine.app)

    asyncio.run(said())
    return 0
