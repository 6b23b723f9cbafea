"""``segue workers``: who works on the runs of a database, or of a server."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from segue.cli.lookup import of_app, reached
from segue.cli.output import console, print_json
from segue.cli.scope import Reach
from segue.cli.words import length
from segue.runtime.differing import Kind
from segue.server import overview
from segue.server.overview import WorkerView
from segue.stores.owning import SLOTS


def workers(
    *,
    all: Annotated[bool, Parameter(help="Of all apps.", negative=(), show_default=False)] = False,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """List the workers that are alive: since when, which share of the runs each has, and what it serves."""
    return asyncio.run(_list(all, scope))


async def _list(all: bool, scope: Reach) -> int:
    async with reached(scope) as answers:
        found, whose, now = await of_app(answers, overview.list_workers, all=all)
    if scope.json:
        print_json(found)
    elif found:
        console().print(_table(found, now))
        for kind in dict.fromkeys(kind for one in found for kind in one.differs.values()):
            console().print(Text(f"{_MARKS[kind]} {_SAYS[kind]}", style="dim" if kind in _PASSES else "yellow"))
    else:
        console().print(f"nobody works on the runs of {whose} just now")
    return 0


_MARKS: dict[Kind, str] = {"rolling": "↑", "arriving": "+", "mixed": "≠", "leaving": "-"}
_SAYS: dict[Kind, str] = {
    "rolling": "a newer version follows an older one",
    "arriving": "only workers that came later have it",
    "mixed": "versions stay beside each other: bring the rest up to date, give one an app of its own, or pin it",
    "leaving": "workers that came later lack it: serve it on until its runs have ended, or give one an app of its own",
}
_PASSES: frozenset[Kind] = frozenset({"rolling", "arriving"})
"""What an upgrade brings with it, and ends with it."""


def _serves(worker: WorkerView) -> Text:
    """What the worker has code for, with the version where others have another one."""
    names = [_named(name, worker) for name in sorted({*worker.serves, *worker.differs})]
    return Text(", ".join(names), style="dim")


def _named(name: str, worker: WorkerView) -> str:
    kind = worker.differs.get(name)
    if kind is None:
        return name
    return f"{_MARKS[kind]}{name} ({worker.serves.get(name, 'not here')})"


def _table(found: list[WorkerView], now: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("worker", "app", "for", "share", "lease", "serves"):
        table.add_column(name, overflow="fold")
    for each in found:
        left = "" if each.expires is None else f"{length(max(0, each.expires - now))} left"
        since = length(max(0, now - each.since)) if each.since else ""
        share = f"{each.slots / SLOTS:.0%}"
        table.add_row(each.worker, each.app, since, share, left, _serves(each))
    return table
