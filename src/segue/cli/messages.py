"""``segue signal``, ``cancel`` and ``terminate``: what a person says to a run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from segue.cli import values
from segue.cli.asking import ask
from segue.cli.awaiting import sent
from segue.cli.lookup import lookup, reached, watched
from segue.cli.output import console, print_json
from segue.cli.scope import Reach, Scope
from segue.cli.words import count
from segue.errors import CallerError, InvalidArgument, RunClosed
from segue.kernel.timeline import Incident
from segue.server import acting, overview
from segue.server.answers import Answers
from segue.server.views import RunView
from segue.stores.base import CLOSED

RunId = Annotated[str, Parameter(help="The run's id, or the beginning of it.")]
Reason = Annotated[str, Parameter(help="Why; kept in the journal.", show_default=False)]


def signal(
    run: RunId,
    name: Annotated[str, Parameter(help="The signal's name.")],
    value: Annotated[str | None, Parameter(help="Its value: JSON, a bare word, or @file.json.")] = None,
    /,
    *,
    message: Annotated[str | None, Parameter(help="An id under which it is taken only once.")] = None,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Send a signal to a run. It is kept, in order, until the run asks for it."""
    given = None if value is None else values.untyped(value)

    async def send(answers: Answers, row: RunView) -> str:
        await answers.ask(acting.signal_run, run=row.run, body=acting.SignalBody(name, given, message))
        return f"signal {name!r} is with run {row.id}"

    return tell(scope, (run,), send)


def cancel(
    *runs: RunId,
    reason: Reason = "",
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Ask runs to stop: their ``finally`` blocks and compensations run first."""

    async def send(answers: Answers, row: RunView) -> str:
        await answers.ask(acting.cancel_run, run=row.run, body=acting.ReasonBody(reason))
        incidents = (await watched(answers, row.run)).timeline.open_incidents
        if any(incident.key is None for incident in incidents):
            return f"run {row.id} stands still, and stops once it goes on again; `segue terminate {row.id}` ends it now"
        return f"run {row.id} is asked to stop; what it has to undo is undone first"

    return tell(scope, some(runs), send, several=True)


def terminate(
    *runs: RunId,
    reason: Reason = "",
    yes: Annotated[bool, Parameter(help="Do not ask.", negative=(), show_default=False)] = False,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """End runs at once. Nothing is undone."""
    some(runs)
    if not yes:
        confirm(f"Terminate {count(len(runs), 'run')}: {', '.join(runs)}? Nothing is undone.", scope)

    async def send(answers: Answers, row: RunView) -> str:
        await answers.ask(acting.terminate_run, run=row.run, body=acting.ReasonBody(reason))
        return f"run {row.id} is terminated; nothing was undone"

    return tell(scope, runs, send, several=True)


async def open_incident(answers: Answers, row: RunView, step: str | None) -> Incident:
    """The incident that is resolved, or the first of all that are."""
    timeline = (await watched(answers, row.run)).timeline
    found = timeline.open_incidents
    if not found:
        raise CallerError(f"run {row.id!r} is {row.state} and does not stand still; there is nothing to retry")
    if step is None:
        return found[0]
    for incident in found:
        call = timeline.calls.get(incident.key or "")
        if incident.key == step or (call is not None and call.name == step):
            return incident
    stuck = ", ".join(incident.key or "the run as a whole" for incident in found)
    raise CallerError(f"step {step!r} of run {row.id!r} does not stand still; what does: {stuck}")


def some(runs: tuple[str, ...]) -> tuple[str, ...]:
    if not runs:
        raise InvalidArgument("no run is named; `segue list` shows what there is")
    return runs


def confirm(question: str, scope: Scope) -> None:
    """Asks before something that cannot be undone.

    Raises:
        InvalidArgument: nobody can be asked. CallerError: the answer was no.
    """
    if not sys.stdin.isatty() or scope.json:
        raise InvalidArgument(f"{question} Nobody can be asked here: pass --yes to say so")
    try:
        answer = ask(f"{question} [y/N] ")
    except EOFError:  # Ctrl-D
        answer = ""
    if answer.lower() not in ("y", "yes"):
        raise CallerError("nothing was changed")


def tell(
    scope: Reach,
    ids: tuple[str, ...],
    send: Callable[[Answers, RunView], Awaitable[str]],
    *,
    several: bool = False,
    by: str | None = None,
    me: bool = False,
) -> int:
    """Looks all runs up first, so that nothing was sent when one of them is wrong.

    Args:
        several: the command takes any number of runs, and its JSON is a list whatever their number.
        by, me: who says it, as ``reached`` has it.
    """

    async def tell() -> None:
        async with reached(scope, by=by, me=me) as answers:
            rows = [await lookup(answers, id) for id in ids]
            for row in rows:
                if row.state in CLOSED:
                    raise RunClosed(row.id, row.state)
            said = []
            for row in rows:
                with sent(scope, "this", row.id):
                    said.append(await send(answers, row))
            if scope.json:
                told: list[dict[str, Any]] = [{"id": row.id, "accepted": True} for row in rows]
                print_json(told if several else told[0])
                return
            out = console()
            for line in said:
                out.print(line)
            await tell_if_nobody_works(answers, rows[0].app)

    asyncio.run(tell())
    return 0


async def tell_if_nobody_works(answers: Answers, app: str | None = None, *, out: Console | None = None) -> None:
    """A message is on disk; that nobody acts on it yet is worth a line."""
    there = await answers.ask(overview.show_app, query=overview.AppQuery(app))
    if there.owner is None:
        hint = f"no worker of app {there.app!r} is alive; it takes effect when one is (segue run, dev or worker)"
        (out or console()).print(Text(hint, style="dim"))
