"""``segue pause`` and ``segue resume``: runs, or a step of all runs, stand still because a person wants it to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

from cyclopts import Parameter

from segue.cli.lookup import reached
from segue.cli.messages import Reason, RunId, some, tell, tell_if_nobody_works
from segue.cli.output import console, print_json
from segue.cli.scope import Reach
from segue.errors import InvalidArgument
from segue.server import acting, held, repairs
from segue.server.answers import Answers
from segue.server.views import RunView

StepName = Annotated[
    str | None, Parameter(help="Not a run: this step, by its name, in all runs of the app.", show_default=False)
]
By = Annotated[str | None, Parameter(help="Who says so; by default who is logged in.", show_default=False)]


def pause(
    *runs: RunId,
    step: StepName = None,
    reason: Reason = "",
    by: By = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Have runs stand still, or a step of all runs.

    Attempts that are under way end, and their outcomes are kept; messages are kept; timers wait.
    """
    said = acting.ReasonBody(reason)
    if step is not None:
        return _of_step(
            scope, runs, step, "paused", by, lambda answers: answers.ask(held.pause_step, step=step, body=said)
        )

    async def send(answers: Answers, row: RunView) -> str:
        await answers.ask(repairs.pause_run, run=row.run, body=said)
        return f"run {row.id} is paused; `segue resume {row.id}` lets it go on"

    return tell(scope, some(runs), send, several=True, by=by, me=True)


def resume(
    *runs: RunId,
    step: StepName = None,
    by: By = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Let paused runs go on, or a paused step: what came in meanwhile is seen, and timers that became due fire."""
    if step is not None:
        return _of_step(
            scope, runs, step, "running", by,
            lambda answers: answers.ask(held.resume_step, step=step, body=repairs.Bare()),
        )  # fmt: skip

    async def send(answers: Answers, row: RunView) -> str:
        await answers.ask(repairs.resume_run, run=row.run, body=repairs.Bare())
        return f"run {row.id} goes on"

    return tell(scope, some(runs), send, several=True, by=by, me=True)


def _of_step(
    scope: Reach,
    runs: tuple[str, ...],
    step: str,
    state: str,
    by: str | None,
    act: Callable[[Answers], Awaitable[None]],
) -> int:
    if runs:
        raise InvalidArgument(f"--step is for all runs of the app; leave out {', '.join(runs)}, or --step")

    async def said() -> None:
        async with reached(scope, by=by, me=True) as answers:
            await act(answers)
            if scope.json:
                print_json({"step": step, "state": state})
                return
            told = "is paused in all runs" if state == "paused" else "goes on in every run that waits for it"
            console().print(f"step {step} {told}")
            await tell_if_nobody_works(answers)

    asyncio.run(said())
    return 0
