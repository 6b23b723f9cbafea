"""``segue queues``: what waits in the queues of a database, or of a server, and who has the rest."""

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
from segue.server import working
from segue.stores.attempt_rows import QueueFigures


def queues(
    *,
    all: Annotated[bool, Parameter(help="Of all apps.", negative=(), show_default=False)] = False,
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """List the queues in which something is: how much of it waits, since when, and which workers have the rest."""
    return asyncio.run(_list(all, scope))


async def _list(all: bool, scope: Reach) -> int:
    async with reached(scope) as answers:
        found, whose, now = await of_app(answers, working.list_queues, all=all)
    if scope.json:
        print_json(found)
    elif found:
        console().print(_table(found, now))
    else:
        console().print(f"nothing is in the queues of {whose} just now")
    return 0


def _table(found: list[QueueFigures], now: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, justify in (("queue", "left"), ("app", "left"), ("waiting", "right"), ("for", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for name in ("paused", "held"):
        table.add_column(name, justify="right")
    table.add_column("workers", overflow="fold")
    for each in found:
        since = "" if each.since is None else length(max(0, now - each.since))
        workers = ", ".join(f"{name} ({count})" for name, count in sorted(each.workers.items()))
        unserved = each.waiting and not each.held
        counts = Text(str(each.waiting), style="yellow" if unserved else ""), since, str(each.paused), str(each.held)
        table.add_row(each.queue, each.app, *counts, Text(workers or ("nobody" if each.waiting else ""), style="dim"))
    return table
