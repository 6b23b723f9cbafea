"""``segue workers``: who works on the runs of a database, or of a server."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from segue.cli.lookup import reached
from segue.cli.output import console, print_json
from segue.cli.scope import Reach
from segue.cli.words import length
from segue.server import overview
from segue.stores.owning import SLOTS, Worker


def workers(
    *,
    all: Annotated[bool, Parameter(help="Of all apps.", negative=(), show_default=False)] = False,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """List the workers that are alive: since when, which share of the runs each has, and what it serves."""
    return asyncio.run(_list(all, scope))


async def _list(all: bool, scope: Reach) -> int:
    async with reached(scope) as answers:
        there = await answers.ask(overview.show_app, query=overview.AppQuery())
        app = None if all else there.app
        found = [one for one in await answers.ask(overview.list_workers) if app in (None, one.app)]
    if scope.json:
        print_json(found)
    elif found:
        console().print(_table(found, there.now))
    else:
        console().print(f"nobody works on the runs of {'any app' if app is None else f'app {app!r}'} just now")
    return 0


def _table(found: list[Worker], now: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("worker", "app", "for", "share", "lease", "serves"):
        table.add_column(name, overflow="fold")
    for each in found:
        left = "" if each.expires is None else f"{length(max(0, each.expires - now))} left"
        since = length(max(0, now - each.since)) if each.since else ""
        share = f"{each.slots / SLOTS:.0%}"
        table.add_row(each.worker, each.app, since, share, left, Text(", ".join(sorted(each.serves)), style="dim"))
    return table
