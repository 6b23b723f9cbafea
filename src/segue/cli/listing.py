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
from segue.cli.lookup import client
from segue.cli.output import ROOMY, badge, console, print_json, short_id
from segue.cli.said import said
from segue.cli.scope import Scope
from segue.cli.words import ago, iso, length, moment, state
from segue.engine import Engine
from segue.errors import InvalidArgument
from segue.standing import standing
from segue.stores.base import CLOSED, OPEN, RunFilter, RunRow

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
    since: Annotated[str | None, Parameter(help="Only started since: 2h, 14:00, 2026-11-22.")] = None,
    until: Annotated[str | None, Parameter(help="Only started before.")] = None,
    limit: Annotated[int, Parameter(help="How many at most.")] = 50,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """List runs, newest first: where each one stands, or how it ended."""
    return asyncio.run(_list(scope, state, workflow, attribute, tag, since, until, limit))


async def _list(
    scope: Scope,
    states: tuple[str, ...],
    workflow: str | None,
    attribute: tuple[str, ...],
    tag: tuple[str, ...],
    since: str | None,
    until: str | None,
    limit: int,
) -> int:
    if limit < 1:
        raise InvalidArgument(f"--limit {limit} shows nothing; it counts from 1")
    async with client(scope) as engine:
        now = engine.clock.now()
        where = RunFilter(
            namespace=engine.namespace,
            states=_states(states),
            workflow=workflow,
            tags=values.pairs(tag, "--tag"),
            attributes=values.attributes(attribute),
            started_from=None if since is None else moment(since, now),
            started_until=None if until is None else moment(until, now),
            limit=limit + 1,
        )
        found = await engine.list(where)
        rows, more = found[:limit], len(found) > limit
        if scope.json:
            print_json([run_json(row) for row in rows])
        elif rows:
            _print(engine, rows, more, now)
        else:
            _print_nothing(engine, where)
    return 0


def run_json(row: RunRow) -> dict[str, Any]:
    """A run's row for machines."""
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
        "due_at": iso(row.wake) if row.wake is not None and row.wake > 1_000_000 else None,
        "error": row.error,
        "summary": row.summary,
        "timer": row.timer,
        "tags": row.tags,
        "attributes": row.attributes,
    }


def _states(given: tuple[str, ...]) -> tuple[str, ...]:
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
    return tuple(states)


def _print(engine: Engine, rows: list[RunRow], more: bool, now: int) -> None:
    out = console()
    out.print(_table(engine, rows, now, out))
    if any(row.state in OPEN for row in rows) and engine.store.owner(engine.app) is None:
        hint = f"no worker of app {engine.app!r} is alive: open runs wait for one (segue run, dev or worker)"
        out.print(Text(hint, style="dim"))
    if more:
        out.print(Text(f"and older ones; --limit {2 * len(rows)} shows more", style="dim"))


def _table(engine: Engine, rows: list[RunRow], now: int, out: Console) -> Table:
    """One line for each run; a narrow terminal gets what tells most of it."""
    roomy = out.width >= ROOMY
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False, expand=out.is_terminal)
    table.add_column("id", no_wrap=True, overflow="fold" if roomy else "ellipsis")
    if roomy:
        table.add_column("workflow", no_wrap=True, overflow="ellipsis")
    table.add_column("state", no_wrap=True)
    table.add_column(
        "now, or how it ended", no_wrap=True, overflow="ellipsis", min_width=16 if roomy else None,
        ratio=1 if out.is_terminal else None,
    )  # fmt: skip
    if roomy:
        table.add_column("started", no_wrap=True, justify="right")
        table.add_column("duration", no_wrap=True, justify="right")
    open_tasks = engine.store.tasks(engine.namespace)
    for row in rows:
        where = standing(engine, row, open_tasks, now)
        about = engine.journal.open_text(row.summary)
        text = said(where, now)
        text = f"{about}: {text}" if about and text else about or text
        word, id, note = where.state, short_id(row.id, out), _note(row, text)
        took = length((row.closed_at or now) - row.started_at)
        cells = (id, row.workflow, badge(word), note, ago(row.started_at, now), took)
        table.add_row(*(cells if roomy else (id, badge(word), note)))
    return table


def _note(row: RunRow, note: str) -> Text:
    style = state(row.state).colour if row.state in ("incident", "failed") else "default"
    return Text(note, style=style)


def _print_nothing(engine: Engine, where: RunFilter) -> None:
    bare = RunFilter(namespace=where.namespace, limit=1)
    out = console()
    if engine.store.list(bare):
        fields = {f for f in RunFilter.__struct_fields__ if getattr(where, f) != getattr(bare, f)} - {"limit"}
        narrow = ", ".join(sorted(f.removeprefix("started_") for f in fields))
        near = msgspec.structs.replace(where, states=(), limit=1000)
        count = len(engine.store.list(near))
        hint = f"; without --state there are {count}" if where.states and count else ""
        out.print(f"no runs match (by {narrow}){hint}")
    else:
        out.print(f"no runs yet in namespace {where.namespace!r}; `segue run FILE.py` makes one")
