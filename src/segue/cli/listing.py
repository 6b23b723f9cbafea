"""``segue list``: which runs there are, where each stands, or how it ended."""

from __future__ import annotations

import asyncio
from difflib import get_close_matches
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from segue.cli import values
from segue.cli.lookup import reached
from segue.cli.output import ROOMY, badge, console, print_json, share, short_id
from segue.cli.paging import at_least_one
from segue.cli.said import said
from segue.cli.scope import Reach
from segue.cli.words import ago, iso, length, moment, state
from segue.errors import InvalidArgument
from segue.server import overview, runs
from segue.server.answers import Answers
from segue.server.views import RunView
from segue.settings import said_app
from segue.stores.base import CLOSED, OPEN

_GROUPS = {"open": OPEN, "closed": CLOSED}


def list_runs(
    *,
    state: Annotated[
        tuple[str, ...], Parameter(help="Only in this state; also open, closed.", negative=(), show_default=False)
    ] = (),
    workflow: Annotated[str | None, Parameter(help="Only of this workflow.")] = None,
    attribute: Annotated[
        tuple[str, ...], Parameter(help="Only with this attribute, name=value.", negative=(), show_default=False)
    ] = (),
    tag: Annotated[
        tuple[str, ...], Parameter(help="Only with this label, name=value.", negative=(), show_default=False)
    ] = (),
    text: Annotated[
        str | None, Parameter(help="Only with all these words: in id, workflow, labels, attributes, summary, error.")
    ] = None,
    since: Annotated[str | None, Parameter(help="Only started since: 2h, 14:00, 2026-11-22.")] = None,
    until: Annotated[str | None, Parameter(help="Only started before.")] = None,
    limit: Annotated[int, Parameter(help="How many at most.")] = 50,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """List runs, newest first: where each one stands, or how it ended."""
    return asyncio.run(_list(scope, state, workflow, attribute, tag, text, since, until, limit))


async def _list(
    scope: Reach,
    states: tuple[str, ...],
    workflow: str | None,
    attribute: tuple[str, ...],
    tag: tuple[str, ...],
    text: str | None,
    since: str | None,
    until: str | None,
    limit: int,
) -> int:
    at_least_one(limit)
    values.pairs(tag, "--tag")
    values.pairs(attribute, "--attribute")
    chosen = _states(states)
    async with reached(scope) as answers:
        of = said_app(scope.app)
        app = await answers.ask(overview.show_app, query=overview.AppQuery(of))
        where = runs.RunQuery(
            state=chosen,
            app=of,
            workflow=workflow,
            tag=list(tag),
            attribute=list(attribute),
            text=text,
            since=None if since is None else max(0, moment(since, app.now)),
            until=None if until is None else max(0, moment(until, app.now)),
        )
        rows, more = await _pages(answers, where, limit)
        if scope.json:
            print_json([run_json(row) for row in rows])
        elif rows:
            _print(app, rows, more)
        else:
            await _print_nothing(answers, app, where)
    return 0


async def _pages(answers: Answers, where: runs.RunQuery, limit: int) -> tuple[list[RunView], bool]:
    """The newest runs, page by page, and whether there are more."""
    rows: list[RunView] = []
    after = None
    while len(rows) < limit:
        query = msgspec.structs.replace(where, after=after, limit=min(runs.MOST, limit - len(rows)))
        page = await answers.ask(runs.list_runs, query=query)
        rows += page.runs
        after = page.next
        if after is None:
            return rows, False
    return rows, True


def run_json(row: RunView) -> dict[str, Any]:
    """A run for machines."""
    return {
        "id": row.id,
        "workflow": row.workflow,
        "state": row.state,
        "namespace": row.namespace,
        "app": row.app,
        "version": row.version,
        "started_at": iso(row.started_at),
        "changed_at": iso(row.changed_at),
        "closed_at": iso(row.closed_at),
        "due_at": iso(row.due_at),
        "error": row.error,
        "summary": row.summary,
        "timer": row.timer,
        "awaits": row.awaits,
        "tags": row.tags,
        "attributes": row.attributes,
    }


def _states(given: tuple[str, ...]) -> list[str]:
    states: list[str] = []
    for word in (part for text in given for part in text.split(",")):
        if word in _GROUPS:
            states += _GROUPS[word]
        elif word in OPEN or word in CLOSED:
            states.append(word)
        else:
            known = [*OPEN, *CLOSED, *_GROUPS]
            near = get_close_matches(word, known, 1)
            said = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise InvalidArgument(f"--state {word!r} is no state; {said}")
    return states


def _print(app: overview.AppView, rows: list[RunView], more: bool) -> None:
    out = console()
    out.print(_table(rows, app.now, out))
    if any(row.closed_at is None for row in rows) and app.owner is None:
        hint = f"no worker of app {app.app!r} is alive: open runs wait for one (segue run, dev or worker)"
        out.print(Text(hint, style="dim"))
    if more:
        out.print(Text(f"and older ones; --limit {2 * len(rows)} shows more", style="dim"))


def _table(rows: list[RunView], now: int, out: Console) -> Table:
    """One line for each run; a narrow terminal gets what tells most of it."""
    roomy = out.width >= ROOMY
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False, expand=out.is_terminal)
    table.add_column("id", overflow="fold", max_width=share(out, 2))
    if roomy:
        table.add_column("workflow", no_wrap=True, overflow="ellipsis", max_width=share(out, 4))
    table.add_column("state", no_wrap=True)
    table.add_column(
        "now, or how it ended", no_wrap=True, overflow="ellipsis", min_width=16 if roomy else None,
        ratio=1 if out.is_terminal else None,
    )  # fmt: skip
    if roomy:
        table.add_column("started", no_wrap=True, justify="right")
        table.add_column("duration", no_wrap=True, justify="right")
    for row in rows:
        text = "" if row.standing is None else said(row.standing, now)
        text = f"{row.summary}: {text}" if row.summary and text else row.summary or text
        word, id, note = row.state, short_id(row.id, out), _note(row, text)
        took = length((row.closed_at or now) - row.started_at)
        cells = (id, row.workflow, badge(word), note, ago(row.started_at, now), took)
        table.add_row(*(cells if roomy else (id, badge(word), note)))
    return table


def _note(row: RunView, note: str) -> Text:
    style = state(row.state).colour if row.state in ("incident", "failed") else "default"
    return Text(note, style=style)


async def _print_nothing(answers: Answers, app: overview.AppView, where: runs.RunQuery) -> None:
    out = console()
    bare = runs.RunQuery()
    if not (await answers.ask(runs.list_runs, query=runs.RunQuery(limit=1))).runs:
        out.print(f"no runs yet in namespace {app.namespace!r}; `segue run FILE.py` makes one")
        return
    narrow = ", ".join(sorted(f for f in runs.RunQuery.__struct_fields__ if getattr(where, f) != getattr(bare, f)))
    hint = ""
    if where.state:
        without = await answers.ask(runs.list_runs, query=msgspec.structs.replace(where, state=[], limit=runs.MOST))
        more = " or more" if without.next is not None else ""
        hint = f"; without --state there are {len(without.runs)}{more}" if without.runs else ""
    out.print(f"no runs match (by {narrow}){hint}")
