"""``segue list``: which runs there are, where each stands, or how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from segue.cli import values
from segue.cli.lookup import reached
from segue.cli.output import badge, console, print_json, share, short_id
from segue.cli.paging import at_least_one
from segue.cli.said import said
from segue.cli.scope import Reach
from segue.cli.words import ago, iso, length, moment, state
from segue.configuration.settings import said_app
from segue.errors import InvalidArgument
from segue.server import overview, runs
from segue.server.answers import Answers
from segue.server.views import RunView
from segue.stores.base import CLOSED, OPEN

_GROUPS = {"open": OPEN, "closed": CLOSED}
_COLUMNS = ("id", "workflow", "state", "note", "started", "duration")
LEAST = ("duration", "workflow", "started")
"""Columns that a terminal does without, the first one first, to have room for what is to be said of the runs."""
NOTE = 32
"""Characters for which there should be room, if so much is to be said."""
GAP = 2

_Line = dict[str, Text]
"""What is shown of a run, by column."""


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


def _table(rows: list[RunView], now: int, out: Console) -> RenderableType:
    """One line for each run, where what is to be said of it has room beside its id; two, where there is none."""
    lines = [_line(row, now, out) for row in rows]
    if not out.is_terminal:
        return _columns(lines, ("workflow", "started", "duration"), out)
    wanted = min(NOTE, max(len(line["note"]) for line in lines))
    kept = ["workflow", "started", "duration"]
    while (room := out.width - _width(lines, kept, out)) < wanted and kept:
        kept.remove(next(name for name in LEAST if name in kept))
    return _columns(lines, kept, out) if room >= wanted else Group(*_stacked(lines, out.width))


def _line(row: RunView, now: int, out: Console) -> _Line:
    text = "" if row.standing is None else said(row.standing, now)
    text = f"{row.summary}: {text}" if row.summary and text else row.summary or text
    return {
        "id": Text(short_id(row.id, out)),
        "workflow": Text(row.workflow),
        "state": badge(row.state),
        "note": _note(row, " ".join(text.split())),
        "started": Text(ago(row.started_at, now)),
        "duration": Text(length((row.closed_at or now) - row.started_at)),
    }


def _most(name: str, out: Console) -> int | None:
    return share(out, {"id": 2, "workflow": 4}[name]) if name in ("id", "workflow") else None


def _width(lines: list[_Line], kept: Sequence[str], out: Console) -> int:
    """Columns of all that stands beside what is to be said."""
    width = 0
    for name in ("id", "state", *kept):
        longest = max(len(name), *(line[name].cell_len for line in lines))
        width += min(longest, _most(name, out) or longest) + GAP
    return width


def _columns(lines: list[_Line], kept: Sequence[str], out: Console) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), header_style="dim", pad_edge=False, expand=out.is_terminal)
    names = [name for name in _COLUMNS if name in ("id", "state", "note") or name in kept]
    for name in names:
        match name:
            case "id":
                table.add_column("id", overflow="fold", max_width=_most(name, out))
            case "note":
                title, ratio = "now, or how it ended", 1 if out.is_terminal else None
                table.add_column(title, no_wrap=True, overflow="ellipsis", ratio=ratio)
            case "workflow":
                table.add_column("workflow", no_wrap=True, overflow="ellipsis", max_width=_most(name, out))
            case _:
                table.add_column(name, no_wrap=True, justify="left" if name == "state" else "right")
    for line in lines:
        table.add_row(*(line[name] for name in names))
    return table


def _stacked(lines: list[_Line], width: int) -> Iterator[Text]:
    """State and id, whole, and below it what is to be said."""
    widest = max(line["state"].cell_len for line in lines)
    for line in lines:
        state, started = line["state"].copy(), line["started"]
        state.pad_right(widest - state.cell_len + GAP)
        head = state.append_text(line["id"])
        if (room := width - head.cell_len - started.cell_len) >= GAP:
            head.pad_right(room)
            head.append(started.plain, style="dim")
        yield Text(overflow="fold").append_text(head)
        if line["note"].plain:
            yield Text("  ", no_wrap=True, overflow="ellipsis").append_text(line["note"])


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
